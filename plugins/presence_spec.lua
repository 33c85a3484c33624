-- The plugin presence: who comes and goes, and who is here.
local test = require "chatty.test"

describe("the plugin presence", function()
  local t = test.plugins({ "presence", "spec/trial/plugins/refuser.lua" }, {
    options = { presence = { channels = { "room-*" }, channels_max = 3 } },
    settings = { OFFLINE_GRACE = "10s" },
  })
  local ann

  before_each(function()
    t:subscribe({ "ann", "bob" }, { "room-1", "order-1" })
    ann = t:connect("ann")
  end)

  local function told(event, user, channel)
    return { event = event, attributes = { channel = channel or "room-1", user = user } }
  end

  it("tells the other members when a user comes, once", function()
    local bob = t:connect("bob")
    assert.same(told("presence:join", "bob"), (ann:next()))
    t:connect("bob")
    ann:none()
    bob:none()
  end)

  it("tells when he goes, after a grace", function()
    local bob = t:connect("bob")
    ann:next()
    bob:close()
    t:advance(9)
    ann:none()
    t:advance(2)
    assert.same(told("presence:leave", "bob"), (ann:next()))
    ann:none()
  end)

  it("tells nothing when he comes back in time", function()
    t:connect("bob"):cut()
    ann:next()
    t:connect("bob")
    t:advance(30)
    ann:none()
  end)

  it("tells when a user who is here is subscribed, and unsubscribed", function()
    t:connect("cid")
    ann:none()
    t:subscribe({ "cid" }, { "room-1", "room-2" })
    t:advance(1)
    assert.same(told("presence:join", "cid"), (ann:next()))
    t:unsubscribe({ "cid" }, { "room-1", "room-2" })
    t:advance(1)
    assert.same(told("presence:leave", "cid"), (ann:next()))
    ann:none()
  end)

  it("tells of those whom a change means by their channels", function()
    t:subscribe({ "cid" }, { "order-9" })
    t:connect("cid")
    local document = { data = { type = "room", id = "1" } }
    t:post("/control/subscription/subscribe", {
      control = true, query = { method = "channels:order-9" }, document = document,
    })
    t:advance(1)
    assert.same(told("presence:join", "cid"), (ann:next()))
  end)

  it("tells nothing of what changes nothing, of users who are not here, of a refused or pretended change", function()
    t:connect("bob")
    ann:next()
    t:subscribe({ "bob" }, { "room-1" })
    t:subscribe({ "dan" }, { "room-1" })
    t:unsubscribe({ "dan" }, { "room-1" })
    t:connect("cid")
    t:post("/control/subscription/subscribe", {
      control = true, query = { method = "users:cid,refused" }, document = { data = { type = "room", id = "1" } },
    })
    t:post("/control/subscription/subscribe?dryRun=true", {
      control = true, query = { method = "users:cid" }, document = { data = { type = "room", id = "1" } },
    })
    t:advance(5)
    ann:none()
  end)

  it("tells so many channels at most", function()
    t:subscribe({ "ann" }, { "room-2", "room-3", "room-4" })
    t:subscribe({ "cid" }, { "room-1", "room-2", "room-3", "room-4" })
    t:connect("cid")
    assert.equal(3, #ann:events())
  end)

  it("answers members who ask who is here, over HTTP and by message", function()
    t:subscribe({ "zoe" }, { "room-1" })
    t:connect("bob")
    local answer = { channel = "room-1", users = { "ann", "bob" }, more = false }
    assert.same(answer, t:get("/presence/room-1", { user = "bob" }).json)
    ann:events()
    assert.same(answer, ann:ask("presence:who", { channel = "room-1" }))
  end)

  it("answers nobody else", function()
    assert.equal(401, t:get("/presence/room-1").status)
    assert.equal("not-a-member", t:get("/presence/room-1", { user = "cid" }).error.code)
    assert.equal("channel-unknown", t:get("/presence/order-1", { user = "ann" }).error.code)
    local none, refused = ann:ask("presence:who", { channel = 5 })
    assert.same({ nil, "channel-unknown" }, { none, refused.code })
  end)
end)
