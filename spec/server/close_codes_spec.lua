-- How sessions end, and what their clients and the disconnect hook are told.
local cjson = require "cjson"
local client = require "spec.support.client"
local server = require "spec.support.server"
local wait = require "spec.support.wait"
local websocket = require "spec.support.websocket"

-- Notes every end; does what a frame says.
local PLUGIN = [[
  local chatty = require "chatty"
  local plugin = { api = 1 }

  local function close(session, event)
    local ok, message = pcall(session.close, session, event:get("code"), event:get("reason"))
    if not ok then return chatty.refuse(400, "raised", tostring(message)) end
  end

  local function disconnect(session, event)
    local users, reason, reconnect = event:get("users"), event:get("reason"), event:get("reconnect")
    return { sessions = chatty.disconnect(users, { reason = reason, reconnect = reconnect }) }
  end

  function plugin.setup(app)
    app:on("connect", function(session)
      if session.user == "mallory" then return chatty.refuse(403, "banned", "You are banned — go away.") end
      if session.user == "windy" then return chatty.refuse(403, "banned", ("ä"):rep(100)) end
      if session.user == "quick" then session:close(4444, "not today") end
      if session.user == "broken" then error("I am broken") end
    end)
    app:on("message", function(session, event)
      if event.name == "close" then return close(session, event) end
      if event.name == "disconnect" then return disconnect(session, event) end
      return { rest = "of the message" }
    end)
    app:on("disconnect", function(session, reason, code)
      chatty.log.info(("gone: %s, %d, <%s>"):format(session.user, code, reason))
    end)
  end
  return plugin
]]

local function start(settings)
  return server.start{ settings = settings, plugins = { ends = PLUGIN } }
end

