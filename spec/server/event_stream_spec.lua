-- GET /events: the events of a user as Server-Sent Events, in a session like any other.
local client = require "spec.support.client"
local event_stream = require "spec.support.event_stream"
local server = require "spec.support.server"

local ORIGIN, FOREIGN = "https://app.example.com", "https://evil.example"

local PLUGIN = [[
  local chatty = require "chatty"
  local plugin = { api = 1 }
  function plugin.setup(app)
    app:on("connect", function(session)
      if session.user == "mallory" then return chatty.refuse(403, "not-you", "Not you.") end
      session:send("hello", { transport = session.transport, user = session.user })
    end)
    app:on("disconnect", function(session, reason, code)
      chatty.log.info(("gone: %s, %d, %s"):format(session.user, code, reason))
    end)
  end
  return plugin
]]

describe("an event stream", function()
  local chatty

  setup(function()
    chatty = server.start{
      settings = { ALLOWED_ORIGINS = ORIGIN, PING_INTERVAL = "100ms", EXPIRING_NOTICE = "1s", JWT_LEEWAY = "0s" },
      plugins = { tell = PLUGIN },
    }
  end)

  teardown(function() chatty:stop() end)

  local function open(options)
    options.port = chatty.port
    return event_stream.open(options)
  end

  -- A live stream, behind chatty:connected and the plugin's greeting.
  local function join(user)
    local stream = open{ token = chatty:token(user) }
    stream:next()
    stream:next()
    return stream
  end

  it("is a stream that nobody may keep, change or wait for the end of", function()
    local stream = open{ token = chatty:token("ann") }
    assert.same({ 200, "text/event-stream", "no-cache, no-transform", "close" },
      { stream.status, stream.headers["content-type"], stream.headers["cache-control"], stream.headers.connection })
    assert.is_nil(stream.headers["content-length"])
    assert.is_nil(stream.head:lower():find("access-control", 1, true))
  end)

  it("begins with a wish for the pause before coming back, and chatty:connected", function()
    chatty:subscribe("users:carol", { "room-1", "room-2" })
    local stream = open{ token = chatty:token("carol") }
    local first = stream:next()
    assert.equal(3000, stream.retry)
    table.sort(first.attributes.channels)
    assert.same({ "chatty:connected", "carol", { "room-1", "room-2" }, 22 },
      { first.event, first.attributes.user, first.attributes.channels, #first.attributes.session })
  end)

  it("runs the connect hooks, which may send", function()
    local stream = open{ token = chatty:token("ann") }
    stream:next()
    assert.same({ transport = "sse", user = "ann" }, stream:next().attributes)
  end)

  it("gets what is notified to the user and to his channels, byte for byte and in order", function()
    local stream = join("dave")
    chatty:subscribe("users:dave", { "room-7" })
    local raw = '{"b":12345678901234567890,"a":[],"c":"\\u00e4"}'
    chatty:notify("users:dave", "one", raw)
    chatty:notify("channels:room-7", "two", '{\n "n": 2\n}')
    local one, two = stream:next(), stream:next()
    assert.same({ "one", raw }, { one.event, one.data })
    assert.same({ "two", '{\n "n": 2\n}' }, { two.event, two.data })
  end)

  it("is one of the user's sessions beside his WebSockets", function()
    local stream, socket = join("eve"), chatty:join("eve")
    socket:next()
    local report = chatty:notify("users:eve", "both", "{}", "report=true").json().report
    assert.equal(2, report.sessions)
    assert.same({ "both", "both" }, { stream:next().event, socket:next().event })
  end)

  it("takes the token from the header, the query and a cookie", function()
    local token = chatty:token("ann")
    for _, options in ipairs{
      { token = token }, { path = "/events?token=" .. token }, { headers = { Cookie = "jwt=" .. token } },
      { headers = { Cookie = "jwt=" .. token, Origin = ORIGIN } },
    } do
      assert.equal("ann", open(options):next().attributes.user)
    end
  end)

  it("is refused without a good token", function()
    assert.equal(401, open{}.status)
    assert.equal(401, open{ token = "x" }.status)
    assert.equal(401, open{ path = "/events?token=" .. chatty:token("ann", -60) }.status)
  end)

  it("is refused with the cookie of a page that may not use it, and does not tell that page why", function()
    local stream = open{ headers = { Cookie = "jwt=" .. chatty:token("ann"), Origin = FOREIGN } }
    assert.same({ 403, "*" }, { stream.status, stream.headers["access-control-allow-origin"] })
  end)

  it("may be read by any page with a bearer, by listed ones with credentials", function()
    local foreign = open{ token = chatty:token("ann"), headers = { Origin = FOREIGN } }
    assert.same({ 200, "*" }, { foreign.status, foreign.headers["access-control-allow-origin"] })
    local listed = open{ token = chatty:token("ann"), headers = { Origin = ORIGIN } }
    assert.same({ 200, ORIGIN, "true", "Origin" }, { listed.status, listed.headers["access-control-allow-origin"],
      listed.headers["access-control-allow-credentials"], listed.headers.vary })
  end)

  it("answers HEAD without a session", function()
    local response = client.request{ port = chatty.port, method = "HEAD", path = "/events",
      headers = { Authorization = "Bearer " .. chatty:token("zoe") } }
    assert.same({ 200, "text/event-stream" }, { response.status, response.headers["content-type"] })
    assert.same({}, chatty:control("GET", "/control/search/participants?channel=nowhere").json())
    assert.is_nil(table.concat(chatty:control("GET", "/control/search/users").json(), ","):find("zoe"))
  end)

  it("gets a comment now and then", function()
    local stream = join("ann")
    assert.is_true(stream:next_comment())
    assert.is_true(stream:next_comment())
  end)

  it("tells that the token dies, and ends with it", function()
    local stream = open{ token = chatty:token("frank", 2) }
    stream:next()
    stream:next()
    assert.equal("chatty:expiring", stream:next().event)
    local last = stream:next()
    assert.same({ "chatty:closed", { code = 4001, reason = "token expired" } }, { last.event, last.attributes })
    assert.equal("EOF", stream:wait_closed())
  end)

  it("ends when a hook refuses, with the reason", function()
    local stream = open{ token = chatty:token("mallory") }
    local last = stream:next()
    assert.same({ "chatty:closed", { code = 4501, reason = "Not you." } }, { last.event, last.attributes })
  end)

  it("ends when the app server says so", function()
    local stream = join("gina")
    assert.equal(1, chatty:control("POST", "/control/disconnect?method=users:gina").json().sessions)
    assert.equal(4502, stream:next().attributes.code)
    assert.equal("EOF", stream:wait_closed())
    assert.truthy(chatty:wait_log("gone: gina, 4502"))
  end)

  it("is a session no more when its client goes away", function()
    local stream = join("henry")
    stream:close()
    assert.truthy(chatty:wait_log("gone: henry, 1006"))
  end)

  it("does not read what its client sends behind the request", function()
    local stream = join("iris")
    stream.connection:write("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n" .. ("x"):rep(100000))
    chatty:notify("users:iris", "still", "{}")
    assert.equal("still", stream:next().event)
  end)
end)

describe("an event stream that is not read", function()
  it("is closed as a slow reader and delays nobody", function()
    local chatty = server.start{ settings = { SESSION_QUEUE_MAX = "64kb", CLOSE_TIMEOUT = "100ms", WORKERS = 1 },
      plugins = { tell = PLUGIN } }
    local stream = event_stream.open{ port = chatty.port, token = chatty:token("deaf") }
    stream:next()
    stream.connection:pause()
    local socket = chatty:join("deaf")
    socket:next()
    local large, count = '{"data":"' .. ("x"):rep(300000) .. '"}', 0
    while chatty:metric "slow_readers_total" == 0 and count < 100 do
      count = count + 1
      chatty:notify("users:deaf", "large", large)
      assert.equal("large", socket:next().event)
    end
    assert.truthy(chatty:wait_log("gone: deaf, 4002, slow reader"))
    assert.equal(0, chatty:wait_metric("streams", 0))
  end)
end)

describe("an event stream of a server that stops", function()
  it("is told to come back", function()
    local chatty = server.start{}
    local stream = event_stream.open{ port = chatty.port, token = chatty:token("ann") }
    stream:next()
    chatty:send_signal("sigterm")
    local last = stream:next()
    assert.same({ "chatty:closed", 1012 }, { last.event, last.attributes.code })
    assert.equal("EOF", stream:wait_closed())
    chatty.process:wait_exit()
    assert.equal(0, chatty.process.code)
  end)
end)
