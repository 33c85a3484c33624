local fake_core = require "spec.support.fake_core"
local lua_half = require "spec.support.lua_half"

-- Sleeping moves the clock of the fakes; a run of a timer ends when the script of the spec says so.
describe("a timer", function()
  local core, slept, runs

  local function prepare(setup, worker)
    slept, runs = {}, {}
    core = lua_half.start{ plugins = { shop = ([[
      local chatty = require "chatty"
      return { api = 1, setup = function(app)
        %s
      end }
    ]]):format(setup) } }
    core.node.worker = worker or 0
    core.task.on_sleep = function(seconds)
      slept[#slept + 1] = seconds
      core.time.clock = core.time.clock + seconds
      if #slept >= 5 then error("enough", 0) end
    end
    core.log.write = function(_, message) runs[#runs + 1] = { message, core.time.clock - core.began } end
    core.began = core.time.clock
  end

  local function start(setup, worker)
    prepare(setup, worker)
    core.init.start()
    for _, spawned in ipairs(core.task.spawned) do pcall(table.unpack(spawned, 1, spawned.n)) end
  end

  it("runs again and again, first after its time", function()
    start 'app:every(60, function() print "run" end)'
    assert.same({ { "run", 60 }, { "run", 120 }, { "run", 180 }, { "run", 240 } }, runs)
  end)

  it("runs once when it is asked for once", function()
    start 'app:once(5, function() print "run" end)'
    assert.same({ { "run", 5 } }, runs)
  end)

  it("does not make up for beats that it missed", function()
    start [[
      local seconds = { 250 }
      app:every(100, function()
        print "run"
        chatty.sleep(table.remove(seconds, 1) or 0)
      end)
    ]]
    assert.same({ { "run", 100 }, { "run", 400 } }, runs)
  end)

  it("runs on worker 0, or on each when it says so", function()
    local both = 'app:every(1, print) app:every(1, { per = "worker" }, print)'
    prepare(both, 0)
    core.init.start()
    assert.equal(2, #core.task.spawned)
    prepare(both, 3)
    core.init.start()
    assert.equal(1, #core.task.spawned)
  end)

  it("goes on after an error, which is logged with its name", function()
    start 'app:every(60, function() error("oh", 0) end)'
    assert.equal(4, #runs)
    assert.equal("plugin shop, timer every 60 s: oh", runs[1][1])
  end)

  it("sleeps a long time in pieces", function()
    start 'app:once(200000, function() print "run" end)'
    assert.same({ { "run", 200000 } }, runs)
    assert.same({ 86400, 86400, 27200 }, slept)
  end)

  it("does not begin when the server stops", function()
    prepare 'app:every(60, function() print "run" end)'
    core.init.start()
    core.init.stop()
    for _, spawned in ipairs(core.task.spawned) do table.unpack(spawned, 1, 1)(table.unpack(spawned, 2, spawned.n)) end
    assert.same({}, runs)
  end)

  it("is checked while loading", function()
    local mistakes = {
      ['app:every("x", print)'] = "app:every: seconds must be a number from 0.05",
      ["app:every(0, print)"] = "app:every: seconds must be a number from 0.05",
      ["app:once(-1, print)"] = "app:once: seconds must be a number from 0 to",
      ["app:once(0/0, print)"] = "app:once: seconds must",
      ["app:every(1)"] = "app:every: what it runs must be a function",
      ["app:every(1, 5, print)"] = "app:every: the options must be a table",
      ["app:every(1, { pr = 1 }, print)"] = "app:every does not know 'pr' %(it knows per%)",
      ["app:every(1, { per = 'x' }, print)"] = "app:every: per must be 'node' or 'worker'",
      ["for _ = 1, 11 do app:every(1, print) end"] = "app:every: there are 10 timers already",
    }
    for text, line in pairs(mistakes) do
      assert.matches("^plugin shop: plugins/shop.lua:3: " .. line, lua_half.line_of(prepare, text), 1, false, text)
    end
  end)
end)

describe("chatty.spawn", function()
  local core, spawner

  before_each(function()
    core = fake_core.install()
    spawner = require "plugin.spawner"
  end)

  local function run_one()
    local spawned = table.remove(core.task.spawned, 1)
    spawned[1](table.unpack(spawned, 2, spawned.n))
  end

  it("runs the function with its arguments", function()
    local got
    assert.is_true(spawner.spawn("shop", function(...) got = { ... } end, 1, 2))
    run_one()
    assert.same({ 1, 2 }, got)
  end)

  it("refuses when too many run, until some have ended, well or not", function()
    for _ = 1, 3 do assert.is_true(spawner.spawn("shop", error, "oh")) end
    assert.equal("LIMIT", select(3, spawner.spawn("shop", print)))
    assert.equal(1, core.metrics.counts.limit_hits_total)
    run_one()
    assert.is_true(spawner.spawn("shop", print))
    assert.equal("LIMIT", select(3, spawner.spawn("shop", print)))
  end)
end)
