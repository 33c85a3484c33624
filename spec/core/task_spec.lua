local task = require("core.test").task

local script

before_each(function()
  script = task.new()
end)

after_each(function()
  script:free()
end)

-- What f writes to stderr, which is the log.
local function log_of(f)
  task.divert()
  local ok, err = pcall(f)
  local log = task.restore()
  assert(ok, err)
  return log
end

-- Runs code as a task that must not fail, and gives its notes.
local function notes_of(code)
  assert.equal("", log_of(function() script:start(code) end))
  return script:notes()
end

-- The log of a task's error, with line breaks as they were.
local function failure_of(code, ...)
  local wakes = { ... }
  return (log_of(function()
    script:start(code)
    for _, number in ipairs(wakes) do script:wake(number) end
  end):gsub("\\n", "\n"):gsub("\\t", "\t"):gsub('\\"', '"'))
end

describe("a task", function()
  it("runs at once, until it waits", function()
    script:start[[ note("before") wait() note("after") ]]
    assert.same({ "before" }, script:notes())
    assert.same({ tasks = 1, ended = 0, idle = 0, stack = 0 }, script:state())
    script:wake(1)
    assert.same({ "after" }, script:notes())
    assert.same({ tasks = 0, ended = 1, idle = 1, stack = 0 }, script:state())
  end)

  it("gets what it is woken with", function()
    script:start[[ note(select("#", wait())) note(wait()) note(wait()) ]]
    script:wake(1)
    script:wake(2, "text", true, nil, 2.5)
    script:wake(3, "again")
    assert.same({ "0", "text true nil 2.5", "again" }, script:notes())
  end)

  it("waits beside others, each for its own", function()
    for i = 1, 3 do script:start(("note(%d, wait()) note(%d, wait())"):format(i, i)) end
    for _, number in ipairs{ 2, 1, 3, 6, 4, 5 } do script:wake(number, "woken " .. number) end
    assert.same({
      "2 woken 2", "1 woken 1", "3 woken 3", "3 woken 6", "2 woken 4", "1 woken 5",
    }, script:notes())
    assert.equal(3, script:state().ended)
  end)

  it("may start others, and wake them", function()
    local notes = notes_of[[
      start[=[ note("inner", wait()) note("inner", wait()) ]=]
      note("outer")
      wake(1, "first")
      note("outer", wait())
    ]]
    assert.same({ "outer", "inner first" }, notes)
    script:wake(3, "own")
    script:wake(2, "second")
    assert.same({ "outer own", "inner second" }, script:notes())
    assert.same({ tasks = 0, ended = 2, idle = 2, stack = 0 }, script:state())
  end)

  it("waits inside protected calls, metamethods and iterators", function()
    script:start[[
      note(pcall(function() return "pcall", wait() end))
      note(xpcall(function() return "xpcall", wait() end, print))
      local function waiting() return wait() end
      local t = setmetatable({}, { __index = waiting, __add = waiting })
      note(t.x, t + t)
      for x in wait do
        if x == "end" then break end
        note("for", x)
      end
      do
        local _ <close> = setmetatable({}, { __close = function() note("closing", wait()) end })
      end
    ]]
    for number = 1, 7 do script:wake(number, number == 6 and "end" or number) end
    assert.same({
      "true pcall 1.0", "true xpcall 2.0", "3.0 4.0", "for 5.0", "closing 7.0",
    }, script:notes())
  end)

  it("catches its errors as ever, before and after a wait", function()
    script:start[[
      note(pcall(function() wait() error("inside", 0) end))
      note(pcall(function() wait() local x = nil; x() end))
      note(xpcall(function() wait() error({}) end, type))
    ]]
    for number = 1, 3 do script:wake(number) end
    assert.same({
      "false inside", "false handler:2: attempt to call a nil value (local 'x')", "false table",
    }, script:notes())
  end)
end)

