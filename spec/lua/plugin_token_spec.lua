local fake_core = require "spec.support.fake_core"

describe("chatty.token", function()
  local core, tokens

  before_each(function()
    core = fake_core.install({ JWT_ISSUER = "us", JWT_AUDIENCE = nil, REVOCATIONS_MAX = 10 })
    core.token.revoked = {}
    core.token.revocation_count = function() return 0 end
    core.token.revocation_key = function(user, claims)
      local jti = core.json.decode(claims).jti
      return jti and user .. "/" .. jti
    end
    core.token.revoke = function(space, key) core.token.revoked[#core.token.revoked + 1] = { space, key } return 1 end
    tokens = require("plugin.token").tokens()
  end)

  it("makes tokens as the server asks for them, which can be revoked", function()
    assert.equal("token-of-ann", tokens.make({ sub = "ann", role = "x" }, 60))
    assert.same({ claims = { sub = "ann", role = "x", iss = "us", jti = ("r"):rep(15) }, ttl = 60 }, core.token.made)
    tokens.make({ sub = "ann", jti = "mine", iss = "them" })
    assert.same({ sub = "ann", iss = "them", jti = "mine" }, core.token.made.claims)
  end)

  it("decodes the claims of tokens", function()
    core.token.known["t"] = { user = "ann", claims = '{"sub":"ann"}', expires = 5 }
    assert.same({ user = "ann", expires = 5, claims = { sub = "ann" } }, tokens.verify("t"))
    assert.equal("TOKEN_INVALID", select(3, tokens.verify("x")))
  end)

  it("revokes one, by its text or by what verify gave", function()
    core.token.known["t"] = { user = "ann", claims = '{"sub":"ann","jti":"7"}', expires = core.time.clock + 50 }
    assert.is_true(tokens.revoke("t"))
    assert.is_true(tokens.revoke(tokens.verify("t")))
    assert.same({ { "revoked", "ann/7" }, { "revoked", "ann/7" } }, core.token.revoked)
    core.token.known["old"] = { user = "ann", claims = '{"sub":"ann"}' }
    assert.is_false(tokens.revoke("old"))
    assert.equal("TOKEN_INVALID", select(3, tokens.revoke("x")))
  end)

  it("revokes all of a user", function()
    assert.is_true(tokens.revoke_all("ann"))
    assert.same({ { "tokens-from", "ann" } }, core.token.revoked)
  end)

  it("revokes nothing in a hook of a dry run", function()
    local hooks, results = require "hooks", nil
    core.token.known["t"] = { user = "ann", claims = '{"sub":"ann","jti":"7"}' }
    hooks.add("notify", function() results = { tokens.revoke("t"), tokens.revoke_all("ann") } end, {},
      { name = "shop", priority = 1 }, 1)
    hooks.run("notify", { dry_run = true })
    assert.same({ true, true }, results)
    assert.same({}, core.token.revoked)
  end)

  it("blames the author's line for a mistake", function()
    for line, mistake in pairs({
      ["make: the claims must be a table"] = function() local _ = tokens.make("x") end,
      ["verify: the token must be a string"] = function() local _ = tokens.verify() end,
      ["revoke: it takes a token"] = function() local _ = tokens.revoke({ user = "ann" }) end,
      ["revoke_all: the user must be a string"] = function() local _ = tokens.revoke_all() end,
    }) do
      assert.matches("plugin_token_spec.lua:%d+: chatty.token." .. line, select(2, pcall(mistake)))
    end
  end)
end)

describe("chatty.password", function()
  local core, passwords

  before_each(function()
    core = fake_core.install()
    passwords = require("plugin.token").passwords()
  end)

  it("hashes and verifies", function()
    assert.equal("argon:secret", passwords.hash("secret"))
    assert.is_true(passwords.verify("secret", "argon:secret"))
    assert.is_false(passwords.verify("other", "argon:secret"))
  end)

  it("has a largest size", function()
    assert.equal("LIMIT", select(3, passwords.hash(("x"):rep(1025))))
    assert.is_false(passwords.verify(("x"):rep(1025), "argon:x"))
    assert.same({}, core.password.verified)
  end)

  it("tells when there are too many", function()
    core.password.failure = "LIMIT"
    assert.equal("LIMIT", select(3, passwords.hash("secret")))
  end)

  it("blames the author's line for a mistake", function()
    assert.matches("plugin_token_spec.lua:%d+: chatty.password.hash: the password must be a string",
      select(2, pcall(function() local _ = passwords.hash() end)))
    assert.matches("plugin_token_spec.lua:%d+: chatty.password.verify: the hash must be a string",
      select(2, pcall(function() local _ = passwords.verify("x") end)))
  end)
end)
