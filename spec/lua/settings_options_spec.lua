local option_types = require "settings.types"
local options = require "settings.options"

local function option_named(name)
  for _, option in ipairs(options.list()) do
    if option.name == name then return option end
  end
end

-- The typed value of one setting's text.
local function value_of(name, text)
  return option_types.parse(option_named(name), text)
end

describe("the list of settings", function()
  it("has every setting once, with a type, a sentence, and a default or what happens without", function()
    local seen = {}
    for _, option in ipairs(options.list()) do
      assert.is_nil(seen[option.name], option.name)
      seen[option.name] = true
      assert.truthy(option.name:find("^[A-Z][A-Z_]*$"), option.name)
      assert.truthy(option_types.types[option.type], option.name)
      assert.truthy(option.doc:find("^%u[^|]*%.$"), option.name)
      assert.truthy((option.default == nil) ~= (option.unset == nil), option.name)
    end
  end)

  it("has defaults and bounds that are allowed themselves", function()
    for _, option in ipairs(options.list()) do
      for _, text in ipairs { option.default or option.min, option.min, option.max } do
        assert.not_nil(option_types.parse(option, text), option.name .. " " .. text)
      end
    end
  end)

  it("has the defaults that are promised", function()
    local values = options.parse {}
    assert.same({
      3000, "HS256", 5, "key", false, 1048576, 0, "sqlite:chatty.db", { "plugins" }, { "origin", "date_time" }, {},
      1048576, 100000, 100, 65536, 25, 10, "info", "text", "development",
    }, {
      values.APP_PORT, values.JWT_ALGORITHM, values.JWT_LEEWAY, values.CONTROL_AUTH,
      values.CONTROL_AUTH_NONE_ANYWHERE, values.MAX_REQ_SIZE, values.WORKERS, values.STORE, values.PLUGINS,
      values.ENABLE, values.ALLOWED_ORIGINS, values.SESSION_QUEUE_MAX, values.SESSIONS_MAX,
      values.SESSIONS_PER_USER_MAX, values.FRAME_MAX, values.PING_INTERVAL, values.PING_TIMEOUT,
      values.LOG_LEVEL, values.LOG_FORMAT, values.CHATTY_ENV,
    })
    assert.is_nil(values.APP_HOST)
    assert.is_nil(values.JWT_SECRET)
    assert.same({}, values.CONTROL_KEY)
  end)
end)

describe("a size", function()
  it("is read with every unit, in any case, with a fraction or a blank", function()
    local sizes = { ["1048576"] = 1048576, ["2048b"] = 2048, ["512kb"] = 524288, ["50MB"] = 52428800,
      ["1gb"] = 1073741824, ["1.5mb"] = 1572864, ["2 Kb"] = 2048, [" 1mb "] = 1048576 }
    for text, bytes in pairs(sizes) do
      local value = value_of("MAX_REQ_SIZE", text)
      assert.equal(bytes, value, text)
      assert.equal("integer", math.type(value), text)
    end
  end)

  it("is refused with other units, signs, words or no number", function()
    for _, text in ipairs { "50xb", "1tb", "-1mb", "+1mb", "mb", "1e6", "0x100000", "1 mb x", "1..5mb", "inf",
      "1,5mb", "99999999999999999999" } do
      assert.is_nil(value_of("MAX_REQ_SIZE", text), text)
    end
  end)

  it("is refused beyond its bounds", function()
    assert.is_nil(value_of("MAX_REQ_SIZE", "1023b"))
    assert.equal(1024, value_of("MAX_REQ_SIZE", "1kb"))
    assert.equal(1073741824, value_of("MAX_REQ_SIZE", "1gb"))
    assert.is_nil(value_of("MAX_REQ_SIZE", "1.01gb"))
  end)
end)

describe("a duration", function()
  it("is read with every unit; a plain number is seconds", function()
    local durations = { ["250ms"] = 0.25, ["25s"] = 25, ["1m"] = 60, ["1h"] = 3600, ["25"] = 25,
      ["1.5S"] = 1.5, ["0.5m"] = 30, ["1.001s"] = 1.001 }
    for text, seconds in pairs(durations) do assert.equal(seconds, value_of("PING_INTERVAL", text), text) end
    assert.equal("integer", math.type(value_of("PING_INTERVAL", "25000ms")))
  end)

  it("is refused with other units and beyond its bounds", function()
    for _, text in ipairs { "1d", "5 minutes", "-1s", "", "s", "49ms", "3601s", "25000" } do
      assert.is_nil(value_of("PING_INTERVAL", text), text)
    end
    assert.equal(0, value_of("JWT_LEEWAY", "0"))
    assert.is_nil(value_of("JWT_LEEWAY", "5.01m"))
  end)
end)

describe("an integer", function()
  it("is read in decimal, within its bounds", function()
    assert.equal(0, value_of("APP_PORT", "0"))
    assert.equal(65535, value_of("APP_PORT", " 65535 "))
    for _, text in ipairs { "65536", "-1", "1.0", "0x1F", "3000x", "", "1e3", "99999999999999999999" } do
      assert.is_nil(value_of("APP_PORT", text), text)
    end
  end)
end)

describe("a boolean", function()
  it("is read from the usual words", function()
    for _, text in ipairs { "true", "YES", "on", "1" } do
      assert.is_true(value_of("CONTROL_AUTH_NONE_ANYWHERE", text))
    end
    for _, text in ipairs { "false", "No", "off", "0" } do
      assert.is_false(value_of("CONTROL_AUTH_NONE_ANYWHERE", text))
    end
    assert.is_nil(value_of("CONTROL_AUTH_NONE_ANYWHERE", "maybe"))
  end)
end)

