-- The command line of the real program (CONTRACT 5): errors are one line on stderr; exit 0 good, 1 failed, 2 wrong
-- usage.
local cjson = require "cjson"
local client = require "spec.support.client"
local http = require "spec.support.http"
local pkey = require "openssl.pkey"
local bignum = require "openssl.bignum"
local server = require "spec.support.server"
local token = require "spec.support.token"
local uv = require "luv"

-- What server.run would set; these stories begin with nothing.
local NOTHING = { APP_HOST = false, APP_PORT = false, CONTROL_KEY = false, JWT_SECRET = false, LOG_LEVEL = false,
  WORKERS = false }

local SECRET = "a-secret-of-the-command-line-0123456789"

local function with(settings)
  local all = {}
  for name in pairs(NOTHING) do all[name] = false end
  for name, value in pairs(settings or {}) do all[name] = value end
  return all
end

-- Runs the program with nothing but these settings.
local function run(args, settings, more)
  local options = { args = args, settings = with(settings) }
  for name, value in pairs(more or {}) do options[name] = value end
  return assert(server.run(options))
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "a"
  file:close()
  return text
end

local function lines(text)
  local list = {}
  for line in (text .. "\n"):gmatch("([^\n]*)\n") do
    if line ~= "" then list[#list + 1] = line end
  end
  return list
end

-- Exit code, what is on stdout, and how many lines are on stderr.
local function failure(result) return { result.code, result.out, #lines(result.err) } end

describe("a wrong command line", function()
  local wrong = {
    ["an unknown command"] = { { "fly" }, "unknown command \"fly\"" },
    ["a mistyped command, naming the one that was meant"] = { { "sreve" }, "did you mean serve" },
    ["an unknown flag"] = { { "--fly" }, "unknown flag --fly" },
    ["an unknown flag of a command"] = { { "token", "--fly" }, "unknown flag --fly" },
    ["an unknown short flag"] = { { "-x" }, "unknown flag -x" },
    ["a mistyped setting, naming the one that was meant"] = { { "serve", "--app-prot=1" }, "did you mean --app-port" },
    ["a flag without its value"] = { { "serve", "--app-port" }, "--app-port has no value" },
    ["a value for a flag that takes none"] = { { "config", "--json=yes" }, "--json takes no value" },
    ["an argument too many"] = { { "version", "now" }, "unexpected argument \"now\"" },
    ["help for an unknown command"] = { { "help", "fly" }, "unknown command \"fly\"" },
    ["a token for nobody"] = { { "token" }, "--sub" },
    ["a token for ever"] = { { "token", "--sub", "ann", "--ttl", "ever" }, "--ttl is \"ever\"" },
    ["a claim without a value"] = { { "token", "--sub", "ann", "--claim", "x" }, "--claim is \"x\"" },
    ["a claim that has a flag of its own"] = { { "token", "--sub", "ann", "--claim", "exp=1" }, "--ttl" },
    ["a token to make and to check"] = { { "token", "--sub", "ann", "--check", "x" }, "--check stands alone" },
  }
  for what, case in pairs(wrong) do
    it("with " .. what .. " is told in one line and exits with 2", function()
      local result = run(case[1], { JWT_SECRET = SECRET })
      assert.same({ 2, "", 1 }, failure(result))
      assert.matches(case[2], result.err, 1, true)
    end)
  end

  it("shows no control characters of what was typed", function()
    local result = run{ "a\27[31m\nb" }
    assert.same({ 2, "", 1 }, failure(result))
    assert.is_nil(result.err:find("\27", 1, true))
  end)
end)

describe("chatty version", function()
  it("prints one line, by any of its names", function()
    local first = run{ "version" }
    assert.equal(0, first.code)
    assert.matches("^chatty %d+%.%d+%.%d+$", first.out)
    for _, name in ipairs{ "--version", "-V" } do assert.equal(first.out, run{ name }.out) end
  end)
end)

local COMMANDS = { "serve", "init", "config", "routes", "token", "test", "health", "version", "help" }

describe("chatty help", function()
  it("names every command", function()
    local result = run{ "help" }
    assert.equal(0, result.code)
    for _, name in ipairs(COMMANDS) do
      assert.matches("\n  " .. name .. " +%u", result.out)
    end
  end)

  it("tells about each command, and so does its --help", function()
    for _, name in ipairs(COMMANDS) do
      local result = run{ "help", name }
      assert.equal(0, result.code)
      assert.matches("^usage: chatty", result.out)
      assert.equal(result.out, run{ name, "--help" }.out)
    end
  end)

  it("lists every setting as a flag of serve", function()
    local text = run{ "help", "serve" }.out
    for name in pairs(cjson.decode(run{ "config", "--json" }.out)) do
      assert.matches("--" .. name:lower():gsub("_", "-") .. " ", text, 1, true)
    end
  end)

  it("comes without a command too", function()
    assert.equal(run{ "help" }.out, run{ "--help" }.out)
    assert.equal(run{ "help" }.out, run{ "-h" }.out)
  end)
end)

describe("chatty init", function()
  it("writes a .env for its owner alone, with two random secrets, and a first plugin", function()
    local result = run{ "init" }
    assert.same({ 0, "" }, { result.code, result.err })
    assert.equal(tonumber("600", 8), uv.fs_stat(result.folder .. "/.env").mode & tonumber("777", 8))
    local text = read(result.folder .. "/.env")
    local secret, key = text:match("\nJWT_SECRET=(%S+)"), text:match("\nCONTROL_KEY=(%S+)")
    assert.is_true(#secret >= 32 and #key >= 32 and secret ~= key)
    assert.is_truthy(uv.fs_stat(result.folder .. "/plugins/hello.lua"))
  end)

  it("writes other secrets each time", function()
    assert.not_equal(read(run{ "init" }.folder .. "/.env"), read(run{ "init" }.folder .. "/.env"))
  end)

  it("does not print the secrets", function()
    local result = run{ "init" }
    for value in read(result.folder .. "/.env"):gmatch("=(%S+)") do
      assert.is_nil(result.out:find(value, 1, true))
    end
  end)

  it("overwrites nothing", function()
    local folder = run{ "init" }.folder
    local env = read(folder .. "/.env")
    local result = run({ "init" }, {}, { folder = folder, files = { ["plugins/hello.lua"] = "return 1" } })
    assert.equal(0, result.code)
    assert.same({ env, "return 1" }, { read(folder .. "/.env"), read(folder .. "/plugins/hello.lua") })
    assert.matches(".env exists", result.out, 1, true)
  end)

  it("writes a plugin whose spec passes at once", function()
    local folder = run{ "init" }.folder
    local result = run({ "test" }, {}, { folder = folder })
    assert.same({ 0, "" }, { result.code, result.err })
    assert.matches("\n3 successes / 0 failures / 0 errors / 0 pending", result.out, 1, true)
  end)

  it("writes what is missing beside what is there", function()
    local result = run({ "init" }, {}, { files = { [".env"] = "JWT_SECRET=mine\n" } })
    assert.equal("JWT_SECRET=mine\n", read(result.folder .. "/.env"))
    assert.matches("api = 1", read(result.folder .. "/plugins/hello.lua"), 1, true)
  end)

  it("says in one line why it cannot write", function()
    local result = run({ "init" }, {}, { files = { plugins = "no folder" } })
    assert.equal(1, result.code)
    assert.equal(1, #lines(result.err))
    assert.matches("plugins/hello.lua", result.err, 1, true)
  end)

  it("makes what serve needs: the server starts, its key controls, and the plugin answers", function()
    local folder = run{ "init" }.folder
    local env = read(folder .. "/.env")
    local secret, key = env:match("\nJWT_SECRET=(%S+)"), env:match("\nCONTROL_KEY=(%S+)")
    local chatty = server.start{ folder = folder, settings = { JWT_SECRET = false, CONTROL_KEY = false } }
    local ann = { Authorization = "Bearer " .. token.make("ann", secret) }
    assert.same({ msg = "hello ann" }, chatty:request{ path = "/hello", headers = ann }.json())
    assert.equal(401, chatty:request{ path = "/hello" }.status)
    assert.equal(200, chatty:request{ path = "/control/search/users", headers = { ["X-API-Key"] = key } }.status)
  end)

  it("makes a token command that works", function()
    local folder = run{ "init" }.folder
    local text = run({ "token", "--sub", "ann" }, {}, { folder = folder }).out
    assert.equal(0, run({ "token", "--check", text }, {}, { folder = folder }).code)
  end)
end)

describe("chatty config", function()
  local SETTINGS = { JWT_SECRET = SECRET, CONTROL_KEY = "first-key-0123456789,second-key-0123456789", PORT = "4567" }

  it("prints every setting with value, source and meaning", function()
    local result = run({ "config" }, SETTINGS)
    assert.equal(0, result.code)
    assert.matches("\nAPP_PORT +4567 +environment PORT +%u", result.out)
    assert.matches("\nMAX_REQ_SIZE +1mb +default +%u", result.out)
  end)

  it("prints the same as JSON", function()
    local found = cjson.decode(run({ "config", "--json" }, SETTINGS).out)
    assert.same({ "4567", "environment PORT" }, { found.APP_PORT.value, found.APP_PORT.source })
    assert.same({ "1mb", "default" }, { found.MAX_REQ_SIZE.value, found.MAX_REQ_SIZE.source })
    for name, item in pairs(found) do assert.matches("%.$", item.doc, 1, false, name) end
  end)

  it("shows no secret, in either form", function()
    for _, args in ipairs{ { "config" }, { "config", "--json" } } do
      local result = run(args, SETTINGS)
      for _, text in ipairs{ SECRET, "first-key", "second-key" } do
        assert.is_nil((result.out .. result.err):find(text, 1, true))
      end
    end
  end)

  it("tells what would keep serve from starting", function()
    local result = run{ "config" }
    assert.equal(0, result.code)
    assert.matches("serve would not start: JWT_SECRET is not set", result.err, 1, true)
  end)
end)

describe("chatty routes", function()
  local PLUGIN = [[
return { api = 1, setup = function(app)
  local function answer() end
  app:get("/mine/:id", { auth = "jwt", doc = "My own." }, answer)
  app:post("/mine", { auth = "control:mine" }, answer)
  app:delete("/mine", { auth = function() return "me" end }, answer)
end }]]

  it("prints each route with its plugin and guard", function()
    local result = run({ "routes" }, {}, { plugins = { shop = PLUGIN } })
    assert.same({ 0, "" }, { result.code, result.err })
    assert.matches("\nGET +/mine/:id +shop +jwt +My own%.\n", result.out)
    assert.matches("\nPOST +/mine +shop +control:mine\n", result.out)
    assert.matches("\nDELETE +/mine +shop +function\n", result.out)
    assert.matches("\nPOST +/control/notify +chatty +control:notify +%u", result.out)
    assert.matches("\nGET +/healthz +chatty +none +%u", result.out)
  end)

  it("prints the same as JSON", function()
    local found = {}
    for _, route in ipairs(cjson.decode(run({ "routes", "--json" }, {}, { plugins = { shop = PLUGIN } }).out)) do
      found[route.method .. " " .. route.path] = route
    end
    assert.same({ method = "GET", path = "/mine/:id", plugin = "shop", guard = "jwt", doc = "My own." },
      found["GET /mine/:id"])
    assert.equal("control:subscribe", found["POST /control/subscription/subscribe"].guard)
  end)

  it("needs no secret", function()
    assert.equal(0, run{ "routes" }.code)
  end)

  it("tells in one line what is wrong with a plugin", function()
    local result = run({ "routes" }, {}, { plugins = { bad = "return {\n" } })
    assert.same({ 1, "", 1 }, failure(result))
    assert.matches("plugin bad: plugins/bad.lua:", result.err, 1, true)
  end)

  it("adds the traceback with -v", function()
    local result = run({ "routes", "-v" }, {}, { plugins = { bad = "return {\n" } })
    assert.equal(1, result.code)
    assert.matches("stack traceback", result.err, 1, true)
  end)
end)

describe("chatty token", function()
  local function make(args, settings)
    local result = run({ "token", table.unpack(args) }, settings or { JWT_SECRET = SECRET })
    assert.same({ 0, "" }, { result.code, result.err })
    return result.out
  end

  local function check(text, settings)
    return run({ "token", "--check", text }, settings or { JWT_SECRET = SECRET })
  end

  -- The claims that --check prints in its second line.
  local function claims(text, settings)
    local result = check(text, settings)
    assert.equal(0, result.code)
    return cjson.decode(lines(result.out)[2])
  end

  it("prints a token for a user, of one hour, and nothing else", function()
    local text = make{ "--sub", "ann" }
    assert.matches("^[%w_-]+%.[%w_-]+%.[%w_-]+$", text)
    local found = claims(text)
    assert.same({ "ann", 3600 }, { found.sub, found.exp - found.iat })
    assert.is_true(math.abs(found.iat - os.time()) < 60)
  end)

  it("takes time, role and claims", function()
    local found = claims(make{ "--sub=ann", "--ttl=2m", "--role", "control", "--claim", "team=red", "--claim",
      "list=[1,\"a\"]", "--claim", "text=a=b" })
    assert.same({ 120, "control", "red", { 1, "a" }, "a=b" },
      { found.exp - found.iat, found.role, found.team, found.list, found.text })
  end)

  it("checks a token: who it is for and how long", function()
    local result = check(token.make("ann", SECRET, 60))
    assert.equal(0, result.code)
    assert.matches("^valid: user ann, expires %d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%dZ\n", result.out)
  end)

  it("says in one line why a token is not valid, and exits with 1", function()
    for what, text in pairs{
      ["made with another secret"] = token.make("ann", "another-secret-0123456789"),
      ["no token at all"] = "nonsense",
      ["empty"] = ".",
      ["over"] = token.make("ann", SECRET, -60),
      ["of nobody"] = token.make({ role = "control" }, SECRET),
      ["of no algorithm"] = token.make("ann", "", 60, { alg = "none" }),
    } do
      assert.same({ 1, "", 1 }, failure(check(text)), what)
    end
  end)

  it("needs a secret, and says so in one line", function()
    for _, args in ipairs{ { "token", "--sub", "ann" }, { "token", "--check", "x" } } do
      local result = run(args)
      assert.same({ 1, "", 1 }, failure(result))
      assert.matches("JWT_SECRET is not set", result.err, 1, true)
    end
  end)

  it("puts issuer and audience of the settings into its tokens, and asks for them", function()
    local settings = { JWT_SECRET = SECRET, JWT_ISSUER = "shop", JWT_AUDIENCE = "chat" }
    local found = claims(make({ "--sub", "ann" }, settings), settings)
    assert.same({ "shop", "chat" }, { found.iss, found.aud })
    assert.equal(1, check(make{ "--sub", "ann" }, settings).code)
  end)

  it("makes tokens that the server takes", function()
    local chatty = server.start()
    local text = make({ "--sub", "ann" }, { JWT_SECRET = chatty.settings.JWT_SECRET })
    local response = chatty:request{ path = "/auth/test-jwt", headers = { Authorization = "Bearer " .. text } }
    assert.same({ 200, "ann" }, { response.status, response.json().sub })
  end)

  it("makes tokens with --role control that control", function()
    local chatty = server.start()
    local text = make({ "--sub", "app", "--role", "control" }, { JWT_SECRET = chatty.settings.JWT_SECRET })
    local headers = { Authorization = "Bearer " .. text }
    assert.equal(200, chatty:request{ path = "/control/search/users", headers = headers }.status)
  end)

  describe("with key files", function()
    local function key_files(kind)
      local pair = kind == "ES256" and pkey.new{ type = "EC", curve = "prime256v1" }
        or pkey.new{ type = "RSA", bits = 2048, exp = bignum.new(65537) }
      return { ["private.pem"] = pair:toPEM("private"), ["public.pem"] = pair:toPEM("public") }
    end

    for _, algorithm in ipairs{ "RS256", "ES256" } do
      it("of " .. algorithm .. " makes and checks tokens", function()
        local settings = { JWT_ALGORITHM = algorithm, JWT_PUBLIC_KEY_FILE = "public.pem",
          JWT_PRIVATE_KEY_FILE = "private.pem" }
        local files = key_files(algorithm)
        local made = run({ "token", "--sub", "ann" }, settings, { files = files })
        assert.same({ 0, "" }, { made.code, made.err })
        local checked = run({ "token", "--check", made.out }, settings, { files = files })
        assert.same({ 0, "" }, { checked.code, checked.err })
        assert.matches("^valid: user ann", checked.out)
        local forged = run({ "token", "--check", made.out }, settings, { files = key_files(algorithm) })
        assert.same({ 1, "", 1 }, failure(forged))
      end)
    end

    it("needs both to make a token, and only the public one to check it", function()
      local files = key_files "RS256"
      local made = run({ "token", "--sub", "ann" }, { JWT_ALGORITHM = "RS256", JWT_PRIVATE_KEY_FILE = "private.pem" },
        { files = files })
      assert.same({ 1, "", 1 }, failure(made))
      assert.matches("JWT_PUBLIC_KEY_FILE is not set", made.err, 1, true)
      local text = token.make("ann", pkey.new(files["private.pem"]), 60, { alg = "RS256" })
      local checked = run({ "token", "--check", text },
        { JWT_ALGORITHM = "RS256", JWT_PUBLIC_KEY_FILE = "public.pem" }, { files = files })
      assert.same({ 0, "" }, { checked.code, checked.err })
    end)

    it("says in one line that a key is missing, cannot be read, or is none", function()
      local files = key_files "RS256"
      files["text.pem"] = "no key"
      for _, settings in ipairs{ {}, { JWT_PRIVATE_KEY_FILE = "nowhere.pem", JWT_PUBLIC_KEY_FILE = "public.pem" },
        { JWT_PRIVATE_KEY_FILE = "text.pem", JWT_PUBLIC_KEY_FILE = "text.pem" } } do
        settings.JWT_ALGORITHM = "RS256"
        local result = run({ "token", "--sub", "ann" }, settings, { files = files })
        assert.same({ 1, "", 1 }, failure(result))
        assert.matches("KEY_FILE", result.err, 1, true)
      end
    end)

    it("lets the server take the tokens that they made", function()
      local files = key_files "RS256"
      local settings = { JWT_SECRET = false, JWT_ALGORITHM = "RS256", JWT_PUBLIC_KEY_FILE = "public.pem" }
      local chatty = server.start{ settings = settings, files = files }
      local text = token.make("ann", pkey.new(files["private.pem"]), 60, { alg = "RS256" })
      local headers = { Authorization = "Bearer " .. text }
      assert.equal(200, chatty:request{ path = "/auth/test-jwt", headers = headers }.status)
    end)
  end)
end)

describe("chatty serve", function()
  it("is what chatty does without a command", function()
    local chatty = server.start{ args = { "--app-port=0" } }
    assert.equal(200, chatty:request{ path = "/healthz" }.status)
  end)

  it("takes settings as flags in both forms", function()
    local chatty = server.start{ args = { "serve", "--max-req-size", "1kb", "--url-max=300" } }
    assert.equal(413, chatty:request{ path = "/nowhere", body = ("x"):rep(1025) }.status)
    assert.equal(414, chatty:request{ path = "/" .. ("x"):rep(300) }.status)
  end)

  it("logs the port it got", function()
    local chatty = server.start{ settings = { APP_PORT = 0 } }
    assert.is_true(chatty.port > 0)
    assert.is_truthy(client.tcp(chatty.port))
  end)

  local function refused(port, host)
    local result = run({ "serve" }, { JWT_SECRET = SECRET, APP_PORT = port, APP_HOST = host or "127.0.0.1",
      CONTROL_KEY = "a-control-key-0123456789" })
    assert.same({ 1, "", 1 }, failure(result))
    return result.err
  end

  it("ends with one line when another server has the port", function()
    local other = server.start()
    assert.matches("port " .. other.port .. ": the address is in use", refused(other.port), 1, true)
    assert.equal(200, other:request{ path = "/healthz" }.status)
  end)

  it("ends with one line when another program has the port", function()
    local listener = uv.new_tcp()
    assert(listener:bind("127.0.0.1", 0))
    assert(listener:listen(1, function() end))
    local line = refused(listener:getsockname().port)
    listener:close()
    assert.matches("the address is in use", line, 1, true)
  end)

  it("ends with one line when there is no such host", function()
    assert.matches("192.0.2.1", refused(0, "192.0.2.1"), 1, true)
    assert.matches("no%.such%.host%.invalid", refused(0, "no.such.host.invalid"))
  end)

  it("takes the port again as soon as the last server has left it", function()
    local first = server.start()
    local kept = assert(client.tcp(first.port))
    kept:write("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
    assert.equal(200, http.read(kept).status)
    first:stop()
    local second = server.start{ settings = { APP_PORT = first.port } }
    assert.equal(first.port, second.port)
  end)
end)
