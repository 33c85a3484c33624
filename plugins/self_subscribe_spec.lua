-- The plugin self_subscribe: clients subscribe by message.
local test = require "chatty.test"

describe("the plugin self_subscribe", function()
  local t = test.plugins({ "self_subscribe", "spec/trial/plugins/bouncer.lua" }, {
    options = { self_subscribe = { channels = { "room-*", "user-{user}-*" }, at_once = 2 } },
  })
  local ann

  before_each(function() ann = t:connect("ann") end)

  local function refusal_of(name, attributes)
    local answer, refused = ann:ask(name, attributes)
    assert.is_nil(answer)
    return { refused.status, refused.code }
  end

  it("subscribes who asks, until he asks for the opposite", function()
    assert.same({ channels = { "room-1", "user-ann-orders" } },
      ann:ask("subscribe", { channels = { "room-1", "user-ann-orders" } }))
    t:notify { channels = { "room-1" }, event = "x" }
    assert.equal("x", ann:next().event)
    assert.same({ channels = { "room-1" } }, ann:ask("unsubscribe", { channels = { "room-1" } }))
    t:notify { channels = { "room-1" }, event = "x" }
    ann:none()
    assert.same({ "user-ann-orders" }, t:get("/control/search/subscriptions?userId=ann", { control = true }).json)
  end)

  it("allows the channels of its patterns, and no others", function()
    assert.same({ 403, "channel-not-allowed" }, refusal_of("subscribe", { channels = { "order-1" } }))
    assert.same({ 403, "channel-not-allowed" }, refusal_of("subscribe", { channels = { "user-bob-orders" } }))
    assert.same({ 403, "channel-not-allowed" }, refusal_of("subscribe", { channels = { "room-1", "order-1" } }))
    assert.same({ 403, "channel-not-allowed" }, refusal_of("unsubscribe", { channels = { "order-1" } }))
    assert.same({}, t:get("/control/search/subscriptions?userId=ann", { control = true }).json)
  end)

  it("does not take a star in the user's name for one of the pattern", function()
    ann = t:connect("*")
    assert.same({ 403, "channel-not-allowed" }, refusal_of("subscribe", { channels = { "user-ann-orders" } }))
  end)

  it("lets other plugins refuse", function()
    assert.same({ 403, "staff-only" }, refusal_of("subscribe", { channels = { "room-staff" } }))
  end)

  it("wants a list of names, not too long", function()
    assert.same({ 400, "channels-missing" }, refusal_of("subscribe", {}))
    assert.same({ 400, "channels-missing" }, refusal_of("subscribe", "room-1"))
    assert.same({ 400, "channels-missing" }, refusal_of("subscribe", { channels = "room-1" }))
    assert.same({ 400, "channels-missing" }, refusal_of("subscribe", { channels = {} }))
    assert.same({ 400, "channels-invalid" }, refusal_of("subscribe", { channels = { 5 } }))
    assert.same({ 400, "channels-too-many" }, refusal_of("subscribe", { channels = { "room-1", "room-2", "room-3" } }))
    assert.equal(400, refusal_of("subscribe", { channels = { "room-\n" } })[1])
  end)

  it("leaves other messages to others", function()
    ann:ask("hello", { channels = { "room-1" } })
    assert.same({}, t:get("/control/search/subscriptions?userId=ann", { control = true }).json)
  end)
end)
