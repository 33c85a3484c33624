-- The shipped plugin origin: the option add=origin of notify.
local server = require "spec.support.server"

describe("the plugin origin", function()
  local chatty, ann

  setup(function()
    chatty = server.start()
    chatty:subscribe("users:ann", { "room-1", "room-2" })
    ann = chatty:connect "ann"
    assert.equal("chatty:connected", ann:next().event)
  end)
  teardown(function() chatty:stop() end)

  -- The next event of ann as it came.
  local function next_text() return select(2, ann:next()) end

  local function event(attributes) return '{"event":"x","attributes":' .. attributes .. "}" end

  it("adds the channel that an event came through", function()
    chatty:notify("channels:room-1", "x", '{"a":1}', "add=origin")
    assert.equal(event '{"a":1,"origin":"room-1"}', next_text())
  end)

  it("adds to each copy its own channel", function()
    chatty:notify("channels:room-2,room-1", "x", "{}", "add=origin")
    assert.equal(event '{"origin":"room-2"}', next_text())
    assert.equal(event '{"origin":"room-1"}', next_text())
  end)

  it("adds the first channel in request order to the one copy of channels-efficient", function()
    chatty:notify("channels-efficient:room-2,room-1", "x", "{}", "add=origin")
    assert.equal(event '{"origin":"room-2"}', next_text())
    chatty:notify("channels-efficient:nobody-1,room-1", "x", "{}", "add=origin")
    assert.equal(event '{"origin":"room-1"}', next_text())
  end)

  it("adds nothing when users are notified", function()
    chatty:notify("users:ann", "x", '{"a":1}', "add=origin")
    assert.equal(event '{"a":1}', next_text())
  end)

  it("adds nothing unasked", function()
    chatty:notify("channels:room-1", "x", '{"a":1}')
    assert.equal(event '{"a":1}', next_text())
  end)

  it("replaces an attribute of that name and leaves all other bytes alone", function()
    chatty:notify("channels:room-1", "x", '{ "n":12345678901234567890, "origin" : [1,2], "d":1.00 }', "add=origin")
    assert.equal(event '{ "n":12345678901234567890, "origin" : "room-1", "d":1.00 }', next_text())
  end)

  it("writes names as JSON wants them", function()
    local name = 'a"b\\c é'
    chatty:control("POST", "/control/subscription/subscribe?method=users:ann",
      { data = { type = "room", id = name } })
    chatty:notify("channels:room-" .. name, "x", "{}", "add=origin")
    assert.equal("room-" .. name, ann:next().attributes.origin)
  end)

  it("wants attributes that are an object", function()
    for _, attributes in ipairs{ "[1]", '"text"', "5", "true" } do
      local response = chatty:notify("channels:room-1", "x", attributes, "add=origin")
      assert.same({ 400, "add-needs-object" }, { response.status, response.json().errors[1].code })
    end
  end)
end)
