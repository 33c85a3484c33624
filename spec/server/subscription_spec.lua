-- POST /control/subscription/subscribe and unsubscribe: subscriptions that stand (CONTRACT 1.1 and 1.2).
local fault = require "spec.support.fault"
local fresh = require "spec.support.fresh"
local listener = require "spec.support.listener"
local server = require "spec.support.server"
local wait = require "spec.support.wait"

describe("subscription", function()
  local chatty

  setup(function() chatty = server.start() end)
  teardown(function() chatty:stop() end)

  local function subscriptions(user)
    return chatty:control("GET", "/control/search/subscriptions?userId=" .. user).json()
  end

  local function online(channel)
    return chatty:control("GET", "/control/search/participants?channel=" .. channel).json()
  end

  local function members(channel)
    return chatty:control("GET", "/control/search/participants?include=offline&channel=" .. channel).json()
  end

  -- Users that are not connected, subscribed to one channel.
  local function crowd(size, channel)
    local users = {}
    for i = 1, size do users[i] = fresh "user" end
    assert.equal(200, chatty:subscribe("users:" .. table.concat(users, ","), { channel }).status)
    table.sort(users)
    return users
  end

  it("answers with the seed's message and the channels, in order of the document", function()
    local response = chatty:subscribe("users:" .. fresh "ann", { "room-z", "post-1", "room-a" })
    assert.same({ msg = "Subscribed", channels = { "room-z", "post-1", "room-a" } }, response.json())
  end)

  it("is ended with the seed's message and the channels", function()
    local response = chatty:unsubscribe("users:" .. fresh "ann", { "room-z", "room-a" })
    assert.same({ msg = "Unsubscribed", channels = { "room-z", "room-a" } }, response.json())
  end)

  it("may be made before the user ever connects", function()
    local room, user = fresh "room", fresh "ann"
    chatty:subscribe("users:" .. user, { room })
    local ann = listener.open(chatty, user)
    chatty:notify("channels:" .. room, "tick")
    assert.same({ { room }, { "tick" } }, { ann.channels, ann:heard_names() })
  end)

  it("holds for sessions that are there", function()
    local room, user = fresh "room", fresh "ann"
    local one, two = listener.open(chatty, user), listener.open(chatty, user)
    chatty:subscribe("users:" .. user, { room })
    chatty:notify("channels:" .. room, "tick")
    assert.same({ { "tick" }, { "tick" } }, { one:heard_names(), two:heard_names() })
  end)

  it("holds for sessions that come later", function()
    local room, user = fresh "room", fresh "ann"
    local one = listener.open(chatty, user, { room })
    local two = listener.open(chatty, user)
    chatty:notify("channels:" .. room, "tick")
    assert.same({ { "tick" }, { "tick" } }, { one:heard_names(), two:heard_names() })
  end)

  it("survives the end of the last session", function()
    local room, user = fresh "room", fresh "ann"
    listener.open(chatty, user, { room }):close()
    assert.is_true(wait.until_(function() return #online(room) == 0 end))
    local ann = listener.open(chatty, user)
    chatty:notify("channels:" .. room, "tick")
    assert.same({ { room }, { "tick" } }, { ann.channels, ann:heard_names() })
  end)

  it("stays when one of two tabs goes away", function()
    local room, user = fresh "room", fresh "ann"
    local one, two = listener.open(chatty, user, { room }), listener.open(chatty, user)
    one:close()
    chatty:notify("channels:" .. room, "tick")
    assert.same({ "tick" }, two:heard_names())
  end)

  it("is there once, however often it is made", function()
    local room, user = fresh "room", fresh "ann"
    local ann = listener.open(chatty, user, { room })
    chatty:subscribe(("users:%s,%s"):format(user, user), { room, room })
    chatty:notify("channels:" .. room, "tick")
    assert.same({ { "tick" }, { room } }, { ann:heard_names(), subscriptions(user) })
  end)

  it("joins each named user to each named channel", function()
    local one, two, a, b = fresh "room", fresh "room", fresh "ann", fresh "bob"
    chatty:subscribe(("users:%s,%s"):format(a, b), { one, two })
    assert.same({ { a, b }, { a, b } }, { members(one), members(two) })
  end)

  describe("by channels", function()
    it("makes all users of any of them subscribe, with a session or not", function()
      local one, two, target = fresh "room", fresh "room", fresh "news"
      local ann = listener.open(chatty, fresh "ann", { one })
      local offline = crowd(2, two)
      assert.equal(200, chatty:subscribe(("channels:%s,%s"):format(one, two), { target }).status)
      local expected = { ann.user, offline[1], offline[2] }
      table.sort(expected)
      chatty:notify("channels:" .. target, "tick")
      assert.same({ expected, { "tick" } }, { members(target), ann:heard_names() })
    end)

    it("leaves those channels as they are", function()
      local source, target = fresh "room", fresh "news"
      local users = crowd(3, source)
      chatty:subscribe("channels:" .. source, { target })
      assert.same(users, members(source))
    end)

    it("takes a user who is in two of them once", function()
      local one, two, target, user = fresh "room", fresh "room", fresh "news", fresh "ann"
      chatty:subscribe("users:" .. user, { one, two })
      chatty:subscribe(("channels:%s,%s"):format(one, two), { target })
      assert.same({ user }, members(target))
    end)

    it("may name the channel that is subscribed to", function()
      local source, target = fresh "room", fresh "news"
      local users = crowd(2, source)
      assert.equal(200, chatty:subscribe("channels:" .. source, { source, target }).status)
      assert.same({ users, users }, { members(source), members(target) })
    end)

    it("does nothing for channels that nobody knows, and makes none", function()
      local source, target = fresh "room", fresh "news"
      local response = chatty:subscribe("channels:" .. source, { target })
      assert.same({ msg = "Subscribed", channels = { target } }, response.json())
      assert.same({ {}, {} }, { members(source), members(target) })
    end)

    it("is about those who are there now, not who comes later", function()
      local source, target = fresh "room", fresh "news"
      local users = crowd(1, source)
      chatty:subscribe("channels:" .. source, { target })
      crowd(1, source)
      assert.same(users, members(target))
    end)
  end)

  describe("ended", function()
    it("reaches no session any more", function()
      local room, other, user = fresh "room", fresh "room", fresh "ann"
      local one, two = listener.open(chatty, user, { room, other }), listener.open(chatty, user)
      chatty:unsubscribe("users:" .. user, { room })
      chatty:notify("channels:" .. room, "gone")
      chatty:notify("channels:" .. other, "stays")
      assert.same({ { "stays" }, { "stays" } }, { one:heard_names(), two:heard_names() })
    end)

    it("lets what was notified before through", function()
      local room = fresh "room"
      local ann = listener.open(chatty, fresh "ann", { room })
      chatty:notify("channels:" .. room, "before")
      chatty:unsubscribe("users:" .. ann.user, { room })
      chatty:notify("channels:" .. room, "after")
      assert.same({ "before" }, ann:heard_names())
    end)

    it("may be made again", function()
      local room = fresh "room"
      local ann = listener.open(chatty, fresh "ann", { room })
      chatty:unsubscribe("users:" .. ann.user, { room })
      chatty:subscribe("users:" .. ann.user, { room })
      chatty:notify("channels:" .. room, "tick")
      assert.same({ "tick" }, ann:heard_names())
    end)

    it("is gone for users without a session too", function()
      local room = fresh "room"
      local users = crowd(2, room)
      chatty:unsubscribe("users:" .. users[1], { room })
      assert.same({ { users[2] }, {} }, { members(room), subscriptions(users[1]) })
    end)

    it("leaves the others in the channel", function()
      local room = fresh "room"
      local ann, bob = listener.open(chatty, fresh "ann", { room }), listener.open(chatty, fresh "bob", { room })
      chatty:unsubscribe("users:" .. ann.user, { room })
      chatty:notify("channels:" .. room, "tick")
      assert.same({ {}, { "tick" } }, { ann:heard(), bob:heard_names() })
    end)

    it("may be what never was", function()
      local room, user = fresh "room", fresh "ann"
      assert.equal(200, chatty:unsubscribe("users:" .. user, { room }).status)
      assert.same({ {}, {} }, { members(room), subscriptions(user) })
    end)

    it("by channels takes all users of any of them out, with a session or not", function()
      local one, two, target = fresh "room", fresh "room", fresh "news"
      local ann = listener.open(chatty, fresh "ann", { one, target })
      local offline = crowd(2, two)
      chatty:subscribe("channels:" .. two, { target })
      local stays = crowd(1, target)
      chatty:unsubscribe(("channels:%s,%s"):format(one, two), { target })
      chatty:notify("channels:" .. target, "tick")
      assert.same({ stays, {}, offline }, { members(target), ann:heard(), members(two) })
    end)

    it("by the same channel empties it", function()
      local room = fresh "room"
      local ann = listener.open(chatty, fresh "ann", { room })
      crowd(3, room)
      chatty:unsubscribe("channels:" .. room, { room })
      chatty:notify("channels:" .. room, "tick")
      assert.same({ {}, {}, {} }, { members(room), ann:heard(), subscriptions(ann.user) })
    end)

    it("by a channel that nobody knows does nothing", function()
      local room = fresh "room"
      local users = crowd(1, room)
      local response = chatty:unsubscribe("channels:" .. fresh "room", { room })
      assert.same({ msg = "Unsubscribed", channels = { room } }, response.json())
      assert.same(users, members(room))
    end)
  end)

  it("of one user may be to as many channels as a document names", function()
    local channels, user = {}, fresh "ann"
    for i = 1, 3000 do channels[i] = ("wide-%04d"):format(i) end
    assert.equal(200, chatty:subscribe("users:" .. user, channels).status)
    assert.same(channels, subscriptions(user))
    assert.equal(200, chatty:unsubscribe("users:" .. user, channels).status)
    assert.same({}, subscriptions(user))
  end)

  it("is counted as long as it stands", function()
    local own = server.start()
    own:subscribe("users:ann,bob", { "room-1", "room-2" })
    assert.equal(4, own:metric "subscriptions")
    own:unsubscribe("channels:room-1", { "room-1" })
    assert.equal(2, own:metric "subscriptions")
  end)

  describe("beyond SUBSCRIPTIONS_PER_USER_MAX", function()
    local small

    setup(function() small = server.start{ settings = { SUBSCRIPTIONS_PER_USER_MAX = 2 } } end)
    teardown(function() small:stop() end)

    local function channels_of(user)
      return small:control("GET", "/control/search/subscriptions?userId=" .. user).json()
    end

    it("is refused", function()
      local response = small:subscribe("users:ann", { "a-1", "a-2", "a-3" })
      assert.equal("409 subscriptions-max", fault.of(response))
    end)

    it("is not made for anybody of the call", function()
      small:subscribe("users:full", { "b-1", "b-2" })
      small:subscribe("users:empty,full", { "b-3" })
      assert.same({ {}, { "b-1", "b-2" } }, { channels_of "empty", channels_of "full" })
    end)

    it("is refused when it comes by channels", function()
      small:subscribe("users:cara", { "c-1", "c-2" })
      assert.equal("409 subscriptions-max", fault.of(small:subscribe("channels:c-1", { "c-3" })))
    end)

    it("is not what a session hears of", function()
      local dan = listener.open(small, "dan", { "d-1", "d-2" })
      small:subscribe("users:dan", { "d-3" })
      small:notify("channels:d-3", "tick")
      assert.same({}, dan:heard())
    end)

    it("does not hinder what is there already, or less", function()
      small:subscribe("users:eve", { "e-1", "e-2" })
      assert.equal(200, small:subscribe("users:eve", { "e-1", "e-2" }).status)
      small:unsubscribe("users:eve", { "e-1" })
      assert.equal(200, small:subscribe("users:eve", { "e-3" }).status)
    end)

    it("counts as a limit that was hit", function()
      local before = small:metric "limit_hits_total"
      small:subscribe("users:fay", { "f-1", "f-2", "f-3" })
      assert.equal(before + 1, small:metric "limit_hits_total")
    end)
  end)
end)
