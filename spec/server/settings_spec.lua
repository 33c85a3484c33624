-- Settings of the real program (CONTRACT 4): where they stand, who wins, and what is said about wrong ones.
local cjson = require "cjson"
local client = require "spec.support.client"
local http = require "spec.support.http"
local server = require "spec.support.server"
local token = require "spec.support.token"
local uv = require "luv"

local SECRET = "a-secret-of-the-settings-0123456789"

-- What server.run would set; these stories begin with nothing.
local function with(settings)
  local all = { APP_HOST = false, APP_PORT = false, CONTROL_KEY = false, JWT_SECRET = false, LOG_LEVEL = false,
    WORKERS = false }
  for name, value in pairs(settings or {}) do all[name] = value end
  return all
end

local function run(args, settings, files)
  return assert(server.run{ args = args, settings = with(settings), files = files })
end

local function count_lines(text)
  local _, count = (text == "" and "" or text .. "\n"):gsub("\n", "")
  return count
end

-- Value and source of a setting, as `chatty config` tells them.
local function look(name, settings, env_file, flags)
  local args = { "config", "--json", table.unpack(flags or {}) }
  local result = run(args, settings, env_file and { [".env"] = env_file })
  assert.equal(0, result.code, result.err)
  local item = cjson.decode(result.out)[name]
  return { item.value, item.source }
end

local function free_port()
  local handle = uv.new_tcp()
  handle:bind("127.0.0.1", 0)
  local port = handle:getsockname().port
  handle:close()
  return port
end

describe("the seed's own .env", function()
  local PLACEHOLDER = "[your jwt secret key]"

  -- As it stands in the seed's document; only the port is one that is free.
  local ENV = [[
DEV_APP_PORT = %d // default is 3000
DEV_JWT_SECRET = [your jwt secret key] // (*)
DEV_MAX_REQ_SIZE = 50mb // Max http request size (*)
]]

  local port, chatty

  setup(function()
    port = free_port()
    chatty = server.start{
      settings = with{ APP_HOST = "127.0.0.1", WORKERS = 1 }, files = { [".env"] = ENV:format(port) },
    }
  end)
  teardown(function() chatty:stop() end)

  it("starts the server on its port", function()
    assert.equal(port, chatty.port)
    assert.equal(200, chatty:request{ path = "/healthz" }.status)
  end)

  it("gives the secret of the tokens, with all its blanks and brackets", function()
    local headers = { Authorization = "Bearer " .. token.make("ann", PLACEHOLDER) }
    assert.equal(200, chatty:request{ path = "/auth/test-jwt", headers = headers }.status)
    headers = { Authorization = "Bearer " .. token.make("ann", PLACEHOLDER .. " // (*)") }
    assert.equal(401, chatty:request{ path = "/auth/test-jwt", headers = headers }.status)
  end)

  it("gives the size of requests", function()
    local function answer(bytes)
      local connection = assert(client.tcp(port))
      connection:write(("POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n"):format(bytes))
      if bytes > 50 * 1024 * 1024 then return http.read(connection).status end
      connection:write(("x"):rep(bytes))
      return http.read(connection).status
    end
    assert.equal(404, answer(2 * 1024 * 1024))
    assert.equal(413, answer(50 * 1024 * 1024 + 1))
  end)

  it("brings a warning that its secret is an example's, without showing it", function()
    assert.is_truthy(chatty:wait_log(" warn .*JWT_SECRET is an example's placeholder"))
    assert.is_nil(table.concat(chatty:log(), "\n"):find(PLACEHOLDER, 1, true))
  end)

  it("is read alike when it is asked for", function()
    local env = ENV:format(9999)
    assert.same({ "9999", ".env DEV_APP_PORT" }, look("APP_PORT", {}, env))
    assert.same({ "50mb", ".env DEV_MAX_REQ_SIZE" }, look("MAX_REQ_SIZE", {}, env))
  end)
end)

describe("PORT", function()
  it("in the environment is the port, also of a .env that names another", function()
    local port = free_port()
    local chatty = server.start{
      settings = with{ PORT = port, APP_HOST = "127.0.0.1", JWT_SECRET = SECRET },
      files = { [".env"] = "DEV_APP_PORT=1\nAPP_PORT=2\n" },
    }
    assert.equal(port, chatty.port)
  end)

  it("in .env is the port", function()
    assert.same({ "4000", ".env PORT" }, look("APP_PORT", {}, "PORT=4000\n"))
  end)

  it("is 3000 when nothing is said", function()
    assert.same({ "3000", "default" }, look "APP_PORT")
  end)
end)

