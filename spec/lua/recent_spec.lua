local fake_core = require "spec.support.fake_core"

describe("what was looked up recently", function()
  local core, recent

  before_each(function()
    core = fake_core.install()
    recent = require "recent"
  end)

  it("is known as long as it is young, also when it is false", function()
    local found = recent.new(10, 1)
    found:put("a", "x")
    found:put("b", false)
    core.time.clock = core.time.clock + 1
    assert.same({ "x", false }, { found:get("a"), found:get("b") })
    assert.is_nil(found:get("c"))
    core.time.clock = core.time.clock + 0.5
    assert.is_nil(found:get("a"))
    assert.is_nil(found:get("b"))
  end)

  it("is never more than so many", function()
    local found = recent.new(2, 1)
    for _, key in ipairs({ "a", "b", "b", "c" }) do found:put(key, key) end
    assert.same({ [3] = "c" }, { found:get("a"), found:get("b"), found:get("c") })
    assert.equal(1, found.count)
  end)
end)
