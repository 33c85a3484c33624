local fake_core = require "spec.support.fake_core"

describe("guard", function()
  local core, guard, requests

  local function install(settings)
    core = fake_core.install(settings)
    guard = require "http.guard"
    requests = require "http.request"
    core.token.known = {
      ["ann-token"] = { user = "ann", claims = '{"sub":"ann"}', expires = 2000000000 },
      ["admin-token"] = { user = "root", claims = '{"sub":"root","role":"control"}' },
      ["old-token"] = "TOKEN_EXPIRED",
    }
  end

  before_each(function() install() end)

  -- The refusal, and the request that was asked.
  local function ask(auth, headers)
    local core_request = fake_core.request({ headers = headers })
    local request = requests.new(core_request, { method = "GET", path = "/" })
    local check = guard.compile(auth)
    return check(request, core_request), request
  end

  local function code_of(auth, headers)
    local refused = ask(auth, headers)
    return refused and refused.code
  end

  it("knows none, jwt, control with or without a scope, and functions", function()
    for _, auth in ipairs({ "none", "jwt", "control", "control:notify", print }) do
      assert.is_function((guard.compile(auth)))
    end
    for _, auth in ipairs({ "nobody", "control:", "control:a b", 7, true }) do
      assert.is_nil((guard.compile(auth)))
    end
  end)

  it("lets everybody in with none", function()
    assert.is_nil(code_of("none", {}))
  end)

  describe("jwt", function()
    it("takes a bearer token and says whose it is", function()
      local refused, request = ask("jwt", { authorization = "Bearer ann-token" })
      assert.is_nil(refused)
      assert.equal("ann", request.user)
      assert.same({ sub = "ann" }, request.claims)
    end)

    it("takes the scheme in any case", function()
      assert.is_nil(code_of("jwt", { authorization = "bearer  ann-token" }))
    end)

    it("asks for a token when there is none", function()
      local refused = ask("jwt", {})
      assert.same({ 401, "credentials-missing" }, { refused.status, refused.code })
      assert.same({ "WWW-Authenticate", "Bearer" }, refused.headers)
      assert.equal("credentials-missing", code_of("jwt", { authorization = "Basic YTpi" }))
    end)

    it("refuses a token that is not valid", function()
      assert.equal("token-invalid", code_of("jwt", { authorization = "Bearer x" }))
      local refused = ask("jwt", { authorization = "Bearer old-token" })
      assert.equal("token-expired", refused.code)
      assert.same({ "WWW-Authenticate", 'Bearer error="invalid_token"' }, refused.headers)
    end)

    it("takes the cookie jwt from our own pages and from none", function()
      assert.is_nil(code_of("jwt", { cookie = "a=b; jwt=ann-token" }))
      local ours = { cookie = "jwt=ann-token", origin = "http://here:3000", host = "here:3000" }
      assert.is_nil(code_of("jwt", ours))
    end)

    it("refuses the cookie from a page of another origin", function()
      local headers = { cookie = "jwt=ann-token", origin = "http://evil.example", host = "here" }
      assert.equal("origin-not-allowed", code_of("jwt", headers))
      install({ ALLOWED_ORIGINS = { "http://evil.example" } })
      assert.is_nil(code_of("jwt", headers))
    end)
  end)

  describe("control", function()
    it("takes each of the keys, as bearer or X-API-Key", function()
      for _, key in ipairs({ "first-key", "second-key" }) do
        assert.is_nil(code_of("control", { authorization = "Bearer " .. key }))
        assert.is_nil(code_of("control", { ["x-api-key"] = key }))
      end
    end)

    it("takes a key beside a bearer that is none", function()
      assert.is_nil(code_of("control", { authorization = "Bearer ann-token", ["x-api-key"] = "first-key" }))
    end)

    it("refuses wrong keys", function()
      assert.equal("key-invalid", code_of("control", { ["x-api-key"] = "third-key" }))
      assert.equal("token-invalid", code_of("control", { authorization = "Bearer third-key" }))
    end)

    it("asks for credentials when there are none", function()
      local refused = ask("control", {})
      assert.equal("credentials-missing", refused.code)
      assert.same({ "WWW-Authenticate", "Bearer" }, refused.headers)
    end)

    it("takes a token with the right and says whose it is", function()
      local refused, request = ask("control", { authorization = "Bearer admin-token" })
      assert.is_nil(refused)
      assert.same({ kind = "control", user = "root" }, request.identity)
    end)

    it("refuses a valid token without the right", function()
      local refused = ask("control", { authorization = "Bearer ann-token" })
      assert.same({ 403, "control-required" }, { refused.status, refused.code })
    end)

    it("takes no cookie from a page of another origin", function()
      assert.is_nil(code_of("control", { cookie = "jwt=admin-token" }))
      assert.equal("origin-not-allowed",
        code_of("control", { cookie = "jwt=admin-token", origin = "http://evil.example", host = "here" }))
    end)

    it("is open to everybody with CONTROL_AUTH=none", function()
      install({ CONTROL_AUTH = "none" })
      assert.is_nil(code_of("control:notify", {}))
    end)

    it("reads the right from role, roles and scope", function()
      assert.is_true(guard.may_control({ role = "control" }))
      assert.is_true(guard.may_control({ roles = { "a", "control" } }))
      assert.is_true(guard.may_control({ scope = "a control b" }))
      assert.is_true(guard.may_control({ scope = "control:notify control:search" }, "search"))
      assert.is_false(guard.may_control({ scope = "control:notify" }, "search"))
      assert.is_false(guard.may_control({ scope = "control:notify" }))
      assert.is_false(guard.may_control({ scope = "controller", role = { "control" }, roles = "control" }))
    end)
  end)

  describe("a plugin's function", function()
    it("says who it is by a name or a table", function()
      local _, request = ask(function() return "ann" end, {})
      assert.equal("ann", request.user)
      _, request = ask(function() return { user = "bob", claims = { team = 1 } } end, {})
      assert.same({ "bob", { team = 1 } }, { request.user, request.claims })
    end)

    it("refuses with its own refusal, or with 401", function()
      local refusal = require "refusal"
      local own = refusal.new(403, "no", "No.")
      assert.equal("no", ask(function() return nil, own end, {}).code)
      assert.equal("no", ask(function() return own end, {}).code)
      assert.equal(401, ask(function() return nil end, {}).status)
    end)
  end)
end)
