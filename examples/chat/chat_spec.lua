-- The sample chat, without its page: chatty test examples/chat
describe("the sample chat", function()
  local t = require("chatty.test").plugin("chat")

  -- What a visitor of this name gets.
  local function join(name) return t:post("/chat/join", { json = { name = name } }) end

  -- The session of a visitor, who brings the token that he got.
  local function enter(name)
    local joined = join(name).json
    return t:connect(joined.user, { token = joined.token })
  end

  it("serves its page to everybody", function()
    local response = t:get("/")
    assert.same({ 200, "text/html; charset=utf-8" }, { response.status, response.headers["content-type"] })
    assert.equal(200, t:get("/chat/chat.js").status)
  end)

  it("gives a visitor a token for ten minutes, and no rights", function()
    local joined = join("  Ann ").json
    assert.same({ "Ann", "chat-Ann" }, { joined.name, joined.user })
    local token = t.chatty.token.verify(joined.token)
    assert.same({ "chat-Ann", 600 }, { token.user, token.expires - t:now() })
    assert.equal(403, t:post("/control/notify", { token = joined.token, json = {} }).status)
  end)

  it("takes no name that is none", function()
    for _, name in ipairs({ "", "   ", ("x"):rep(33), "a\nb", "a\u{202E}b", 5 }) do
      local response = join(name)
      assert.same({ 400, "chat-name-invalid" }, { response.status, response.error.code })
    end
  end)

  it("brings what one says to all, with the sender's name and the time", function()
    local ann, bob = enter("ann"), enter("bob")
    assert.same({ "chat-lobby" }, bob.connected.channels)
    t:advance(60)
    assert.same({ sent = true }, ann:ask("chat-message", { content = "hello", sender = "somebody else" }))
    local expected = { content = "hello", sender = "ann", ["time-sent"] = "2026-01-01T00:01:00.000Z" }
    for _, session in ipairs({ ann, bob }) do
      assert.same({ event = "chat-message", attributes = expected }, session:next())
    end
  end)

  it("refuses what is no text, or too long", function()
    local ann = enter("ann")
    for _, content in ipairs({ "", ("x"):rep(2001), 5, {} }) do
      assert.equal("chat-content-invalid", select(2, ann:ask("chat-message", { content = content })).code)
    end
  end)

  it("leaves other users alone", function()
    local user = t:connect("ann")
    assert.same({}, user.connected.channels)
    assert.same({}, user:ask("chat-message", { content = "hello" }))
    enter("bob"):none()
  end)

  it("warns a visitor whose token dies, and closes his session when he does not renew it", function()
    local ann = enter("ann")
    t:advance(570)
    assert.equal("chatty:expiring", ann:next().event)
    t:advance(40)
    assert.equal(4001, (ann:closed()))
  end)
end)