describe("the end of a session", function()
  local chatty

  setup(function() chatty = start{ ENABLE = "echo" } end)

  teardown(function() chatty:stop() end)

  local function open(user)
    local socket = chatty:connect(user)
    socket:next()
    return socket
  end

  local function disconnect(query)
    return chatty:control("POST", "/control/disconnect?" .. query)
  end

  it("by its client is answered, and told with code and reason", function()
    local socket = open("anna")
    socket:close(3456, "bis später")
    assert.equal(3456, (socket:expect_closed()))
    assert.is_string(chatty:wait_log("gone: anna, 3456, <bis später>"))
  end)

  it("by its client without a code is told as 1005", function()
    local socket = open("bert")
    socket:close()
    assert.equal(1005, (socket:expect_closed()))
    assert.is_string(chatty:wait_log("gone: bert, 1005, <>"))
  end)

  it("without a word is told as 1006", function()
    open("carl"):abort()
    assert.is_string(chatty:wait_log("gone: carl, 1006, <>"))
  end)

  it("by a client that hangs up in good order, without a close frame, is told as 1006", function()
    open("cora").connection:half_close()
    assert.is_string(chatty:wait_log("gone: cora, 1006, <>"))
  end)

  it("for a fault of its client is told with its code", function()
    open("dora"):send_frame{ opcode = 3 }
    assert.is_string(chatty:wait_log("gone: dora, 1002, <the opcode is reserved>"))
  end)

  it("by the app server is 4502", function()
    local socket = open("emil")
    local response = disconnect("method=users:emil")
    assert.equal(200, response.status)
    assert.equal(1, response.json().sessions)
    assert.same({ 4502, "" }, { socket:expect_closed() })
    assert.is_string(chatty:wait_log("gone: emil, 4502, <>"))
  end)

  it("by the app server has its reason", function()
    local socket = open("fred")
    disconnect("method=users:fred&reason=unpaid%20bill%20%E2%82%AC")
    assert.same({ 4502, "unpaid bill €" }, { socket:expect_closed() })
  end)

  it("by the app server is 4003 when it shall come back", function()
    local socket = open("gerd")
    disconnect("method=users:gerd&reconnect=true&reason=moved")
    assert.same({ 4003, "moved" }, { socket:expect_closed() })
  end)

  it("by the app server is that of all tabs and of nobody else #threads", function()
    local one, other, third = open("hans"), open("hans"), open("ida")
    assert.equal(2, disconnect("method=users:hans,nobody").json().sessions)
    assert.equal(4502, (one:expect_closed()))
    assert.equal(4502, (other:expect_closed()))
    third:send_event("x", "{}", 1)
    assert.equal("chatty:ack", third:next().event)
  end)

  it("by the app server leaves the subscriptions", function()
    chatty:subscribe("users:jana", { "room-1" })
    local socket = open("jana")
    disconnect("method=users:jana")
    socket:expect_closed()
    assert.same({ "room-1" }, chatty:connect("jana"):next().attributes.channels)
  end)

  it("by a plugin's chatty.disconnect is 4502, or 4003 with reconnect", function()
    local one, other, master = open("karl"), open("lara"), open("master")
    master:send_event("disconnect", '{"users":["karl"],"reason":"bye"}', 1)
    assert.equal(1, master:next().attributes.sessions)
    assert.same({ 4502, "bye" }, { one:expect_closed() })
    master:send_event("disconnect", '{"users":["lara"],"reconnect":true}', 2)
    assert.equal(1, master:next().attributes.sessions)
    assert.equal(4003, (other:expect_closed()))
  end)

  it("by a plugin's chatty.disconnect may be that of the session that asked", function()
    local socket = open("mona")
    socket:send_event("disconnect", '{"users":["mona"],"reason":"myself"}', 1)
    assert.same({ 4502, "myself" }, { socket:expect_closed() })
  end)

  for _, code in ipairs{ 1000, 3000, 3999, 4000, 4499, 4500, 4999 } do
    it(("by a plugin's session:close may be %d"):format(code), function()
      local socket = open("nina")
      socket:send_event("close", cjson.encode{ code = code, reason = "said the plugin" })
      assert.same({ code, "said the plugin" }, { socket:expect_closed() })
    end)
  end

  it("by a plugin's session:close is 1000 when it says nothing", function()
    local socket = open("nina")
    socket:send_event("close")
    assert.same({ 1000, "" }, { socket:expect_closed() })
  end)

  for name, attributes in pairs{
    ["code 1001"] = '{"code":1001}', ["code 1006"] = '{"code":1006}', ["code 2999"] = '{"code":2999}',
    ["code 5000"] = '{"code":5000}', ["code 4000.5"] = '{"code":4000.5}', ["code \"x\""] = '{"code":"x"}',
    ["a reason of 121 bytes"] = '{"code":4000,"reason":"' .. ("r"):rep(121) .. '"}',
    ["a number as reason"] = '{"code":4000,"reason":1}',
  } do
    it("by a plugin's session:close may not have " .. name, function()
      local socket = open("nina")
      socket:send_event("close", attributes, 1)
      assert.equal("raised", socket:next().attributes.code)
    end)
  end

  it("may come to a user who is refused by a connect hook: 4501 with the refusal's text", function()
    local socket = chatty:connect("mallory")
    assert.same({ 4501, "You are banned — go away." }, { socket:expect_closed() })
    assert.equal(0, socket.messages)
  end)

  it("has a reason that is cut between two characters when it is too long", function()
    assert.same({ 4501, ("ä"):rep(60) }, { chatty:connect("windy"):expect_closed() })
  end)

  it("may be asked for by a connect hook, with a code of its own", function()
    local socket = chatty:connect("quick")
    assert.same({ 4444, "not today" }, { socket:expect_closed() })
    assert.equal(0, socket.messages)
  end)

  it("does not come when an open connect hook fails", function()
    assert.equal("chatty:connected", chatty:connect("broken"):next().event)
  end)

  it("is told to no disconnect hook when the session was never live", function()
    chatty:connect("mallory"):expect_closed()
    local socket = open("otto")
    socket:abort()
    chatty:wait_log("gone: otto")
    assert.is_nil(chatty:wait_log("gone: mallory", 0))
  end)

  it("of a plugin's own WebSocket is not told to the disconnect hook", function()
    local socket = client.ws{ port = chatty.port, path = "/echo" }
    socket:close(1000)
    assert.equal(1000, (socket:expect_closed()))
  end)
end)

