-- The plugin that the contract of the public API shows does what it says.
local test = require "chatty.test"

describe("the sample plugin", function()
  local t = test.plugin("spec/trial/plugins/sample.lua", { options = { shop_url = "http://shop.test/online" } })

  it("greets over HTTP", function()
    assert.same({ msg = "hi bob" }, t:get("/hello/bob", { user = "ann" }).json)
  end)

  it("puts everybody into the lobby, where what one says is heard by the others", function()
    local ann, bob = t:connect("ann"), t:connect("bob")
    ann:send("hello", { text = "all" })
    assert.same({ event = "hello", attributes = { text = "all" } }, (bob:next()))
    ann:none()
  end)

  it("adds the server, and names channels with a colon", function()
    local ann = t:connect("ann")
    t:notify { channels = { "lobby" }, event = "x", add = { "server" } }
    assert.is_string(ann:next().attributes.server)
    local answer = t:post("/control/subscription/subscribe", {
      control = true, query = { method = "users:ann" }, document = { data = { type = "room", id = "1" } },
    })
    assert.same({ "room:1" }, answer.json.channels)
  end)

  it("tells the shop every minute how many are online", function()
    t:stub_http("POST http://shop.test/online", { status = 204 })
    t:connect("ann")
    t:connect("bob")
    t:advance(59)
    assert.equal(0, #t:http_calls())
    t:advance(61)
    assert.equal(2, #t:http_calls())
    assert.same({ online = 2 }, t:http_calls()[1].json)
  end)
end)
