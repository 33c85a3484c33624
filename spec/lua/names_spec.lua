local fake_core = require "spec.support.fake_core"

describe("names", function()
  local names

  before_each(function()
    fake_core.install({ NAME_MAX = 12, NAMES_MAX = 3 })
    names = require "names"
  end)

  it("may be any text without control characters", function()
    for _, name in ipairs({ "a", "post-1", "Grüße", "a b", "__proto__", "constructor", "a:b" }) do
      assert.is_true(names.check(name))
    end
  end)

  it("may not be empty, too long, another encoding, or another type", function()
    local faults = {}
    for i, name in ipairs({ "", "1234567890123", "\xff", "a\nb", "\127", 7, {} }) do
      local ok
      ok, faults[i] = names.check(name)
      assert.is_nil(ok)
    end
    assert.same({
      "is empty", "is longer than 12 bytes", "is not UTF-8", "has control characters",
      "has control characters", "is a number, not a string", "is a table, not a string",
    }, faults)
  end)

  it("stand in a list each once, in order of first appearance", function()
    assert.same({ "b", "a" }, names.list({ "b", "a", "b" }))
  end)

  it("make no list when there are none, too many, or one is wrong", function()
    assert.same({ nil, "there are no names", "list-empty" }, { names.list({}) })
    local _, message, code = names.list({ "a", "b", "c", "d" })
    assert.same({ "there are more than 3 names", "list-too-long" }, { message, code })
    _, message, code = names.list({ "a", "" })
    assert.same({ "name 2 is empty", "name-invalid" }, { message, code })
    _, message, code = names.list({ "" })
    assert.same({ "name 1 is empty", "name-invalid" }, { message, code })
  end)

  it("give a list of its own, that is known to be checked", function()
    local items = { "a" }
    local list = names.list(items)
    assert.is_not.equal(items, list)
    assert.is_true(names.is_checked(list))
    assert.is_false(names.is_checked(items))
    assert.is_false(names.is_checked(names.copy(list)))
  end)
end)
