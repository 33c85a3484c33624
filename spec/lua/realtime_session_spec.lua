local fake_core = require "spec.support.fake_core"

describe("session", function()
  local core, sessions, raw, session

  before_each(function()
    core = fake_core.install()
    sessions = require "realtime.session"
    raw = fake_core.session({ user = "ann", claims = '{"sub":"ann"}', channels = { "lobby" } })
    session = sessions.of(raw)
  end)

  it("tells whose connection it is", function()
    assert.same({ "session-1", "ann", "ws", "127.0.0.1", 1000, { sub = "ann" }, { "lobby" } }, {
      session.id, session.user, session.transport, session.remote, session.since, session.claims,
      session:channels(),
    })
  end)

  it("is the same object each time", function()
    session.data.seen = true
    assert.equal(session, sessions.of(raw))
    assert.is_true(sessions.of(raw).data.seen)
  end)

  it("sends names with attributes, and events", function()
    session:send("greeting", { text = "hi" })
    session:send(require("event").of(core.event.new("again", {})))
    assert.same({
      { event = "greeting", attributes = { text = "hi" } }, { event = "again", attributes = {} },
    }, fake_core.state(raw).sent)
  end)

  it("does not send the server's names", function()
    assert.has_error(function() session:send("chatty:connected", {}) end)
    assert.equal("INVALID", select(3, session:send("", {})))
  end)

  it("closes with a code and reason that a close frame takes", function()
    assert.has_error(function() session:close(200) end)
    assert.has_error(function() session:close(1005) end)
    assert.has_error(function() session:close(4500, ("x"):rep(121)) end)
    session:close(4510, "enough")
    assert.same({ code = 4510, reason = "enough" }, fake_core.state(raw).closed)
  end)

  it("says that it is over", function()
    session:close()
    assert.same({ nil, "closed", "CLOSED" }, { session:send("late", {}) })
  end)

  describe("that has not joined", function()
    local function names()
      local list = {}
      for i, sent in ipairs(fake_core.state(raw).sent) do list[i] = sent.event end
      return list
    end

    before_each(function() sessions.hold(raw) end)

    it("gets what it was sent when it has, in order, as it was then", function()
      local event = require("event").of(core.event.new("again", { n = 1 }))
      assert.is_true(session:send("first", {}))
      assert.is_true(session:send(event))
      event:set("n", 2)
      assert.same({}, names())
      sessions.release(session)
      session:send("last", {})
      assert.same({ "first", "again", "last" }, names())
      assert.equal(1, fake_core.state(raw).sent[2].attributes.n)
    end)

    it("keeps 64 events and not more", function()
      for _ = 1, 64 do assert.is_true(session:send("e", {})) end
      local sent, message, code = session:send("e", {})
      assert.same({ "nil", "string", "LIMIT" }, { type(sent), type(message), code })
      sessions.release(session)
      assert.equal(64, #names())
    end)

    it("gets nothing when it closes instead", function()
      session:send("first", {})
      session:close()
      assert.same({ nil, "closed", "CLOSED" }, { session:send("late", {}) })
      sessions.release(session)
      assert.same({}, names())
    end)

    it("says that it is over when the client has gone meanwhile", function()
      raw:close(1006)
      assert.same({ nil, "closed", "CLOSED" }, { session:send("late", {}) })
    end)
  end)

  it("lets plugins keep their own in data, and nowhere else", function()
    session.data = { a = 1 }
    assert.same({ a = 1 }, session.data)
    assert.has_error(function() session.mood = "good" end)
    assert.has_error(function() session.user = "bob" end)
  end)

  it("forgets the old token's claims", function()
    assert.is_nil(session.claims.level)
    fake_core.state(raw).claims = '{"sub":"ann","level":2}'
    sessions.refresh(raw)
    assert.equal(2, session.claims.level)
  end)
end)
