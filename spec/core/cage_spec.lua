-- Calls that are stopped, whatever they have around them.
local task = require("core.test").task

local script

before_each(function()
  script = task.new()
  script:limit{ budget_ms = 30 }
end)

after_each(function()
  script:free()
end)

-- What a task that does not wait notes. `loop` never ends.
local function notes_of(code)
  script:start("local function loop() while true do end end\n" .. code)
  return script:notes()
end

-- The notes on the caged call of a function with this body: whether it ended well, and how else.
local function call(body)
  return notes_of(("local ok, kind = cage(function()\n%s\nend) note(ok, kind)"):format(body))
end

describe("a caged call", function()
  it("gives its results", function()
    assert.same({ "true 3 nil 5", "true" },
      notes_of[[ note(cage(function(a, b, c) return a, b, c end, 3, nil, 5)) note(cage(function() end)) ]])
  end)

  it("gives what was raised, and the functions that were on the way", function()
    local notes = notes_of[[
      local function inner() local x = nil; return x.y end
      local ok, kind, raised, traceback = cage(function() inner() end)
      note(ok, kind, raised)
      note((traceback:gsub("\n%s*", " | ")))
    ]]
    assert.equal("false error handler:2: attempt to index a nil value (local 'x')", notes[1])
    assert.equal("stack traceback: | handler:2: in upvalue 'inner' | handler:3: in a function", notes[2])
  end)

  it("gives a raised value as it is", function()
    assert.same({ "true" }, notes_of[[ local t = {} note(select(3, cage(error, t)) == t) ]])
  end)

  it("waits, again and again", function()
    script:start[[ note(cage(function(a) return a, wait(), (pcall(wait)), wait() end, "a")) ]]
    for number = 1, 3 do script:wake(number, "woken " .. number) end
    assert.same({ "true a woken 1 true woken 3" }, script:notes())
    assert.equal(0, script:state().tasks)
  end)

  it("within another, and in coroutines, waits too", function()
    script:start[[
      note(cage(function()
        return coroutine.wrap(function() return select(2, cage(function() return wait() end)) end)()
      end))
    ]]
    script:wake(1, "woken")
    assert.same({ "true woken" }, script:notes())
  end)

  it("does not wait where its caller cannot", function()
    local notes = notes_of[[
      local failure
      table.sort({ 2, 1 }, function() failure = select(3, cage(wait)) return false end)
      note(failure)
    ]]
    assert.matches("cannot wait inside a callback of table.sort", notes[1])
  end)

  it("that yields without a wait fails", function()
    assert.same({ "false yield" }, call"coroutine.yield()")
  end)

  it("is cancelled with its task, and closes what is to be closed", function()
    script:start[[
      cage(function()
        local _ <close> = setmetatable({}, { __close = function() note("closed") end })
        wait()
      end)
    ]]
    script:cancel()
    assert.same({ "closed" }, script:notes())
  end)

  it("does not use a coroutine again that somebody holds", function()
    script:start[[ cage(function() held = coroutine.running() wait() end) ]]
    script:wake(1)
    assert.same({ "true", "true" }, notes_of[[
      cage(function() note(held ~= coroutine.running()) end)
      cage(function() note(held ~= coroutine.wrap(function() return coroutine.running() end)()) end)
    ]])
    notes_of[[ running = coroutine.running() ]]
    assert.same({ "true" }, notes_of[[ note(running ~= coroutine.running()) ]])
  end)

  it("uses its coroutine again", function()
    notes_of[[ for i = 1, 100 do cage(function() end) end ]]
    assert.equal(2, script:state().idle)
  end)
end)

