-- Sessions of a test over other transports than the WebSocket.
local test = require "chatty.test"

describe("a session over", function()
  local t = test.plugin("spec/trial/plugins/asker.lua")

  for _, transport in ipairs({ "ws", "sse", "sio" }) do
    describe(transport, function()
      local ann

      before_each(function()
        t:subscribe({ "ann" }, { "room" })
        ann = t:connect("ann", { transport = transport })
      end)

      it("is greeted, and gets events", function()
        assert.same({ "ann", { "room" } }, { ann.connected.user, ann.connected.channels })
        assert.equal(ann.connected.session, ann.id)
        assert.equal(transport, ann:next().attributes.transport)
        t:notify { channels = { "room" }, event = "x", attributes = { text = "two\nlines" } }
        local event = ann:next()
        assert.same({ "x", { text = "two\nlines" } }, { event.event, event.attributes })
        ann:none()
      end)

      it("lives on while time goes on", function()
        t:advance(3600)
        assert.is_nil(ann:closed())
      end)

      it("is closed with a code and a reason", function()
        t:post("/control/disconnect", { control = true, query = { method = "users:ann", reason = "enough" } })
        assert.same({ 4502, "enough" }, { ann:closed() })
      end)

      it("is refused", function()
        assert.equal(4501, (t:connect("bob", { transport = transport, claims = { banned = true } }):closed()))
      end)

      it("is gone", function()
        ann:cut()
        t:advance(10)
        assert.is_false((t.chatty.users.online("ann")))
      end)
    end)
  end

  it("ws comes back for what it missed, but not for what was not for it", function()
    t:subscribe({ "ann" }, { "kept" })
    local ann = t:connect("ann")
    t:notify { channels = { "kept" }, event = "one" }
    local id = ann:events()[2].id
    ann:cut()
    t:notify { channels = { "kept" }, event = "own", except = { sessions = { ann.id } } }
    t:notify { channels = { "kept" }, event = "two" }
    local again = t:connect("ann", { query = { after = id, session = ann.id } })
    assert.same({ "hello", "two" }, { again:next().event, again:next().event })
    again:none()
  end)

  it("sse only listens", function()
    assert.error_matches(function() t:connect("ann", { transport = "sse" }):send("x") end, "ann only listens")
    assert.equal(401, t:connect(nil, { transport = "sse" }).status)
  end)

  it("sio is acknowledged, or refused", function()
    local ann = t:connect("ann", { transport = "sio" })
    assert.same({ said = "hi", by = "sio" }, ann:ask("hi", { a = 1 }))
    local answer, refused = ann:ask("refused")
    assert.same({ nil, 403, "not-yours" }, { answer, refused.status, refused.code })
    ann:send("leave")
    assert.same({ 4900, "as you wish" }, { ann:closed() })
  end)

  it("sio can be asked, and answer", function()
    local ann = t:connect("ann", { transport = "sio" })
    ann:next()
    ann:send("ask-me")
    local question = ann:next()
    assert.same({ "question", { n = 7 } }, { question.event, question.attributes })
    ann:acknowledge(question.ack, { yes = true })
    assert.same({ answer = { yes = true } }, ann:next().attributes)
  end)

  it("sio may take too long to answer", function()
    local ann = t:connect("ann", { transport = "sio" })
    ann:next()
    ann:send("ask-me")
    ann:next()
    t:advance(5)
    assert.equal("TIMEOUT", ann:next().attributes.code)
  end)

  it("sio says more with CONNECT, and may come to a namespace as a guest", function()
    local guest = t:connect(nil, { transport = "sio", namespace = "/guests", auth = { name = "me" } })
    assert.is_string(guest.id)
    assert.is_nil(guest.connected)
    assert.same({ transport = "sio", namespace = "/guests", auth = { name = "me" } }, guest:next().attributes)
    assert.same({ 0, "Invalid namespace" }, { t:connect("ann", { transport = "sio", namespace = "/no" }):closed() })
  end)

  it("no other transport is opened", function()
    assert.error_matches(function() t:connect("ann", { transport = "tcp" }) end, "one of ws, sse and sio")
  end)
end)
