-- Tokens that must not be taken: in the handshake and in HTTP 401, in a frame a close with 4500.
local cjson = require "cjson"
local client = require "spec.support.client"
local mime = require "mime"
local server = require "spec.support.server"
local token = require "spec.support.token"

local ISSUER, AUDIENCE = "https://issuer.example", "chatty"
local SECRET = server.jwt_secret

-- Claims that the server takes, with changes: false leaves one out.
local function claims(changes)
  local all = { sub = "ann", iss = ISSUER, aud = AUDIENCE, exp = os.time() + 3600 }
  for name, value in pairs(changes or {}) do all[name] = value or nil end
  return all
end

local function make(changes, header)
  return token.encode(claims(changes), SECRET, header)
end

local function base64url(bytes)
  return ((mime.b64(bytes)):gsub("[+/=]", { ["+"] = "-", ["/"] = "_", ["="] = "" }))
end

-- A part of a good token exchanged: 1 the header, 2 the claims, 3 the signature.
local function tamper(part, change)
  local parts = {}
  for each in make():gmatch("[^.]+") do parts[#parts + 1] = each end
  parts[part] = change(parts[part])
  return table.concat(parts, ".")
end

local function signed_header(header)
  return token.encode(claims(), SECRET, header)
end

local BAD = {
  ["with alg none"] = function() return make(nil, { alg = "none" }) end,
  ["with alg none and a signature"] = function() return make(nil, { alg = "none", sign_as = "HS256" }) end,
  ["with alg NONE and no signature"] = function() return make(nil, { alg = "NONE", sign_as = "none" }) end,
  ["with an algorithm that is not the configured one"] = function() return make(nil, { alg = "HS512" }) end,
  ["with alg in lower case"] = function() return make(nil, { alg = "hs256", sign_as = "HS256" }) end,
  ["with critical headers"] = function() return signed_header{ crit = { "b64" }, b64 = false } end,
  ["of another secret"] = function() return token.encode(claims(), SECRET .. "x") end,
  ["without its signature"] = function() return (make():gsub("[^.]+$", "")) end,
  ["with half of its signature"] = function()
    return tamper(3, function(signature) return signature:sub(1, 20) end)
  end,
  ["with one byte more in its signature"] = function()
    return tamper(3, function(signature) return signature .. "A" end)
  end,
  ["with other claims than were signed"] = function()
    return tamper(2, function() return base64url(cjson.encode(claims{ sub = "bob" })) end)
  end,
  ["of two parts"] = function() return make():match("^[^.]+%.[^.]+") end,
  ["of four parts"] = function() return make() .. ".e30" end,
  ["of five parts"] = function() return make() .. ".e30.e30" end,
  ["that is one word"] = function() return "word" end,
  ["that is dots"] = function() return ".." end,
  ["with claims that are no JSON"] = function() return token.encode("{", SECRET) end,
  ["with claims that are a list"] = function() return token.encode("[]", SECRET) end,
  ["with claims that are nothing"] = function() return token.encode("", SECRET) end,
  ["with claims nested too deep"] = function()
    return token.encode('{"sub":"ann","x":' .. ("["):rep(2000) .. ("]"):rep(2000) .. "}", SECRET)
  end,
  ["without sub"] = function() return make{ sub = false } end,
  ["with an empty sub"] = function() return make{ sub = "" } end,
  ["with a number as sub"] = function() return make{ sub = 42 } end,
  ["with null as sub"] = function() return make{ sub = cjson.null } end,
  ["with a list as sub"] = function() return make{ sub = { "ann" } } end,
  ["with a line break in sub"] = function() return make{ sub = "ann\n" } end,
  ["with NUL in sub"] = function() return make{ sub = "ann\0bob" } end,
  ["with a sub longer than a name may be"] = function() return make{ sub = ("a"):rep(256) } end,
  ["with half a surrogate pair in sub"] = function()
    local text = cjson.encode(claims{ sub = "ann-X" }):gsub("ann%-X", "\\ud800")
    return token.encode(text, SECRET)
  end,
  ["of another issuer"] = function() return make{ iss = "https://other.example" } end,
  ["of no issuer"] = function() return make{ iss = false } end,
  ["whose issuer is a list"] = function() return make{ iss = { ISSUER } } end,
  ["for another audience"] = function() return make{ aud = "shop" } end,
  ["for several other audiences"] = function() return make{ aud = { "shop", "chatty2" } } end,
  ["for no audience"] = function() return make{ aud = false } end,
  ["whose exp is text"] = function() return make{ exp = "soon" } end,
  ["whose exp is null"] = function() return make{ exp = cjson.null } end,
  ["whose exp is too large for a date"] = function()
    return token.encode((cjson.encode(claims()):gsub('"exp":%d+', '"exp":99999999999999999999')), SECRET)
  end,
  ["whose nbf is true"] = function() return make{ nbf = true } end,
  ["of 100 kB"] = function() return make{ x = ("x"):rep(75000) } end,
  ["of 100 kB of nothing"] = function() return ("A"):rep(102400) end,
}

local EXPIRED = {
  ["that expired"] = function() return make{ exp = os.time() - 1 } end,
  ["that expired in 1970"] = function() return make{ exp = 0 } end,
}

local NOT_YET = {
  ["that is not valid yet"] = function() return make{ nbf = os.time() + 60 } end,
}

describe("a token", function()
  local chatty

  setup(function()
    chatty = server.start{ settings = {
      JWT_ISSUER = ISSUER, JWT_AUDIENCE = AUDIENCE, JWT_LEEWAY = 0,
      HEADER_MAX = "256kb", URL_MAX = "256kb", FRAME_MAX = "256kb",
    } }
  end)

  teardown(function() chatty:stop() end)

  local function test_jwt(text)
    return chatty:request{ path = "/auth/test-jwt", headers = { Authorization = "Bearer " .. text } }
  end

  -- Status and code of an answer that is one JSON:API error object with all that belongs to it.
  local function fault_of(response)
    local decoded = cjson.decode(response.body)
    local fault = decoded.errors[1]
    local is_whole = #decoded.errors == 1 and fault.status == tostring(response.status)
      and #fault.title > 0 and #fault.detail > 0
    return is_whole and response.status or "incomplete", fault.code
  end

  local function send_auth(text)
    local socket = client.ws{ port = chatty.port }
    socket:send_event("chatty:auth", cjson.encode{ token = text })
    return socket
  end

  local function refuse_all(bad, code)
    for name, forge in pairs(bad) do
      it(name .. " is 401 to HTTP", function()
        local response = test_jwt(forge())
        assert.same({ 401, code }, { fault_of(response) })
        assert.equal('Bearer error="invalid_token"', response.headers["www-authenticate"])
      end)

      it(name .. " is 401 in the handshake", function()
        assert.same({ 401, code }, { fault_of(client.ws{ port = chatty.port, token = forge() }) })
      end)

      it(name .. " closes with 4500 in a frame", function()
        local closed, reason = send_auth(forge()):expect_closed()
        assert.equal(4500, closed)
        assert.matches("^The token is not accepted: ", reason)
      end)
    end
  end

  refuse_all(BAD, "token-invalid")
  refuse_all(EXPIRED, "token-expired")
  refuse_all(NOT_YET, "token-not-yet")

  it("of 100 kB in the query is 401", function()
    local socket = client.ws{ port = chatty.port, path = "/ws?token=" .. make{ x = ("x"):rep(75000) } }
    assert.same({ 401, "token-invalid" }, { fault_of(socket) })
  end)

  it("that is no string closes with 4500 in a frame", function()
    for _, attributes in ipairs{
      '{"token":42}', '{"token":null}', '{"token":{}}', "{}", '"text"', "[]", "null",
    } do
      local socket = client.ws{ port = chatty.port }
      socket:send_event("chatty:auth", attributes)
      assert.equal(4500, (socket:expect_closed()))
    end
  end)

  it("that was refused counts as a failure", function()
    local before = chatty:metric "token_failures_total"
    test_jwt("forged")
    assert.equal(before + 1, chatty:metric "token_failures_total")
  end)

  it("is 200 for whom it was made", function()
    local response = test_jwt(make())
    assert.equal(200, response.status)
    assert.same({ msg = "Authenticated with jwt", sub = "ann" }, response.json())
  end)

  it("that is missing is 401 with the way to authenticate", function()
    local response = chatty:request{ path = "/auth/test-jwt" }
    assert.same({ 401, "credentials-missing" }, { fault_of(response) })
    assert.equal("Bearer", response.headers["www-authenticate"])
  end)

  local GOOD = {
    ["without exp"] = { exp = false },
    ["whose exp has a fraction"] = { exp = os.time() + 60.5 },
    ["whose exp lies beyond the year 9999"] = { exp = 1000000000000 },
    ["for several audiences"] = { aud = { "shop", AUDIENCE } },
    ["that is valid since now"] = { nbf = os.time() },
    ["with a name in any script"] = { sub = "Анна 😀" },
    ["with a name of 255 bytes"] = { sub = ("a"):rep(255) },
    ["with a name that means something elsewhere"] = { sub = "__proto__" },
  }

  for name, changes in pairs(GOOD) do
    it(name .. " is taken", function()
      local socket = client.ws{ port = chatty.port, token = make(changes) }
      assert.equal(changes.sub or "ann", socket:next().attributes.user)
    end)
  end

  it("whose exp is the largest number is taken, and the session lives", function()
    local text = cjson.encode(claims()):gsub('"exp":%d+', '"exp":9223372036854775807')
    local socket = client.ws{ port = chatty.port, token = token.encode(text, SECRET) }
    local connected = socket:next()
    assert.equal(cjson.null, connected.attributes.expires)
    socket:ping("still there")
    assert.equal("still there", socket:next_frame().payload)
  end)
end)

describe("a token that is larger than what carries it", function()
  local chatty

  setup(function() chatty = server.start() end)

  teardown(function() chatty:stop() end)

  local function large()
    return chatty:token{ sub = "ann", x = ("x"):rep(75000) }
  end

  it("is 431 in a header", function()
    assert.equal(431, client.ws{ port = chatty.port, token = large() }.status)
  end)

  it("is 414 in the query", function()
    assert.equal(414, client.ws{ port = chatty.port, path = "/ws?token=" .. large() }.status)
  end)

  it("closes with 1009 in a frame", function()
    local socket = client.ws{ port = chatty.port }
    socket:send_event("chatty:auth", cjson.encode{ token = large() })
    assert.equal(1009, (socket:expect_closed()))
  end)
end)

for _, algorithm in ipairs{ "RS256", "ES256" } do
  describe("a token of " .. algorithm, function()
    local pair, other, chatty

    setup(function()
      pair, other = token.key_pair(algorithm), token.key_pair(algorithm)
      chatty = server.start{
        settings = { JWT_ALGORITHM = algorithm, JWT_PUBLIC_KEY_FILE = "public.pem", JWT_SECRET = false },
        files = { ["public.pem"] = pair.public },
      }
    end)

    teardown(function() chatty:stop() end)

    local function status_of(text)
      return client.ws{ port = chatty.port, token = text }.status
    end

    it("is taken when the configured key made it", function()
      local text = token.make("ann", pair.key, nil, { alg = algorithm })
      assert.equal("ann", client.ws{ port = chatty.port, token = text }:next().attributes.user)
    end)

    it("is taken in a frame", function()
      local socket = client.ws{ port = chatty.port }
      local text = token.make("ann", pair.key, nil, { alg = algorithm })
      socket:send_event("chatty:auth", cjson.encode{ token = text })
      assert.equal("ann", socket:next().attributes.user)
    end)

    it("is refused when another key made it", function()
      assert.equal(401, status_of(token.make("ann", other.key, nil, { alg = algorithm })))
    end)

    for _, hashed in ipairs{ "HS256", "HS384", "HS512" } do
      it("is refused when it is " .. hashed .. " with the public key as its secret", function()
        assert.equal(401, status_of(token.make("ann", pair.public, nil, { alg = hashed })))
      end)
    end

    it("is refused when it only says so and is signed with the public key as a secret", function()
      local text = token.make("ann", pair.public, nil, { alg = algorithm, sign_as = "HS256" })
      assert.equal(401, status_of(text))
    end)

    it("is refused when it says alg none", function()
      assert.equal(401, status_of(token.make("ann", pair.key, nil, { alg = "none" })))
    end)

    it("is refused when its claims were changed", function()
      local text = token.make("ann", pair.key, nil, { alg = algorithm })
      local forged = text:gsub("%.[^.]+%.", "." .. base64url(cjson.encode{ sub = "bob" }) .. ".")
      assert.equal(401, status_of(forged))
    end)

    it("is refused when it expired", function()
      assert.equal(401, status_of(token.make("ann", pair.key, -60, { alg = algorithm })))
    end)
  end)
end

for _, algorithm in ipairs{ "HS384", "HS512" } do
  describe("a token where " .. algorithm .. " is configured", function()
    local chatty

    setup(function() chatty = server.start{ settings = { JWT_ALGORITHM = algorithm } } end)

    teardown(function() chatty:stop() end)

    it("is taken when that made it, and refused when HS256 did", function()
      local good = token.make("ann", SECRET, nil, { alg = algorithm })
      assert.equal("ann", client.ws{ port = chatty.port, token = good }:next().attributes.user)
      assert.equal(401, client.ws{ port = chatty.port, token = token.make("ann", SECRET) }.status)
    end)
  end)
end

describe("the server with a public key", function()
  it("does not start when the file is missing, and says so in one line", function()
    local result = server.run{ settings = { JWT_ALGORITHM = "RS256", JWT_PUBLIC_KEY_FILE = "gone.pem" } }
    assert.equal(1, result.code)
    assert.matches("^[^\n]*JWT_PUBLIC_KEY_FILE[^\n]*$", result.err)
  end)

  it("does not start when none is named, and says so in one line", function()
    local result = server.run{ settings = { JWT_ALGORITHM = "ES256" } }
    assert.equal(1, result.code)
    assert.matches("^[^\n]*JWT_PUBLIC_KEY_FILE[^\n]*$", result.err)
  end)

  it("does not start when the file holds no key, and says so in one line", function()
    local result = server.run{
      settings = { JWT_ALGORITHM = "RS256", JWT_PUBLIC_KEY_FILE = "public.pem" },
      files = { ["public.pem"] = "no key\n" },
    }
    assert.equal(1, result.code)
    assert.matches("^[^\n]*JWT_PUBLIC_KEY_FILE[^\n]*$", result.err)
  end)
end)