describe("the budget of a caged call", function()
  local endless = {
    ["a loop"] = "loop()",
    ["a loop in pcall"] = "while true do pcall(loop) end",
    ["a loop in pcalls within each other"] = "while true do pcall(pcall, pcall, loop) end",
    ["a loop in xpcall, whose handler loops"] = "while true do xpcall(loop, loop) end",
    ["a message handler"] = "xpcall(error, loop)",
    ["a metamethod"] = "return setmetatable({}, { __index = loop }).x",
    ["a metamethod in pcall"] =
      "local t = setmetatable({}, { __add = function() while true do pcall(loop) end end }) return t + t",
    ["an iterator"] = "for _ in function() while true do pcall(loop) end end do end",
    ["a comparator"] = "table.sort({ 3, 2, 1 }, function() while true do pcall(loop) end end)",
    ["a comparator with xpcall"] = "table.sort({ 3, 2, 1 }, function() while true do xpcall(loop, loop) end end)",
    ["a replacement of gsub"] = "string.gsub('x', 'x', function() while true do pcall(loop) end end)",
    ["a __tostring"] = "tostring(setmetatable({}, { __tostring = function() while true do pcall(loop) end end }))",
    ["a reader of load"] = "load(function() while true do pcall(loop) end end)",
    ["a coroutine"] = "coroutine.resume(coroutine.create(loop))",
    ["coroutines within each other"] = [[
      while true do
        pcall(coroutine.wrap(function() coroutine.resume(coroutine.create(function() pcall(loop) end)) end))
      end
    ]],
    ["a coroutine in a comparator"] = [[
      table.sort({ 2, 1 }, function()
        while true do pcall(coroutine.wrap(function() pcall(loop) end)) end
      end)
    ]],
    ["coroutines without end"] = "while true do coroutine.wrap(function() coroutine.yield() end)() end",
    ["a to-be-closed variable"] =
      "local _ <close> = setmetatable({}, { __close = function() while true do pcall(loop) end end })",
    ["to-be-closed variables of coroutines"] = [[
      for _ = 1, 100 do
        local co = coroutine.create(function()
          local _ <close> = setmetatable({}, { __close = loop })
          coroutine.yield()
        end)
        coroutine.resume(co)
        pcall(coroutine.close, co)
      end
      loop()
    ]],
    ["a recursion in pcall"] = "local function f() pcall(f) return f() end return f()",
    ["a cage within, whose caller loops"] = "while true do cage(pcall, error) end",
  }
  for what, body in pairs(endless) do
    it("ends " .. what, function()
      assert.same({ "false time" }, call(body))
      assert.same({ "true nil" }, call"") -- and nothing of it is left behind
      assert.equal(0, script:state().stack)
    end)
  end

  it("ends recursion by the limit of the stack", function()
    script:limit{ budget_ms = 5000 }
    assert.same({ "false error" }, call"local function f() return 1 + f() end f()")
    assert.same({ "false error" }, call"local function f() return (('x'):gsub('x', f)) end f()")
    assert.same({ "false error" }, call[[
      local t = setmetatable({}, {})
      getmetatable(t).__index = function() return t.x end
      return t.x
    ]])
  end)

  it("says where it was stopped", function()
    local notes = notes_of"note((select(3, cage(function() loop() end))))"
    assert.equal("handler:1: ", notes[1])
  end)

  it("is that of the inner of two calls", function()
    assert.same({ "false time", "true nil" }, call"note((cage(loop)), (select(2, cage(loop))))")
  end)

  it("begins anew behind each wait", function()
    script:start[[
      note(cage(function()
        for _ = 1, 20 do
          local stop = os.clock() + 0.01
          while os.clock() < stop do end
          wait()
        end
      end))
    ]]
    for number = 1, 20 do script:wake(number) end
    assert.same({ "true" }, script:notes())
  end)

  it("leaves a little for what is to be closed, and no more", function()
    assert.same({ "closed", "false time" }, call[[
      local _ <close> = setmetatable({}, { __close = loop })
      local _ <close> = setmetatable({}, { __close = function() note("closed") end })
      loop()
    ]])
  end)

  it("cannot be caught", function()
    assert.same({ "false time" }, call[[
      pcall(loop) note("caught")
      xpcall(loop, function() note("handled") end) note("caught")
      coroutine.wrap(function() loop() end)() note("caught")
    ]])
  end)

  it("leaves coroutines that were not within the call usable", function()
    assert.same({ "false time", "true 1" }, notes_of[[
      local co = coroutine.create(function() coroutine.yield() return 1 end)
      note((select(1, cage(function() coroutine.resume(co) loop() end))), "time")
      note(coroutine.resume(co))
    ]])
  end)

  it("holds for our own code too, only longer", function()
    task.divert()
    notes_of"note('began') loop()"
    assert.matches("ran for too long", task.restore())
    assert.equal(0, script:state().tasks)
  end)
end)

