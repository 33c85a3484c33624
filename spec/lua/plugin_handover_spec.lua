local fake_core = require "spec.support.fake_core"
local fake_userdata = require "spec.support.fake_userdata"

describe("what plugins hand over", function()
  local core, handover, sessions

  before_each(function()
    core = fake_core.install()
    handover, sessions = require "plugin.handover", require "realtime.session"
  end)

  -- What a plugin that returns this in on_unload hands over, and the last line of the log.
  local function unload(value)
    handover.add("shop", { on_unload = function() return value end })
    return handover.unload().shop, core.log.lines[#core.log.lines]
  end

  local function message_of(value)
    local packed, line = unload(value)
    assert.is_nil(packed)
    return line.message
  end

  it("is a copy of plain values", function()
    local value = { "a", 1, 2.5, true, { deep = { "b" } }, [10] = false }
    local packed = unload(value)
    assert.same(value, packed)
    assert.not_equal(value, packed)
    assert.not_equal(value[5], packed[5])
  end)

  it("may be circular, and one table in two places", function()
    local shared = { "shared" }
    local value = { a = shared, b = shared }
    value.self = value
    local packed = unload(value)
    assert.equal(packed, packed.self)
    assert.equal(packed.a, packed.b)
  end)

  it("has the core's sessions in place of the plugins', also as keys", function()
    local made = fake_core.session()
    local session = sessions.of(made)
    local packed = unload({ [session] = "ann", list = { session } })
    assert.same({ "ann", made }, { packed[made], packed.list[1] })
  end)

  it("is refused when it cannot travel, with the place", function()
    assert.matches("on_unload: .*cannot be handed over: the value%[f%] is a function", message_of({ f = print }))
    assert.matches("the value%[a%]%[number%] is a thread",
      message_of({ a = { coroutine.create(print) } }))
    assert.matches("a key of the value is a function", message_of({ [print] = 1 }))
    assert.matches("the value has a metatable", message_of(setmetatable({}, {})))
    local deep = {}
    for _ = 1, 100 do deep = { deep } end
    assert.matches("lies too deep", message_of(deep))
    assert.matches("is a userdata", message_of({ fake_userdata.new({}, {}) }))
  end)

  it("is nothing when on_unload fails, and the others go on", function()
    handover.add("broken", { on_unload = function() error("oops") end })
    handover.add("good", { on_unload = function() return 1 end })
    handover.add("without", {})
    assert.same({ good = 1 }, handover.unload())
    assert.matches("plugin broken, on_unload: .*oops", core.log.lines[1].message)
  end)

  it("goes to the plugin of the same name", function()
    local got = {}
    handover.add("shop", { on_load = function(value) got[#got + 1] = value end })
    handover.add("broken", { on_load = function() error("oops") end })
    handover.add("new", { on_load = function() got[#got + 1] = "never" end })
    handover.add("without", {})
    handover.load({ shop = { n = 1 }, broken = 1, without = 2, gone = 3 })
    assert.same({ { n = 1 } }, got)
    assert.matches("plugin broken, on_load: .*oops", core.log.lines[1].message)
  end)
end)
