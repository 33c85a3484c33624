-- The hook dropped: plugins hear of events that sessions did not get.
local plugin_source = require "spec.support.plugin_source"
local server = require "spec.support.server"
local wait = require "spec.support.wait"

local HEARER = plugin_source [[
  local shared = chatty.shared
  app:on("dropped", function(event, session, reason)
    shared.increment("count/" .. reason)
    if shared.increment("first") == 1 then
      shared.set("drop", {
        event = event.name, size = #event:get("data"), user = session.user, id = session.id, reason = reason,
      })
    end
    if shared.get("pause") then chatty.sleep(0.05) end
  end)
  app:on("dropped", function() error("a hook that fails") end)
  app:get("/shared/:key", { auth = "none" }, function(request)
    return { json = { value = shared.get((request.params.key:gsub("%.", "/"))) } }
  end)
  app:post("/pause", { auth = "none" }, function() shared.set("pause", true) end)
]]

local LARGE = '{"data":"' .. ("x"):rep(500000) .. '"}'
local MANY = 100 -- of them are more than all buffers of two kernels hold

local function start(settings, plugins)
  local all = {
    SESSION_QUEUE_MAX = 256 * 1024, CLOSE_TIMEOUT = "10s", STOP_TIMEOUT = "100ms", WORKERS = 1, MAX_REQ_SIZE = "2mb",
  }
  for name, value in pairs(settings or {}) do all[name] = value end
  return server.start{ settings = all, plugins = plugins or { hearer = HEARER } }
end

-- A live session that reads nothing any more.
local function open_deaf(chatty, user)
  local socket = chatty:connect(user)
  local connected = socket:next()
  socket:pause()
  return socket, connected.attributes.session
end

local function flood(chatty, method)
  for i = 1, MANY do
    chatty:notify(method, "large", LARGE)
    if chatty:metric "slow_readers_total" >= 1 then return i end
  end
end

local function shared(chatty, key) return chatty:request{ path = "/shared/" .. key }.json().value end

describe("the hook dropped", function()
  it("tells event, session and reason of a slow reader, a while later", function()
    local chatty = start()
    local _, id = open_deaf(chatty, "ann")
    assert.truthy(flood(chatty, "users:ann"))
    assert.equal(1, wait.until_(function() return shared(chatty, "count.slow") end))
    assert.same({ event = "large", size = 500000, user = "ann", id = id, reason = "slow" }, shared(chatty, "drop"))
    assert.truthy(chatty:wait_log("plugin hearer, hook dropped: .*a hook that fails"))
    assert.equal(1, chatty:metric "dropped_total")
  end)

  it("hears of so many that wait, and others are counted", function()
    local chatty = start{ DROPPED_MAX = 3 }
    chatty:request{ method = "POST", path = "/pause" }
    open_deaf(chatty, "ann")
    chatty:subscribe("users:ann", { "room-1" })
    assert.truthy(flood(chatty, "channels:room-1"))
    for _ = 1, 30 do chatty:notify("users:ann", "small", '{"data":""}') end
    local dropped = chatty:metric "dropped_total"
    assert.is_true(dropped >= 20)
    local untold = chatty:metric "dropped_untold_total"
    assert.is_true(untold > 0)
    assert.truthy(wait.until_(function()
      return (shared(chatty, "count.slow") or 0) + chatty:metric "dropped_untold_total" == dropped
    end))
  end)

  it("tells what was taken out of a slow session's queue again", function()
    local chatty = start{ SESSION_QUEUE_MAX = "1mb" }
    local socket, id = open_deaf(chatty, "ann")
    local function give(event, members, data)
      local body = { event = event, attributes = { data = data or "x" } }
      for name, value in pairs(members or {}) do body[name] = value end
      assert.equal(200, chatty:control("POST", "/control/notify?method=users:ann", body).status)
    end
    for _ = 1, MANY do
      if chatty:metric "queue_bytes" > 0 then break end
      give("large", nil, ("x"):rep(400000))
    end
    give("price", { key = "price" }, "older")
    for _ = 1, 3 do give("price", { key = "price" }) end
    assert.equal(3, wait.until_(function() return shared(chatty, "count.superseded") == 3 and 3 end))
    assert.same({ event = "price", size = 5, user = "ann", id = id, reason = "superseded" }, shared(chatty, "drop"))
    give("brief", { ttl = 0.01 }, ("x"):rep(400000))
    wait.until_(function() return false end, 0.05)
    for _ = 1, 2 do give("large", nil, ("x"):rep(400000)) end
    assert.equal(1, wait.until_(function() return shared(chatty, "count.expired") end))
    socket:abort()
  end)

  it("costs nothing where nobody listens", function()
    local chatty = start({}, {})
    open_deaf(chatty, "ann")
    assert.truthy(flood(chatty, "users:ann"))
    assert.same({ 1, 0 }, { chatty:metric "dropped_total", chatty:metric "dropped_untold_total" })
  end)
end)