describe("a session whose client does not answer its close", function()
  it("is cut after CLOSE_TIMEOUT", function()
    local chatty = start{ CLOSE_TIMEOUT = "100ms" }
    local socket = chatty:connect("ann")
    socket:next()
    socket.answers = false
    chatty:control("POST", "/control/disconnect?method=users:ann")
    assert.equal(4502, (socket:expect_closed()))
    assert.is_string(chatty:wait_log("gone: ann, 4502"))
  end)
end)

describe("the end of the server #threads", function()
  it("closes sessions with 1012, live or not, and plugins' WebSockets too", function()
    local chatty = start{ ENABLE = "echo" }
    local live = chatty:connect("ann")
    live:next()
    local stranger = client.ws{ port = chatty.port }
    local echo = client.ws{ port = chatty.port, path = "/echo" }
    assert.equal(0, chatty:stop())
    for _, socket in ipairs{ live, stranger, echo } do
      assert.same({ 1012, "the server restarts" }, { socket:expect_closed() })
    end
  end)

  it("is told to the disconnect hook", function()
    local chatty = start()
    chatty:connect("ann"):next()
    chatty:stop()
    assert.is_string(chatty:wait_log("gone: ann, 1012, <the server restarts>"))
  end)

  it("waits no longer than CLOSE_TIMEOUT for those that do not answer", function()
    local chatty = start{ CLOSE_TIMEOUT = "100ms" }
    local socket = chatty:connect("ann")
    socket:next()
    socket.answers = false
    assert.equal(0, chatty:stop())
    assert.equal(1012, (socket:expect_closed()))
  end)

  it("is not kept up by a handshake that is half done", function()
    local chatty = start{ STOP_TIMEOUT = "200ms" }
    local connection = client.tcp(chatty.port)
    connection:write("GET /ws HTTP/1.1\r\nHost: x\r\nUpgr")
    assert.equal(0, chatty:stop())
    assert.is_string(connection:wait_closed())
  end)

  it("closes with 1012 what opens while it lasts: its handshake had begun before", function()
    local late = [[
      local chatty = require "chatty"
      return { api = 1, setup = function(app)
        app:before("/late", function() print("it begins") chatty.sleep(0.2) end)
        app:websocket("/late", { auth = "none" }, {})
      end }
    ]]
    local chatty = server.start{ settings = { WORKERS = 1, STOP_TIMEOUT = "1m" }, plugins = { late = late } }
    local socket = websocket.start{ port = chatty.port, path = "/late" }
    assert.is_string(chatty:wait_log("it begins"))
    chatty:send_signal "sigterm"
    socket:finish()
    assert.same({ 1012, "the server restarts" }, { socket:expect_closed() })
    chatty.process:wait_exit()
    assert.equal(0, chatty.process.code)
  end)

  it("refuses a handshake that comes during it", function()
    local chatty = start{ CLOSE_TIMEOUT = "300ms" }
    local idle = client.tcp(chatty.port)
    local socket = chatty:connect("ann")
    socket:next()
    socket.answers = false
    chatty:send_signal("sigterm")
    socket:next_frame()
    assert.is_string(idle:wait_closed())
    -- Each worker stops accepting for itself.
    local function is_refused() return not client.ws{ port = chatty.port, token = chatty:token("ann") }.status end
    assert.is_true(wait.until_(is_refused))
    assert.equal(0, chatty.process:wait_exit())
  end)
end)
