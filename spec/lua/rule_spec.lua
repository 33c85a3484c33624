local fake_core = require "spec.support.fake_core"

describe("rule", function()
  local rule

  before_each(function()
    fake_core.install()
    rule = require "rule"
  end)

  it("reads text as its type", function()
    assert.equal("x", rule.read({ type = "string" }, "x"))
    assert.is_true(rule.read({ type = "boolean" }, "true"))
    assert.is_false(rule.read({ type = "boolean" }, "false"))
    assert.equal(-7, rule.read({ type = "integer" }, "-7"))
    assert.equal(1.5, rule.read({ type = "number" }, "1.5"))
    assert.same({ "a", "", "b c" }, rule.read({ type = "list" }, " a,,b c"))
  end)

  it("says what is allowed when the text is another", function()
    local cases = {
      { { type = "boolean" }, "yes", "true or false" },
      { { type = "integer" }, "1.0", "a whole number" },
      { { type = "integer" }, "0x10", "a whole number" },
      { { type = "integer" }, "99999999999999999999", "a whole number" },
      { { type = "number" }, "nan", "a number" },
      { { type = "number", max = 5 }, "5.5", "at most 5" },
      { { type = "string", min = 1 }, "", "at least 1 bytes" },
      { { type = "string", one_of = { "a", "b" } }, "c", "one of a, b" },
      { { type = "list", one_of = { "a", "b" } }, "a,c", "one of a, b" },
      { { type = "list", max = 1 }, "a,b", "at most 1 items" },
    }
    for _, case in ipairs(cases) do
      local value, allowed = rule.read(case[1], case[2])
      assert.is_nil(value)
      assert.equal(case[3], allowed)
    end
  end)

  it("accepts values of Lua", function()
    assert.is_true(rule.accepts({ type = "list" }, {}))
    assert.is_true(rule.accepts({ type = "list" }, { "a" }))
    assert.is_nil((rule.accepts({ type = "list" }, { a = "b" })))
    assert.is_nil((rule.accepts({ type = "list" }, { 1 })))
    assert.is_nil((rule.accepts({ type = "integer" }, 1.5)))
    assert.is_true(rule.accepts({ type = "boolean" }, false))
  end)

  it("must itself be well formed", function()
    rule.check({ type = "list", of = "string", default = {}, max = 3, doc = "Rooms." }, "option 'rooms'", 1)
    for _, wrong in ipairs({
      {}, { type = "text" }, { type = "string", defalt = "x" }, { type = "integer", default = "1" },
      { type = "integer", default = 9, max = 5 }, { type = "list", of = "integer" },
      { type = "string", of = "string" }, "string",
    }) do
      assert.is_false((pcall(rule.check, wrong, "option 'x'", 1)))
    end
  end)
end)
