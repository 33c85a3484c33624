-- The shipped plugin date_time: the option add=date-time of notify.
local server = require "spec.support.server"

describe("the plugin date_time", function()
  local chatty, ann, bob

  local function connect(user)
    local session = chatty:connect(user)
    assert.equal("chatty:connected", session:next().event)
    return session
  end

  setup(function()
    chatty = server.start()
    chatty:subscribe("users:ann,bob", { "room-1", "room-2" })
    ann, bob = connect "ann", connect "bob"
  end)
  teardown(function() chatty:stop() end)

  local FORM = "^(%d%d%d%d)%-(%d%d)%-(%d%d)T(%d%d):(%d%d):(%d%d)%.%d%d%dZ$"

  -- Takes one event from both, so that the next story begins with nothing.
  local function next_events() return (ann:next()), (bob:next()) end

  -- Seconds between now and the time that a text says.
  local function distance(text)
    local year, month, day, hour, min, sec = text:match(FORM)
    local there = os.time{ year = year, month = month, day = day, hour = hour, min = min, sec = sec }
    return math.abs(os.time(os.date("!*t")) - there)
  end

  it("adds the time in UTC with milliseconds", function()
    chatty:notify("channels:room-1", "x", '{"a":1}', "add=date-time")
    local event = next_events()
    assert.matches(FORM, event.attributes["date-time"])
    assert.is_true(distance(event.attributes["date-time"]) < 60)
    assert.equal(1, event.attributes.a)
  end)

  it("adds one time for all channels and receivers of a request", function()
    chatty:notify("channels:room-1,room-2", "x", "{}", "add=date-time")
    local first_of_ann, first_of_bob = next_events()
    local second_of_ann, second_of_bob = next_events()
    local time = first_of_ann.attributes["date-time"]
    assert.same({ time, time, time }, { first_of_bob.attributes["date-time"], second_of_ann.attributes["date-time"],
      second_of_bob.attributes["date-time"] })
  end)

  it("adds it to events for users and for channels-efficient too", function()
    for _, method in ipairs{ "users:ann,bob", "channels-efficient:room-1,room-2" } do
      chatty:notify(method, "x", "{}", "add=date-time")
      for _, event in ipairs{ next_events() } do assert.matches(FORM, event.attributes["date-time"]) end
    end
  end)

  it("replaces an attribute of that name and leaves all other bytes alone", function()
    chatty:notify("channels:room-1", "x", '{ "n":12345678901234567890, "date-time" :null, "d":1.00 }', "add=date-time")
    local _, text = ann:next()
    bob:next()
    local time = text:match('"date%-time" :"([^"]+)"')
    assert.equal(('{"event":"x","attributes":{ "n":12345678901234567890, "date-time" :"%s", "d":1.00 }}'):format(time),
      text)
  end)

  it("goes together with others, in the order they are asked for", function()
    chatty:notify("channels:room-1", "x", "{}", "add=date-time,origin")
    local _, text = ann:next()
    bob:next()
    assert.matches('{"date%-time":"[^"]+","origin":"room%-1"}', text)
  end)

  it("adds nothing unasked", function()
    chatty:notify("channels:room-1", "x", "{}")
    assert.is_nil(next_events().attributes["date-time"])
  end)
end)
