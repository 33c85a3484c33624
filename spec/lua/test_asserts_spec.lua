-- The asserts that specs of plugins have. They are compared with luassert's where both know a word.
local fake_core = require "spec.support.fake_core"

describe("the asserts of chatty test", function()
  local asserts, own

  before_each(function()
    fake_core.install()
    asserts = require "test.asserts"
    own = asserts.assert
  end)

  -- Whether a check of this name holds for these values; and its message.
  local function outcome(name, ...)
    local ok, raised = pcall(own[name], ...)
    if ok then return true end
    assert.is_true(asserts.is_failure(raised), tostring(raised))
    return false, raised.message
  end

  local itself = {}
  itself.itself = itself

  local CASES = {
    { "is_true", true }, { "is_true", 1 }, { "is_false", false }, { "is_false", nil }, { "is_nil", nil },
    { "is_nil", false }, { "is_not_nil", false }, { "truthy", 0 }, { "truthy", false }, { "falsy", nil },
    { "falsy", "" }, { "is_truthy", "x" }, { "equal", 1, 1 }, { "equal", 1, 1.0 }, { "equal", "1", 1 },
    { "equals", "a", "a" }, { "are_equal", 1, 2 }, { "not_equal", 1, 2 }, { "are_not_equal", 1, 1 },
    { "equal", {}, {} }, { "same", {}, {} }, { "same", { 1, { a = 2 } }, { 1, { a = 2 } } },
    { "same", { 1, { a = 2 } }, { 1, { a = 3 } } }, { "same", { 1 }, { 1, 2 } }, { "same", { 1, 2 }, { 1 } },
    { "is_not_same", { 1 }, { 2 } }, { "same", itself, itself }, { "same", "x", { "x" } }, { "same", nil, nil },
    { "near", 1, 1.05, 0.1 }, { "near", 1, 1.2, 0.1 }, { "matches", "^a%d", "a1" }, { "matches", "^a%d", "b1" },
    { "is_string", "" }, { "is_string", 1 }, { "is_number", 1 }, { "is_table", {} }, { "is_table", "x" },
    { "is_function", print }, { "is_boolean", false }, { "is_not_string", 1 },
    { "has_error", function() error("x", 0) end }, { "has_error", function() end },
    { "has_error", function() error("x") end, "x" }, { "has_error", function() error("y") end, "x" },
    { "has_error", function() error({ code = 1 }) end, { code = 1 } },
    { "has_no_error", function() end }, { "has_no_error", function() error("x") end },
    { "error_matches", function() error("abc") end, "b" }, { "error_matches", function() error("abc") end, "d" },
    { "error_matches", function() end, "" },
  }

  it("hold and fail where luassert's do", function()
    for i, case in ipairs(CASES) do
      local theirs = pcall(assert[case[1]], table.unpack(case, 2, 4))
      assert.equal(theirs, (outcome(case[1], table.unpack(case, 2, 4))), ("case %d: %s"):format(i, case[1]))
    end
  end)

  it("read the same with points as with underlines", function()
    for _, f in ipairs({ own.are.equal, own.is.equal, own.is_not.Nil, own.are_not.same, own.has_no.errors }) do
      assert.is_function(f)
    end
    own.are.same({ 1 }, { 1 })
    own.is_not["nil"](1)
    own.has_no.errors(function() end)
    assert.is_false(pcall(own.is_not.equal, 1, 1))
    assert.is_true(pcall(own.is_not.equal, 1, 2))
  end)

  it("tell what they expected, what there is, and where that differs", function()
    assert.same({ false, "Expected objects to be equal.\nPassed in:\n2\nExpected:\n1" }, { outcome("equal", 1, 2) })
    local _, message = outcome("same", { a = { b = { 1, 2 } } }, { a = { b = { 1, 3 } } })
    assert.matches("^Expected objects to be the same. They differ at .a.b%[2%].\nPassed in:\n{", message)
    assert.same({ false, "Expected true, but got:\n\"x\"" }, { outcome("is_true", "x") })
    assert.same({ false, "Expected anything but nil, and got:\nnil" }, { outcome("is_not_nil", nil) })
  end)

  it("begin with the author's message when there is one", function()
    local _, message = outcome("equal", 1, 2, "the count")
    assert.matches("^the count\nExpected", message)
  end)

  it("give back what they were given", function()
    assert.same({ 1, 2 }, { own.is_not.equal(1, 2) })
    assert.same({ "x", "message" }, { own("x", "message") })
  end)

  it("fail as Lua's own assert does, when they are called", function()
    local ok, raised = pcall(own, nil, "there is none")
    assert.same({ false, "there is none" }, { ok, tostring(raised) })
  end)

  it("say which word they do not know", function()
    assert.has_error(function() return own.is_tru end, "assert does not know 'is_tru'")
  end)
end)

describe("a value as text", function()
  local show

  before_each(function()
    fake_core.install()
    show = require "test.show"
  end)

  it("shows members by name, texts in quotes, null as null", function()
    local null = require("core.json").null
    assert.equal('{\n  [1] = "a\\nb",\n  ["b c"] = null,\n  d = {\n    e = 1.5,\n  },\n}',
      show.value({ "a\nb", ["b c"] = null, d = { e = 1.5 } }))
    assert.equal("{}", show.value({}))
  end)

  it("stops at what holds itself, at what is deep, and at what is long", function()
    local own = {}
    own.own = own
    assert.equal("{\n  own = (itself),\n}", show.value(own))
    local deep = {}
    for _ = 1, 9 do deep = { deep } end
    assert.matches("{...}", show.value(deep), 1, true)
    local long = {}
    for i = 1, 99 do long[i] = i end
    assert.matches("\n  ...\n}$", show.value(long))
  end)

  it("names the way to the first difference", function()
    assert.is_nil(show.difference({ 1, { 2 } }, { 1, { 2 } }))
    assert.equal("", show.difference(1, 2))
    assert.equal('.a[2]["b c"]', show.difference({ a = { 1, { ["b c"] = 1 } } }, { a = { 1, { ["b c"] = 2 } } }))
    assert.equal(".b", show.difference({ a = 1 }, { a = 1, b = 2 }))
  end)
end)
