local cli_context = require "spec.support.cli_context"
local token = require "cli.token"

local SECRET = { JWT_SECRET = ("s"):rep(32) }

-- Runs the command; `made` gets what would be signed.
local function run(args, environment)
  local made = {}
  local context = cli_context.make {
    args = args,
    input = { environment = environment or SECRET },
    make_token = function(claims, ttl)
      made.claims, made.ttl = claims, ttl
      return "a.b.c"
    end,
    check_token = function(text)
      if text == "bad" then return nil, "it expired", "TOKEN_EXPIRED" end
      if text == "eternal" then return { user = "ann", claims = "{}" } end
      return { user = "ann", expires = 1000000000.5, claims = '{"sub":"ann","n":12345678901234567890}' }
    end,
  }
  return token.run(context), context, made
end

describe("chatty token", function()
  it("prints a token of an hour for a user, and nothing else", function()
    local code, context, made = run { sub = "ann" }
    assert.equal(0, code)
    assert.same({ "a.b.c" }, context.out)
    assert.same({}, context.err)
    assert.same({ claims = { sub = "ann" }, ttl = 3600 }, made)
  end)

  it("puts in the role, the time and further claims", function()
    local _, _, made = run { sub = "ann", role = "control", ttl = "90s",
      claim = { "level=5", "name=Ann B.", "tags=[\"a\"]", "on=true", "eq=a=b", "none=" } }
    assert.equal(90, made.ttl)
    assert.same({
      sub = "ann", role = "control", level = 5, name = "Ann B.", tags = { "a" }, on = true, eq = "a=b",
      none = "",
    }, made.claims)
  end)

  it("puts in the issuer and audience that the server asks for, unless said otherwise", function()
    local environment = { JWT_SECRET = SECRET.JWT_SECRET, JWT_ISSUER = "shop", JWT_AUDIENCE = "chat" }
    local _, _, made = run({ sub = "ann", claim = { "aud=other" } }, environment)
    assert.same({ sub = "ann", iss = "shop", aud = "other" }, made.claims)
  end)

  it("refuses wrong usage with one line", function()
    local faults = {
      [{}] = "say whom it is for: --sub USER",
      [{ sub = "a", ttl = "1y" }] = '--ttl is "1y": allowed is a duration from 1s to 87600h (ms, s, m, h)',
      [{ sub = "a", ttl = "0s" }] = '--ttl is "0s": allowed is a duration from 1s to 87600h (ms, s, m, h)',
      [{ sub = "a", claim = { "x" } }] = '--claim is "x": allowed is NAME=VALUE',
      [{ sub = "a", claim = { "=x" } }] = '--claim is "=x": allowed is NAME=VALUE',
      [{ sub = "a", claim = { "sub=b" } }] = "--claim cannot set sub: --sub does",
      [{ sub = "a", claim = { "exp=5" } }] = "--claim cannot set exp: --ttl does",
      [{ sub = "a", role = "x", claim = { "role=y" } }] = "the claim role is given twice",
      [{ sub = "a", check = "t" }] = "--check stands alone",
    }
    for args, line in pairs(faults) do
      local code, context, made = run(args)
      assert.equal(2, code, line)
      assert.same({ line .. " (chatty help token)" }, context.err)
      assert.same({}, context.out)
      assert.same({}, made)
    end
  end)

  it("says what is missing to make or check one", function()
    for _, args in ipairs { { sub = "ann" }, { check = "t" } } do
      local code, context = run(args, {})
      assert.equal(1, code)
      assert.truthy(context.err[1]:find("^JWT_SECRET is not set: put JWT_SECRET=... into .env"))
    end
    local code, context = run({ sub = "a" }, { JWT_ALGORITHM = "RS256", JWT_PUBLIC_KEY_FILE = "x" })
    assert.equal(1, code)
    assert.truthy(context.err[1]:find("^JWT_PRIVATE_KEY_FILE is not set"))
  end)

  it("says why signing failed", function()
    local context = cli_context.make { args = { sub = "a" }, input = { environment = SECRET },
      make_token = function() return nil, "the key cannot be read", "INVALID" end }
    assert.equal(1, token.run(context))
    assert.same({ "the token cannot be made: the key cannot be read" }, context.err)
  end)
end)

describe("chatty token --check", function()
  it("says of a valid token whose it is and prints its claims as they are", function()
    local code, context = run { check = "good" }
    assert.equal(0, code)
    assert.same({ "valid: user ann, expires 2001-09-09T01:46:40Z", '{"sub":"ann","n":12345678901234567890}' },
      context.out)
  end)

  it("says that a token without end does not expire", function()
    local _, context = run { check = "eternal" }
    assert.equal("valid: user ann, does not expire", context.out[1])
  end)

  it("says why a token is not valid and fails", function()
    local code, context = run { check = "bad" }
    assert.equal(1, code)
    assert.same({}, context.out)
    assert.same({ "the token is not valid: it expired" }, context.err)
  end)
end)
