-- The plugin date_time: the option add=date-time of notify.
local test = require "chatty.test"

describe("the plugin date_time", function()
  local t = test.plugins({ "date_time", "origin" })
  local ann, bob

  before_each(function()
    t:subscribe({ "ann", "bob" }, { "room-1", "room-2" })
    ann, bob = t:connect("ann"), t:connect("bob")
  end)

  it("adds the time in UTC with milliseconds", function()
    t:advance(3661.5)
    t:notify { channels = { "room-1" }, event = "x", attributes = { a = 1 }, add = { "date-time" } }
    assert.same({ a = 1, ["date-time"] = "2026-01-01T01:01:01.500Z" }, ann:next().attributes)
  end)

  it("adds one time for all channels and receivers of a request", function()
    t:notify { channels = { "room-1", "room-2" }, event = "x", add = { "date-time" } }
    for _, user in ipairs({ ann, bob }) do
      for _ = 1, 2 do assert.same({ ["date-time"] = "2026-01-01T00:00:00.000Z" }, user:next().attributes) end
    end
  end)

  it("adds it to events for users and for channels-efficient too", function()
    t:notify { users = { "ann", "bob" }, event = "x", add = { "date-time" } }
    t:notify { channels = { "room-1", "room-2" }, efficient = true, event = "x", add = { "date-time" } }
    for _, user in ipairs({ ann, bob }) do
      for _ = 1, 2 do assert.is_string(user:next().attributes["date-time"]) end
      user:none()
    end
  end)

  it("replaces an attribute of that name and leaves all other bytes alone", function()
    t:notify {
      channels = { "room-1" }, event = "x", add = { "date-time" },
      attributes = test.json.raw('{ "n":12345678901234567890, "date-time" :null, "d":1.00 }'),
    }
    assert.equal('{"event":"x","attributes":{ "n":12345678901234567890, "date-time" :"2026-01-01T00:00:00.000Z", '
      .. '"d":1.00 }}', select(2, ann:next()))
  end)

  it("goes together with others, in the order they are asked for", function()
    t:notify { channels = { "room-1" }, event = "x", add = { "date-time", "origin" } }
    assert.matches('{"date%-time":"[^"]+","origin":"room%-1"}', (select(2, ann:next())))
  end)

  it("adds nothing unasked", function()
    t:notify { channels = { "room-1" }, event = "x" }
    assert.same({}, ann:next().attributes)
  end)
end)
