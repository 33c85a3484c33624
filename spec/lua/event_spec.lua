local fake_core = require "spec.support.fake_core"

describe("event", function()
  local core, event

  before_each(function()
    core = fake_core.install()
    event = require "event"
  end)

  local RAW <const> = '{"n":12345678901234567890, "list":[] ,"text":"x"}'

  local function new(raw)
    return event.of(core.event.new("greeting", core.json.raw(raw or RAW)))
  end

  it("reads single members", function()
    local made = new()
    assert.equal("greeting", made.name)
    assert.equal("x", made:get("text"))
    assert.is_nil(made:get("nothing"))
    assert.equal(RAW, made:raw())
  end)

  it("sets and removes single members and leaves all other bytes alone", function()
    local made = new()
    made:set("text", "y")
    made:set("more", 1)
    assert.equal('{"n":12345678901234567890, "list":[] ,"text":"y","more":1}', made:raw())
    made:remove("n")
    assert.equal('{"list":[],"text":"y","more":1}', made:raw())
  end)

  it("shows its attributes, and what they became", function()
    local made = new()
    assert.equal("x", made.attributes.text)
    made:set("text", "y")
    assert.equal("y", made.attributes.text)
    made:replace({ a = 1 })
    assert.equal(1, made.attributes.a)
  end)

  it("does not let its attributes be written like a table", function()
    local made = new()
    assert.has_error(function() made.attributes.text = "y" end)
    assert.has_error(function() made.attributes.list[1] = "y" end)
    assert.has_error(function() made.attributes = {} end)
    assert.equal(RAW, made:raw())
  end)

  it("shows attributes that are no object", function()
    assert.equal("text", new('"text"').attributes)
    assert.equal(2, new("[1,2]").attributes[2])
  end)

  it("has no members to change when its attributes are no object", function()
    assert.has_error(function() new("[1]"):set("a", 1) end)
    assert.has_error(function() new("[1]"):remove("a") end)
  end)

  it("wants values where values belong", function()
    assert.has_error(function() new():set("a", nil) end)
    assert.has_error(function() new():replace(nil) end)
    assert.has_error(function() new():replace(core.json.null) end)
  end)

  it("carries what else is known of it", function()
    local made = event.of(core.event.new("a", {}), { channels = { "x" }, efficient = true })
    made.channels[2] = "y"
    made.except = { "ann" }
    assert.same({ { "x", "y" }, true, { "ann" } }, { made.channels, made.efficient, made.except })
  end)

  it("gives back the core event under it", function()
    local made = core.event.new("a", {})
    assert.equal(made, event.core(event.of(made)))
    assert.equal(made, event.core(made))
    assert.is_nil(event.core("a"))
    assert.is_nil(event.core({}))
  end)

  it("refuses the names of the server and of Socket.IO", function()
    for _, name in ipairs({ "chatty:x", "chatty:", "connect", "disconnect", "newListener" }) do
      assert.equal("event-reserved", event.refuse_name(name).code)
    end
    for _, name in ipairs({ "chat", "chatty", "Connect", "connected", "x:chatty:" }) do
      assert.is_nil(event.refuse_name(name))
    end
  end)

  describe("view", function()
    it("can be walked, measured and encoded like what it shows", function()
      local shown = new('{"a":[1,{"b":2}],"c":"d"}').attributes
      assert.equal(2, #shown.a)
      local keys = {}
      for key in pairs(shown) do keys[#keys + 1] = key end
      table.sort(keys)
      assert.same({ "a", "c" }, keys)
      local sum = 0
      for _, value in ipairs(new("[1,2,3]").attributes) do sum = sum + value end
      assert.equal(6, sum)
      assert.equal('{"a":[1,{"b":2}],"c":"d"}', core.json.encode(shown))
    end)
  end)
end)
