local fake_core = require "spec.support.fake_core"

describe("add", function()
  local core, add, runs

  before_each(function()
    core = fake_core.install()
    add = require "notify.add"
    runs = {}
  end)

  local function register(name, f)
    assert(add.register(name, f, "shop", "shop.lua:1"))
  end

  -- Marks the event; reading the channel or not.
  local function mark(name, reads)
    register(name, function(event, context)
      runs[#runs + 1] = name
      event:set(name, reads and context.channel or "x")
    end)
  end

  local function spec_of(by, list, attributes)
    return { by = by, names = list, event = core.event.new("e", attributes or {}) }
  end

  local function apply(spec, ...)
    return add.apply(assert(add.find({ ... })), spec)
  end

  local function raws(spec)
    local list = {}
    for i, event in ipairs(spec.events or { spec.event }) do list[i] = event:raw() end
    return list
  end

  it("runs once per request and leaves one event", function()
    mark("a")
    local spec = spec_of("channels", { "x", "y" })
    assert.is_nil(apply(spec, "a"))
    assert.same({ "a" }, runs)
    assert.same({ '{"a":"x"}' }, raws(spec))
    assert.is_nil(spec.events)
  end)

  it("runs once per channel when it reads the channel, and makes one event for each", function()
    mark("origin", true)
    local spec = spec_of("channels", { "x", "y", "z" })
    apply(spec, "origin")
    assert.same({ '{"origin":"x"}', '{"origin":"y"}', '{"origin":"z"}' }, raws(spec))
    assert.is_nil(spec.event)
  end)

  it("keeps one event for one channel", function()
    mark("origin", true)
    local spec = spec_of("channels", { "x" })
    apply(spec, "origin")
    assert.same({ '{"origin":"x"}' }, raws(spec))
    assert.is_nil(spec.events)
  end)

  it("runs options in their order, before and behind the parting", function()
    mark("before")
    mark("origin", true)
    mark("behind")
    local spec = spec_of("channels", { "x", "y" })
    apply(spec, "before", "origin", "behind")
    assert.same({ '{"before":"x","origin":"x","behind":"x"}', '{"before":"x","origin":"y","behind":"x"}' },
      raws(spec))
    assert.same({ "before", "origin", "origin", "behind", "behind" }, runs)
  end)

  it("knows no channel when users are notified", function()
    register("origin", function(event, context) event:set("is", tostring(context.channel)) end)
    local spec = spec_of("users", { "ann", "bob" })
    apply(spec, "origin")
    assert.same({ '{"is":"nil"}' }, raws(spec))
  end)

  it("gives all runs of a request the same time", function()
    register("time", function(event, context)
      event:set("at", context.time)
      event:set("in", context.channel)
      core.time.clock = core.time.clock + 1
    end)
    local spec = spec_of("channels", { "x", "y" })
    apply(spec, "time")
    assert.equal(spec.events[1]:get("at"), spec.events[2]:get("at"))
  end)

  it("refuses attributes that are no object", function()
    mark("a")
    assert.equal("add-needs-object", apply(spec_of("users", { "ann" }, core.json.raw("[1]")), "a").code)
  end)

  it("passes on the refusal of an option", function()
    local refusal = require "refusal"
    register("no", function() return refusal.new(403, "no", "No.") end)
    assert.equal("no", apply(spec_of("users", { "ann" }), "no").code)
  end)

  it("logs an error with the plugin, and refuses", function()
    register("bad", function() error("boom") end)
    assert.equal("internal", apply(spec_of("channels", { "x", "y" }), "bad").code)
    assert.matches("^plugin shop, option add=bad: .*boom", core.log.lines[1].message)
  end)

  it("finds each option once, in the order of the query", function()
    mark("a")
    mark("b")
    local options = add.find({ "b", "a", "b" })
    assert.same({ "option add=b", "option add=a" }, { options[1].label, options[2].label })
    assert.is_nil(options[3])
  end)

  it("names the known options when one is unknown", function()
    mark("b")
    mark("a")
    local none, refused = add.find({ "c" })
    assert.is_nil(none)
    assert.same({ "add-unknown", "'c' is not known; the known options are: a, b." },
      { refused.code, refused.detail })
  end)

  it("says where an option is that is registered twice", function()
    mark("a")
    assert.same({ nil, "shop.lua:1" }, { add.register("a", print, "other", "other.lua:2") })
  end)
end)
