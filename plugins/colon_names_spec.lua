-- The plugin colon_names: how channels are named.
local test = require "chatty.test"

local function room(id) return { data = { type = "room", id = id } } end

local function channels_of(t, document)
  return t:post("/control/subscription/subscribe", {
    control = true, query = { method = "users:ann" }, document = document,
  }).json.channels
end

describe("the plugin colon_names", function()
  describe("as it comes", function()
    local t = test.plugin("colon_names")

    it("names the channel of a resource type:id", function()
      assert.same({ "room:1" }, channels_of(t, room("1")))
      assert.same({ "room:7" }, channels_of(t, room(7)))
    end)

    it("delivers to channels of that name", function()
      channels_of(t, room("1"))
      local ann = t:connect("ann")
      t:notify { channels = { "room-1" }, event = "x" }
      t:notify { channels = { "room:1" }, event = "y" }
      assert.equal("y", ann:next().event)
    end)
  end)

  describe("with another separator", function()
    local t = test.plugin("colon_names", { options = { separator = "/" } })

    it("puts that between", function()
      assert.same({ "room/1" }, channels_of(t, room("1")))
    end)
  end)
end)
