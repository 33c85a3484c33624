local task = require("core.test").task

local script

before_each(function()
  script = task.new()
end)

after_each(function()
  script:free()
end)

-- What a task that does not wait notes.
local function notes_of(code)
  script:start(code)
  return script:notes()
end

describe("the number that a task keeps", function()
  it("is the same in its coroutines and behind its waits", function()
    local notes = notes_of[[
      note(nesting(7))
      coroutine.wrap(function()
        note(nesting())
        coroutine.wrap(function() note(nesting(8)) wait() end)()
        note(nesting())
      end)()
      note(nesting())
    ]]
    assert.same({ "0", "7", "7" }, notes)
    script:wake(1)
    assert.same({ "8", "8" }, script:notes())
  end)

  it("is its own, and another outside of tasks", function()
    script:call("nesting(3)")
    assert.same({ "0", "0", "1" }, notes_of[[ note(nesting(1)) start("note(nesting(2))") note(nesting()) ]])
    script:call("note(nesting(0))")
    assert.same({ "3" }, script:notes())
  end)

  it("is put back by a cage that fails, and by no other", function()
    local notes = notes_of[[
      nesting(1)
      cage(function() nesting(2) error("x") end) note(nesting())
      cage(function() nesting(3) end) note(nesting())
      cage(function() nesting(4) wait() error("x") end) note(nesting())
    ]]
    assert.same({ "1", "3" }, notes)
    script:wake(1)
    assert.same({ "3" }, script:notes())
  end)
end)

describe("a wait inside a coroutine of the task's own", function()
  it("passes through coroutine.resume, and what it is woken with comes back in", function()
    script:start[[
      local co = coroutine.create(function(...)
        note("in", ...)
        note("woken", wait())
        note("resumed", coroutine.yield("out", 1))
        note("woken", wait())
        return "end", nil, 2
      end)
      note(coroutine.status(co), coroutine.resume(co, "a", nil, "b"))
      note(coroutine.status(co), coroutine.resume(co, "c"))
      note(coroutine.status(co), coroutine.resume(co))
    ]]
    assert.same({ "in a nil b" }, script:notes())
    script:wake(1, "x", "y")
    assert.same({ "woken x y", "suspended true out 1", "resumed c" }, script:notes())
    script:wake(2, "z")
    assert.same({ "woken z", "suspended true end nil 2", "dead false cannot resume dead coroutine" },
      script:notes())
  end)

  it("passes through coroutine.wrap, also as an iterator", function()
    script:start[[
      local next_item = coroutine.wrap(function()
        while true do
          local item = wait()
          if item == "end" then return nil end
          coroutine.yield(item, #item)
        end
      end)
      for item, len in next_item do note(item, len) end
      note(pcall(next_item))
    ]]
    for number, item in ipairs{ "one", "three", "end" } do script:wake(number, item) end
    assert.same({ "one 3", "three 5", "false cannot resume dead coroutine" }, script:notes())
  end)

  it("passes through many of them, and through protected calls between them", function()
    script:start[[
      local function nest(depth)
        if depth == 0 then return wait() end
        local co = coroutine.wrap(function() return select(2, pcall(nest, depth - 1)) end)
        return depth .. "(" .. co() .. ")"
      end
      for i = 1, 3 do note(nest(6)) end
    ]]
    for number = 1, 3 do script:wake(number, "x" .. number) end
    for number, note in ipairs(script:notes()) do
      assert.equal("6(5(4(3(2(1(x" .. number .. "))))))", note)
    end
  end)

  it("leaves other coroutines of the task usable", function()
    script:start[[
      local function numbers(prefix)
        return coroutine.wrap(function()
          for i = 1, 3 do coroutine.yield(prefix .. i .. (wait() or "")) end
        end)
      end
      local a, b = numbers("a"), numbers("b")
      for _ = 1, 3 do note(a(), b()) end
    ]]
    for number = 1, 6 do script:wake(number, "!") end
    assert.same({ "a1! b1!", "a2! b2!", "a3! b3!" }, script:notes())
  end)

  it("takes the errors behind it to who resumed the coroutine", function()
    script:start[[
      local thrown = {}
      local co = coroutine.create(function() wait() error(thrown) end)
      local ok, err = coroutine.resume(co)
      note(ok, err == thrown, coroutine.status(co))
      ok, err = pcall(coroutine.wrap(function() wait() error(thrown) end))
      note(ok, err == thrown)
      note(pcall(coroutine.wrap(function() wait() error("text") end)))
    ]]
    for number = 1, 3 do script:wake(number) end
    assert.same({ "false true dead", "false true", "false handler:7: text" }, script:notes())
  end)

  it("may end in another task that closes the coroutine", function()
    script:start[[ co = coroutine.create(function() wait() note("never") end) note(coroutine.resume(co)) ]]
    assert.same({ "true" }, notes_of[[ note(coroutine.close(co)) ]])
    script:wake(1)
    assert.same({ "false cannot resume dead coroutine" }, script:notes())
  end)
end)

describe("the coroutine functions of a script", function()
  -- Each gives one text; here it runs with Lua's own functions, in the script with ours.
  local examples = {
    "coroutine.resume(coroutine.running())",
    "coroutine.resume(coroutine.create(function() return coroutine.resume(parent) end))",
    "coroutine.resume(coroutine.create(function() end), 1, 2)",
    "coroutine.resume(coroutine.create(function(...) return select('#', ...), ... end), nil, nil)",
    "coroutine.resume(coroutine.create(function() error() end))",
    "coroutine.resume(coroutine.create(function() error(nil) end))",
    "coroutine.resume(coroutine.create(function() error('x', 0) end))",
    "coroutine.resume(coroutine.create(function() return table.unpack({}, 1, 200) end))",
    "coroutine.resume(coroutine.create(print), table.unpack({}, 1, 0))",
    "pcall(coroutine.resume, 1)",
    "pcall(coroutine.resume)",
    "coroutine.wrap(function(...) return ... end)(1, nil, 3, nil)",
    "pcall(coroutine.wrap(function() error({}, 0) end)) == false",
    "pcall(coroutine.wrap, 1) == false",
    "coroutine.wrap(function() return coroutine.isyieldable(), coroutine.status(coroutine.running()) end)()",
    "select(2, coroutine.resume(coroutine.create(function() return coroutine.running() end))) ~= nil",
    "coroutine.close(coroutine.create(print))",
  }

  local function code_of(example)
    return [[
      local function show(...)
        local texts = {}
        for i = 1, select("#", ...) do texts[i] = tostring((select(i, ...))) end
        return table.concat(texts, " ")
      end
      local result
      local main = coroutine.create(function()
        parent = coroutine.running()
        result = show(]] .. example .. [[)
      end)
      assert(coroutine.resume(main))
      parent = nil
      return result
    ]]
  end

  for _, example in ipairs(examples) do
    it("do as Lua's own: " .. example, function()
      local expected = assert(load(code_of(example), "=handler", "t", setmetatable({}, { __index = _G })))()
      assert.equal(expected, (script:call(code_of(example))))
    end)
  end

  it("let no task resume itself", function()
    assert.same({ "false cannot resume non-suspended coroutine" },
      notes_of[[ note(coroutine.resume(coroutine.running())) ]])
  end)
end)
