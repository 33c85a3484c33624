-- POST /auth/login: the cookie, the token in it, wrong passwords, the limits, and hashes of other kinds.
local fault = require "spec.support.fault"
local http = require "spec.support.http"
local server = require "spec.support.server"
local tcp = require "spec.support.tcp"
local wait = require "spec.support.wait"

local SQLITE = { STORE = "sqlite:chatty.db" }

describe("POST /auth/login", function()
  local chatty

  setup(function()
    chatty = server.start{ settings = { LOGIN_RATE_MAX = 1000, PASSWORD_JOBS_MAX = 16 } }
    chatty:control("POST", "/auth/register", { username = "ann", password = "open sesame" })
  end)
  teardown(function() chatty:stop() end)

  local function login(name, text, headers, at)
    return (at or chatty):request{
      path = "/auth/login", json = { username = name, password = text }, headers = headers,
    }
  end

  local function token_of(response)
    return response.headers["set-cookie"]:match("^jwt=([^;]+);")
  end

  local function test_jwt(headers, at)
    return (at or chatty):request{ path = "/auth/test-jwt", headers = headers }
  end

  it("gives a cookie with a token of the user", function()
    local response = login("ann", "open sesame", { Host = "chat.example" })
    assert.same({ 200, { msg = "Logged in." } }, { response.status, response.json() })
    assert.matches("; Max%-Age=43200; HttpOnly; Secure; SameSite=Lax$", response.headers["set-cookie"])
    assert.equal("ann", test_jwt{ Cookie = "jwt=" .. token_of(response) }.json().sub)
    assert.equal("ann", test_jwt{ Authorization = "Bearer " .. token_of(response) }.json().sub)
  end)

  it("has no Secure for plain http on this machine, and has it behind a proxy with TLS", function()
    assert.not_matches("Secure", login("ann", "open sesame", { Host = "localhost:3000" }).headers["set-cookie"])
    assert.not_matches("Secure", login("ann", "open sesame").headers["set-cookie"])
    local proxied = login("ann", "open sesame", { ["X-Forwarded-Proto"] = "https" })
    assert.matches("; Secure;", proxied.headers["set-cookie"])
  end)

  it("gives each login a token of its own", function()
    assert.not_equal(token_of(login("ann", "open sesame")), token_of(login("ann", "open sesame")))
  end)

  it("opens a WebSocket by the cookie", function()
    local host = "127.0.0.1:" .. chatty.port
    local socket = chatty:connect("ann", { token = false, headers = {
      Cookie = "jwt=" .. token_of(login("ann", "open sesame")), Origin = "http://" .. host, Host = host,
    } })
    assert.equal(101, socket.status)
  end)

  it("is 401 alike for a wrong password and an unknown name", function()
    local wrong, unknown = login("ann", "wrong"), login("nobody", "wrong")
    assert.equal("401 login-failed", fault.of(wrong))
    assert.equal(wrong.body, unknown.body)
    assert.is_nil(wrong.headers["set-cookie"])
  end)

  it("refuses a password of a megabyte unseen", function()
    assert.equal("413 body-too-large", fault.of(login("ann", ("x"):rep(1000000))))
    assert.equal("400 password-invalid #/password", fault.of(login("ann", ("x"):rep(1025))))
  end)

  it("is limited after wrong passwords, on all workers together", function()
    local strict = server.start{ settings = { LOGIN_RATE_MAX = 3, WORKERS = 4 } }
    strict:control("POST", "/auth/register", { username = "ann", password = "open sesame" })
    for _ = 1, 3 do assert.equal(401, login("ann", "wrong", nil, strict).status) end
    local response = login("ann", "open sesame", nil, strict)
    assert.equal("429 login-rate", fault.of(response))
    local seconds = tonumber(response.headers["retry-after"])
    assert.is_true(seconds >= 1 and seconds <= 120)
    assert.equal("429 login-rate", fault.of(login("bob", "wrong", nil, strict)))
    assert.equal(3, strict:metric "login_failures_total")
  end)

  it("answers each of very many at once, and the server stays at hand", function()
    local connections = {}
    for i = 1, 200 do
      connections[i] = tcp.open(chatty.port)
      connections[i]:write(http.encode(
        { path = "/auth/login", json = { username = "ann", password = "open sesame" } }, "localhost"))
    end
    assert.equal(200, chatty:request{ path = "/healthz", seconds = 2 }.status)
    local count = { [200] = 0, [503] = 0 }
    for _, connection in ipairs(connections) do
      local response = http.read(connection, "POST", 60)
      count[response.status] = count[response.status] + 1
      if response.status == 503 then assert.equal("503 password-busy", fault.of(response)) end
      connection:close()
    end
    assert.equal(200, count[200] + count[503])
    assert.is_true(count[200] > 0)
    assert.equal(200, login("ann", "open sesame").status)
  end)

  describe("of a user of the command line", function()
    local kept

    local function run(args, stdin)
      return server.run{ args = args, stdin = stdin, settings = SQLITE, folder = kept.folder }
    end

    before_each(function() kept = server.start{ settings = SQLITE } end)
    after_each(function() kept:stop() end)

    it("works while the server runs, and has his roles", function()
      local result = run({ "user", "add", "root", "--role", "control", "--password-stdin" }, "open sesame\n")
      assert.same({ 0, "", "" }, { result.code, result.out, result.err })
      local response = login("root", "open sesame", nil, kept)
      assert.equal(200, response.status)
      local headers = { Authorization = "Bearer " .. token_of(response) }
      assert.equal(200, kept:request{ path = "/control/search/users", headers = headers }.status)
      assert.matches("\nroot  control  20", run{ "user", "list" }.out)
    end)

    it("ends with his old password, his old tokens and their sessions", function()
      run({ "user", "add", "ann", "--password-stdin" }, "open sesame\n")
      local token = token_of(login("ann", "open sesame", nil, kept))
      local session = kept:connect("ann", { token = token })
      assert.equal("chatty:connected", session:next().event)
      assert.equal(0, run({ "user", "passwd", "ann", "--password-stdin" }, "another one\n").code)
      assert.equal(401, login("ann", "open sesame", nil, kept).status)
      assert.equal(4504, (session:expect_closed()))
      assert.is_true(wait.until_(function()
        return fault.of(test_jwt({ Authorization = "Bearer " .. token }, kept)) == "401 token-revoked Authorization:"
      end))
      local new = login("ann", "another one", nil, kept)
      assert.equal(200, test_jwt({ Authorization = "Bearer " .. token_of(new) }, kept).status)
    end)

    it("ends when he is removed, with his sessions", function()
      run({ "user", "add", "ann", "--password-stdin" }, "open sesame\n")
      local session = kept:connect("ann", { token = token_of(login("ann", "open sesame", nil, kept)) })
      assert.equal("chatty:connected", session:next().event)
      assert.equal(0, run{ "user", "remove", "ann" }.code)
      assert.equal(401, login("ann", "open sesame", nil, kept).status)
      assert.equal(1, run{ "user", "remove", "ann" }.code)
      assert.equal(4504, (session:expect_closed()))
    end)

    it("takes a bcrypt hash of the old server, and replaces it", function()
      -- "U*U" is the password: a test vector of crypt_blowfish.
      local hash = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"
      assert.equal(0, run({ "user", "add", "ann", "--hash-stdin" }, hash .. "\n").code)
      assert.equal(401, login("ann", "V*V", nil, kept).status)
      for _ = 1, 2 do assert.equal(200, login("ann", "U*U", nil, kept).status) end
      kept:stop()
      local file = assert(io.open(kept.folder .. "/chatty.db", "rb"))
      local bytes = file:read("a")
      file:close()
      assert.is_truthy(bytes:find("$argon2id$", 1, true))
    end)
  end)
end)
