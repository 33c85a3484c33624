local fake_core = require "spec.support.fake_core"

describe("revocations", function()
  local core, revocations

  before_each(function()
    core = fake_core.install()
    revocations = require "revocations"
  end)

  local function token(claims, user, expires)
    return { user = user or "ann", claims = core.json.encode(claims), expires = expires or 1700000060 }
  end

  local function pass(seconds) core.time.clock = core.time.clock + seconds end

  it("are of one token, of one user", function()
    assert.is_true(revocations.add(token({ jti = "1" })))
    assert.is_true(revocations.has(token({ jti = "1" })))
    assert.is_false(revocations.has(token({ jti = "2" })))
    assert.is_false(revocations.has(token({ jti = "1" }, "bob")))
  end)

  it("are kept until the token is dead, and not longer", function()
    revocations.add(token({ jti = "1" }))
    local _, record = next(core.store.spaces.revoked)
    assert.is_true(record.expires >= 1700000065 and record.expires <= 1700000070)
    revocations.add(token({ jti = "2" }, "bob", nil))
  end)

  it("cannot be of a token without an id", function()
    assert.is_false(revocations.add(token({})))
    assert.is_false(revocations.add(token({ jti = core.json.null })))
    assert.is_nil(core.store.spaces.revoked)
  end)

  it("of another worker are seen a second later, and of this one at once", function()
    local ours, theirs = token({ jti = "1" }), token({ jti = "2" })
    assert.is_false(revocations.has(ours))
    assert.is_false(revocations.has(theirs))
    revocations.add(ours)
    core.store.set("revoked", "hash of ann\0\"2\"", "1")
    assert.is_true(revocations.has(ours))
    assert.is_false(revocations.has(theirs))
    pass(1.1)
    assert.is_true(revocations.has(theirs))
  end)

  it("ask the store once in a second", function()
    for _ = 1, 100 do revocations.has(token({ jti = "1", iat = 1 })) end
    assert.equal(2, core.store.gets)
    pass(1.1)
    revocations.has(token({ jti = "1", iat = 1 }))
    assert.equal(4, core.store.gets)
  end)

  it("of all of a user's tokens are by the time of making, and close his sessions", function()
    core.bus.answers.disconnect = { 2 }
    assert.is_true(revocations.add_all("ann"))
    assert.is_true(revocations.has(token({ iat = 1700000000 })))
    assert.is_true(revocations.has(token({})))
    assert.is_false(revocations.has(token({ iat = 1700000001 })))
    assert.is_false(revocations.has(token({ iat = 1 }, "bob")))
    assert.same({ { "ann" }, 4504 }, { core.bus.calls[1][1], core.bus.calls[1][2] })
  end)

  it("that cannot be told are a failure", function()
    core.store.failure = "UNAVAILABLE"
    assert.equal("UNAVAILABLE", select(3, revocations.has(token({ jti = "1" }))))
    assert.equal("UNAVAILABLE", select(3, revocations.has(token({}))))
    assert.equal("UNAVAILABLE", select(3, revocations.add(token({ jti = "1" }))))
    assert.equal("UNAVAILABLE", select(3, revocations.add_all("ann")))
  end)

  describe("in the guard and in realtime", function()
    local lua_half = require "spec.support.lua_half"

    before_each(function()
      core = lua_half.start()
      revocations = require "revocations"
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

    it("that cannot be told are 503, or a close with 1013", function()
      core.store.failure = "UNAVAILABLE"
      assert.same({ 503, "unavailable" }, { test_jwt().status, test_jwt().error.code })
      local session = fake_core.session()
      core.init.on_frame(session, '{"event":"chatty:auth","attributes":{"token":"t"}}')
      assert.equal(1013, fake_core.state(session).closed.code)
    end)
  end)
end)
