-- CORS: pages of other origins may use bearer tokens and keys; cookies count only from our own pages and
-- those of ALLOWED_ORIGINS.
local fault = require "spec.support.fault"
local server = require "spec.support.server"

local FOREIGN, LISTED = "https://page.example", "https://app.example"

describe("CORS", function()
  local chatty, own_origin

  setup(function()
    chatty = server.start{ settings = { ALLOWED_ORIGINS = LISTED .. ",http://localhost:8080" } }
    own_origin = "http://127.0.0.1:" .. chatty.port
  end)
  teardown(function() chatty:stop() end)

  local function preflight(path, origin, headers)
    local all = { Origin = origin, ["Access-Control-Request-Method"] = "POST" }
    for name, value in pairs(headers or {}) do all[name] = value end
    return chatty:request{ method = "OPTIONS", path = path, headers = all }
  end

  local function search(origin, headers)
    local all = { Origin = origin, ["X-API-Key"] = server.control_key }
    for name, value in pairs(headers or {}) do all[name] = value end
    return chatty:request{ path = "/control/search/users", headers = all }
  end

  local function allowed(response)
    return { response.headers["access-control-allow-origin"], response.headers["access-control-allow-credentials"] }
  end

  it("answers a preflight with the methods of the path and the headers that were asked for", function()
    local response = preflight("/control/notify", FOREIGN,
      { ["Access-Control-Request-Headers"] = "authorization, content-type,x-api-key" })
    assert.equal(204, response.status)
    assert.equal("OPTIONS, POST", response.headers["access-control-allow-methods"])
    assert.equal("authorization, content-type, x-api-key", response.headers["access-control-allow-headers"])
    assert.is_number(tonumber(response.headers["access-control-max-age"]))
  end)

  it("needs no credentials for a preflight, which browsers send none with", function()
    assert.equal(204, preflight("/control/search/users", FOREIGN).status)
  end)

  it("names the headers that are usual when a preflight asks for none", function()
    assert.equal("Authorization, Content-Type, X-API-Key",
      preflight("/control/notify", FOREIGN).headers["access-control-allow-headers"])
  end)

  it("sends nothing back of a preflight that is no header's name", function()
    local response = preflight("/control/notify", FOREIGN,
      { ["Access-Control-Request-Headers"] = 'x-good, <script>, a:b, "q"' })
    assert.equal("x-good", response.headers["access-control-allow-headers"])
  end)

  it("is 404 for a preflight of a path that is not there", function()
    assert.equal("404 not-found", fault.of(preflight("/nowhere", FOREIGN)))
  end)

  it("lets pages of any origin read answers, without cookies", function()
    assert.same({ "*" }, allowed(search(FOREIGN)))
  end)

  it("lets pages of any origin read errors too", function()
    for _, path in ipairs({ "/nowhere", "/control/search/users", "/control/notify", "/auth/test-jwt" }) do
      assert.same({ "*" }, allowed(chatty:request{ path = path, headers = { Origin = FOREIGN } }))
    end
  end)

  it("lets listed pages use cookies", function()
    for _, origin in ipairs({ LISTED, "http://localhost:8080" }) do
      local response = search(origin)
      assert.same({ origin, "true" }, allowed(response))
      assert.matches("Origin", response.headers.vary, 1, true)
    end
  end)

  it("lets our own pages use cookies", function()
    assert.same({ own_origin, "true" }, allowed(search(own_origin)))
  end)

  it("says so in preflights", function()
    local response = preflight("/control/notify", LISTED)
    assert.same({ LISTED, "true", "Origin" },
      { response.headers["access-control-allow-origin"], response.headers["access-control-allow-credentials"],
        response.headers.vary })
    assert.same({ "*" }, allowed(preflight("/control/notify", FOREIGN)))
  end)

  for _, origin in ipairs({ "null", "https://app.example.evil.example", "https://evil-app.example",
    "http://app.example", "https://app.example:8443", "https://APP.example.", "http://localhost", "" }) do
    it(("does not let '%s' use cookies"):format(origin), function()
      assert.same({ "*" }, allowed(search(origin)))
    end)
  end

  it("names the headers that scripts may read", function()
    local exposed = search(FOREIGN).headers["access-control-expose-headers"]
    for _, name in ipairs({ "Link", "WWW-Authenticate", "Retry-After" }) do
      assert.matches(name, exposed, 1, true)
    end
  end)

  it("is silent towards those who send no Origin", function()
    assert.is_nil(search(nil).head:lower():find("access-control", 1, true))
  end)

  it("takes OPTIONS that is no preflight for an ordinary request", function()
    local response = chatty:request{ method = "OPTIONS", path = "/control/notify", headers = { Origin = FOREIGN } }
    assert.same({ 204, "OPTIONS, POST", "*" },
      { response.status, response.headers.allow, response.headers["access-control-allow-origin"] })
  end)

  it("compares our own origin with the header Host", function()
    local response = search("https://chat.example", { Host = "chat.example" })
    assert.same({ "https://chat.example", "true" }, allowed(response))
    assert.same({ "*" }, allowed(search("https://chat.example", { Host = "chat.example:3000" })))
  end)

  for _, origin in ipairs({ "app.example", "https://app.example/path", "*", "https://*.example", "https://" }) do
    it(("does not start with ALLOWED_ORIGINS=%s"):format(origin), function()
      local result = server.run{ args = { "serve" }, settings = { ALLOWED_ORIGINS = origin } }
      assert.equal(1, result.code)
      assert.matches("^[^\n]*ALLOWED_ORIGINS[^\n]*$", result.err)
    end)
  end
end)
