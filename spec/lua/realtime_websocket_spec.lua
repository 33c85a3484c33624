local fake_core = require "spec.support.fake_core"
local lua_half = require "spec.support.lua_half"

describe("realtime", function()
  local core

  local function start(setup, settings)
    core = lua_half.start({ settings = settings, plugins = setup and { shop = ([[
      local chatty = require "chatty"
      return { api = 1, setup = function(app) %s end }
    ]]):format(setup) } })
    core.token.known = {
      ["ann-token"] = { user = "ann", claims = '{"sub":"ann","exp":1700000060}', expires = 1700000060 },
      ["fresh-token"] = { user = "ann", claims = '{"sub":"ann","fresh":true}' },
      ["bob-token"] = { user = "bob", claims = '{"sub":"bob"}' },
      ["old-token"] = "TOKEN_EXPIRED",
    }
  end

  -- Opens /ws; the reply if it was refused, else the session's state.
  local function open(headers, target)
    target = target or "/ws"
    local reply, state = lua_half.ask(core, { target = target, headers = headers, is_upgrade = true })
    if reply then return reply end
    return nil, fake_core.state(state.session), state.session
  end

  local function with_token(token)
    return { authorization = "Bearer " .. (token or "ann-token") }
  end

  local function frame(session, text)
    core.init.on_frame(session, text)
    local sent = fake_core.state(session).sent
    return sent[#sent]
  end

  describe("handshake", function()
    before_each(function() start() end)

    it("asks for WebSocket when something else comes", function()
      local reply = lua_half.ask(core, { target = "/ws" })
      assert.same({ 426, "upgrade-required", "websocket", "13" }, { reply.status, reply.error.code,
        reply.headers.upgrade, reply.headers["sec-websocket-version"] })
    end)

    it("refuses what breaks the protocol", function()
      local reply = lua_half.ask(core, { target = "/ws", is_upgrade = true, is_broken = true })
      assert.same({ 400, "websocket-handshake" }, { reply.status, reply.error.code })
    end)

    it("takes the token from the header, the query, the subprotocol or the cookie", function()
      local ways = {
        { with_token() },
        { {}, "/ws?token=ann-token&t=1" },
        { { ["sec-websocket-protocol"] = "chatty.v1, bearer.ann-token" } },
        { { cookie = "jwt=ann-token", origin = "https://here", host = "here" } },
      }
      for _, way in ipairs(ways) do
        local _, session = open(way[1], way[2])
        assert.equal("ann", session.user)
        assert.is_true(session.is_live)
      end
    end)

    it("lets the first token that it finds decide, good or bad", function()
      local headers = with_token("old-token")
      headers["sec-websocket-protocol"] = "bearer.ann-token"
      local reply = open(headers, "/ws?token=ann-token")
      assert.same({ 401, "token-expired" }, { reply.status, reply.error.code })
      assert.matches("^Bearer", reply.headers["www-authenticate"])
      assert.equal(401, open({ ["sec-websocket-protocol"] = "bearer.ann-token" }, "/ws?token=x").status)
      local _, session = open(with_token("bob-token"), "/ws?token=ann-token")
      assert.equal("bob", session.user)
    end)

    it("takes the cookie from allowed pages only", function()
      local refused = {
        { cookie = "jwt=ann-token", origin = "https://evil.example", host = "here" },
        { cookie = "jwt=ann-token", origin = "null", host = "here" },
        { cookie = "jwt=ann-token", host = "here" },
      }
      for _, headers in ipairs(refused) do
        local reply = open(headers)
        assert.same({ 403, "origin-not-allowed" }, { reply.status, reply.error.code })
      end
      start(nil, { ALLOWED_ORIGINS = { "https://app.example" } })
      local _, session = open({ cookie = "jwt=ann-token", origin = "https://app.example", host = "here" })
      assert.equal("ann", session.user)
    end)

    it("takes other tokens from pages of all origins", function()
      local headers = with_token()
      headers.origin = "https://evil.example"
      local _, session = open(headers)
      assert.is_true(session.is_live)
    end)

    it("answers the subprotocol when it was offered", function()
      local _, session = open({ ["sec-websocket-protocol"] = "chatty.v1, bearer.ann-token" })
      assert.equal("chatty.v1", session.protocol)
      _, session = open({ ["sec-websocket-protocol"] = "bearer.ann-token" })
      assert.is_nil(session.protocol)
      _, session = open({ ["sec-websocket-protocol"] = "chatty.v1" })
      assert.equal("chatty.v1", session.protocol)
    end)

    it("refuses a malformed query", function()
      assert.equal("query-malformed", open({}, "/ws?token=%").error.code)
    end)
  end)

  describe("welcome", function()
    it("tells the client what it is in", function()
      start(nil, { PING_INTERVAL = 20 })
      local channels = {}
      for i = 1, 1200 do channels[i] = ("c%04d"):format(i) end
      local own = fake_core.session
      fake_core.session = function(fields)
        fields.channels = channels
        return own(fields)
      end
      local _, session = open(with_token())
      fake_core.session = own
      local welcome = session.sent[1]
      assert.equal("chatty:connected", welcome.event)
      local attributes = welcome.attributes
      assert.same({ "ann", "session-1", 1000, 1200 },
        { attributes.user, attributes.session, #attributes.channels, attributes.channelCount })
      assert.same({ "2023-11-14T22:14:20.000Z", 20 }, { attributes.expires, attributes.pingInterval })
    end)

    it("says null for a token that never expires, and [] for no channels", function()
      start()
      local _, session = open(with_token("bob-token"))
      assert.equal(core.json.null, session.sent[1].attributes.expires)
      assert.is_true(core.json.is_array(session.sent[1].attributes.channels))
    end)

    it("closes when there are too many sessions", function()
      start()
      local own = fake_core.session
      for code, expected in pairs({ LIMIT = 4503, UNAVAILABLE = 1013 }) do
        fake_core.session = function() return own({ join_code = code }) end
        local _, session = open(with_token())
        assert.equal(expected, session.closed.code)
        assert.same({}, session.sent)
      end
      fake_core.session = own
    end)
  end)

  describe("connect hook", function()
    it("gets the session before it is live, and may subscribe its user", function()
      start([[app:on("connect", function(session)
        session.data.seen = session.user
        chatty.subscribe({ session.user }, { "lobby" })
      end)]])
      local _, session = open(with_token())
      assert.is_true(session.is_live)
      assert.same({ "ann" }, lua_half.last_call(core, "change").users)
    end)

    it("may send, and the session gets it behind chatty:connected", function()
      start([[app:on("connect", function(session)
        session:send("one", {})
        session:send("two", {})
      end)]])
      local _, session = open(with_token())
      assert.same({ "chatty:connected", "one", "two" },
        { session.sent[1].event, session.sent[2].event, session.sent[3].event })
    end)

    it("that sends and refuses has sent nothing", function()
      start([[app:on("connect", function(session)
        session:send("one", {})
        return chatty.refuse(403, "no", "No.")
      end)]])
      local _, session = open(with_token())
      assert.same({ {}, 4501 }, { session.sent, session.closed.code })
    end)

    it("may refuse, which closes with its words", function()
      start(([[app:on("connect", function() return chatty.refuse(403, "no", ("ü"):rep(100)) end)]]))
      local _, session = open(with_token())
      assert.same({ 4501, ("ü"):rep(60) }, { session.closed.code, session.closed.reason })
      assert.is_false(session.is_live)
    end)

    it("that fails lets the session in, or keeps it out when it is closed", function()
      start([[app:on("connect", function() error("boom") end)]])
      local _, session = open(with_token())
      assert.is_true(session.is_live)
      start([[app:on("connect", { on_error = "closed" }, function() error("boom") end)]])
      _, session = open(with_token())
      assert.equal(4501, session.closed.code)
    end)
  end)

  describe("chatty:auth", function()
    local function auth(token)
      return ('{"event":"chatty:auth","attributes":{"token":%s},"ack":1}'):format(token)
    end

    before_each(function()
      start([[app:on("message", function(session) return { level = session.claims } end)]])
    end)

    it("may come as the first frame, within a time", function()
      local _, state, session = open({})
      assert.equal(10, state.auth_timeout)
      local sent = frame(session, auth('"ann-token"'))
      assert.same({ "chatty:connected", "ann", "1" }, { sent.event, sent.attributes.user, sent.ack })
      assert.is_true(state.is_live)
    end)

    it("must come before all else", function()
      local _, state, session = open({})
      local sent = frame(session, '{"event":"chat","ack":2}')
      assert.same({ "chatty:error", 401, "auth-required", "2" },
        { sent.event, sent.attributes.status, sent.attributes.code, sent.ack })
      assert.is_nil(state.closed)
    end)

    it("closes with 4500 when the token is bad", function()
      for _, token in ipairs({ '"x"', '"old-token"', "7", "null" }) do
        local _, state, session = open({})
        core.init.on_frame(session, auth(token))
        assert.equal(4500, state.closed.code)
        assert.is_nil(state.user)
      end
    end)

    it("refreshes the token of a live session", function()
      local _, state, session = open(with_token())
      assert.is_nil(frame(session, '{"event":"chat","ack":1}').attributes.level.fresh)
      local sent = frame(session, auth('"fresh-token"'))
      assert.same({ "chatty:auth", core.json.null, "1" }, { sent.event, sent.attributes.expires, sent.ack })
      assert.is_nil(state.expires)
      assert.is_true(frame(session, '{"event":"chat","ack":1}').attributes.level.fresh)
    end)

    it("does not let a session change its user", function()
      local _, state, session = open(with_token())
      core.init.on_frame(session, auth('"bob-token"'))
      assert.same({ 4500, "ann" }, { state.closed.code, state.user })
    end)
  end)

  describe("frame", function()
    it("that is no event is answered with an error", function()
      start()
      local _, _, session = open(with_token())
      for _, text in ipairs({ "", "{", "[]", '{"event":7}' }) do
        local sent = frame(session, text)
        assert.same({ "chatty:error", 400, "frame-malformed" },
          { sent.event, sent.attributes.status, sent.attributes.code })
      end
      assert.equal("8", frame(session, '{"event":7,"ack":8}').ack)
    end)

    it("with a name of ours is answered with an error", function()
      start([[app:on("message", function() end)]])
      local _, _, session = open(with_token())
      assert.equal("event-reserved", frame(session, '{"event":"chatty:connected"}').attributes.code)
    end)

    it("is answered with an error when no plugin listens", function()
      start()
      local _, _, session = open(with_token())
      local sent = frame(session, '{"event":"chat","attributes":{},"ack":"a"}')
      assert.same({ "no-handler", '"a"' }, { sent.attributes.code, sent.ack })
    end)

    it("goes to the message hook, whose value is the acknowledgement", function()
      start([[app:on("message", function(session, event)
        return { user = session.user, name = event.name, text = event.attributes.text }
      end)]])
      local _, _, session = open(with_token())
      local sent = frame(session, '{"event":"chat","attributes":{"text":"hi"},"ack":7}')
      assert.same({ user = "ann", name = "chat", text = "hi" }, sent.attributes)
      assert.same({ "chatty:ack", "7" }, { sent.event, sent.ack })
    end)

    it("is acknowledged with {} when the hook returns nothing", function()
      start([[app:on("message", function() end)]])
      local _, _, session = open(with_token())
      assert.same({ event = "chatty:ack", attributes = {}, ack = "7" },
        frame(session, '{"event":"chat","ack":7}'))
    end)

    it("is not answered when it asks for no acknowledgement", function()
      start([[app:on("message", function() return 1 end)]])
      local _, state, session = open(with_token())
      core.init.on_frame(session, '{"event":"chat"}')
      assert.equal(1, #state.sent)
    end)

    it("is answered with the refusal or the failure of the hook", function()
      start([[app:on("message", function(_, event)
        if event.name == "bad" then error("boom") end
        if event.name == "odd" then return print end
        return chatty.refuse(403, "not-yours", "No.")
      end)]])
      local _, _, session = open(with_token())
      local sent = frame(session, '{"event":"chat","ack":7}')
      assert.same({ attributes = { status = 403, code = "not-yours", detail = "No." }, ack = "7",
        event = "chatty:error" }, sent)
      assert.equal("hook-failed", frame(session, '{"event":"bad","ack":8}').attributes.code)
      assert.equal("internal", frame(session, '{"event":"odd","ack":9}').attributes.code)
    end)

    it("may be passed on as it is", function()
      start([[app:on("message", function(session, event)
        chatty.notify{ channels = { "lobby" }, event = event, except = { session.user } }
      end)]])
      local _, _, session = open(with_token())
      core.init.on_frame(session, '{"event":"chat","attributes":{"n": 1.0}}')
      local call = lua_half.last_call(core, "notify")
      assert.same({ "chat", '{"n": 1.0}', { "ann" } }, { call.event:name(), call.event:raw(), call.except })
    end)
  end)

  it("warns before the token dies", function()
    start()
    local _, state, session = open(with_token())
    core.init.on_expiring(session)
    local sent = state.sent[#state.sent]
    assert.equal("chatty:expiring", sent.event)
    assert.same({ expires = "2023-11-14T22:14:20.000Z", seconds = 60 }, sent.attributes)
  end)

  it("ends a session as late as its token would be taken", function()
    start(nil, { JWT_LEEWAY = 3 })
    core.token.known["late-token"] = { user = "ann", claims = '{"sub":"ann","exp":1700000070}', expires = 1700000070 }
    local _, state, session = open(with_token())
    assert.equal(1700000063, state.expires)
    core.init.on_frame(session, '{"event":"chatty:auth","attributes":{"token":"late-token"}}')
    assert.equal(1700000073, state.expires)
    assert.equal("2023-11-14T22:14:30.000Z", state.sent[#state.sent].attributes.expires)
  end)

  it("warns of the session's end when that is sooner than the token's", function()
    start()
    local _, state, session = open(with_token())
    state.expires = 1700000010
    core.init.on_expiring(session)
    assert.same({ expires = "2023-11-14T22:13:30.000Z", seconds = 10 }, state.sent[#state.sent].attributes)
  end)

  it("tells plugins when a session is over, and why", function()
    start([[app:on("disconnect", function(session, reason, code)
      chatty.log.info(("%s %s %d %s"):format(session.user, reason, code, session.data.word))
    end)
    app:on("connect", function(session) session.data.word = "kept" end)]])
    local _, _, session = open(with_token())
    core.init.on_disconnect(session, 4001, "token expired")
    assert.equal("ann token expired 4001 kept", core.log.lines[#core.log.lines].message)
  end)
end)
