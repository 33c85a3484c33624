local options = require "settings.options"

-- Text and source of one setting.
local function find(name, input)
  local settings, sources = options.read(input)
  assert(settings, sources)
  return settings[name], sources[name]
end

local function fault(input)
  local settings, line = options.read(input)
  assert.is_nil(settings)
  assert.is_nil(line:find("\n"))
  return line
end

local function warnings_of(input)
  local settings, sources, warnings = options.read(input)
  assert(settings, sources)
  return warnings
end

describe("the sources of a setting", function()
  it("are its default when it stands nowhere", function()
    assert.same({ "3000", "default" }, { find("APP_PORT", {}) })
    assert.same({ "", "default" }, { find("JWT_SECRET", {}) })
  end)

  it("are the file, then the environment, then the flags, the last one winning", function()
    local input = { file = "APP_PORT=1\n" }
    assert.same({ "1", ".env APP_PORT" }, { find("APP_PORT", input) })
    input.environment = { APP_PORT = "2" }
    assert.same({ "2", "environment APP_PORT" }, { find("APP_PORT", input) })
    input.flags = { "--app-port=3" }
    assert.same({ "3", "--app-port" }, { find("APP_PORT", input) })
  end)

  it("of plugins' options go on as text, whatever they are", function()
    local settings, sources, warnings = options.read {
      file = "PLUGIN_SHOP_URL = http://a\nDEV_PLUGIN_SHOP_KEY = x\nPLUGIN_SHOP_KEY = y\nTEST_PLUGIN_SHOP_NO = z\n"
        .. "PLUGIN_SHOP_EMPTY =\nPLUGIN_OPTIONS = mine.lua\n",
      environment = { PLUGIN_SHOP_URL = "http://b", PLUGINS = "x", PLUGIN_ = "y" },
    }
    assert.same({ "http://b", "environment PLUGIN_SHOP_URL" }, { settings.PLUGIN_SHOP_URL, sources.PLUGIN_SHOP_URL })
    assert.same({ "x", ".env DEV_PLUGIN_SHOP_KEY" }, { settings.PLUGIN_SHOP_KEY, sources.PLUGIN_SHOP_KEY })
    assert.same({ "mine.lua", "x" }, { settings.PLUGIN_OPTIONS, settings.PLUGINS })
    assert.is_nil(settings.PLUGIN_SHOP_EMPTY or settings.PLUGIN_ or settings.PLUGIN_SHOP_NO)
    assert.same({}, warnings)
  end)

  it("read the seed's own .env", function()
    local settings, sources, warnings = options.read { file = [[
DEV_APP_PORT = 9999 // default is 3000
DEV_JWT_SECRET = [your jwt secret key] // (*)
DEV_MAX_REQ_SIZE = 50mb // Max http request size (*)
]] }
    assert.same({ "9999", "[your jwt secret key]", "52428800b" },
      { settings.APP_PORT, settings.JWT_SECRET, settings.MAX_REQ_SIZE })
    assert.equal(".env DEV_APP_PORT", sources.APP_PORT)
    assert.same({}, warnings)
  end)

  it("prefer the prefixed name to the plain one, and that to an alias, within one source", function()
    local names = { PORT = "1" }
    assert.same({ "1", "environment PORT" }, { find("APP_PORT", { environment = names }) })
    names.APP_PORT = "2"
    assert.same({ "2", "environment APP_PORT" }, { find("APP_PORT", { environment = names }) })
    names.DEV_APP_PORT = "3"
    assert.same({ "3", "environment DEV_APP_PORT" }, { find("APP_PORT", { environment = names }) })
  end)

  it("prefer an alias in the environment to a prefixed name in the file", function()
    assert.same({ "2", "environment PORT" },
      { find("APP_PORT", { file = "DEV_APP_PORT=1", environment = { PORT = "2" } }) })
  end)

  it("count an empty or blank value as not set", function()
    assert.same({ "1", ".env APP_PORT" },
      { find("APP_PORT", {
        file = "DEV_APP_PORT=\nAPP_PORT=1", environment = { APP_PORT = "", PORT = " " },
      }) })
  end)

  it("read no value that another one overrides", function()
    assert.equal("2", (find("APP_PORT", { file = "APP_PORT=wrong", environment = { APP_PORT = "2" } })))
  end)

  it("call the file by its name", function()
    assert.same({ "1", "conf/.env APP_PORT" },
      { find("APP_PORT", { file = "APP_PORT=1", file_name = "conf/.env" }) })
  end)
end)

