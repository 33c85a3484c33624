-- A session whose handler is at work for long: what else comes in waits, and only so much of it is kept.
local server = require "spec.support.server"
local wait = require "spec.support.wait"

-- The handlers of frames named "held" wait until GET /open.
local PLUGIN = [[
  local chatty = require "chatty"
  local plugin = { api = 1 }
  local is_open, seen = false, 0
  function plugin.setup(app)
    app:on("message", function(session, event)
      seen = seen + 1
      while event.name == "held" and not is_open do chatty.sleep(0.002) end
      return event:get("n")
    end)
    app:on("disconnect", function(session, reason, code)
      chatty.log.info(("gone: %d <%s>"):format(code, reason))
    end)
    app:get("/open", { auth = "none" }, function() is_open = true end)
    app:get("/seen", { auth = "none" }, function() return { json = seen } end)
  end
  return plugin
]]

local function start(settings)
  local all = { WORKERS = 1, CLOSE_TIMEOUT = "200ms" }
  for name, value in pairs(settings or {}) do all[name] = value end
  return server.start{ settings = all, plugins = { hold = PLUGIN } }
end

local function open(chatty)
  local socket = chatty:connect("ann")
  socket:next()
  return socket
end

local function memory_of(chatty)
  local file = assert(io.open(("/proc/%d/statm"):format(chatty.pid)))
  local _, resident = file:read("n", "n")
  file:close()
  return resident * 4096
end

local function wait_seen(chatty, count)
  return wait.until_(function() return chatty:request{ path = "/seen" }.json() == count end)
end

describe("a busy session", function()
  it("has its further frames kept, and handled when it is free again", function()
    local chatty = start()
    local socket = open(chatty)
    socket:send_event("held", '{"n":0}', 0)
    for i = 1, 500 do socket:send_event("quick", ('{"n":%d}'):format(i), i) end
    assert.is_true(wait_seen(chatty, 1))
    chatty:request{ path = "/open" }
    for i = 0, 500 do assert.equal(i, socket:next().ack) end
  end)

  it("is not read from when too much waits, and loses nothing", function()
    local chatty = start()
    local socket = open(chatty)
    local before = memory_of(chatty)
    local frame = '{"event":"quick","attributes":"' .. ("x"):rep(60000) .. '"}'
    socket:send_event("held", "{}", 1)
    for _ = 1, 500 do socket:send(frame) end
    socket:send_event("quick", "{}", 2)
    assert.is_true(wait_seen(chatty, 1))
    assert.is_true(socket.connection:unsent() > 0)
    assert.is_true(memory_of(chatty) - before < 8 * 1024 * 1024)
    chatty:request{ path = "/open" }
    assert.same({ 1, 2 }, { socket:next().ack, socket:next().ack })
    assert.equal(502, chatty:request{ path = "/seen" }.json())
  end)

  it("answers pings all the same", function()
    local chatty = start()
    local socket = open(chatty)
    socket:send_event("held", "{}", 1)
    socket:ping("are you there")
    assert.equal("are you there", socket:next_frame().payload)
    chatty:request{ path = "/open" }
    assert.equal(1, socket:next().ack)
  end)

  it("is not taken for dead while it is not read from", function()
    local chatty = start{ PING_INTERVAL = "50ms", PING_TIMEOUT = "50ms" }
    local socket, other = open(chatty), open(chatty)
    socket:send_event("held", "{}", 1)
    for _ = 1, 200 do socket:send_event("quick", "{}") end
    local pings = other.pings
    assert.is_true(wait.until_(function() return other.pings >= pings + 4 end))
    chatty:request{ path = "/open" }
    assert.equal(1, socket:next().ack)
  end)

  it("gets events that are notified", function()
    local chatty = start()
    local socket = open(chatty)
    socket:send_event("held", "{}", 1)
    chatty:notify("users:ann", "news")
    assert.equal("news", socket:next().event)
    chatty:request{ path = "/open" }
    assert.equal(1, socket:next().ack)
  end)

  it("handles what came before its client's close, and then answers that", function()
    local chatty = start{ CLOSE_TIMEOUT = "1m" }
    local socket = open(chatty)
    socket:send_event("held", "{}", 1)
    socket:send_event("quick", "{}", 2)
    socket:close(3000, "enough")
    socket.connection:half_close()
    assert.is_true(wait_seen(chatty, 1))
    chatty:request{ path = "/open" }
    assert.same({ 1, 2 }, { socket:next().ack, socket:next().ack })
    assert.equal(3000, (socket:expect_closed()))
    assert.is_string(chatty:wait_log("gone: 3000 <enough>"))
  end)

  it("answers its client's close after CLOSE_TIMEOUT at the latest", function()
    local chatty = start()
    local socket = open(chatty)
    socket:send_event("held", "{}", 1)
    socket:send_event("quick", "{}", 2)
    socket:close(3000)
    assert.equal(3000, (socket:expect_closed()))
    assert.equal(1, chatty:request{ path = "/seen" }.json())
    chatty:request{ path = "/open" }
    assert.equal(1, chatty:wait_metric("tasks", 1))
    assert.equal(1, chatty:request{ path = "/seen" }.json())
  end)

  it("is closed at once when the app server says so", function()
    local chatty = start()
    local socket = open(chatty)
    socket:send_event("held", "{}", 1)
    socket:send_event("quick", "{}", 2)
    assert.is_true(wait_seen(chatty, 1))
    chatty:control("POST", "/control/disconnect?method=users:ann")
    assert.equal(4502, (socket:expect_closed()))
    chatty:request{ path = "/open" }
    assert.equal(1, chatty:wait_metric("tasks", 1))
    assert.equal(1, chatty:request{ path = "/seen" }.json())
  end)

  it("that is lost lets its handler come to its end", function()
    local chatty = start()
    local socket = open(chatty)
    socket:send_event("held", "{}", 1)
    assert.is_true(wait_seen(chatty, 1))
    socket:abort()
    assert.is_string(chatty:wait_log("gone: 1006"))
    chatty:request{ path = "/open" }
    assert.equal(1, chatty:wait_metric("tasks", 1))
  end)

  it("does not keep the server from stopping", function()
    local chatty = start{ STOP_TIMEOUT = "200ms" }
    local socket = open(chatty)
    socket:send_event("held", "{}", 1)
    socket:send_event("quick", "{}", 2)
    assert.is_true(wait_seen(chatty, 1))
    assert.equal(0, chatty:stop())
    assert.equal(1012, (socket:expect_closed()))
  end)
end)

describe("a session whose client half-closes", function()
  it("behind its close frame is still answered", function()
    local chatty = start()
    local socket = open(chatty)
    socket:send_event("quick", "{}", 1)
    socket:close(1000)
    socket.connection:half_close()
    assert.equal(1, socket:next().ack)
    assert.equal(1000, (socket:expect_closed()))
  end)

  it("without a close frame still gets what it asked for, and no close frame", function()
    local chatty = start()
    local socket = open(chatty)
    socket:send_event("quick", "{}", 1)
    socket.connection:half_close()
    assert.equal(1, socket:next().ack)
    assert.equal(1006, (socket:expect_closed()))
  end)
end)
