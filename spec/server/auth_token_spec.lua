-- POST /auth/token: tokens for app servers without a JWT library.
local fault = require "spec.support.fault"
local server = require "spec.support.server"

describe("POST /auth/token", function()
  local chatty

  setup(function()
    chatty = server.start{ settings = { JWT_ISSUER = "shop", JWT_AUDIENCE = "chat" } }
  end)
  teardown(function() chatty:stop() end)

  local function make(body) return chatty:control("POST", "/auth/token", body) end

  local function bearer(token) return { Authorization = "Bearer " .. token } end

  local function own(claims)
    claims.iss, claims.aud = "shop", "chat"
    return bearer(chatty:token(claims))
  end

  it("makes one that is good here", function()
    local made = make{ sub = "Ånn 李", ttl = 60, claims = { team = "red" } }.json()
    local response = chatty:request{ path = "/auth/test-jwt", headers = bearer(made.token) }
    assert.same({ 200, "Ånn 李" }, { response.status, response.json().sub })
    assert.matches("^%d+%-%d%d%-%d%dT%d%d:%d%d:%d%d%.000Z$", made.expires)
    assert.equal(101, chatty:connect("x", { token = made.token }).status)
  end)

  it("makes one with control rights for those who have them all", function()
    local made = make{ sub = "app", claims = { role = "control" } }.json()
    assert.equal(200, chatty:request{ path = "/control/search/users", headers = bearer(made.token) }.status)
  end)

  it("makes none with control rights for those who only may make tokens", function()
    local headers = own{ sub = "app", scope = "control:auth" }
    local function ask(claims)
      return chatty:request{ path = "/auth/token", headers = headers, json = { sub = "x", claims = claims } }
    end
    assert.equal(200, ask({ team = "red" }).status)
    assert.equal("403 control-required #/claims", fault.of(ask{ role = "control" }))
    assert.equal("403 control-required #/claims", fault.of(ask{ scope = "a control:notify" }))
  end)

  it("makes one that can be revoked", function()
    local made = make{ sub = "ann" }.json()
    local logout = chatty:request{ method = "POST", path = "/auth/logout", headers = bearer(made.token) }
    assert.is_true(logout.json().revoked)
  end)

  it("needs the right", function()
    local function ask(headers)
      return fault.of(chatty:request{ path = "/auth/token", json = { sub = "a" }, headers = headers })
    end
    assert.equal("401 credentials-missing Authorization:", ask())
    assert.equal("403 control-required", ask(own{ sub = "ann" }))
    assert.equal("403 control-required", ask(own{ sub = "ann", scope = "control:notify" }))
  end)

  it("refuses what cannot be one", function()
    for said, bodies in pairs({
      ["400 name-invalid #/sub"] = { {}, { sub = "" }, { sub = 1 } },
      ["400 ttl-invalid #/ttl"] = { { sub = "a", ttl = 0 }, { sub = "a", ttl = "1h" }, { sub = "a", ttl = 1e300 } },
      ["400 claims-invalid #/claims"] = { { sub = "a", claims = { exp = 1 } }, { sub = "a", claims = "x" } },
    }) do
      for _, body in ipairs(bodies) do assert.equal(said, fault.of(make(body))) end
    end
  end)
end)
