-- A token ends: the session is warned, may take a fresh one in place, and else closes with 4001.
local cjson = require "cjson"
local client = require "spec.support.client"
local server = require "spec.support.server"
local token = require "spec.support.token"

-- Answers a frame with the role of its session's token, and notes how sessions end.
local PLUGIN = [[
  local chatty = require "chatty"
  local plugin = { api = 1 }
  function plugin.setup(app)
    app:on("message", function(session) return { role = session.claims.role } end)
    app:on("disconnect", function(session, reason, code)
      chatty.log.info(("gone: %s, %d, %s"):format(session.user, code, reason))
    end)
  end
  return plugin
]]

local PONG = 10

local function start(settings)
  return server.start{ settings = settings, plugins = { claims = PLUGIN } }
end

-- Tokens say whole seconds: this one lies between one and two ahead.
local function soon()
  return os.time() + 2
end

local function make(claims)
  return token.encode(claims, server.jwt_secret)
end

-- A live session, and its chatty:connected.
local function open(chatty, claims)
  local socket = client.ws{ port = chatty.port, token = make(claims) }
  return socket, socket:next()
end

local function send_auth(socket, claims, ack)
  socket:send_event("chatty:auth", cjson.encode{ token = make(claims) }, ack)
end

local function rfc3339(seconds)
  return os.date("!%Y-%m-%dT%H:%M:%S.000Z", seconds)
end

-- Whether no event has come by now: it would come before the pong.
local function is_silent(socket)
  socket:ping("now")
  return socket:next_frame().opcode == PONG
end

describe("a session whose token ends", function()
  local chatty, stale, fresh, endless, shortened

  local function refresh(socket, claims)
    send_auth(socket, claims)
    assert.equal("chatty:auth", socket:next().event)
  end

  setup(function()
    chatty = start{ JWT_LEEWAY = 0, EXPIRING_NOTICE = 0 }
    local exp = soon()
    stale = open(chatty, { sub = "ann", exp = exp })
    fresh = open(chatty, { sub = "bob", exp = exp })
    refresh(fresh, { sub = "bob", exp = exp + 100 })
    endless = open(chatty, { sub = "cleo", exp = exp })
    refresh(endless, { sub = "cleo" })
    shortened = open(chatty, { sub = "dan" })
    refresh(shortened, { sub = "dan", exp = exp })
  end)

  teardown(function() chatty:stop() end)

  it("closes with 4001", function()
    assert.same({ 4001, "token expired" }, { stale:expect_closed() })
  end)

  it("tells the disconnect hook why", function()
    assert.is_string(chatty:wait_log("gone: ann, 4001, token expired"))
  end)

  it("lives on when it got a fresh one", function()
    stale:expect_closed()
    assert.is_true(is_silent(fresh))
  end)

  it("lives on when it got one without an end", function()
    stale:expect_closed()
    assert.is_true(is_silent(endless))
  end)

  it("closes sooner when it got one that ends sooner", function()
    assert.equal(4001, (shortened:expect_closed()))
  end)
end)

describe("a session whose token has ended, but not by more than the leeway", function()
  it("opens, knows when the token ended, and closes when the leeway is over", function()
    local chatty = start{ JWT_LEEWAY = 3, EXPIRING_NOTICE = 0 }
    local exp = os.time() - 1
    local socket, event = open(chatty, { sub = "ann", exp = exp })
    assert.same({ "chatty:connected", rfc3339(exp) }, { event.event, event.attributes.expires })
    local warning = socket:next()
    assert.same({ "chatty:expiring", { expires = rfc3339(exp), seconds = 0 } },
      { warning.event, warning.attributes })
    assert.same({ 4001, "token expired" }, { socket:expect_closed() })
    assert.is_true(os.time() >= exp + 3)
  end)
end)