describe("the prefix of names", function()
  local file = "DEV_APP_PORT=1\nTEST_APP_PORT=2\nPROD_APP_PORT=3\n"

  it("is that of development by default", function()
    assert.equal("1", (find("APP_PORT", { file = file })))
  end)

  it("is chosen by CHATTY_ENV or NODE_ENV, in the file, the environment or a flag", function()
    assert.equal("2", (find("APP_PORT", { file = file, environment = { CHATTY_ENV = "test" } })))
    assert.equal("3", (find("APP_PORT", { file = file, environment = { NODE_ENV = "production" } })))
    assert.equal("3", (find("APP_PORT", { file = file .. "CHATTY_ENV=production" })))
    assert.equal("2", (find("APP_PORT", { file = file, flags = { "--chatty-env", "test" } })))
  end)

  it("is chosen by CHATTY_ENV where both stand, and by the stronger source", function()
    local both = { CHATTY_ENV = "test", NODE_ENV = "production" }
    assert.equal("2", (find("APP_PORT", { file = file, environment = both })))
    assert.equal("3", (find("APP_PORT",
      { file = file .. "CHATTY_ENV=test", environment = { NODE_ENV = "production" } })))
  end)

  it("cannot be chosen by another word", function()
    assert.equal('CHATTY_ENV is "staging" (environment NODE_ENV): '
      .. "allowed is one of development, test, production", fault { environment = { NODE_ENV = "staging" } })
  end)
end)