describe("a choice", function()
  it("is read in any case and given as it is listed", function()
    assert.equal("RS256", value_of("JWT_ALGORITHM", "rs256"))
    assert.equal("json", value_of("LOG_FORMAT", "JSON"))
    assert.is_nil(value_of("JWT_ALGORITHM", "none"))
    assert.is_nil(value_of("JWT_ALGORITHM", "HS2567"))
  end)
end)

describe("a text", function()
  it("has no control characters and is UTF-8, unless it is a secret", function()
    assert.equal("chat.example.com", value_of("JWT_ISSUER", " chat.example.com "))
    assert.is_nil(value_of("JWT_ISSUER", "a\nb"))
    assert.is_nil(value_of("JWT_ISSUER", "a\255b"))
    assert.equal(" a\n\255 ", value_of("JWT_SECRET", " a\n\255 "))
    assert.is_nil(value_of("JWT_SECRET", ("x"):rep(4097)))
  end)
end)

describe("a list", function()
  it("has its items once, without blanks around them and without empty ones", function()
    assert.same({ "a_long_key", "b" }, value_of("CONTROL_KEY", " a_long_key , b,,b,"))
    assert.same({ "plugins", "/opt/my plugins" }, value_of("PLUGINS", "plugins:/opt/my plugins"))
    assert.is_nil(value_of("CONTROL_KEY", " , "))
  end)

  it("is empty for the word none where a default stands against it", function()
    assert.same({}, value_of("ENABLE", "none"))
    assert.same({}, value_of("PLUGINS", "None"))
    assert.same({ "none" }, value_of("CONTROL_KEY", "none"))
  end)

  it("is refused for one wrong item", function()
    assert.is_nil(value_of("ENABLE", "origin,../evil"))
    assert.is_nil(value_of("CONTROL_KEY", "good,not good"))
  end)

  it("holds origins as browsers write them", function()
    assert.same({ "https://app.example.com", "http://localhost:8080", "http://[::1]:9" },
      value_of("ALLOWED_ORIGINS", "https://App.Example.com:443, http://localhost:8080, http://[::1]:9"))
    for _, text in ipairs { "*", "app.example.com", "https://a.b/", "https://a.b/c", "https://",
      "https://*.a.b", "https://u@a.b", "null" } do
      assert.is_nil(value_of("ALLOWED_ORIGINS", text), text)
    end
  end)
end)

describe("canonical text", function()
  it("is read back as the same values", function()
    local settings = assert(options.read { environment = {
      APP_HOST = "::1", MAX_REQ_SIZE = "1.5mb", PING_INTERVAL = "250ms", JWT_LEEWAY = "1m", ENABLE = "none",
      CONTROL_KEY = "a, b", CONTROL_AUTH_NONE_ANYWHERE = "yes", PLUGINS = "x:y", JWT_SECRET = " s ",
      LOG_LEVEL = "WARN", ALLOWED_ORIGINS = "http://A",
    } })
    assert.same({
      "::1", "1572864b", "250ms", "60000ms", "none", "a,b", "true", "x:y", " s ", "warn", "http://a",
    }, {
      settings.APP_HOST, settings.MAX_REQ_SIZE, settings.PING_INTERVAL, settings.JWT_LEEWAY, settings.ENABLE,
      settings.CONTROL_KEY, settings.CONTROL_AUTH_NONE_ANYWHERE, settings.PLUGINS, settings.JWT_SECRET,
      settings.LOG_LEVEL, settings.ALLOWED_ORIGINS,
    })
    local values = options.parse(settings)
    assert.same({ 1572864, 0.25, 60, {}, { "a", "b" }, true, " s " }, {
      values.MAX_REQ_SIZE, values.PING_INTERVAL, values.JWT_LEEWAY, values.ENABLE, values.CONTROL_KEY,
      values.CONTROL_AUTH_NONE_ANYWHERE, values.JWT_SECRET,
    })
    for _, option in ipairs(options.list()) do
      local value = values[option.name]
      if settings[option.name] ~= "" then
        assert.equal(settings[option.name], option_types.encode(option, value), option.name)
      end
    end
  end)

  it("gives all defaults from the texts that reading nothing gives", function()
    assert.same(options.parse {}, options.parse(assert(options.read {})))
  end)

  it("of another make is a programmer's mistake", function()
    assert.has_error(function() options.parse { APP_PORT = "many" } end)
  end)
end)

describe("a shown setting", function()
  local function show(name, text) return options.show(option_named(name), text) end

  it("has the handiest unit", function()
    assert.equal("50mb", show("MAX_REQ_SIZE", "52428800b"))
    assert.equal("1536kb", show("MAX_REQ_SIZE", "1572864b"))
    assert.equal("500b", show("BODY_RATE_MIN", "500b"))
    assert.equal("0b", show("BODY_RATE_MIN", "0b"))
    assert.equal("75s", show("IDLE_TIMEOUT", "75000ms"))
    assert.equal("1h", show("IDLE_TIMEOUT", "3600000ms"))
    assert.equal("1500ms", show("IDLE_TIMEOUT", "1500ms"))
    assert.equal("0s", show("JWT_LEEWAY", "0ms"))
  end)

  it("says of a secret only whether it is set", function()
    assert.equal("(set)", show("JWT_SECRET", "very secret"))
    assert.equal("(not set)", show("JWT_SECRET", ""))
    assert.equal("(set)", show("CONTROL_KEY", "a,b"))
  end)

  it("says what happens when it is not set", function()
    assert.equal("(all interfaces)", show("APP_HOST", ""))
    assert.equal("(same origin)", show("ALLOWED_ORIGINS", ""))
  end)
end)