describe("the environment", function()
  local ENV = "DEV_APP_PORT=1\nTEST_APP_PORT=2\nPROD_APP_PORT=3\n"

  it("is development unless something else is said", function()
    assert.equal("1", look("APP_PORT", {}, ENV)[1])
  end)

  it("is chosen by CHATTY_ENV or NODE_ENV, and by CHATTY_ENV if both are there", function()
    assert.equal("2", look("APP_PORT", { CHATTY_ENV = "test" }, ENV)[1])
    assert.equal("3", look("APP_PORT", { NODE_ENV = "production" }, ENV)[1])
    assert.equal("2", look("APP_PORT", { CHATTY_ENV = "test", NODE_ENV = "production" }, ENV)[1])
  end)

  it("may be chosen in .env and by a flag", function()
    assert.equal("3", look("APP_PORT", {}, ENV .. "NODE_ENV=production\n")[1])
    assert.equal("2", look("APP_PORT", {}, ENV, { "--chatty-env=test" })[1])
  end)

  it("leaves the names of the others alone", function()
    local env = "DEV_APP_PORT=1\nTEST_APP_PORT=2\n"
    assert.same({ "3000", "default" }, look("APP_PORT", { NODE_ENV = "production" }, env))
  end)

  it("that nobody knows is told in one line", function()
    local result = run({ "serve" }, { NODE_ENV = "staging", JWT_SECRET = SECRET })
    assert.same({ 1, 1 }, { result.code, count_lines(result.err) })
    assert.matches("NODE_ENV.*one of development, test, production", result.err)
  end)
end)

describe("of two that say the same,", function()
  it("the prefixed name wins over the plain one, and that over the alias", function()
    assert.equal(".env DEV_APP_PORT", look("APP_PORT", {}, "PORT=3\nAPP_PORT=2\nDEV_APP_PORT=1\n")[2])
    assert.equal(".env APP_PORT", look("APP_PORT", {}, "PORT=3\nAPP_PORT=2\n")[2])
    assert.equal("environment DEV_APP_PORT", look("APP_PORT", { PORT = 3, APP_PORT = 2, DEV_APP_PORT = 1 })[2])
    assert.equal("environment APP_PORT", look("APP_PORT", { PORT = 3, APP_PORT = 2 })[2])
  end)

  it("the environment wins over .env, whatever the names", function()
    assert.same({ "2", "environment PORT" }, look("APP_PORT", { PORT = 2 }, "DEV_APP_PORT=1\n"))
  end)

  it("a flag wins over both", function()
    assert.same({ "3", "--app-port" }, look("APP_PORT", { DEV_APP_PORT = 2 }, "DEV_APP_PORT=1\n", { "--app-port=3" }))
  end)

  it("the last line of .env wins", function()
    assert.equal("2", look("APP_PORT", {}, "APP_PORT=1\nAPP_PORT=2\n")[1])
  end)

  it("an empty one does not count", function()
    assert.equal("1", look("APP_PORT", { APP_PORT = "" }, "APP_PORT=1\n")[1])
    assert.equal("2", look("APP_PORT", {}, "DEV_APP_PORT=\nAPP_PORT=2\n")[1])
  end)
end)

describe("a line of .env", function()
  local cases = {
    ["may have blanks around ="] = { "APP_HOST   =   a.example  \n", "a.example" },
    ["may have none"] = { "APP_HOST=a.example\n", "a.example" },
    ["may have double quotes"] = { 'APP_HOST = "a # b // c"\n', "a # b // c" },
    ["may have single quotes"] = { "APP_HOST='a # b // c' # d\n", "a # b // c" },
    ["may end with a # comment"] = { "APP_HOST=a.example # where it is\n", "a.example" },
    ["may end with a // comment"] = { "APP_HOST=a.example // where it is\n", "a.example" },
    ["may have marks of comments inside words"] = { "APP_HOST=http://a#b\n", "http://a#b" },
    ["may follow comments, blank lines and other programs' settings"] =
      { "# one\n\n  // two\nDATABASE_URL=x\nAPP_HOST=a.example", "a.example" },
    ["may be exported"] = { "export APP_HOST=a.example\n", "a.example" },
    ["may end as on Windows"] = { "APP_HOST=a.example\r\n", "a.example" },
    ["may follow a byte order mark"] = { "\239\187\191APP_HOST=a.example\n", "a.example" },
  }
  for what, case in pairs(cases) do
    it(what, function() assert.equal(case[2], look("APP_HOST", {}, case[1])[1]) end)
  end

  it("that cannot be read ends the start with one line that names it", function()
    for _, env in ipairs{ "APP_HOST=a\nwhat is this\n", "APP_HOST=a\nJWT_SECRET=\"open\n" } do
      local result = run({ "serve" }, {}, { [".env"] = env })
      assert.same({ 1, 1, "" }, { result.code, count_lines(result.err), result.out })
      assert.matches(".env line 2 cannot be read", result.err, 1, true)
    end
  end)

  it("that looks like a mistyped setting is reported when the server starts", function()
    local chatty = server.start{ files = { [".env"] = "DEV_MAX_REQ_SIZ=50mb\n" } }
    assert.is_truthy(chatty:wait_log
      " warn .*%.env line 1: DEV_MAX_REQ_SIZ is no setting, did you mean DEV_MAX_REQ_SIZE")
  end)
end)