describe("the end of a token", function()
  local chatty, hasty

  setup(function()
    chatty = start{ JWT_LEEWAY = 0 }
    hasty = start{ EXPIRING_NOTICE = "1h" }
  end)

  teardown(function()
    chatty:stop()
    hasty:stop()
  end)

  it("is told to the session", function()
    local exp = os.time() + 100
    local _, event = open(chatty, { sub = "ann", exp = exp })
    assert.equal(rfc3339(exp), event.attributes.expires)
  end)

  it("is told as null when there is none", function()
    local _, event = open(chatty, { sub = "ann" })
    assert.equal(cjson.null, event.attributes.expires)
  end)

  it("is not warned of while it is farther away than the notice", function()
    assert.is_true(is_silent((open(chatty, { sub = "ann", exp = os.time() + 100 }))))
  end)

  it("is never warned of when there is none", function()
    assert.is_true(is_silent((open(hasty, { sub = "ann" }))))
  end)

  it("is warned of as soon as it is nearer than the notice", function()
    local exp = os.time() + 1800
    local event = open(hasty, { sub = "ann", exp = exp }):next()
    assert.equal("chatty:expiring", event.event)
    assert.equal(rfc3339(exp), event.attributes.expires)
  end)

  it("is warned of with the seconds that are left", function()
    local seconds = open(hasty, { sub = "ann", exp = os.time() + 1800 }):next().attributes.seconds
    assert.is_true(seconds > 1700 and seconds <= 1800, seconds)
  end)

  it("is warned of once", function()
    local socket = open(hasty, { sub = "ann", exp = os.time() + 1800 })
    socket:next()
    assert.is_true(is_silent(socket))
  end)

  it("is warned of behind chatty:connected, even when a connect hook takes its time", function()
    local slow = server.start{ settings = { EXPIRING_NOTICE = "1h" }, plugins = { slow = [[
      local chatty = require "chatty"
      local plugin = { api = 1 }
      function plugin.setup(app) app:on("connect", function() chatty.sleep(0.1) end) end
      return plugin
    ]] } }
    local socket, first = open(slow, { sub = "ann", exp = os.time() + 1800 })
    assert.equal("chatty:connected", first.event)
    assert.equal("chatty:expiring", socket:next().event)
  end)
end)

describe("a fresh token", function()
  local chatty, hasty

  setup(function()
    chatty = start{ JWT_LEEWAY = 0 }
    hasty = start{ EXPIRING_NOTICE = "1h" }
  end)

  teardown(function()
    chatty:stop()
    hasty:stop()
  end)

  it("is answered with chatty:auth and its end", function()
    local exp = os.time() + 200
    local socket = open(chatty, { sub = "ann", exp = os.time() + 100 })
    send_auth(socket, { sub = "ann", exp = exp })
    assert.same({ event = "chatty:auth", attributes = { expires = rfc3339(exp) } }, (socket:next()))
  end)

  it("is answered with the ack of its frame", function()
    local socket = open(chatty, { sub = "ann" })
    send_auth(socket, { sub = "ann" }, 7)
    assert.same({ event = "chatty:auth", attributes = { expires = cjson.null }, ack = 7 }, (socket:next()))
  end)

  it("is warned of anew", function()
    local exp = os.time() + 2000
    local socket = open(hasty, { sub = "ann", exp = os.time() + 1000 })
    socket:next()
    send_auth(socket, { sub = "ann", exp = exp })
    assert.equal("chatty:auth", socket:next().event)
    assert.equal(rfc3339(exp), socket:next().attributes.expires)
  end)

  it("keeps session and subscriptions", function()
    chatty:subscribe("users:cleo", { "room-1" })
    local socket = open(chatty, { sub = "cleo" })
    send_auth(socket, { sub = "cleo" })
    socket:next()
    assert.same({ users = 1, sessions = 1 },
      chatty:notify("channels:room-1", "hello", "{}", "report=true").json().report.channels["room-1"])
    assert.equal("hello", socket:next().event)
  end)

  it("brings its claims to the hooks", function()
    local socket = open(chatty, { sub = "ann", role = "reader" })
    socket:send_event("who", "{}", 1)
    assert.equal("reader", socket:next().attributes.role)
    send_auth(socket, { sub = "ann", role = "writer" })
    socket:next()
    socket:send_event("who", "{}", 2)
    assert.equal("writer", socket:next().attributes.role)
  end)

  it("of another user closes with 4500", function()
    local socket = open(chatty, { sub = "ann" })
    send_auth(socket, { sub = "bob" })
    assert.same({ 4500, "the token is another user's" }, { socket:expect_closed() })
  end)

  it("that is bad closes with 4500", function()
    local socket = open(chatty, { sub = "ann" })
    send_auth(socket, { sub = "ann", exp = os.time() - 10 })
    assert.same({ 4500, "The token is not accepted: it has expired." }, { socket:expect_closed() })
  end)
end)
