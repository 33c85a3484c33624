local fake_core = require "spec.support.fake_core"

describe("revocations", function()
  local core, revocations

  before_each(function()
    core = fake_core.install({ REVOCATIONS_MAX = 3 })
    revocations = require "identity.revocations"
  end)

  local function token(claims, user, expires)
    return { user = user or "ann", claims = core.json.encode(claims), expires = expires or 1700000060 }
  end

  local function record(space, key) return (core.store.spaces[space] or {})[key] end

  it("of one token are kept until it is dead, and told to the workers", function()
    assert.is_true(revocations.add(token({ jti = "1" })))
    local kept = record("revoked", 'hash of "1" ann')
    assert.equal("1700000066", kept.value)
    assert.is_true(kept.expires >= 1700000065 and kept.expires <= 1700000070)
    assert.same({ ['revoked hash of "1" ann'] = "1700000066" }, core.token.revoked)
  end)

  it("of a token that never dies are kept for good", function()
    local found = token({ jti = "1" })
    found.expires = nil
    assert.is_true(revocations.add(found))
    local kept = record("revoked", 'hash of "1" ann')
    assert.same({ "0", nil }, { kept.value, kept.expires })
  end)

  it("cannot be of a token without an id", function()
    assert.is_false(revocations.add(token({})))
    assert.is_false(revocations.add(token({ jti = core.json.null })))
    assert.is_nil(core.store.spaces.revoked)
  end)

  it("of all of a user's tokens hold for those made up to now", function()
    assert.is_true(revocations.add_all("ann"))
    assert.equal("1700000001", record("tokens-from", "ann").value)
    assert.same({ ["tokens-from ann"] = "1700000001" }, core.token.revoked)
    assert.same({ 1700000001, 0 }, { revocations.start_of("ann"), revocations.start_of("bob") })
  end)

  it("by a tool are kept, and told to nobody", function()
    core.node.worker = -1
    assert.is_true(revocations.add_all("ann"))
    assert.equal("1700000001", record("tokens-from", "ann").value)
    assert.same({}, core.token.revoked)
  end)

  it("have a limit, which is counted", function()
    for i = 1, 3 do assert.is_true(revocations.add(token({ jti = i }))) end
    assert.equal("LIMIT", select(3, revocations.add(token({ jti = 4 }))))
    assert.equal("LIMIT", select(3, revocations.add_all("ann")))
    assert.equal(2, core.metrics.counts.limit_hits_total)
  end)

  it("that the store does not keep are told to nobody", function()
    core.store.failure = "UNAVAILABLE"
    assert.equal("UNAVAILABLE", select(3, revocations.add(token({ jti = "1" }))))
    assert.equal("UNAVAILABLE", select(3, revocations.add_all("ann")))
    assert.equal("UNAVAILABLE", select(3, revocations.start_of("ann")))
    assert.same({}, core.token.revoked)
  end)

  describe("in the guard and in realtime", function()
    local lua_half = require "spec.support.lua_half"

    before_each(function()
      core = lua_half.start()
      revocations = require "identity.revocations"
      core.token.known.t = token({ sub = "ann", jti = "1", iat = 1700000000 })
    end)

    local function test_jwt()
      return lua_half.ask(core, { target = "/auth/test-jwt", headers = { authorization = "Bearer t" } })
    end

    it("end what a token was good for", function()
      assert.equal(200, test_jwt().status)
      revocations.add(core.token.known.t)
      assert.same({ 401, "token-revoked" }, { test_jwt().status, test_jwt().error.code })
      local reply = lua_half.ask(core, { target = "/ws?token=t", is_upgrade = true })
      assert.equal("token-revoked", reply.error.code)
    end)

    it("are closes with 4504 when the token comes in a frame", function()
      revocations.add(core.token.known.t)
      local session = fake_core.session()
      core.init.on_frame(session, '{"event":"chatty:auth","attributes":{"token":"t"}}')
      assert.equal(4504, fake_core.state(session).closed.code)
    end)
  end)
end)