describe("the memory of caged calls", function()
  local MB = 1024 * 1024

  before_each(function()
    script:limit{ budget_ms = 5000, memory_max = 8 * MB, value_max = 2 * MB }
  end)

  local greedy = {
    ["many tables"] = "local t = {} while true do t = { t } end",
    ["many closures"] = "local f while true do local g = f f = function() return g end end",
    ["many strings"] = "local t = {} for i = 1, math.huge do t[i % 1000 * 100 + i] = ('x'):rep(1000) .. i end",
    ["many coroutines"] = "local t = {} while true do t = { t, coroutine.create(loop) } end",
  }
  for what, body in pairs(greedy) do
    it("ends for " .. what, function()
      assert.same({ "false memory" }, call(body))
      assert.same({ "true nil" }, call"local t = {} for i = 1, 1000 do t[i] = {} end")
      assert.is_true(tonumber(notes_of"note(used())"[1]) < 20 * MB)
    end)
  end

  local large = {
    ["a table that grows"] = "local t = {} while true do t[#t + 1] = #t end",
    ["a string that doubles"] = "local s = 'x' while true do s = s .. s end",
    ["string.format"] = "local s = ('x'):rep(1e6) return ('%s%s%s'):format(s, s, s)",
    ["table.concat"] = "local t, s = {}, ('x'):rep(1e5) for i = 1, 30 do t[i] = s end return table.concat(t)",
    ["string.pack"] = "return string.pack('c100000000', '')",
    ["string.gsub"] = "return (('x'):rep(1e5):gsub('x', ('y'):rep(1000)))",
    ["utf8.char and unpack"] = "local t = {} for i = 1, 3e5 do t[i] = 65 end return utf8.char(table.unpack(t))",
  }
  for what, body in pairs(large) do
    it("is not given for too large a value: " .. what, function()
      assert.same({ "false value" }, call(body))
      assert.same({ "true nil" }, call"local t = {} for i = 1, 1000 do t[i] = {} end")
    end)
  end

  it("that others hold is not blamed on who finds it full", function()
    assert.same({ "memory", "full", "full", "true 1" }, notes_of[[
      local kept = {}
      local function small() local t = {} for i = 1, 2000 do t[i] = { i } end return 1 end
      note((select(2, cage(function() while true do kept[#kept + 1] = { kept } end end))))
      for _ = 1, 2 do note((select(2, cage(small)))) end
      kept = nil
      collectgarbage()
      note(cage(small))
    ]])
  end)

  it("is collected before anybody is stopped", function()
    assert.same({ "true nil" }, call[[
      collectgarbage("stop")
      for i = 1, 1e5 do local t = { i, { i }, ("x"):rep(100) } end
    ]])
  end)

  it("leaves a reserve to our own code", function()
    assert.same({ "false memory", "true" }, notes_of[[
      local kept = {}
      local ok, kind = cage(function() while true do kept[#kept + 1] = { kept } end end)
      note(ok, kind)
      local t = {}
      for i = 1, 1000 do t[i] = { i } end
      note(#t == 1000)
    ]])
  end)

  it("is told where it ended", function()
    assert.equal("handler:2: ",
      notes_of"note((select(3, cage(function() return string.pack('c100000000', '') end))))"[1])
  end)

  it("does not hinder waits", function()
    script:start[[ note(cage(function() local t = {} for i = 1, 1e4 do t[i] = {} end return wait() end)) ]]
    script:wake(1, "woken")
    assert.same({ "true woken" }, script:notes())
  end)
end)