describe("a .env that is there and cannot be read", function()
  it("ends the start with one line", function()
    local result = run({ "serve" }, { JWT_SECRET = SECRET }, { [".env/file"] = "a folder" })
    assert.same({ 1, 1, "" }, { result.code, count_lines(result.err), result.out })
    assert.matches(".env", result.err, 1, true)
  end)
end)

describe("a missing JWT_SECRET", function()
  it("ends the start with one line that says how to make one", function()
    for _, args in ipairs{ { "serve" }, {} } do
      local result = run(args)
      assert.same({ 1, 1, "" }, { result.code, count_lines(result.err), result.out })
      assert.matches("JWT_SECRET is not set.*chatty init.*openssl rand", result.err)
    end
  end)

  it("is one also when it is empty", function()
    assert.equal(1, run({ "serve" }, {}, { [".env"] = "JWT_SECRET=\nDEV_JWT_SECRET = // (*)\n" }).code)
  end)

  it("is not missed with an algorithm of key files, whose key is", function()
    local result = run({ "serve" }, { JWT_ALGORITHM = "RS256" })
    assert.same({ 1, 1 }, { result.code, count_lines(result.err) })
    assert.matches("JWT_PUBLIC_KEY_FILE is not set", result.err, 1, true)
  end)
end)

describe("a wrong value", function()
  local wrong = {
    { "APP_PORT", "abc", "a whole number from 0 to 65535" },
    { "APP_PORT", "65536", "a whole number from 0 to 65535" },
    { "APP_PORT", "-1", "a whole number from 0 to 65535" },
    { "APP_PORT", "80.5", "a whole number from 0 to 65535" },
    { "APP_PORT", "99999999999999999999", "a whole number from 0 to 65535" },
    { "WORKERS", "257", "a whole number from 0 to 256" },
    { "LOG_LEVEL", "loud", "one of debug, info, warn, error" },
    { "LOG_FORMAT", "xml", "one of text, json" },
    { "JWT_ALGORITHM", "none", "one of HS256" },
    { "CONTROL_AUTH", "off", "one of key, none" },
    { "MAX_REQ_SIZE", "50xb", "a size from 1kb to 1gb" },
    { "MAX_REQ_SIZE", "0", "a size from 1kb to 1gb" },
    { "MAX_REQ_SIZE", "2gb", "a size from 1kb to 1gb" },
    { "MAX_REQ_SIZE", "mb", "a size from 1kb to 1gb" },
    { "PING_INTERVAL", "soon", "a duration from 50ms to 1h" },
    { "PING_INTERVAL", "2h", "a duration from 50ms to 1h" },
    { "STOP_TIMEOUT", "-1s", "a duration from 0s to 10m" },
    { "CONTROL_AUTH_NONE_ANYWHERE", "maybe", "true or false" },
    { "ALLOWED_ORIGINS", "example.com", "origins such as https://" },
    { "ALLOWED_ORIGINS", "https://a.example/path", "origins such as https://" },
    { "ALLOWED_ORIGINS", "*", "origins such as https://" },
    { "ENABLE", "../evil", "names of plugins" },
    { "APP_HOST", "a\27b", "plain text" },
  }
  for _, case in ipairs(wrong) do
    local name, value, allowed = table.unpack(case)
    it(("of %s, %q, ends the start with one line that says what is allowed"):format(name, value), function()
      local result = run({ "serve" }, { JWT_SECRET = SECRET, [name] = value })
      assert.same({ 1, 1, "" }, { result.code, count_lines(result.err), result.out })
      assert.matches(name, result.err, 1, true)
      assert.matches((value:gsub("%c", "?")), result.err, 1, true)
      assert.matches("allowed is " .. allowed, result.err, 1, true)
    end)
  end

  it("names the place where it stands", function()
    assert.matches(".env DEV_APP_PORT", run({ "serve" }, {}, { [".env"] = "DEV_APP_PORT=x\n" }).err, 1, true)
    assert.matches("environment TEST_APP_PORT",
      run({ "serve" }, { CHATTY_ENV = "test", TEST_APP_PORT = "x" }).err, 1, true)
    assert.matches("--app-port", run{ "serve", "--app-port=x" }.err, 1, true)
  end)

  it("of a secret is not shown", function()
    local result = run({ "serve" }, { JWT_SECRET = SECRET, CONTROL_KEY = "top secret" })
    assert.same({ 1, 1 }, { result.code, count_lines(result.err) })
    assert.matches("CONTROL_KEY", result.err, 1, true)
    assert.is_nil(result.err:find("top secret", 1, true))
  end)

  it("of the store is shown without its password", function()
    local result = run({ "serve" }, { JWT_SECRET = SECRET, STORE = "redis://user:pass-of-redis@host/0" })
    assert.same({ 1, 1 }, { result.code, count_lines(result.err) })
    assert.matches("STORE", result.err, 1, true)
    assert.is_nil(result.err:find("pass-of-redis", 1, true))
  end)

  it("is one also when two settings do not go together", function()
    local result = run({ "serve" }, { JWT_SECRET = SECRET, MAX_REQ_SIZE = "500mb" })
    assert.same({ 1, 1 }, { result.code, count_lines(result.err) })
    assert.matches("REQUEST_MEMORY_MAX is 256mb: allowed is at least MAX_REQ_SIZE, 500mb", result.err, 1, true)
  end)

  it("of a key file is told in one line", function()
    local settings = { JWT_ALGORITHM = "RS256", JWT_PUBLIC_KEY_FILE = "key.pem" }
    for _, files in ipairs{ {}, { ["key.pem"] = "no key" }, { ["key.pem"] = "" }, { ["key.pem/file"] = "a folder" } } do
      local result = run({ "serve" }, settings, files)
      assert.same({ 1, 1, "" }, { result.code, count_lines(result.err), result.out })
      assert.matches("JWT_PUBLIC_KEY_FILE", result.err, 1, true)
    end
  end)

  it("is a public key as the secret of HS256", function()
    local result = run({ "serve" }, { JWT_SECRET = token.key_pair("ES256").public })
    assert.same({ 1, 1 }, { result.code, count_lines(result.err) })
    assert.matches("JWT_SECRET holds a PEM key", result.err, 1, true)
  end)
end)