describe("a wrong value", function()
  it("is told with its setting, its source and what is allowed", function()
    assert.equal('APP_PORT is "99999" (.env DEV_APP_PORT): allowed is a whole number from 0 to 65535',
      fault { file = "DEV_APP_PORT=99999" })
    assert.equal('MAX_REQ_SIZE is "2gb" (--max-req-size): allowed is a size from 1kb to 1gb (b, kb, mb, gb)',
      fault { flags = { "--max-req-size", "2gb" } })
    assert.equal('LOG_LEVEL is "loud" (environment LOG_LEVEL): allowed is one of debug, info, warn, error',
      fault { environment = { LOG_LEVEL = "loud" } })
  end)

  it("of a secret is not shown", function()
    assert.equal("CONTROL_KEY (its value is not shown) (environment CONTROL_KEY): "
      .. "allowed is keys of printable ASCII without blanks, comma separated",
      fault { environment = { CONTROL_KEY = "top secret" } })
  end)

  it("that is a URL is shown without its password", function()
    assert.equal('STORE is "redis://me:***@host/0" (environment STORE): '
      .. "allowed is memory or sqlite:PATH",
      fault { environment = { STORE = "redis://me:p@ss/word@host/0" } })
  end)

  it("is shown on one line and cut when it is long", function()
    assert.truthy(fault({ environment = { APP_PORT = "1\n2" } }):find('APP_PORT is "1?2"', 1, true))
    assert.truthy(#fault { environment = { APP_PORT = ("1"):rep(9999) } } < 200)
  end)

  it("in the file's form is told with its line", function()
    assert.equal(".env line 2 cannot be read: a line is NAME=value or a # comment",
      fault { file = "A=1\nB\n" })
  end)
end)

describe("a store", function()
  it("is memory, or a file of SQLite", function()
    assert.equal("memory", (find("STORE", { flags = { "--store=Memory" } })))
    assert.equal("sqlite:/var/lib/chatty.db", (find("STORE", { flags = { "--store=sqlite:/var/lib/chatty.db" } })))
  end)

  it("without a path, or of another kind, is refused", function()
    assert.truthy(fault({ file = "STORE=sqlite:" }):find("allowed is memory or sqlite:PATH", 1, true))
    assert.truthy(fault({ file = "STORE=mysql:chatty" }):find("allowed is memory or sqlite:PATH", 1, true))
  end)
end)

describe("flags", function()
  it("take their value after = or as the next argument", function()
    assert.equal("1", (find("APP_PORT", { flags = { "--app-port=1" } })))
    assert.equal("1", (find("APP_PORT", { flags = { "--app-port", "1" } })))
    assert.equal("a=b", (find("JWT_ISSUER", { flags = { "--jwt-issuer=a=b" } })))
  end)

  it("may stand alone when they are boolean", function()
    local name = "CONTROL_AUTH_NONE_ANYWHERE"
    assert.equal("true", (find(name, { flags = { "--control-auth-none-anywhere" } })))
    assert.equal("true", (find(name, { flags = { "--control-auth-none-anywhere", "--app-port", "1" } })))
    assert.equal("false", (find(name, { flags = { "--control-auth-none-anywhere", "no" } })))
    assert.equal("false", (find(name, { flags = { "--control-auth-none-anywhere=false" } })))
  end)

  it("count last when given twice", function()
    assert.equal("2", (find("APP_PORT", { flags = { "--app-port=1", "--app-port", "2" } })))
  end)

  it("are refused without a value", function()
    assert.equal("--app-port has no value", fault { flags = { "--app-port" } })
    assert.equal("--app-port has no value", fault { flags = { "--app-port=" } })
    assert.equal("--jwt-secret has no value", fault { flags = { "--jwt-secret", " " } })
    assert.equal("--app-port has no value", fault { flags = { "--app-port", "--app-host", "x" } })
  end)

  it("are refused when unknown, naming the nearest", function()
    assert.equal("unknown flag --app-prot, did you mean --app-port?", fault { flags = { "--app-prot=1" } })
    assert.equal("unknown flag --APP_PORT, did you mean --app-port?", fault { flags = { "--APP_PORT=1" } })
    assert.equal("unknown flag --nothing-like-it", fault { flags = { "--nothing-like-it" } })
    assert.equal("unknown flag -p", fault { flags = { "-p", "1" } })
    assert.equal("unknown flag --a?b", fault { flags = { "--a\nb" } })
  end)

  it("are refused with words between them", function()
    assert.equal('unexpected argument "now"', fault { flags = { "--app-port=1", "now" } })
  end)

  it("that show a secret to other users of the machine get a warning", function()
    assert.same({
      "JWT_SECRET is on the command line, which other users of this machine can read: put it into .env",
    }, warnings_of { flags = { "--jwt-secret=abc" } })
  end)
end)

describe("unknown names in the file", function()
  it("are reported, in the order of lines, when they look like a mistyped setting", function()
    assert.same({
      ".env line 1: APP_PROT is no setting, did you mean APP_PORT?",
      ".env line 3: DEV_MAX_REQ_SIZ is no setting, did you mean DEV_MAX_REQ_SIZE?",
      ".env line 4: app_port is no setting, did you mean APP_PORT?",
    }, warnings_of { file = "APP_PROT=1\nAPP_PORT=2\nDEV_MAX_REQ_SIZ=1mb\napp_port=4\n" })
  end)

  it("are reported when an alias or CHATTY_ENV carries a prefix", function()
    assert.same({
      ".env line 1: DEV_PORT is no setting, did you mean DEV_APP_PORT?",
      ".env line 2: TEST_NODE_ENV is no setting, did you mean CHATTY_ENV?",
    }, warnings_of { file = "DEV_PORT=1\nTEST_NODE_ENV=test\n" })
  end)

  it("may belong to other programs and to other environments", function()
    assert.same({}, warnings_of {
      file = "DATABASE_URL=x\nHOST=y\nPROD_APP_PORT=1\nTEST_JWT_SECRET=z\nSMTP_PORT=25\n",
    })
  end)

  it("in the environment say nothing", function()
    assert.same({}, warnings_of { environment = { APP_PROT = "1" } })
  end)
end)
