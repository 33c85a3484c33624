-- PUT /auth/update-jwt-secret with grace under load: who has a token that counts, or renews, notices nothing.
local caller = require "spec.support.caller"
local http = require "spec.support.http"
local server = require "spec.support.server"
local tcp = require "spec.support.tcp"
local token = require "spec.support.token"
local websocket = require "spec.support.websocket"

local CHANGES, LOADERS, ROUNDS = 8, 12, 4
local COMERS = 4        -- sessions that come while a secret is changed, and as many after it
local GRACE = 20        -- seconds; less than the 30 before its end at which a session is warned
local LAST_GRACE = 4

-- Secrets by number; 0 is that of the settings.
local function secret_of(number)
  return number == 0 and server.jwt_secret or ("secret number %03d of the specs 0123456789"):format(number)
end

local function token_of(number)
  return token.make("ann", secret_of(number), 600)
end

describe("a new secret with grace #threads", function()
  local chatty, admin
  local loaders, sessions -- sessions: list of { socket, number }
  local current, coming   -- numbers: what was answered, and what was asked for
  local refusals, must    -- answers that must be good: those that were not, and how many there were

  before_each(function()
    chatty = server.start{ settings = { WORKERS = 4 } }
    admin, loaders, sessions = caller.open(chatty), {}, {}
    current, coming, refusals, must = 0, 0, {}, 0
  end)
  after_each(function() chatty:stop() end)

  -- A request with the token of one of the secrets that count, or will.
  local function send(loader, number)
    loader.number, loader.counts = number, number <= current
    loader.connection:write(http.encode(
      { path = "/auth/test-jwt", headers = { Authorization = "Bearer " .. token_of(number) } }, "localhost"))
  end

  -- It must be good if the secret counted when it was sent and is at least the one before the newest.
  local function judge(loader, status)
    if not loader.counts or loader.number < coming - 1 then return end
    must = must + 1
    if status ~= 200 then refusals[#refusals + 1] = ("%s: %d of %d"):format(status, loader.number, coming) end
  end

  local function choose()
    local numbers = { current, coming, math.max(0, coming - 1) }
    return numbers[math.random(#numbers)]
  end

  local function open_loaders()
    for i = 1, LOADERS do
      loaders[i] = { connection = tcp.open(chatty.port) }
      send(loaders[i], current)
    end
  end

  -- Each loader gets an answer and asks again.
  local function go_round()
    for _, loader in ipairs(loaders) do
      judge(loader, assert(http.read(loader.connection)).status)
      send(loader, choose())
    end
  end

  local function let_come(number)
    for _ = 1, COMERS do
      sessions[#sessions + 1] = {
        socket = websocket.start{ port = chatty.port, token = token_of(number) }, number = number,
      }
    end
  end

  local function welcome()
    for _, session in ipairs(sessions) do
      if not session.socket.status then
        assert.equal(101, session.socket:finish().status)
        assert.equal("chatty:connected", session.socket:next().event)
      end
    end
  end

  -- Those of the secret before are warned, and send a token of the new one.
  local function renew()
    for _, session in ipairs(sessions) do
      if session.number < current then
        assert.equal("chatty:expiring", session.socket:next().event)
        session.socket:send_event("chatty:auth", ('{"token":"%s"}'):format(token_of(current)))
        assert.equal("chatty:auth", session.socket:next().event)
        session.number = current
      end
    end
  end

  local function change(grace)
    coming = current + 1
    admin:send("PUT", "/auth/update-jwt-secret", ('{"secret":"%s","grace":%d}'):format(secret_of(coming), grace))
    let_come(current)
    repeat go_round() until admin.connection.inbox:size() > 0
    assert.equal(200, admin:read().status)
    current = coming
    let_come(current)
    for _ = 1, ROUNDS do go_round() end
    welcome()
    renew()
  end

  it("refuses no token that counts, and keeps the sessions that renew", function()
    open_loaders()
    let_come(current)
    welcome()
    for _ = 1, CHANGES do change(GRACE) end
    local late = chatty:connect("ann", { token = token_of(current) })
    assert.equal("chatty:connected", late:next().event)
    change(LAST_GRACE)
    assert.equal(4001, (late:expect_closed()))
    go_round()
    assert.same({}, refusals)
    assert.is_true(must >= CHANGES * LOADERS * ROUNDS / 2)
    chatty:notify("users:ann", "tick")
    for _, session in ipairs(sessions) do assert.equal("tick", session.socket:next().event) end
  end)
end)

describe("new secrets that are given at once", function()
  local GIVEN = 8

  local function status(chatty, number)
    local headers = { Authorization = "Bearer " .. token_of(number) }
    return chatty:request{ path = "/auth/test-jwt", headers = headers }.status
  end

  -- The numbers of those secrets whose tokens are taken, by any of the workers.
  local function counting(chatty)
    local numbers = {}
    for number = 1, GIVEN do
      local is_taken = false
      for _ = 1, 8 do is_taken = status(chatty, number) == 200 or is_taken end
      if is_taken then numbers[#numbers + 1] = number end
    end
    return numbers
  end

  it("leave one of them, which is also that of the store", function()
    local chatty = server.start{ settings = { WORKERS = 4, STORE = "sqlite:chatty.db" } }
    for _ = 1, 5 do
      local admins = {}
      for i = 1, GIVEN do
        admins[i] = caller.open(chatty)
        admins[i]:send("PUT", "/auth/update-jwt-secret", ('{"secret":"%s"}'):format(secret_of(i)))
      end
      for _, one in ipairs(admins) do assert.equal(200, one:read().status) end
      local before = counting(chatty)
      assert.equal(1, #before)
      chatty:stop()
      chatty = server.start{ settings = chatty.settings, folder = chatty.folder }
      assert.same(before, counting(chatty))
    end
  end)
end)
