-- Who may control: keys, tokens with rights, cookies of our own pages; and GET /auth/test-jwt.
local fault = require "spec.support.fault"
local server = require "spec.support.server"
local token = require "spec.support.token"

local KEY, OTHER_KEY = "first-key-0123456789", "second-key-9876543210"
local EVENT = '{"event":"tick","attributes":{}}'
local DOCUMENT = '{"data":{"type":"room","id":"1"}}'

-- Every control endpoint with the scope that is enough for it.
local ENDPOINTS = {
  { "POST", "/control/notify?method=users:nobody", EVENT, "notify" },
  { "POST", "/control/subscription/subscribe?method=users:nobody&dryRun=true", DOCUMENT, "subscribe" },
  { "POST", "/control/subscription/unsubscribe?method=users:nobody", DOCUMENT, "subscribe" },
  { "POST", "/control/disconnect?method=users:nobody", nil, "disconnect" },
  { "GET", "/control/search/subscriptions?userId=nobody", nil, "search" },
  { "GET", "/control/search/participants?channel=nobody-1", nil, "search" },
  { "GET", "/control/search/users", nil, "search" },
}

describe("control", function()
  local chatty

  setup(function()
    chatty = server.start{ settings = {
      CONTROL_KEY = KEY .. "," .. OTHER_KEY, ALLOWED_ORIGINS = "https://app.example",
    } }
  end)
  teardown(function() chatty:stop() end)

  local function call(endpoint, headers)
    return chatty:request{ method = endpoint[1], path = endpoint[2], body = endpoint[3], headers = headers }
  end

  local function search(headers) return call(ENDPOINTS[7], headers) end

  local function bearer(text) return { Authorization = "Bearer " .. text } end

  for _, endpoint in ipairs(ENDPOINTS) do
    describe("of " .. endpoint[2]:match("^[^?]*"), function()
      it("is there for a key in either header", function()
        assert.equal(200, call(endpoint, bearer(KEY)).status)
        assert.equal(200, call(endpoint, { ["X-API-Key"] = KEY }).status)
      end)

      it("is 401 without credentials, and says how to send them", function()
        local response = call(endpoint)
        assert.same({ "401 credentials-missing Authorization:", "Bearer" },
          { fault.of(response), response.headers["www-authenticate"] })
      end)

      it("is 401 for a wrong key in either header", function()
        assert.equal("401 token-invalid Authorization:", fault.of(call(endpoint, bearer "wrong")))
        assert.equal("401 key-invalid X-API-Key:", fault.of(call(endpoint, { ["X-API-Key"] = "wrong" })))
      end)

      it("is 403 for a user's token", function()
        assert.equal("403 control-required", fault.of(call(endpoint, bearer(chatty:token("ann")))))
      end)

      it("is there for a token with the role control", function()
        assert.equal(200, call(endpoint, bearer(chatty:token{ sub = "app", role = "control" })).status)
      end)

      it("is there for a token with just its scope, and for none with the others'", function()
        for _, scope in ipairs({ "notify", "subscribe", "disconnect", "search" }) do
          local response = call(endpoint, bearer(chatty:token{ sub = "app", scope = "control:" .. scope }))
          assert.equal(scope == endpoint[4] and 200 or 403, response.status)
        end
      end)
    end)
  end

  it("takes each of several keys", function()
    assert.equal(200, search(bearer(OTHER_KEY)).status)
    assert.equal(200, search{ ["X-API-Key"] = OTHER_KEY }.status)
  end)

  for what, key in pairs({
    ["all keys at once"] = KEY .. "," .. OTHER_KEY, ["a key's beginning"] = KEY:sub(1, -2),
    ["a key and more"] = KEY .. "x", ["a key in capitals"] = KEY:upper(), ["nothing"] = "",
  }) do
    it(("does not take %s for a key"):format(what), function()
      assert.equal("401 key-invalid X-API-Key:", fault.of(search{ ["X-API-Key"] = key }))
    end)
  end

  it("takes no key that comes in two headers", function()
    local response = search{ ["X-API-Key"] = KEY, ["x-api-key"] = "wrong" }
    assert.equal("401 key-invalid X-API-Key:", fault.of(response))
  end)

  it("takes the scheme Bearer in any case, with several blanks", function()
    for _, scheme in ipairs({ "bearer ", "BEARER ", "Bearer   " }) do
      assert.equal(200, search{ Authorization = scheme .. KEY }.status)
    end
  end)

  for header, code in pairs({
    ["Basic " .. KEY] = "credentials-missing", [KEY] = "credentials-missing",
    ["Bearer" .. KEY] = "credentials-missing", ["Token " .. KEY] = "credentials-missing",
    ["Bearer"] = "token-invalid", ["Bearer "] = "token-invalid", ["Bearer " .. KEY .. " x"] = "token-invalid",
    ["Bearer x " .. KEY] = "token-invalid",
  }) do
    it(("takes no Authorization of '%s'"):format(header), function()
      assert.equal(("401 %s Authorization:"):format(code), fault.of(search{ Authorization = header }))
    end)
  end

  it("takes no key in the query", function()
    assert.equal("401 credentials-missing Authorization:",
      fault.of(chatty:request{ path = "/control/search/users?token=" .. KEY }))
  end)

  it("says nothing about the query to those who may not", function()
    assert.equal("401 credentials-missing Authorization:",
      fault.of(chatty:request{ path = "/control/search/users?colour=red" }))
  end)

  it("does nothing for those who may not", function()
    call({ "POST", "/control/subscription/subscribe?method=users:ann", DOCUMENT }, bearer(chatty:token("ann")))
    local found = chatty:request{ path = "/control/search/subscriptions?userId=ann", headers = bearer(KEY) }
    assert.equal("[]", found.body)
  end)

  local claims = {
    ["the role control"] = { { role = "control" }, 200 },
    ["control among its roles"] = { { roles = { "user", "control" } }, 200 },
    ["the scope control"] = { { scope = "control" }, 200 },
    ["the scope control among others"] = { { scope = "openid control email" }, 200 },
    ["a scope of its own among others"] = { { scope = "openid control:search" }, 200 },
    ["another role"] = { { role = "controller" }, 403 },
    ["a role in capitals"] = { { role = "Control" }, 403 },
    ["control as a part of a role"] = { { role = "control user" }, 403 },
    ["an array as role"] = { { role = { "control" } }, 403 },
    ["text as roles"] = { { roles = "control" }, 403 },
    ["an object as roles"] = { { roles = { control = true } }, 403 },
    ["other roles"] = { { roles = { "user", "uncontrol" } }, 403 },
    ["a scope that only begins so"] = { { scope = "controls control-x control:searching" }, 403 },
    ["a scope of another endpoint"] = { { scope = "control:notify" }, 403 },
    ["true as role"] = { { role = true }, 403 },
    ["control as another claim"] = { { control = true, rights = { "control" } }, 403 },
  }
  for what, example in pairs(claims) do
    it(("answers %d to a token with %s"):format(example[2], what), function()
      example[1].sub = "app"
      assert.equal(example[2], search(bearer(chatty:token(example[1]))).status)
    end)
  end

  it("takes no token with rights that is signed by somebody else", function()
    local forged = token.make({ sub = "app", role = "control" }, "another secret of some length")
    assert.equal("401 token-invalid Authorization:", fault.of(search(bearer(forged))))
  end)

  it("takes no token with rights that is not signed", function()
    local unsigned = token.make({ sub = "app", role = "control" }, "", nil, { alg = "none" })
    assert.equal("401 token-invalid Authorization:", fault.of(search(bearer(unsigned))))
  end)

  it("takes no token with rights that is over, or not valid yet", function()
    assert.equal("401 token-expired Authorization:",
      fault.of(search(bearer(chatty:token({ sub = "app", role = "control" }, -60)))))
    local early = chatty:token{ sub = "app", role = "control", nbf = os.time() + 60 }
    assert.equal("401 token-not-yet Authorization:", fault.of(search(bearer(early))))
  end)

  it("counts tokens and keys that are refused", function()
    local before = chatty:request{ path = "/metrics" }.body:match("chatty_token_failures_total (%d+)\n")
    search{ ["X-API-Key"] = "wrong" }
    search(bearer "wrong")
    local after = chatty:request{ path = "/metrics" }.body:match("chatty_token_failures_total (%d+)\n")
    assert.equal(before + 2, tonumber(after))
  end)

  describe("by cookie", function()
    local function by_cookie(origin, who)
      local text = chatty:token(who or { sub = "admin", role = "control" })
      return call(ENDPOINTS[4], { Cookie = "theme=dark; jwt=" .. text, Origin = origin })
    end

    it("is there for a page of our own", function()
      assert.equal(200, by_cookie("http://127.0.0.1:" .. chatty.port).status)
    end)

    it("is there for a page of ALLOWED_ORIGINS", function()
      assert.equal(200, by_cookie("https://app.example").status)
    end)

    it("is there for what is no page and sends no Origin", function()
      assert.equal(200, by_cookie(nil).status)
    end)

    for _, origin in ipairs({ "https://evil.example", "null", "https://app.example.evil.example", "http://app.example",
      "https://app.example:444", "https://127.0.0.1", "http://127.0.0.1:1", "file://", "app.example" }) do
      it(("is 403 for the origin %s"):format(origin), function()
        assert.equal("403 origin-not-allowed Origin:", fault.of(by_cookie(origin)))
      end)
    end

    it("needs the rights all the same", function()
      assert.equal("403 control-required", fault.of(by_cookie(nil, "ann")))
    end)

    it("counts less than a bearer", function()
      local response = search{
        Cookie = "jwt=" .. chatty:token{ sub = "admin", role = "control" },
        Authorization = "Bearer " .. chatty:token("ann"),
      }
      assert.equal("403 control-required", fault.of(response))
    end)

    it("takes no key", function()
      assert.equal("401 token-invalid Authorization:", fault.of(search{ Cookie = "jwt=" .. KEY }))
    end)
  end)

  it("has no key that fits when none is set", function()
    local own = server.start{ settings = { CONTROL_KEY = false } }
    assert.is_string(own:wait_log("CONTROL_KEY is not set"))
    local path = "/control/search/users"
    assert.equal(401, own:request{ path = path, headers = { ["X-API-Key"] = "" } }.status)
    assert.equal(401, own:request{ path = path, headers = { Authorization = "Bearer " } }.status)
    local admin = own:token{ sub = "app", role = "control" }
    assert.equal(200, own:request{ path = path, headers = { Authorization = "Bearer " .. admin } }.status)
  end)

  it("never writes keys, secrets or tokens to the log", function()
    local own = server.start{ settings = { LOG_LEVEL = "debug" } }
    local text = own:token{ sub = "app", role = "control" }
    own:control("GET", "/control/search/users")
    own:request{ path = "/control/search/users", headers = { Authorization = "Bearer " .. text } }
    own:request{ path = "/control/search/users", headers = { ["X-API-Key"] = "wrong-key-of-somebody" } }
    own:connect("ann")
    own:stop()
    local log = table.concat(own:log(), "\n")
    for _, secret in ipairs({ server.control_key, server.jwt_secret, text, "wrong-key-of-somebody", "eyJ" }) do
      assert.is_nil(log:find(secret, 1, true))
    end
  end)
end)

