-- POST /auth/logout: what a revoked token is good for, on every worker and after a restart.
local event_stream = require "spec.support.event_stream"
local fault = require "spec.support.fault"
local server = require "spec.support.server"
local wait = require "spec.support.wait"

describe("POST /auth/logout", function()
  local chatty

  local function start(options)
    local one = server.start(options)
    one:control("POST", "/auth/register", { username = "ann", password = "open sesame" })
    return one
  end

  setup(function() chatty = start() end)
  teardown(function() chatty:stop() end)

  local function login(at)
    local response = (at or chatty):request{
      path = "/auth/login", json = { username = "ann", password = "open sesame" },
    }
    return response.headers["set-cookie"]:match("^jwt=([^;]+);")
  end

  local function bearer(token) return { Authorization = "Bearer " .. token } end

  local function logout(headers, query)
    return chatty:request{ method = "POST", path = "/auth/logout" .. (query or ""), headers = headers }
  end

  local function test_jwt(token, at)
    return fault.of((at or chatty):request{ path = "/auth/test-jwt", headers = bearer(token) })
  end

  local REVOKED = "401 token-revoked Authorization:"

  -- Each call is a new connection and may come to another worker.
  local function is_revoked_everywhere(token)
    for _ = 1, 10 do
      if test_jwt(token) ~= REVOKED then return false end
    end
    return true
  end

  it("takes the cookie away and revokes its token", function()
    local token = login()
    local response = logout{ Cookie = "jwt=" .. token }
    assert.same({ 200, { msg = "Logged out.", revoked = true } }, { response.status, response.json() })
    assert.matches("^jwt=; Path=/; Max%-Age=0; HttpOnly", response.headers["set-cookie"])
    assert.is_true(is_revoked_everywhere(token))
  end)

  it("leaves the user's other logins", function()
    local one, other = login(), login()
    logout(bearer(one))
    assert.is_true(is_revoked_everywhere(one))
    assert.matches("^%d+ .*\"ann\"", tostring(test_jwt(other)))
  end)

  it("is seen by workers that knew the token a moment ago", function()
    local token = login()
    for _ = 1, 10 do test_jwt(token) end
    logout(bearer(token))
    assert.is_true(is_revoked_everywhere(token))
  end)

  it("closes the sessions of the token, and no others", function()
    local one, other = login(), login()
    local first, second = chatty:connect("ann", { token = one }), chatty:connect("ann", { token = other })
    assert.equal("chatty:connected", first:next().event)
    assert.equal("chatty:connected", second:next().event)
    logout(bearer(one))
    assert.equal(4504, (first:expect_closed()))
    chatty:notify("users:ann", "still-here")
    assert.equal("still-here", second:next().event)
  end)

  it("ends event streams of the token too", function()
    local token = login()
    local stream = event_stream.open{ port = chatty.port, token = token }
    assert.equal("chatty:connected", stream:next().event)
    logout(bearer(token))
    assert.equal(4504, stream:next().attributes.code)
  end)

  it("keeps a replayed token out of the WebSocket", function()
    local token = login()
    logout(bearer(token))
    assert.is_true(is_revoked_everywhere(token))
    assert.equal(401, chatty:connect("ann", { token = token }).status)
  end)

  it("is good twice, and without a token", function()
    local token = login()
    logout(bearer(token))
    assert.is_true(is_revoked_everywhere(token))
    assert.same({ 200, false }, { logout(bearer(token)).status, logout(bearer(token)).json().revoked })
    assert.equal(200, logout().status)
  end)

  it("everywhere ends all tokens and sessions, and a new login is good at once", function()
    local one, other = login(), login()
    local socket = chatty:connect("ann", { token = other })
    assert.equal(101, socket.status)
    assert.equal(200, logout(bearer(one), "?everywhere=true").status)
    assert.equal(4504, (socket:expect_closed()))
    assert.is_true(is_revoked_everywhere(other))
    assert.equal("200 ", test_jwt(login()):sub(1, 4))
  end)

  it("everywhere ends the token that came also when the clock of who made it is ahead", function()
    local token = chatty:token{ sub = "ann", jti = "ahead", iat = os.time() + 3600 }
    assert.same({ msg = "Logged out.", revoked = true }, logout(bearer(token), "?everywhere=true").json())
    assert.is_true(is_revoked_everywhere(token))
    local unnamed = chatty:token{ sub = "ann", iat = os.time() + 3600 }
    assert.is_false(logout(bearer(unnamed), "?everywhere=true").json().revoked)
    assert.equal("200 ", test_jwt(login()):sub(1, 4))
  end)

  it("is good for who logs in again even when the clock was set back meanwhile", function()
    local settings = { STORE = "sqlite:chatty.db" }
    local first = start{ settings = settings }
    assert.equal(0, first:stop())
    assert(os.execute(([[sqlite3 %s/chatty.db "INSERT INTO records VALUES (CAST('tokens-from' AS BLOB),
      CAST('ann' AS BLOB), CAST('%d' AS BLOB), 0)"]]):format(first.folder, os.time() + 3600)))
    local second = server.start{ settings = settings, folder = first.folder }
    local token = second:token{ sub = "ann", iat = os.time() }
    assert.equal(REVOKED, test_jwt(token, second))
    assert.equal("200 ", test_jwt(login(second), second):sub(1, 4))
  end)

  it("takes no room any more when the token would be dead anyway", function()
    local full = server.start{ settings = { REVOCATIONS_MAX = 1, JWT_LEEWAY = "0s" } }
    local function logout_once(seconds)
      local token = full:token({ sub = "ann", jti = "id-" .. seconds }, seconds)
      return full:request{ method = "POST", path = "/auth/logout", headers = bearer(token) }.status
    end
    assert.equal(200, logout_once(1))
    assert.equal(503, logout_once(60))
    assert.is_truthy(wait.until_(function() return logout_once(60) == 200 end, 10))
  end)

  it("is kept over a crash", function()
    local settings = { STORE = "sqlite:chatty.db" }
    local first = start{ settings = settings }
    local token = login(first)
    first:request{ method = "POST", path = "/auth/logout", headers = bearer(token) }
    first:kill()
    local second = server.start{ settings = settings, folder = first.folder }
    assert.equal(REVOKED, test_jwt(token, second))
  end)
end)

describe("a logout everywhere", function()
  it("reaches a session whose connect hook still waits", function()
    local chatty = server.start{ settings = { WORKERS = 1 }, plugins = { late = [[
      local chatty = require "chatty"
      local plugin = { api = 1 }
      function plugin.setup(app)
        app:on("connect", function() chatty.log.info("connecting"); chatty.sleep(0.3) end)
      end
      return plugin
    ]] } }
    local token = chatty:token{ sub = "ann", iat = os.time() - 10 }
    local session = chatty:connect("ann", { token = token })
    assert.is_truthy(chatty:wait_log("connecting"))
    local answer = chatty:request{ method = "POST", path = "/auth/logout?everywhere=true",
      headers = { Authorization = "Bearer " .. token } }
    assert.equal(200, answer.status)
    assert.equal(4504, (session:expect_closed()))
  end)
end)
