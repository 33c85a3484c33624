local revocations = require("core.test").revocations

describe("revocations", function()
  local known

  before_each(function() known = revocations.new() end)

  local function claims(id, made)
    return ('{"sub":"ann","iat":%s,"jti":%s}'):format(made or 1000, id)
  end

  local function revoke(id, user, dead)
    return known:add("revoked", revocations.key(user or "ann", claims(id)), dead or "0")
  end

  it("of a token are of this token and this user alone", function()
    assert.is_false(known:has("ann", claims '"1"'))
    assert.is_true(revoke '"1"')
    assert.is_true(known:has("ann", claims '"1"'))
    for _, other in ipairs{ '"2"', "1", '"1 "' } do assert.is_false(known:has("ann", claims(other)), other) end
    assert.is_false(known:has("bob", claims '"1"'))
    assert.is_false(known:has("ann", '{"sub":"ann","iat":1000}'))
  end)

  it("need an id to know a token by", function()
    for _, text in ipairs{ "{}", '{"sub":"ann"}', '{"jti":null}' } do assert.is_nil(revocations.key("ann", text)) end
  end)

  it("of a user are of the tokens made before a second, and of those that do not say when", function()
    assert.is_true(known:add("tokens-from", "ann", "1000"))
    for made, expected in pairs{ ["999"] = true, ["999.9"] = true, ["1000"] = false, ["1e3"] = false, ["2000"] = false,
      ['"1000"'] = true, null = true } do
      assert.equal(expected, known:has("ann", claims('"1"', made)), made)
    end
    assert.is_true(known:has("ann", "{}"))
    assert.is_false(known:has("bob", "{}"))
  end)

  it("of a user move forward only", function()
    known:add("tokens-from", "ann", "1000")
    assert.is_false(known:add("tokens-from", "ann", "1000"))
    assert.is_false(known:add("tokens-from", "ann", "900"))
    assert.is_false(known:has("ann", claims('"1"', "1000")))
    assert.is_true(known:add("tokens-from", "ann", "2000"))
    assert.is_true(known:has("ann", claims('"1"', "1000")))
  end)

  it("tell whom a record is about", function()
    assert.equal("ann", revocations.user("tokens-from", "ann"))
    assert.equal("Ann Übel", revocations.user("revoked", revocations.key("Ann Übel", claims '"1"')))
    assert.equal("", revocations.user("revoked", "short"))
  end)

  it("take no record that is none", function()
    assert.is_false(known:add("revoked", "short", "0"))
    assert.is_false(known:add("revoked", revocations.key("ann", claims '"1"'), "soon"))
    assert.is_false(known:add("other", "ann", "1000"))
    assert.same({ 0, 0 }, { known:count() })
  end)

  it("are known once, and to a copy too", function()
    assert.is_true(revoke '"1"')
    assert.is_false(revoke '"1"')
    known:add("tokens-from", "bob", "1000")
    local copy = known:copy()
    revoke '"2"'
    assert.same({ true, false, true }, {
      copy:has("ann", claims '"1"'), copy:has("ann", claims '"2"'), copy:has("bob", "{}"),
    })
  end)

  it("forget tokens that died, and none that lives", function()
    local future = tostring(os.time() + 3600)
    revoke('"lives"', "ann", future)
    revoke('"for good"')
    for i = 1, 5000 do revoke(tostring(i), "ann", "1000") end
    local tokens = known:count()
    assert.is_true(tokens < 20, tokens)
    for _ = 1, 20 do known:sweep(2) end
    assert.equal(2, (known:count()))
    assert.is_true(known:has("ann", claims '"lives"'))
    assert.is_true(known:has("ann", claims '"for good"'))
  end)
end)
