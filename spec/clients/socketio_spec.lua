-- The unmodified socket.io-client 4 of npm, in Node, with one worker and with several.
local cjson = require "cjson"
local fresh = require "spec.support.fresh"
local server = require "spec.support.server"
local socketio = require "spec.support.socketio"
local wait = require "spec.support.wait"

local PLUGIN = [[
  local chatty = require "chatty"
  local plugin = { api = 1 }
  function plugin.setup(app)
    app:namespace("/admin", { auth = "jwt" })
    app:on("connect", function(session)
      if session.user == "mallory" then return chatty.refuse(403, "not-you", "Not you.") end
    end)
    app:on("message", function(session, event)
      if event.name == "refuse" then return chatty.refuse(403, "not-that", "Not that.") end
      if event.name == "say" then
        local attributes = { by = session.user, text = event:get("text") }
        chatty.notify{ channels = { "room-1" }, event = "said", attributes = attributes }
        return { ok = true }
      end
      if event.name == "echo" then return event end
      if event.name == "ask-me" then
        local null, options = chatty.json.null, { timeout = event:get("timeout") }
        local value, more, code = session:ask("question", { n = event:get("n") }, options)
        return { value = value or null, code = code or null, more = code and null or #(more or {}) }
      end
      return chatty.json.array(event:arguments())
    end)
    app:on("disconnect", function(session, reason, code)
      chatty.log.info(("gone: %s %s %d %s"):format(session.user, session.transport, code, reason))
    end)
  end
  return plugin
]]

local TRANSPORTS = {
  ["websocket only"] = { "websocket" }, ["polling only"] = { "polling" }, upgrade = { "polling", "websocket" },
}

local node

local function tests(workers)
  local chatty

  setup(function()
    node = socketio.start()
    chatty = server.start{
      settings = { WORKERS = workers, PING_INTERVAL = "1s", JWT_LEEWAY = "0s", EXPIRING_NOTICE = "1s" },
      plugins = { tell = PLUGIN },
    }
    chatty:subscribe("users:ann,bob", { "room-1" })
  end)

  teardown(function()
    chatty:stop()
    node:stop()
  end)

  local function url(path) return ("http://127.0.0.1:%d%s"):format(chatty.port, path or "") end

  local function open(user, options, path)
    options = options or {}
    options.auth = options.auth or { token = chatty:token(user) }
    options.reconnectionDelay = options.reconnectionDelay or 20
    return node:open(url(path), options)
  end

  for name, transports in pairs(TRANSPORTS) do
    describe("with " .. name, function()
      local function join(user)
        local client = open(user, { transports = transports })
        assert.equal("string", type(client:wait("connect").sid))
        return client
      end

      it("connects, and is told who it is", function()
        local client = join("ann")
        local connected = client:next("chatty:connected")[1]
        assert.same({ "ann", { "room-1" } }, { connected.user, connected.channels })
      end)

      it("gets what is notified to the user and to channels, in order, as the JSON that was sent", function()
        local client = join("ann")
        client:next("chatty:connected")
        for i = 1, 20 do
          chatty:notify("channels:room-1", "n", ('{"i":%d,"list":[],"deep":{"a":[{}]}}'):format(i))
        end
        chatty:notify("users:ann", "last", "[]")
        for i = 1, 20 do
          local got = client:next("n")[1]
          assert.same({ i = i, list = {}, deep = { a = { {} } } }, got)
        end
        assert.same({ {} }, client:next("last"))
      end)

      it("emits, is answered, and others hear it", function()
        local ann, bob = join("ann"), join("bob")
        bob:next("chatty:connected")
        assert.same({ { ok = true } }, ann:ask("say", { { text = "hi" } }))
        assert.same({ { by = "ann", text = "hi" } }, bob:next("said"))
      end)

      it("is answered with all arguments, binaries too", function()
        local client = join("ann")
        local bytes = { ["$binary"] = "AQID/w==" }
        assert.same({ 1, "two", { bytes, { n = bytes } } }, client:ask("echo", { 1, "two", { bytes, { n = bytes } } }))
        assert.same({ { 1, "two" } }, client:ask("other", { 1, "two" }))
      end)

      it("is asked, and answers", function()
        local client = join("ann")
        client:answer({ { yes = true } })
        client:emit("ask-me", { { n = 7, timeout = 5 } }, "asked")
        assert.same({ { n = 7 } }, client:next("question"))
        assert.same({ value = { yes = true }, code = cjson.null, more = 0 }, client:wait("ack", "asked").args[1])
      end)

      it("is asked, and keeps silent", function()
        local client = join("ann")
        assert.equal("TIMEOUT", client:ask("ask-me", { { n = 7, timeout = 0.1 } })[1].code)
      end)

      it("confirms what is notified with ack", function()
        local user = fresh "sue"
        local client = join(user)
        client:next("chatty:connected")
        client:answer({ true })
        local ack = chatty:notify_with("users:" .. user, "paid", { ack = true }).json().ack
        assert.same({ { n = 1 } }, client:next("paid"))
        assert.truthy(wait.until_(function()
          return chatty:control("GET", "/control/acks?ack=" .. ack).json().sessions == 1
        end))
      end)

      it("is refused by a hook with an error", function()
        local client = join("ann")
        assert.same({ { error = { status = 403, code = "not-that", detail = "Not that." } } },
          client:ask("refuse", { cjson.null }))
        client:emit("refuse", { 1 })
        assert.same({ { status = 403, code = "not-that", detail = "Not that." } }, client:next("chatty:error"))
      end)

      it("comes back after a cut, with another session", function()
        local client = open("ann", { transports = transports })
        local first = client:wait("connect").sid
        client:next("chatty:connected")
        client:cut()
        assert.truthy(client:wait("disconnect"))
        local second = client:wait("connect").sid
        assert.not_equal(first, second)
        client:next("chatty:connected")
        chatty:notify("users:ann", "again", "{}")
        assert.truthy(client:next("again"))
      end)

      it("is gone when it disconnects", function()
        local client = join("zoe")
        client:next("chatty:connected")
        client:close()
        assert.equal("io client disconnect", client:wait("disconnect").reason)
        assert.truthy(chatty:wait_log("gone: zoe sio 1000"))
      end)

      it("is refused with a bad token, and stays away", function()
        local client = open("ann", { transports = transports, auth = { token = "x" } })
        local refused = client:wait("connect_error")
        assert.same({ code = 4500 }, refused.data)
        assert.matches("token is not accepted", refused.message)
      end)

      it("ends with its token, and comes back with another", function()
        local client = open("ann", { transports = transports, auth = { token = chatty:token("ann", 2) } })
        assert.truthy(client:wait("connect"))
        assert.truthy(client:next("chatty:expiring"))
        client:set_auth({ token = chatty:token("ann") })
        assert.equal(4001, client:next("chatty:closed")[1].code)
        assert.truthy(client:wait("disconnect"))
        assert.truthy(client:wait("connect"))
      end)

      it("refreshes its token in place", function()
        local client = open("ann", { transports = transports, auth = { token = chatty:token("ann", 3) } })
        assert.truthy(client:wait("connect"))
        assert.truthy(client:ask("chatty:auth", { { token = chatty:token("ann") } })[1].expires)
      end)

      it("is told to stay away by the app server", function()
        local client = join("kim")
        client:next("chatty:connected")
        chatty:control("POST", "/control/disconnect?method=users:kim&reason=bye")
        assert.same({ code = 4502, reason = "bye" }, client:next("chatty:closed")[1])
        assert.equal("io server disconnect", client:wait("disconnect").reason)
      end)
    end)
  end

  it("takes the token from the header, the query and a cookie of polling", function()
    local token = chatty:token("ann")
    for _, options in ipairs{
      { extraHeaders = { Authorization = "Bearer " .. token } }, { query = { token = token } },
      { extraHeaders = { Cookie = "jwt=" .. token } },
    } do
      options.auth = {}
      assert.equal("ann", open("ann", options):next("chatty:connected")[1].user)
    end
  end)

  it("is refused without a token, and by a hook", function()
    assert.same({ code = 4500 }, open("ann", { auth = {} }):wait("connect_error").data)
    local refused = open("mallory"):wait("connect_error")
    assert.same({ "Not you.", { code = 4501 } }, { refused.message, refused.data })
  end)

  it("changes over to a WebSocket", function()
    local client = open("ann")
    assert.equal("websocket", client:wait("upgrade").transport)
    chatty:notify("users:ann", "there", "{}")
    assert.truthy(client:next("there"))
  end)

  it("may want binaries as base64, on a WebSocket too", function()
    local client = open("ann", { transports = { "websocket" }, forceBase64 = true })
    assert.truthy(client:wait("connect"))
    assert.same({ { ["$binary"] = "AQID/w==" } }, client:ask("echo", { { ["$binary"] = "AQID/w==" } }))
    client = open("ann", { forceBase64 = true })
    assert.truthy(client:wait("upgrade"))
    assert.same({ { ["$binary"] = "AQID/w==" } }, client:ask("echo", { { ["$binary"] = "AQID/w==" } }))
  end)

  it("is one of several tabs of a user", function()
    local one, two = open("tabs"), open("tabs", { transports = { "websocket" } })
    one:next("chatty:connected")
    two:next("chatty:connected")
    local report = chatty:notify("users:tabs", "both", "{}", "report=true").json().report
    assert.equal(2, report.sessions)
    assert.truthy(one:next("both"))
    assert.truthy(two:next("both"))
  end)

  it("is in a namespace of a plugin, but in no other", function()
    local admin = open("ann", nil, "/admin")
    assert.equal("ann", admin:next("chatty:connected")[1].user)
    chatty:notify("channels:room-1", "everywhere", '{"n":1}')
    assert.same({ { n = 1 } }, admin:next("everywhere"))
    assert.equal("Invalid namespace", open("ann", nil, "/nowhere"):wait("connect_error").message)
  end)

  it("finds its client's files only where they are configured", function()
    assert.equal(404, chatty:request{ path = "/socket.io/socket.io.js" }.status)
  end)
end

describe("socket.io-client", function()
  describe("with one worker", function() tests(1) end)
  describe("with four workers", function() tests(4) end)
end)

describe("the recovery of socket.io-client", function()
  local chatty, chat

  setup(function()
    node = socketio.start()
    chatty = server.start{ settings = { WORKERS = 4 }, plugins = { log = [[
      return { api = 1, setup = function(app) app:channel("log-*", { history = { size = 5 } }) end }
    ]] } }
  end)

  teardown(function()
    chatty:stop()
    node:stop()
  end)

  local count = 0

  -- A client of a new user, who is subscribed to log-N.
  local function join(transports)
    count = count + 1
    local user = "ann-" .. count
    chatty:subscribe("users:" .. user, { "log-" .. count })
    chat = node:open(("http://127.0.0.1:%d"):format(chatty.port), {
      auth = { token = chatty:token(user) }, transports = transports, reconnectionDelay = 300,
    })
    assert.is_false(chat:wait("connect").recovered)
    chat:next("chatty:connected")
    return chat
  end

  local function notify(text)
    return chatty:notify("channels:log-" .. count, text, '{"text":"' .. text .. '"}').status
  end

  for name, transports in pairs{ websocket = { "websocket" }, polling = { "polling" } } do
    it("brings what was missed, each once and in order, over " .. name, function()
      local client = join(transports)
      notify("one")
      assert.equal("one", client:next("one")[1].text)
      client:cut()
      assert.truthy(client:wait("disconnect"))
      notify("two")
      notify("three")
      assert.is_true(client:wait("connect").recovered)
      assert.equal("two", client:next("two")[1].text)
      assert.equal("three", client:next("three")[1].text)
      notify("four")
      assert.equal("four", client:next("four")[1].text)
      assert.is_nil(client:next("three", 0.05))
    end)
  end

  it("goes on behind an event that was to be confirmed", function()
    local client = join()
    client:answer({ true })
    chatty:notify_with("channels:log-" .. count, "asked", { ack = true })
    assert.same({ { n = 1 } }, client:next("asked"))
    assert.truthy(client:next("chatty:offset"))
    client:cut()
    assert.truthy(client:wait("disconnect"))
    notify("two")
    assert.is_true(client:wait("connect").recovered)
    assert.equal("two", client:next("two")[1].text)
    assert.is_nil(client:next("asked", 0.05))
  end)

  it("works before any event has come, and again", function()
    local client = join()
    for _, text in ipairs{ "one", "two" } do
      client:cut()
      assert.truthy(client:wait("disconnect"))
      notify(text)
      assert.is_true(client:wait("connect").recovered)
      assert.equal(text, client:next(text)[1].text)
    end
  end)

  it("is none when too much was missed: the client is told of the gap", function()
    local client = join()
    client:cut()
    assert.truthy(client:wait("disconnect"))
    for i = 1, 6 do notify("n" .. i) end
    assert.is_true(client:wait("connect").recovered == false)
    assert.equal("lost", client:next("chatty:gap")[1].reason)
  end)
end)
