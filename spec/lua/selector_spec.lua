local fake_core = require "spec.support.fake_core"

describe("selector", function()
  local selector, kinds

  before_each(function()
    fake_core.install({ NAMES_MAX = 5, NAME_MAX = 20 })
    selector = require "selector"
    kinds = selector.kinds("channels", "channels-efficient", "users")
  end)

  local function names_of(text)
    local kind, names = selector.parse(text, kinds)
    assert.is_not_nil(kind)
    return table.concat(names, "|")
  end

  local function refused(text)
    local kind, refusal = selector.parse(text, kinds)
    assert.is_nil(kind)
    assert.same({ parameter = "method" }, refusal.source)
    return refusal.code
  end

  it("reads a kind and names", function()
    local kind, names = selector.parse("channels-efficient:a,b", kinds)
    assert.equal("channels-efficient", kind)
    assert.same({ "a", "b" }, names)
  end)

  it("reads what another endpoint has read by the kinds of its own", function()
    assert.equal("a", names_of("channels:a"))
    local kind, refusal = selector.parse("channels:a", selector.kinds("users"))
    assert.is_nil(kind)
    assert.equal("method-invalid", refusal.code)
    assert.equal("a", names_of("channels:a"))
  end)

  it("gives each its own names, however many were read before", function()
    for i = 1, 2000 do assert.equal("a" .. i, names_of("channels:a" .. i)) end
    for i = 1, 2000, 100 do assert.equal("a" .. i, names_of("channels:a" .. i)) end
  end)

  it("splits at the first colon only", function()
    assert.equal("chat:1|chat:2", names_of("channels:chat:1,chat:2"))
  end)

  it("reads a list in brackets as the seed writes it", function()
    assert.equal("a|b", names_of("channels:[a, b]"))
    assert.equal("1|2", names_of("users:[1,2]"))
    assert.equal("a", names_of("channels: [ a ] "))
  end)

  it("reads a JSON array of strings, for names with commas", function()
    assert.equal("a,b|c", names_of('channels:["a,b","c"]'))
    assert.equal("a,b|c", names_of('channels: [ "a,b" , "c" ] '))
  end)

  it("takes a bracket that is never closed as part of a name", function()
    assert.equal("[a|b", names_of("channels:[a,b"))
  end)

  it("drops blanks around names but not within", function()
    assert.equal("a b|c", names_of("channels: a b ,\tc "))
  end)

  it("counts repeated names once", function()
    assert.equal("b|a", names_of("channels:b,a,b"))
  end)

  it("takes names that mean something elsewhere as names", function()
    assert.equal("constructor|__proto__|*", names_of("channels:constructor,__proto__,*"))
  end)

  it("refuses an empty list", function()
    for _, text in ipairs({ "channels:", "channels: ", "channels:[]", "channels:[ ]" }) do
      assert.equal("list-empty", refused(text))
    end
  end)

  it("refuses empty names", function()
    for _, text in ipairs({ "users:,", "users:a,,b", "users:a,", "users:[a,]", 'users:["a",""]' }) do
      assert.equal("name-invalid", refused(text))
    end
  end)

  it("refuses names with control characters and names that are too long", function()
    assert.equal("name-invalid", refused("users:a\nb"))
    assert.equal("name-invalid", refused("users:" .. ("x"):rep(21)))
  end)

  it("refuses more names than NAMES_MAX", function()
    assert.equal("list-too-long", refused("users:a,b,c,d,e,f"))
  end)

  it("refuses a kind that is unknown, in other case, or not there", function()
    for _, text in ipairs({ "user:a", "Users:a", " users:a", "a,b", ":a" }) do
      assert.equal("method-invalid", refused(text))
    end
    local _, refusal = selector.parse("rooms:a", kinds)
    assert.equal("Begin method with one of channels, channels-efficient, users, a colon and a list; "
      .. "'rooms' does not.", refusal.detail)
  end)

  it("refuses what is missing", function()
    assert.equal("method-missing", refused(nil))
    assert.equal("method-missing", refused(""))
  end)

  it("reads hostile blanks in linear time", function()
    local blanks = (" "):rep(100000)
    local began = os.clock()
    assert.equal("name-invalid", refused("users:a" .. blanks .. "b," .. blanks))
    assert.is_true(os.clock() - began < 0.2)
  end)
end)
