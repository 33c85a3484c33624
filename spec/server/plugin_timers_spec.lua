-- app:every, app:once and chatty.spawn in running servers.
local plugin_source = require "spec.support.plugin_source"
local server = require "spec.support.server"
local wait = require "spec.support.wait"

local SETUP = [[
  local shared = chatty.shared
  app:every(0.05, function() shared.increment("node") end)
  app:every(0.05, { per = "worker" }, function() shared.increment("worker-" .. chatty.node.worker) end)
  app:once(0.01, function() shared.increment("once") end)
  app:every(0.05, function()
    if shared.increment("inside") > 1 then shared.increment("overlaps") end
    chatty.sleep(0.2)
    shared.increment("inside", -1)
    shared.increment("slow")
  end)
  app:every(0.05, function() error("a timer fails") end)
  app:get("/count/:key", { auth = "none" }, function(request)
    return { json = { count = shared.get(request.params.key) } }
  end)
  app:get("/spawn", { auth = "none" }, function()
    local refused = 0
    for _ = 1, 10 do
      if not chatty.spawn(function() chatty.sleep(0.1) shared.increment("spawned") end) then refused = refused + 1 end
    end
    return { json = { refused = refused } }
  end)
  app:on("stop", { per = "worker" }, function() chatty.sleep(0.3) end)
]]

describe("timers", function()
  local chatty

  setup(function()
    chatty = server.start{ settings = { WORKERS = 3, SPAWNED_MAX = 8 }, plugins = { ticker = plugin_source(SETUP) } }
  end)
  teardown(function() chatty:stop() end)

  local function count(key) return chatty:request{ path = "/count/" .. key }.json().count end

  local function wait_count(key, least)
    return wait.until_(function() return (count(key) or 0) >= least and count(key) end)
  end

  it("run again and again, on one worker or on each", function()
    assert.truthy(wait_count("node", 5))
    for worker = 0, 2 do assert.truthy(wait_count("worker-" .. worker, 3)) end
  end)

  it("run once when that is asked for", function()
    assert.truthy(wait_count("once", 1))
    wait_count("node", (count("node") or 0) + 3)
    assert.equal(1, count("once"))
  end)

  it("never run twice at one time", function()
    assert.truthy(wait_count("slow", 3))
    assert.is_nil(count("overlaps"))
  end)

  it("go on after an error", function()
    assert.truthy(chatty:wait_log("plugin ticker, timer every 0.05 s: .*a timer fails"))
    local before = chatty:metric "script_errors_total"
    assert.truthy(wait.until_(function() return chatty:metric "script_errors_total" > before end))
  end)
end)

describe("spawned functions", function()
  it("are bounded", function()
    local chatty =
      server.start{ settings = { WORKERS = 1, SPAWNED_MAX = 8 }, plugins = { ticker = plugin_source(SETUP) } }
    assert.equal(2, chatty:request{ path = "/spawn" }.json().refused)
    assert.truthy(wait.until_(function() return chatty:request{ path = "/count/spawned" }.json().count == 8 end))
    assert.equal(2, chatty:request{ path = "/spawn" }.json().refused)
  end)
end)
