-- POST /auth/register: who may, what is a name and a password, and that nothing is lost.
local client = require "spec.support.client"
local fault = require "spec.support.fault"
local http = require "spec.support.http"
local server = require "spec.support.server"
local tcp = require "spec.support.tcp"

describe("POST /auth/register", function()
  local chatty

  setup(function() chatty = server.start() end)
  teardown(function() chatty:stop() end)

  local function register(name, text)
    return chatty:control("POST", "/auth/register", { username = name, password = text })
  end

  local function login(name, text, at)
    return (at or chatty):request{ path = "/auth/login", json = { username = name, password = text } }
  end

  it("adds a user who can log in", function()
    local response = register("ann", "open sesame")
    assert.same({ 200, { newUsername = "ann" } }, { response.status, response.json() })
    assert.equal(200, login("ann", "open sesame").status)
  end)

  it("is 409 for a name that is taken, whose password stays", function()
    register("bob", "open sesame")
    assert.equal("409 username-taken #/username", fault.of(register("bob", "another one")))
    assert.equal(401, login("bob", "another one").status)
    assert.equal(200, login("bob", "open sesame").status)
  end)

  it("takes one of many that want a name at once", function()
    local connections = {}
    for i = 1, 6 do
      connections[i] = tcp.open(chatty.port)
      connections[i]:write(http.encode({
        path = "/auth/register", json = { username = "wanted", password = "open sesame " .. i },
        headers = { ["X-API-Key"] = chatty.settings.CONTROL_KEY },
      }, "here"))
    end
    local count = {}
    for i, connection in ipairs(connections) do
      local status = http.read(connection).status
      count[status] = (count[status] or 0) + 1
      if status == 200 then assert.equal(200, login("wanted", "open sesame " .. i).status) end
    end
    assert.same({ [200] = 1, [409] = 5 }, count)
  end)

  for _, name in ipairs({ "Ann Smith", " ", "Ånn 李 🦊", "constructor", ("x"):rep(255) }) do
    it(("takes the name '%s'"):format(name:sub(1, 20)), function()
      assert.equal(name, register(name, "open sesame").json().newUsername)
      assert.equal(200, login(name, "open sesame").status)
      assert.equal(401, login(name, "other sesame").status)
    end)
  end

  it("refuses what is no name", function()
    for _, name in ipairs({ "", ("x"):rep(256), "a\nb", 7 }) do
      assert.equal("400 username-invalid #/username", fault.of(register(name, "open sesame")))
    end
  end)

  it("refuses passwords that are too short or too long", function()
    for _, text in ipairs({ "1234567", ("x"):rep(1025) }) do
      assert.equal("400 password-invalid #/password", fault.of(register("new", text)))
    end
    assert.equal("413 body-too-large", fault.of(register("new", ("x"):rep(1000000))))
  end)

  it("takes passwords of 8 and of 1024 bytes", function()
    for i, text in ipairs({ "éèàü", ("x"):rep(1024) }) do
      assert.equal(200, register("long" .. i, text).status)
      assert.equal(200, login("long" .. i, text).status)
    end
  end)

  it("needs control rights", function()
    local request = { path = "/auth/register", json = { username = "eve", password = "open sesame" } }
    assert.equal("401 credentials-missing Authorization:", fault.of(chatty:request(request)))
    request.headers = { Authorization = "Bearer " .. chatty:token("ann") }
    assert.equal("403 control-required", fault.of(chatty:request(request)))
  end)

  it("may be open to everybody, or off", function()
    local request = { path = "/auth/register", json = { username = "eve", password = "open sesame" } }
    local open = server.start{ settings = { REGISTRATION = "open" } }
    assert.equal(200, open:request(request).status)
    local off = server.start{ settings = { REGISTRATION = "off" } }
    assert.equal("403 registration-off", fault.of(off:request(request)))
  end)

  it("is kept: a user is there after a crash", function()
    local settings = { STORE = "sqlite:chatty.db" }
    local first = server.start{ settings = settings }
    first:control("POST", "/auth/register", { username = "ann", password = "open sesame" })
    first:kill()
    local second = server.start{ settings = settings, folder = first.folder }
    assert.equal(200, login("ann", "open sesame", second).status)
  end)

  it("takes JSON only", function()
    local response = client.request{
      port = chatty.port, method = "POST", path = "/auth/register", body = "username=a&password=b",
      headers = { ["Content-Type"] = "application/x-www-form-urlencoded",
        ["X-API-Key"] = chatty.settings.CONTROL_KEY },
    }
    assert.equal("415 content-type-unsupported Content-Type:", fault.of(response))
  end)
end)