describe("CONTROL_AUTH=none", function()
  it("is refused where other machines can come", function()
    for _, host in ipairs{ "0.0.0.0", "::", "192.0.2.1", "example.com" } do
      local result = run({ "serve" }, { JWT_SECRET = SECRET, CONTROL_AUTH = "none", APP_HOST = host })
      assert.same({ 1, 1 }, { result.code, count_lines(result.err) })
      assert.matches("CONTROL_AUTH_NONE_ANYWHERE", result.err, 1, true)
    end
    assert.equal(1, run({ "serve" }, { JWT_SECRET = SECRET, CONTROL_AUTH = "none" }).code)
  end)

  it("lets everybody control on a loopback address, with a warning", function()
    local chatty = server.start{ settings = { CONTROL_AUTH = "none", CONTROL_KEY = false } }
    assert.equal(200, chatty:request{ path = "/control/search/users" }.status)
    assert.is_truthy(chatty:wait_log(" warn .*CONTROL_AUTH is none"))
  end)

  it("is taken anywhere when a second setting says so", function()
    local chatty = server.start{ settings = {
      CONTROL_AUTH = "none", CONTROL_AUTH_NONE_ANYWHERE = "true", APP_HOST = "0.0.0.0" } }
    assert.equal(200, chatty:request{ path = "/control/search/users" }.status)
  end)
end)

describe("a doubtful value", function()
  it("of a secret brings a warning that does not show it", function()
    local chatty = server.start{ settings = { JWT_SECRET = "short-1", CONTROL_KEY = "short-2" } }
    assert.is_truthy(chatty:wait_log(" warn .*JWT_SECRET has only 7 bytes"))
    assert.is_truthy(chatty:wait_log(" warn .*CONTROL_KEY has a key of only 7 bytes"))
    assert.is_nil(table.concat(chatty:log(), "\n"):find("short-", 1, true))
  end)

  it("is a secret on the command line", function()
    local chatty = server.start{ args = { "serve", "--jwt-secret=" .. SECRET } }
    assert.is_truthy(chatty:wait_log(" warn .*JWT_SECRET is on the command line"))
  end)

  it("is no control key at all", function()
    local chatty = server.start{ settings = { CONTROL_KEY = false } }
    assert.is_truthy(chatty:wait_log(" warn .*CONTROL_KEY is not set"))
    assert.equal(401, chatty:request{ path = "/control/search/users" }.status)
  end)
end)