describe("a function that waits", function()
  local IMPOSSIBLE = "this function waits, and Lua cannot wait inside a callback of table.sort"

  -- f is called where Lua cannot wait.
  local places = {
    ["a comparison of table.sort"] = "table.sort({ 2, 1 }, function() f() end)",
    ["a replacement of string.gsub"] = "string.gsub('x', 'x', f)",
    ["a __tostring"] = "tostring(setmetatable({}, { __tostring = f }))",
    ["a reader of load"] = "assert(load(f))",
    ["a module that is required"] = "package.preload.m = f; require 'm'",
    ["a __gc"] = [[
      local failure
      setmetatable({}, { __gc = function() failure = select(2, pcall(f)) end })
      collectgarbage()
      error(failure, 0)
    ]],
    ["a message handler"] = "error(select(2, xpcall(error, function() return select(2, pcall(f)) end)), 0)",
    ["a __close that coroutine.close calls"] = [[
      local co = coroutine.create(function()
        local _ <close> = setmetatable({}, { __close = f })
        coroutine.yield()
      end)
      coroutine.resume(co)
      error(select(2, coroutine.close(co)), 0)
    ]],
  }

  local callers = {
    ["f"] = "local f = wait",
    ["f in a check"] = "local f = may_wait",
    ["f in a coroutine"] = "local f = function() return coroutine.wrap(function() wait() end)() end",
    ["f in coroutines"] = [[local f = function()
      return coroutine.wrap(function()
        coroutine.wrap(function() end)()
        coroutine.wrap(function() wait() end)()
      end)()
    end]],
  }

  for place, code in pairs(places) do
    for caller, head in pairs(callers) do
      it(("says so in %s: %s, and the task can wait afterwards"):format(place, caller), function()
        local try = "note(select(2, pcall(function()\n" .. code .. "\nend)))"
        local notes = notes_of(head .. "\n" .. try .. "\nnote(wait())")
        assert.truthy(notes[#notes]:find(IMPOSSIBLE, 1, true), notes[#notes])
        script:wake(1, "woken")
        assert.same({ "woken" }, script:notes())
      end)
    end
  end

  it("says so outside of tasks", function()
    for _, code in ipairs{ "wait()", "may_wait()", "coroutine.wrap(wait)()", "pcall(wait) wait()" } do
      local _, err = script:call(code)
      assert.matches("here nothing can wait: call it in a handler, a hook or chatty.spawn", err, 1, true)
    end
  end)
end)

describe("a task that fails", function()
  it("is logged under its label with message and traceback, also after a wait", function()
    local failure = failure_of([[
      local function inner()
        wait()
        local x
        x.y = 1
      end
      local function outer() inner() end
      outer()
    ]], 1)
    assert.matches("error main a test task error=\"handler:4: attempt to index a nil value (local 'x')\n"
      .. "stack traceback:\n\thandler:4: in upvalue 'inner'\n\thandler:6: in local 'outer'\n"
      .. "\thandler:7: in main chunk\"\n", failure, 1, true)
    assert.same({ tasks = 0, ended = 1, idle = 0, stack = 0 }, script:state())
  end)

  it("is logged with the function that raised on top", function()
    local failure = failure_of[[ local function f() error("oops") end f() ]]
    assert.matches("handler:1: oops\nstack traceback:\n\t[C]: in function 'error'\n\thandler:1: in local 'f'",
      failure, 1, true)
  end)

  it("is logged whatever it raised", function()
    local values = {
      ["{}"] = "table: ", ["nil"] = "nil", ["true"] = "true", ["42"] = "42", ["'text'"] = "text",
    }
    for value, text in pairs(values) do
      assert.matches('task error="' .. text, failure_of("error(" .. value .. ", 0)"), 1, true)
    end
    local conversions = {
      ["return 'my text'"] = "my text",
      ["return {}"] = "an error value that cannot be shown",
      ["error('again')"] = "an error value that cannot be shown",
      ["wait()"] = "an error value that cannot be shown",
    }
    for body, text in pairs(conversions) do
      local code = ("error(setmetatable({}, { __tostring = function() %s end }))"):format(body)
      assert.matches('task error="' .. text, failure_of(code), 1, true)
    end
    assert.same({ tasks = 0, ended = 9, idle = 0, stack = 0 }, script:state())
  end)

  it("may have filled its stack", function()
    local failure = failure_of[[
      local function f(...) return 1 + f(...) end
      f(table.unpack({}, 1, 200))
    ]]
    assert.matches("stack overflow", failure, 1, true)
    assert.matches("handler:2: in main chunk", failure, 1, true)
    assert.same({ "fine" }, notes_of[[ note("fine") ]])
  end)

  it("runs its to-be-closed variables, and hurts no other task", function()
    script:start[[ note("other", wait()) ]]
    failure_of([[
      local _ <close> = setmetatable({}, { __close = function(_, err) note("closed", err ~= nil) end })
      wait()
      error("oops")
    ]], 2)
    assert.same({ "closed true" }, script:notes())
    script:wake(1, "lives")
    assert.same({ "other lives" }, script:notes())
  end)

  it("may have been closed by another one while it waited", function()
    script:start[[ co = coroutine.running() wait() note("never") ]]
    assert.same({ "true" }, notes_of[[ note(coroutine.close(co)) ]])
    assert.matches("cannot resume dead coroutine", log_of(function() script:wake(1) end), 1, true)
    assert.same({}, script:notes())
    assert.equal(0, script:state().tasks)
  end)
end)

describe("a yield without a wait", function()
  it("is an error that tells the way out", function()
    local failure = failure_of[[ pcall(function() coroutine.yield("x") end) note("never") ]]
    assert.matches("a handler yielded without waiting for anything: use chatty.sleep", failure, 1, true)
    assert.matches("in function 'coroutine.yield'", failure, 1, true)
    assert.same({}, script:notes())
    assert.same({ tasks = 0, ended = 1, idle = 0, stack = 0 }, script:state())
  end)

  it("is one behind a wait, too, and after a coroutine that waited", function()
    assert.matches("a handler yielded", failure_of("wait() coroutine.yield()", 1), 1, true)
    assert.matches("a handler yielded", failure_of("coroutine.wrap(wait)() coroutine.yield()", 2), 1, true)
  end)

  it("cannot be passed off as a wait", function()
    assert.matches("a handler yielded", failure_of[[ coroutine.yield(coroutine.running()) ]], 1, true)
    assert.matches("a handler yielded", failure_of[[ coroutine.yield(io.stderr) ]], 1, true)
  end)
end)

describe("a task that is cancelled", function()
  it("runs its to-be-closed variables, the innermost first, and ends", function()
    script:start[[
      local function closing(name) return setmetatable({}, { __close = function() note(name) end }) end
      local a <close> = closing("task")
      coroutine.wrap(function()
        local b <close> = closing("coroutine")
        coroutine.wrap(function()
          local c <close> = closing("innermost")
          pcall(function()
            local d <close> = closing("call")
            wait()
            note("never")
          end)
          note("never")
        end)()
      end)()
    ]]
    script:cancel()
    assert.same({ "call", "innermost", "coroutine", "task" }, script:notes())
    assert.same({ tasks = 0, ended = 1, idle = 0, stack = 0 }, script:state())
  end)

  it("leaves a wait that is dead, and harmless to wake", function()
    script:start[[ note(wait()) ]]
    assert.is_true(script:is_alive(1))
    script:cancel()
    assert.is_false(script:is_alive(1))
    script:wake(1, "x")
    assert.same({}, script:notes())
  end)

  it("cannot wait any more, nor stop the others from being cancelled", function()
    for _ = 1, 3 do
      script:start[[
        local _ <close> = setmetatable({}, { __close = function()
          note(select(2, pcall(wait)))
          error("oops")
        end })
        wait()
      ]]
    end
    script:cancel()
    local notes = script:notes()
    assert.equal(3, #notes)
    assert.matches("here nothing can wait", notes[1], 1, true)
    assert.same({ tasks = 0, ended = 3, idle = 0, stack = 0 }, script:state())
  end)

  it("is cancelled when the script is freed", function()
    script:start[[ local _ <close> = setmetatable({}, { __close = function() end }) wait() ]]
    script:start[[ coroutine.wrap(function() wait() end)() ]]
    script:free()
    script = task.new()
  end)
end)

describe("a retired script", function()
  it("lets all go on to its end but spawned functions that sleep", function()
    script:start[[ pause() note("a handler") ]]
    script:spawn[[ pause() note("never") ]]
    script:spawn[[ wait() note("spawned") pause() note("never") ]]
    script:retire()
    assert.same({ tasks = 2, ended = 0, idle = 0, stack = 0 }, script:state())
    script:wake(3)
    assert.same({ "spawned" }, script:notes())
    assert.equal(1, script:state().tasks)
    script:wake(1)
    assert.same({ "a handler" }, script:notes())
    assert.equal(0, script:state().tasks)
  end)

  it("ends them where they are, in coroutines of their own too, and closes what is to be closed", function()
    script:spawn[[
      local _ <close> = setmetatable({}, { __close = function() note("closed") end })
      coroutine.wrap(function() pause() note("never") end)()
    ]]
    script:retire()
    assert.same({ "closed" }, script:notes())
    assert.equal(0, script:state().tasks)
  end)

  it("may be given further tasks, and ends those that are spawned and sleep", function()
    script:retire()
    script:spawn[[ note("begins") pause() note("never") ]]
    script:start[[ spawn("pause() note('never')") note("goes on") ]]
    assert.same({ "begins", "goes on" }, script:notes())
    assert.equal(0, script:state().tasks)
  end)

  it("leaves nothing behind of a sleeper that is cancelled", function()
    script:start[[ pause() ]]
    script:cancel()
    assert.has_error(function() script:wake(1) end)
    assert.equal(0, script:state().tasks)
  end)
end)

describe("the pool of coroutines", function()
  it("gives a coroutine to the next task when the last one ended well", function()
    for _ = 1, 100 do script:start[[ note("ran") ]] end
    assert.equal(100, #script:notes())
    assert.equal(1, script:state().idle)
  end)

  it("has none that somebody looked at, who could still reach it", function()
    script:start[[ first = coroutine.running() ]]
    assert.equal(0, script:state().idle)
    assert.same({ "true" }, notes_of[[ note(first ~= coroutine.running()) ]])
  end)

  it("throws away the coroutine of a task that failed or was cancelled", function()
    failure_of[[ error("x") ]]
    assert.equal(0, script:state().idle)
    script:start[[ wait() ]]
    script:cancel()
    assert.equal(0, script:state().idle)
  end)

  it("has no more than a limit of them", function()
    for _ = 1, 300 do script:start[[ wait() ]] end
    for number = 1, 300 do script:wake(number) end
    assert.same({ tasks = 0, ended = 300, idle = 256, stack = 0 }, script:state())
  end)

  it("takes nothing over from the task before: no values, no hook, no depth", function()
    notes_of[[
      debug.sethook(function() note("hook") end, "c")
      local t = table.pack(table.unpack({}, 1, 100))
      wait()
    ]]
    script:wake(1)
    script:notes()
    assert.same({ "0", "nil", "true suspended" }, notes_of[[
      note(select("#", ...))
      note(debug.gethook())
      local co = coroutine.create(wait)
      note(coroutine.resume(coroutine.create(function() return coroutine.status(co) end)))
    ]])
  end)

  it("keeps nothing of what a task returned", function()
    script:start[[ first = coroutine.running() wait() return 1, 2 ]]
    script:start[[ wait() note(coroutine.status(first)) ]]
    script:wake(1)
    script:wake(2)
    assert.same({ "dead" }, script:notes())
  end)
end)

describe("a script", function()
  it("gives errors on its main state with a traceback", function()
    local _, err = script:call[[ local function f() error("oops") end f() ]]
    local expected = "handler:1: oops\nstack traceback:\n\t[C]: in function 'error'\n\thandler:1: in "
    assert.equal(expected, err:sub(1, #expected))
    assert.equal("3", (script:call"return 1 + 2"))
    assert.equal(0, script:state().stack)
  end)

  it("finds modules under its home, and nowhere else", function()
    assert.equal("table", (script:require"nearest"))
    local _, err = script:require"luv"
    assert.matches("module 'luv' not found", err, 1, true)
    assert.matches("stack traceback", err, 1, true)
  end)
end)
