local options = require "settings.options"

local SECRET, KEY = ("s"):rep(32), ("k"):rep(32)

-- The settings of an environment in which nothing is doubtful, with some changed.
local function settings_with(changes)
  local environment = { JWT_SECRET = SECRET, CONTROL_KEY = KEY }
  for name, text in pairs(changes) do environment[name] = text end
  return assert(options.read { environment = environment })
end

local function fault(changes)
  local warnings, line = options.check(settings_with(changes))
  assert.is_nil(warnings)
  assert.is_nil(line:find("\n"))
  return line
end

local function warnings_of(changes)
  return assert(options.check(settings_with(changes)))
end

describe("the check before the start", function()
  it("has nothing to say of a good setup", function()
    assert.same({}, warnings_of {})
  end)

  it("asks for a secret and says how to make one", function()
    assert.equal("JWT_SECRET is not set: put JWT_SECRET=... into .env "
      .. "(run `chatty init` to make one, or: openssl rand -hex 32)", fault { JWT_SECRET = "" })
  end)

  it("asks for a public key with RS and ES algorithms, and for no secret", function()
    assert.truthy(fault({ JWT_ALGORITHM = "RS256", JWT_SECRET = "" }):find("^JWT_PUBLIC_KEY_FILE is not set"))
    assert.same({}, warnings_of { JWT_ALGORITHM = "ES256", JWT_SECRET = "", JWT_PUBLIC_KEY_FILE = "key.pem" })
  end)

  it("asks for a private key only to make RS and ES tokens", function()
    local settings = settings_with { JWT_ALGORITHM = "RS256", JWT_PUBLIC_KEY_FILE = "key.pem" }
    assert.is_true(options.require_secret(settings))
    local ok, line = options.require_secret(settings, "sign")
    assert.is_nil(ok)
    assert.truthy(line:find("^JWT_PRIVATE_KEY_FILE is not set: JWT_ALGORITHM=RS256 needs it to make tokens"))
  end)

  it("refuses a PEM key as the secret of an HS algorithm", function()
    local line = fault { JWT_SECRET = "-----BEGIN PUBLIC KEY-----\nabc\n-----END PUBLIC KEY-----" }
    assert.truthy(line:find("^JWT_SECRET holds a PEM key"))
  end)

  it("warns of a short secret and of an example's placeholder", function()
    assert.truthy(warnings_of({ JWT_SECRET = "secret" })[1]:find("^JWT_SECRET has only 6 bytes"))
    assert.truthy(warnings_of({ JWT_SECRET = "[your jwt secret key]" })[1]:find("placeholder"))
  end)

  it("warns of no control key and of a short one", function()
    assert.truthy(warnings_of({ CONTROL_KEY = "" })[1]:find("^CONTROL_KEY is not set"))
    local warnings = warnings_of { CONTROL_KEY = KEY .. ",short" }
    assert.truthy(warnings[1]:find("^CONTROL_KEY has a key of only 5 bytes"))
  end)

  it("refuses open control on an address that others can reach", function()
    for _, host in ipairs { "", "0.0.0.0", "::", "192.168.1.5", "chat.example.com", "127.example.com" } do
      local line = fault { CONTROL_AUTH = "none", APP_HOST = host }
      assert.truthy(line:find("CONTROL_AUTH_NONE_ANYWHERE=true"), host)
    end
  end)

  it("allows open control on a loopback address, with a warning", function()
    for _, host in ipairs { "127.0.0.1", "127.8.8.8", "::1", "localhost", "LOCALHOST" } do
      local warnings = warnings_of { CONTROL_AUTH = "none", APP_HOST = host, CONTROL_KEY = "" }
      assert.same({ "CONTROL_AUTH is none: everybody who reaches this server controls it" }, warnings, host)
    end
  end)

  it("allows open control anywhere when that is said explicitly", function()
    assert.equal(1, #warnings_of { CONTROL_AUTH = "none", CONTROL_AUTH_NONE_ANYWHERE = "true" })
  end)

  it("wants room for at least one greatest body", function()
    assert.equal("REQUEST_MEMORY_MAX is 1mb: allowed is at least MAX_REQ_SIZE, 50mb",
      fault { REQUEST_MEMORY_MAX = "1mb", MAX_REQ_SIZE = "50mb" })
  end)
end)