describe("CONTROL_AUTH=none", function()
  for _, host in ipairs({ "127.0.0.1", "localhost" }) do
    it(("lets everybody control at %s, and warns"):format(host), function()
      local chatty = server.start{ settings = { CONTROL_AUTH = "none", APP_HOST = host } }
      for _, endpoint in ipairs(ENDPOINTS) do
        local request = { method = endpoint[1], path = endpoint[2], body = endpoint[3] }
        assert.equal(200, chatty:request(request).status)
      end
      assert.is_string(chatty:wait_log("CONTROL_AUTH is none"))
    end)
  end

  it("leaves tokens of users as they are", function()
    local chatty = server.start{ settings = { CONTROL_AUTH = "none" } }
    assert.equal(401, chatty:request{ path = "/auth/test-jwt" }.status)
    assert.equal(401, chatty:connect("ann", { token = "forged" }).status)
  end)

  for _, host in ipairs({ "0.0.0.0", "::", "192.0.2.1", "127.0.0.1.example.com", false }) do
    it(("is refused at the address %s, in one line"):format(tostring(host)), function()
      local result = server.run{ args = { "serve" }, settings = { CONTROL_AUTH = "none", APP_HOST = host } }
      assert.equal(1, result.code)
      assert.matches("^[^\n]*CONTROL_AUTH[^\n]*CONTROL_AUTH_NONE_ANYWHERE=true[^\n]*$", result.err)
    end)
  end

  it("is taken anywhere when a second setting says so", function()
    local chatty = server.start{ settings = {
      CONTROL_AUTH = "none", APP_HOST = "0.0.0.0", CONTROL_AUTH_NONE_ANYWHERE = "true",
    } }
    assert.equal(200, chatty:request{ path = "/control/search/users" }.status)
  end)
end)

