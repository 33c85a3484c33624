-- Sessions in plugins' hands: the hooks connect and disconnect, and what a session does between them.
local cjson = require "cjson"
local client = require "spec.support.client"
local plugin = require "spec.support.plugin_source"
local server = require "spec.support.server"
local wait = require "spec.support.wait"

-- The next event, found out not to be there by one that follows for sure.
local function is_silent(socket)
  socket:ping("now")
  return socket:next_frame().opcode == 10
end

describe("the hook connect", function()
  local chatty

  setup(function()
    chatty = server.start{ plugins = {
      door = plugin([[
        app:on("connect", function(session)
          if session.user == "eve" then return chatty.refuse(403, "banned", "You are banned.") end
          if session.user == "many" then
            for i = 1, 3 do chatty.subscribe({ session.user }, { "many-" .. i }) end
            return
          end
          session.data.seen = {
            id = session.id, user = session.user, role = session.claims.role, transport = session.transport,
            remote = session.remote, since = session.since, channels = session:channels(),
          }
          chatty.subscribe({ session.user }, { "lobby" })
        end)
        app:on("message", function(session, event)
          if event.name == "channels" then return session:channels() end
          return session.data.seen
        end)
      ]]),
    } }
  end)

  teardown(function() chatty:stop() end)

  it("knows the session before it is live", function()
    local before = os.time() - 1 -- clocks of machines are set now and then
    local socket = client.ws{ port = chatty.port, token = chatty:token{ sub = "ann", role = "editor" } }
    local id = socket:next().attributes.session
    socket:send_event("seen", "{}", 1)
    local seen = socket:next().attributes
    assert.is_true(seen.since >= before and seen.since <= os.time() + 1)
    seen.since = nil
    assert.same({
      id = id, user = "ann", role = "editor", transport = "ws", remote = "127.0.0.1", channels = {},
    }, seen)
  end)

  it("subscribes a user, who is in the channel by chatty:connected", function()
    assert.same({ "lobby" }, chatty:connect("bob"):next().attributes.channels)
  end)

  it("subscribes a user several times", function()
    local socket = chatty:connect("many")
    assert.equal(3, socket:next().attributes.channelCount)
    socket:send_event("channels", "{}", 1)
    assert.same({ "many-1", "many-2", "many-3" }, socket:next().attributes)
  end)

  it("runs for who sends his token in a frame, too", function()
    local socket = client.ws{ port = chatty.port }
    socket:send_event("chatty:auth", cjson.encode{ token = chatty:token("cleo") })
    assert.same({ "lobby" }, socket:next().attributes.channels)
  end)

  it("refuses with 4501 and its text, and no session comes about", function()
    chatty:subscribe("users:eve", { "room-1" })
    assert.same({ 4501, "You are banned." }, { chatty:connect("eve"):expect_closed() })
    assert.equal("[]", chatty:control("GET", "/control/search/participants?channel=room-1").body)
  end)

  it("refuses who sends his token in a frame, too", function()
    local socket = client.ws{ port = chatty.port }
    socket:send_event("chatty:auth", cjson.encode{ token = chatty:token("eve") })
    assert.same({ 4501, "You are banned." }, { socket:expect_closed() })
  end)

  it("shows channels sorted by name", function()
    chatty:subscribe("users:sam", { "z-1", "a-1" })
    local socket = chatty:join("sam")
    chatty:subscribe("users:sam", { "m-1" })
    chatty:notify("channels:m-1", "tick") -- the 200 promises that this finds the subscription, and no more
    assert.equal("tick", socket:next().event)
    socket:send_event("channels", "{}", 1)
    assert.same({ "a-1", "lobby", "m-1", "z-1" }, socket:next().attributes)
  end)
end)

describe("what a connect hook sends", function()
  it("comes behind chatty:connected, in order, as it was when it was sent", function()
    local chatty = server.start{ plugins = { greeter = plugin([[
      app:on("connect", function(session)
        for i = 1, 64 do session:send("n", { i }) end
        chatty.sleep(0.01)
        chatty.log.info(("more: %s %s"):format(session:send("n", { 65 }), select(3, session:send("n", {}))))
      end)
      app:on("message", function(session) session:send("n", { 66 }) end)
    ]]) } }
    local socket = chatty:connect("ann")
    assert.equal("chatty:connected", socket:next().event)
    for i = 1, 64 do assert.same({ i }, socket:next().attributes) end
    assert.matches("more: nil LIMIT", chatty:wait_log("more: "))
    socket:send_event("more")
    assert.same({ 66 }, socket:next().attributes)
  end)
end)

