local lua_half = require "spec.support.lua_half"

describe("POST /auth/", function()
  local core, users

  local function start(settings)
    core = lua_half.start({ settings = settings })
    users = require "identity.users"
  end

  before_each(function() start() end)

  local function post(path, body, headers)
    local all = { ["content-type"] = "application/json" }
    for name, value in pairs(headers or {}) do all[name] = value end
    if type(body) == "table" then body = core.json.encode(body) end
    return lua_half.ask(core, { method = "POST", target = "/auth/" .. path, body = body, headers = all })
  end

  local function form(name, text) return { username = name, password = text } end

  local function told(reply) return ("%d %s"):format(reply.status, reply.error and reply.error.code or "") end

  local KEY = { authorization = "Bearer first-key" }

  describe("register", function()
    it("needs control rights and adds a user", function()
      assert.equal("401 credentials-missing", told(post("register", form("ann", "open sesame"))))
      local reply = post("register", form("ann", "open sesame"), KEY)
      assert.same({ 200, { newUsername = "ann" } }, { reply.status, reply.json })
      assert.equal("409 username-taken", told(post("register", form("ann", "open sesame"), KEY)))
    end)

    it("takes names with blanks and in any script", function()
      for _, name in ipairs({ "Ann Smith", "Ånn 李", " ", "constructor", ("x"):rep(255) }) do
        assert.same({ newUsername = name }, post("register", form(name, "open sesame"), KEY).json)
      end
    end)

    it("refuses what is no name or password, before anything is hashed", function()
      for code, list in pairs({
        ["400 username-invalid"] = {
          form("", "open sesame"), form(("x"):rep(256), "open sesame"), form("a\nb", "open sesame"),
          form(7, "open sesame"), { password = "open sesame" },
        },
        ["400 password-invalid"] = {
          form("ann", "short"), form("ann", ("x"):rep(1025)), form("ann", 12345678), { username = "ann" },
        },
        ["400 body-malformed"] = { "{", "[]", '"ann"' },
        ["413 body-too-large"] = { form("ann", ("x"):rep(1000000)) },
      }) do
        for _, body in ipairs(list) do assert.equal(code, told(post("register", body, KEY))) end
      end
      assert.same({}, core.password.hashed)
    end)

    it("may be open, so many times from an address", function()
      start({ REGISTRATION = "open", LOGIN_RATE_MAX = 2 })
      assert.equal(200, post("register", form("ann", "open sesame")).status)
      assert.equal(200, post("register", form("bob", "open sesame")).status)
      local reply = post("register", form("carl", "open sesame"))
      assert.equal("429 login-rate", told(reply))
      assert.is_truthy(tonumber(reply.headers["retry-after"]))
    end)

    it("may be off", function()
      start({ REGISTRATION = "off" })
      assert.equal("403 registration-off", told(post("register", form("ann", "open sesame"), KEY)))
    end)

    it("is 503 while too many passwords are hashed", function()
      core.password.failure = "LIMIT"
      local reply = post("register", form("ann", "open sesame"), KEY)
      assert.same({ "503 password-busy", "1" }, { told(reply), reply.headers["retry-after"] })
    end)
  end)

  describe("login", function()
    before_each(function() users.add("ann", "open sesame", { "control" }) end)

    it("gives a token in a cookie", function()
      local reply = post("login", form("ann", "open sesame"), { host = "chat.example" })
      assert.same({ 200, { msg = "Logged in." } }, { reply.status, reply.json })
      assert.equal("jwt=token-of-ann; Path=/; Max-Age=43200; HttpOnly; Secure; SameSite=Lax",
        reply.headers["set-cookie"])
      assert.same({ claims = { sub = "ann", jti = ("r"):rep(15), roles = { "control" } }, ttl = 43200 },
        core.token.made)
    end)

    it("puts in the issuer and audience that the server asks for", function()
      start({ JWT_ISSUER = "shop", JWT_AUDIENCE = "chat" })
      users.add("bob", "open sesame")
      post("login", form("bob", "open sesame"))
      assert.same({ sub = "bob", jti = ("r"):rep(15), iss = "shop", aud = "chat" }, core.token.made.claims)
    end)

    it("has a cookie for plain http on this machine only", function()
      for host, is_secure in pairs({
        ["localhost:3000"] = false, ["127.0.0.1"] = false, ["[::1]:3000"] = false, LOCALHOST = false,
        ["localhost.example"] = true, ["10.0.0.1:80"] = true,
      }) do
        local headers = post("login", form("ann", "open sesame"), { host = host }).headers
        assert.equal(is_secure, headers["set-cookie"]:find("; Secure;", 1, true) ~= nil, host)
        headers = post("login", form("ann", "open sesame"),
          { host = host, ["x-forwarded-proto"] = "https" }).headers
        assert.is_truthy(headers["set-cookie"]:find("; Secure;", 1, true))
      end
    end)

    it("tells nobody whether the name or the password was wrong", function()
      local wrong, unknown = post("login", form("ann", "wrong")), post("login", form("bob", "wrong"))
      assert.equal("401 login-failed", told(wrong))
      assert.equal(wrong.body, unknown.body)
      assert.is_nil(wrong.headers["set-cookie"])
    end)

    it("refuses a long password without a look at it", function()
      assert.equal("400 password-invalid", told(post("login", form("ann", ("x"):rep(1025)))))
      assert.equal("413 body-too-large", told(post("login", form("ann", ("x"):rep(1000000)))))
      assert.same({}, core.password.verified)
    end)

    it("is limited for a name, from wherever", function()
      for i = 1, 10 do
        assert.equal(401, post("login", form("ann", "wrong"), { ["x-forwarded-for"] = "10.0.0." .. i }).status)
      end
      local reply = post("login", form("ann", "open sesame"), { ["x-forwarded-for"] = "10.0.0.99" })
      assert.equal("429 login-rate", told(reply))
      assert.is_truthy(tonumber(reply.headers["retry-after"]))
      assert.equal(10, #core.password.verified)
      core.time.clock = core.time.clock + 121
      assert.equal(200, post("login", form("ann", "open sesame")).status)
    end)

    it("is limited for an address, and for a whole /64 of IPv6, whatever the names", function()
      for i = 1, 10 do
        post("login", form("user" .. i, "wrong"), { ["x-forwarded-for"] = "2001:db8::" .. i })
      end
      local function from(address)
        return post("login", form("ann", "open sesame"), { ["x-forwarded-for"] = address }).status
      end
      assert.same({ 429, 429, 200, 200 }, { from("2001:db8:0:0:1:2:3:4"), from("2001:db8::ffff:1"),
        from("2001:db8:0:1::1"), from("10.1.1.1") })
    end)

    it("does not count what was good", function()
      for _ = 1, 30 do assert.equal(200, post("login", form("ann", "open sesame")).status) end
    end)

    it("is 503, and not counted, while the server cannot check", function()
      core.password.failure = "LIMIT"
      for _ = 1, 30 do assert.equal("503 password-busy", told(post("login", form("ann", "open sesame")))) end
      core.password.failure, core.store.failure = nil, "UNAVAILABLE"
      assert.equal("503 unavailable", told(post("login", form("ann", "open sesame"))))
      core.store.failure = nil
      assert.equal(200, post("login", form("ann", "open sesame")).status)
    end)

    it("waits for the second from which on tokens count again", function()
      users.set_password("ann", "another one")
      core.time.clock = 1700000000.5
      assert.equal(200, post("login", form("ann", "another one")).status)
      assert.equal(0.5, core.task.slept)
    end)
  end)

  describe("logout", function()
    before_each(function()
      core.token.known.t = {
        user = "ann", claims = '{"sub":"ann","jti":"1","iat":1700000000}', expires = 1700000060,
      }
      core.token.known.plain = { user = "ann", claims = '{"sub":"ann","iat":1700000000}' }
    end)

    local BY_COOKIE, BEARER = { cookie = "jwt=t" }, { authorization = "Bearer t" }

    local function test_jwt(headers)
      return lua_half.ask(core, { target = "/auth/test-jwt", headers = headers }).status
    end

    it("takes the cookie away and revokes its token", function()
      local reply = post("logout", nil, BY_COOKIE)
      assert.same({ msg = "Logged out.", revoked = true }, reply.json)
      assert.is_truthy(reply.headers["set-cookie"]:find("^jwt=; Path=/; Max%-Age=0;"))
      assert.equal(401, test_jwt(BY_COOKIE))
      assert.same({ msg = "Logged out.", revoked = false }, post("logout", nil, BY_COOKIE).json)
    end)

    it("revokes a bearer too, and leaves those without an id", function()
      assert.is_true(post("logout", nil, BEARER).json.revoked)
      assert.equal(401, test_jwt(BEARER))
      assert.is_false(post("logout", nil, { authorization = "Bearer plain" }).json.revoked)
    end)

    it("is good without a token, and with one that is none", function()
      assert.is_false(post("logout").json.revoked)
      assert.is_false(post("logout", nil, { cookie = "jwt=x" }).json.revoked)
    end)

    it("takes no cookie of another page", function()
      local headers = { cookie = "jwt=t", origin = "http://evil.example", host = "here" }
      assert.equal("403 origin-not-allowed", told(post("logout", nil, headers)))
      assert.equal(200, test_jwt(BY_COOKIE))
    end)

    it("everywhere ends all tokens of the user", function()
      assert.is_true(post("logout?everywhere=true", nil, BY_COOKIE).json.revoked)
      assert.equal(401, test_jwt({ authorization = "Bearer plain" }))
      assert.equal("1700000001", core.token.revoked["tokens-from ann"])
    end)

    it("that could not be kept is 503", function()
      core.store.failure = "UNAVAILABLE"
      assert.equal("503 unavailable", told(post("logout", nil, BY_COOKIE)))
    end)
  end)

  describe("token", function()
    before_each(function()
      core.token.known["minter"] = { user = "app", claims = '{"sub":"app","scope":"control:auth"}' }
      core.token.known["ann"] = { user = "ann", claims = '{"sub":"ann"}' }
    end)

    local MINTER = { authorization = "Bearer minter" }

    it("makes a token for a user", function()
      local reply = post("token", { sub = "ann", ttl = 60, claims = { team = "red" } }, KEY)
      assert.same({ token = "token-of-ann", expires = "2023-11-14T22:14:20.000Z" }, reply.json)
      assert.same({ claims = { sub = "ann", team = "red", jti = ("r"):rep(15) }, ttl = 60 }, core.token.made)
    end)

    it("makes one of an hour when nothing is said", function()
      assert.equal(200, post("token", { sub = "ann" }, KEY).status)
      assert.equal(3600, core.token.made.ttl)
    end)

    it("needs the right to do so", function()
      assert.equal("401 credentials-missing", told(post("token", { sub = "ann" })))
      assert.equal("403 control-required", told(post("token", { sub = "ann" }, { authorization = "Bearer ann" })))
      assert.equal(200, post("token", { sub = "ann" }, MINTER).status)
    end)

    it("gives no control rights to those who only may make tokens", function()
      for _, claims in ipairs({
        { role = "control" }, { roles = { "a", "control" } }, { scope = "chat control" },
        { scope = "control:auth" }, { scope = "chat control:notify" },
      }) do
        assert.equal("403 control-required", told(post("token", { sub = "x", claims = claims }, MINTER)))
        assert.equal(200, post("token", { sub = "x", claims = claims }, KEY).status)
      end
      assert.equal(200, post("token", { sub = "x", claims = { role = "editor", scope = "chat" } }, MINTER).status)
    end)

    it("refuses what cannot be one", function()
      for code, list in pairs({
        ["400 name-invalid"] = { {}, { sub = "" }, { sub = 7 }, { sub = "a\nb" } },
        ["400 ttl-invalid"] = {
          { sub = "a", ttl = 0 }, { sub = "a", ttl = "60" }, { sub = "a", ttl = 2592001 }, { sub = "a", ttl = -1 },
        },
        ["400 claims-invalid"] = {
          { sub = "a", claims = core.json.array({ 1 }) }, { sub = "a", claims = "x" },
          { sub = "a", claims = { exp = 5 } }, { sub = "a", claims = { jti = "x" } },
          { sub = "a", claims = { sub = "b" } }, { sub = "a", claims = { iat = 1 } },
        },
        ["400 body-malformed"] = { "[1]", "7" },
      }) do
        for _, body in ipairs(list) do assert.equal(code, told(post("token", body, KEY))) end
      end
    end)
  end)

  it("is nothing that GET may do", function()
    for _, path in ipairs({ "register", "login", "logout", "token" }) do
      assert.equal(405, lua_half.ask(core, { target = "/auth/" .. path }).status)
    end
  end)
end)