describe("GET /auth/test-jwt", function()
  local chatty

  setup(function() chatty = server.start() end)
  teardown(function() chatty:stop() end)

  local function ask(headers) return chatty:request{ path = "/auth/test-jwt", headers = headers } end

  it("tells whose token it is", function()
    assert.same({ msg = "Authenticated with jwt", sub = "größe, ann" },
      ask{ Authorization = "Bearer " .. chatty:token("größe, ann") }.json())
  end)

  it("takes the token of the cookie of a page of our own", function()
    assert.equal("ann", ask{ Cookie = "jwt=" .. chatty:token("ann") }.json().sub)
    assert.equal("403 origin-not-allowed Origin:",
      fault.of(ask{ Cookie = "jwt=" .. chatty:token("ann"), Origin = "https://evil.example" }))
  end)

  it("is 401 without a token", function()
    local response = ask()
    assert.same({ "401 credentials-missing Authorization:", "Bearer" },
      { fault.of(response), response.headers["www-authenticate"] })
  end)

  it("is 401 for a control key, which is no token", function()
    assert.equal("401 token-invalid Authorization:", fault.of(ask{ Authorization = "Bearer " .. server.control_key }))
    assert.equal("401 credentials-missing Authorization:", fault.of(ask{ ["X-API-Key"] = server.control_key }))
  end)

  local bad = {
    ["that is over"] = { { sub = "ann", exp = os.time() - 60 }, "401 token-expired Authorization:" },
    ["that is not valid yet"] = { { sub = "ann", nbf = os.time() + 60 }, "401 token-not-yet Authorization:" },
    ["without sub"] = { { name = "ann" }, "401 token-invalid Authorization:" },
    ["with an empty sub"] = { { sub = "" }, "401 token-invalid Authorization:" },
    ["with a number as sub"] = { { sub = 1 }, "401 token-invalid Authorization:" },
    ["with text as exp"] = { { sub = "ann", exp = "tomorrow" }, "401 token-invalid Authorization:" },
  }
  for what, example in pairs(bad) do
    it(("is 401 for a token %s"):format(what), function()
      local response = ask{ Authorization = "Bearer " .. chatty:token(example[1]) }
      assert.same({ example[2], 'Bearer error="invalid_token"' },
        { fault.of(response), response.headers["www-authenticate"] })
    end)
  end
end)

describe("a server with CONTROL_AUTH=none", function()
  it("lets no page of another origin control it, but every app server", function()
    local chatty = server.start{ settings = { CONTROL_AUTH = "none" } }
    local function search(origin)
      return chatty:request{ path = "/control/search/users", headers = { Origin = origin } }.status
    end
    assert.equal(200, search(nil))
    assert.equal(200, search("http://127.0.0.1:" .. chatty.port))
    assert.equal(403, search("https://evil.example"))
  end)

  it("lets no page control it whose own name leads here", function()
    local chatty = server.start{ settings = { CONTROL_AUTH = "none" } }
    local function search(host, origin)
      return fault.of(chatty:request{ path = "/control/search/users", headers = { Host = host, Origin = origin } })
    end
    for _, host in ipairs{ "evil.example", "localhost.evil.example", "127.0.0.1.evil.example:" .. chatty.port } do
      assert.equal("403 host-not-local Host:", search(host, "http://" .. host), host)
      assert.equal("403 host-not-local Host:", search(host), host)
    end
    for _, host in ipairs{ "LOCALHOST", "127.0.0.1:" .. chatty.port, "[::1]:1" } do
      assert.matches("^200 ", search(host), host)
    end
  end)
end)