describe("a session in a plugin's hands", function()
  local chatty

  setup(function()
    chatty = server.start{ plugins = {
      keeper = plugin([[
        local kept = {}
        local function tell(name, ...)
          local words = table.pack(...)
          for i = 1, words.n do words[i] = tostring(words[i]) end
          chatty.log.info(("%s: %s"):format(name, table.concat(words, " ")))
        end
        app:on("connect", function(session)
          kept[session.user] = session
          session.data.note = "of " .. session.user
        end)
        app:on("disconnect", function(session, reason, code)
          tell("data", session.data.note)
          tell("same", session == kept[session.user])
          tell("known", session.user, session.claims.sub, session.transport, session.remote, #session.id,
            session.since > 0)
          tell("send", session:send("late", {}))
          tell("close", session:close(4000, "late"))
          tell("channels", session:channels())
        end)
        app:on("message", function(session, event)
          if event.name == "send" then
            return { sent = session:send(event:get("name"), event:get("attributes")) }
          end
          if event.name == "forward" then session:send(event) return end
          if event.name == "write" then session[event:get("key")] = 1 end
        end)
      ]]),
    } }
  end)

  teardown(function() chatty:stop() end)

  local function told(name)
    return chatty:wait_log(" " .. name .. ": ")
  end

  it("keeps its data and what it was until its disconnect hook, and is closed then", function()
    chatty:join("ann"):abort()
    assert.matches("data: of ann", told("data"))
    assert.matches("same: true", told("same"))
    assert.matches("known: ann ann ws 127%.0%.0%.1 22 true", told("known"))
    assert.matches("send: nil closed CLOSED", told("send"))
    assert.matches("close: nil closed CLOSED", told("close"))
    assert.matches("channels: nil closed CLOSED", told("channels"))
  end)

  it("gets events that the plugin sends to it alone", function()
    local one, other = chatty:join("bob"), chatty:join("bob")
    one:send_event("send", '{"name":"secret","attributes":{"n":[]}}', 1)
    local _, text = one:next()
    assert.equal('{"event":"secret","attributes":{"n":[]}}', text)
    assert.same({ sent = true }, one:next().attributes)
    assert.is_true(is_silent(other))
  end)

  it("gets an event that came as it came", function()
    local socket = chatty:join("bob")
    socket:send('{"event":"forward","attributes":{"b":1,"a":12345678901234567890}}')
    local _, text = socket:next()
    assert.equal('{"event":"forward","attributes":{"b":1,"a":12345678901234567890}}', text)
  end)

  for _, name in ipairs{ "chatty:connected", "connect", "disconnect" } do
    it("gets no event with the reserved name " .. name, function()
      local socket = chatty:join("bob")
      socket:send_event("send", cjson.encode{ name = name }, 1)
      assert.equal("hook-failed", socket:next().attributes.code)
      assert.is_string(chatty:wait_log("session:send: the name '" .. name .. "' is reserved"))
    end)
  end

  for _, key in ipairs{ "user", "send", "mine" } do
    it("takes no field " .. key .. " from a plugin", function()
      local socket = chatty:join("bob")
      socket:send_event("write", cjson.encode{ key = key }, 1)
      assert.equal("hook-failed", socket:next().attributes.code)
    end)
  end
end)

describe("a session that is over", function()
  it("is let go of when no plugin keeps it, live or refused", function()
    local chatty = server.start{ settings = { WORKERS = 1, SCRIPT_BUDGET = "10s" }, plugins = {
      counter = plugin([[
        local seen = setmetatable({}, { __mode = "k" })
        app:on("connect", function(session)
          seen[session] = true
          if session.user == "eve" then return chatty.refuse(403, "banned", "You are banned.") end
        end)
        app:get("/seen", { auth = "none" }, function()
          for i = 1, 200 do local _ = ("x"):rep(100000 + i) end -- so that the collector has work
          local count = 0
          for _ in pairs(seen) do count = count + 1 end
          return { json = count }
        end)
      ]]),
    } }
    local sockets = {}
    for i = 1, 20 do sockets[i] = chatty:join("ann") end
    chatty:connect("eve"):expect_closed()
    assert.is_true(chatty:request{ path = "/seen" }.json() >= 20)
    for _, socket in ipairs(sockets) do socket:abort() end
    assert.is_true(wait.until_(function() return chatty:request{ path = "/seen" }.json() == 0 end))
  end)
end)

describe("the hook disconnect", function()
  it("runs also for sessions that no other hook has seen", function()
    local chatty = server.start{ plugins = {
      last = plugin([[
        app:on("disconnect", function(session, reason, code)
          chatty.log.info(("gone: %s, %s, %d, %s"):format(session.user, reason, code, type(session.data)))
        end)
      ]]),
    } }
    local socket = chatty:join("ann")
    socket:close(1000, "done")
    assert.is_string(chatty:wait_log("gone: ann, done, 1000, table"))
  end)

  it("may wait and act, although the session is gone", function()
    local chatty = server.start{ plugins = {
      last = plugin([[
        app:on("disconnect", function(session)
          chatty.sleep(0.01)
          chatty.notify{ users = { "bob" }, event = "left", attributes = { user = session.user } }
        end)
      ]]),
    } }
    local bob = chatty:join("bob")
    chatty:join("ann"):abort()
    assert.same({ event = "left", attributes = { user = "ann" } }, (bob:next()))
  end)
end)
