-- The plugin origin: the option add=origin of notify.
local test = require "chatty.test"

describe("the plugin origin", function()
  local t = test.plugin("origin")
  local ann

  before_each(function()
    t:subscribe({ "ann" }, { "room-1", "room-2" })
    ann = t:connect("ann")
  end)

  local function notify(event)
    event.event, event.add = "x", { "origin" }
    return t:notify(event)
  end

  -- The next event of ann as it came.
  local function next_text() return select(2, ann:next()) end

  local function event(attributes) return '{"event":"x","attributes":' .. attributes .. "}" end

  it("adds the channel that an event came through", function()
    notify { channels = { "room-1" }, attributes = { a = 1 } }
    assert.equal(event '{"a":1,"origin":"room-1"}', next_text())
  end)

  it("adds to each copy its own channel", function()
    notify { channels = { "room-2", "room-1" } }
    assert.equal(event '{"origin":"room-2"}', next_text())
    assert.equal(event '{"origin":"room-1"}', next_text())
  end)

  it("adds the first channel in request order to the one copy of channels-efficient", function()
    notify { channels = { "room-2", "room-1" }, efficient = true }
    assert.equal(event '{"origin":"room-2"}', next_text())
    notify { channels = { "nobody-1", "room-1" }, efficient = true }
    assert.equal(event '{"origin":"room-1"}', next_text())
    ann:none()
  end)

  it("adds nothing when users are notified", function()
    notify { users = { "ann" }, attributes = { a = 1 } }
    assert.equal(event '{"a":1}', next_text())
  end)

  it("adds nothing unasked", function()
    t:notify { channels = { "room-1" }, event = "x", attributes = { a = 1 } }
    assert.equal(event '{"a":1}', next_text())
  end)

  it("replaces an attribute of that name and leaves all other bytes alone", function()
    local attributes = '{ "n":12345678901234567890, "origin" : [1,2], "d":1.00 }'
    notify { channels = { "room-1" }, attributes = test.json.raw(attributes) }
    assert.equal(event '{ "n":12345678901234567890, "origin" : "room-1", "d":1.00 }', next_text())
  end)

  it("writes names as JSON wants them", function()
    local name = 'a"b\\c é'
    t:subscribe({ "ann" }, { name })
    notify { channels = { name } }
    assert.equal(name, ann:next().attributes.origin)
  end)

  it("wants attributes that are an object", function()
    for _, attributes in ipairs{ "[1]", '"text"', "5", "true" } do
      local response = notify { channels = { "room-1" }, attributes = test.json.raw(attributes) }
      assert.same({ 400, "add-needs-object" }, { response.status, response.error.code })
    end
  end)
end)
