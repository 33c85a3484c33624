-- The life of a session: from its token to its end.
local cjson = require "cjson"
local client = require "spec.support.client"
local server = require "spec.support.server"
local wait = require "spec.support.wait"

local PONG = 10

-- Whether no event has come by now: it would come before the pong.
local function is_silent(socket)
  socket:ping("now")
  return socket:next_frame().opcode == PONG
end

local function send_token(socket, token, ack)
  socket:send_event("chatty:auth", cjson.encode{ token = token }, ack)
end

describe("a session", function()
  local chatty

  setup(function() chatty = server.start{ settings = { PING_INTERVAL = "20s" } } end)

  teardown(function() chatty:stop() end)

  it("begins with chatty:connected, which tells whose it is and what to expect", function()
    chatty:subscribe("users:ann", { "room-1", "room-2" })
    local event = chatty:connect("ann", { token = chatty:token{ sub = "ann", exp = 1900000000 } }):next()
    assert.matches("^[%w_-]+$", event.attributes.session)
    table.sort(event.attributes.channels)
    event.attributes.session = nil
    assert.same({ event = "chatty:connected", attributes = {
      user = "ann", channels = { "room-1", "room-2" }, channelCount = 2,
      expires = "2030-03-17T17:46:40.000Z", pingInterval = 20,
    } }, event)
  end)

  it("has an id of its own", function()
    local one, other = chatty:connect("ann"):next(), chatty:connect("ann"):next()
    assert.not_equal(one.attributes.session, other.attributes.session)
  end)

  it("of a user without channels is told an empty list, not an object", function()
    local _, text = chatty:connect("nobody"):next()
    assert.matches('"channels":%[%]', text)
  end)

  it("shows at most 1000 channels, and says how many there are", function()
    local data = {}
    for i = 1, 1001 do data[i] = { type = "many", id = tostring(i) } end
    local path = "/control/subscription/subscribe?method=users:max"
    assert.equal(200, chatty:control("POST", path, { data = data }).status)
    local attributes = chatty:connect("max"):next().attributes
    assert.same({ 1000, 1001 }, { #attributes.channels, attributes.channelCount })
  end)

  it("is found as its user's, and no more after its end", function()
    local socket = chatty:connect("gus")
    socket:next()
    chatty:subscribe("users:gus", { "hall-1" })
    assert.same({ "gus" }, chatty:control("GET", "/control/search/participants?channel=hall-1").json())
    socket:close(1000)
    assert.equal(1000, (socket:expect_closed()))
    assert.is_true(wait.until_(function()
      return chatty:control("GET", "/control/search/participants?channel=hall-1").body == "[]"
    end))
  end)

  it("gets events behind chatty:connected only", function()
    chatty:subscribe("users:ida", { "race-1" })
    local socket = client.ws{ port = chatty.port }
    chatty:notify("users:ida", "too-early")
    send_token(socket, chatty:token("ida"))
    assert.equal("chatty:connected", socket:next().event)
    chatty:notify("channels:race-1", "in-time")
    assert.equal("in-time", socket:next().event)
  end)

  it("in two tabs gets each event in both #threads", function()
    chatty:subscribe("users:tom", { "tabs-1" })
    local one, other = chatty:connect("tom"), chatty:connect("tom")
    one:next()
    other:next()
    chatty:notify("channels:tabs-1", "news")
    assert.equal("news", one:next().event)
    assert.equal("news", other:next().event)
  end)

  it("lives on when another tab of its user closes", function()
    local one, other = chatty:connect("tim"), chatty:connect("tim")
    one:next()
    other:next()
    one:close(1000)
    one:expect_closed()
    chatty:notify("users:tim", "news")
    assert.equal("news", other:next().event)
  end)

  it("has its channels again when its user comes back", function()
    chatty:subscribe("users:kim", { "home-1" })
    local first = chatty:connect("kim")
    first:next()
    first:abort()
    assert.same({ "home-1" }, chatty:connect("kim"):next().attributes.channels)
  end)

  it("is closed with 1003 when its client sends bytes", function()
    local socket = chatty:connect("ann")
    socket:next()
    socket:send_binary('{"event":"x","attributes":{}}')
    assert.same({ 1003, "events are text frames" }, { socket:expect_closed() })
  end)

  it("is closed with 1009 when its client sends more than FRAME_MAX", function()
    local socket = chatty:connect("ann")
    socket:next()
    socket:send(("x"):rep(64 * 1024 + 1))
    assert.equal(1009, (socket:expect_closed()))
  end)

  it("answers the close of its client with the same code", function()
    local socket = chatty:connect("ann")
    socket:next()
    socket:close(4321, "bye")
    assert.equal(4321, (socket:expect_closed()))
  end)

  it("is asked for an upgrade when the request is none", function()
    local headers = { Authorization = "Bearer " .. chatty:token("ann") }
    local response = chatty:request{ path = "/ws", headers = headers }
    assert.equal(426, response.status)
    assert.equal("websocket", response.headers.upgrade)
    assert.equal("13", response.headers["sec-websocket-version"])
    assert.equal("upgrade-required", response.json().errors[1].code)
  end)

  it("is offered to GET alone", function()
    local response = chatty:request{ path = "/ws", method = "POST", body = "{}" }
    assert.equal(405, response.status)
    assert.matches("GET", response.headers.allow)
  end)
end)

describe("a session without a token", function()
  local chatty

  setup(function() chatty = server.start{ settings = { AUTH_TIMEOUT = "150ms" } } end)

  teardown(function() chatty:stop() end)

  local function open()
    return client.ws{ port = chatty.port }
  end

  it("closes with 4500 when none comes in time", function()
    assert.same({ 4500, "no token came in time" }, { open():expect_closed() })
  end)

  it("closes in time though it sends other things", function()
    local socket = open()
    local last = 0
    socket:send_event("hello", "{}", last)
    repeat
      local event = socket:next()
      if event then
        last = last + 1
        socket:ping("I live")
        socket:send_event("hello", "{}", last)
      end
    until not event
    assert.equal(4500, (socket:expect_closed()))
  end)

  it("is told so when it sends something else, with the ack of its frame", function()
    local socket = open()
    socket:send_event("hello", "{}", "a1")
    assert.same({
      event = "chatty:error", ack = "a1",
      attributes = { status = 401, code = "auth-required", detail = "Send chatty:auth first." },
    }, (socket:next()))
  end)

  it("may send its token after something else", function()
    local socket = open()
    socket:send_event("hello")
    send_token(socket, chatty:token("ann"))
    assert.equal("chatty:error", socket:next().event)
    assert.equal("chatty:connected", socket:next().event)
  end)

  it("is told when what it sends is no event", function()
    local socket = open()
    socket:send("{")
    assert.equal("frame-malformed", socket:next().attributes.code)
  end)

  it("gets its ack with chatty:connected", function()
    local socket = open()
    send_token(socket, chatty:token("ann"), 5)
    local event = socket:next()
    assert.same({ "chatty:connected", 5 }, { event.event, event.ack })
  end)

  it("does not count as a session", function()
    local own = server.start()
    client.ws{ port = own.port }
    own:connect("ann"):next()
    assert.equal(1, own:metric "sessions")
    assert.equal(2, own:metric "sockets")
  end)

  it("stays for longer than the time once it has one", function()
    local dumb, socket = open(), open()
    send_token(socket, chatty:token("ann"))
    socket:next()
    dumb:expect_closed()
    assert.is_true(is_silent(socket))
  end)

  it("may leave before it sent one", function()
    local socket = open()
    socket:close(1000)
    assert.equal(1000, (socket:expect_closed()))
  end)
end)

describe("the number of sessions #threads", function()
  it("of a user ends at SESSIONS_PER_USER_MAX, with 4503", function()
    local chatty = server.start{ settings = { SESSIONS_PER_USER_MAX = 2 } }
    local first, second = chatty:connect("ann"), chatty:connect("ann")
    first:next()
    second:next()
    local third = chatty:connect("ann")
    assert.equal(101, third.status)
    assert.same({ 4503, "too many sessions" }, { third:expect_closed() })
    assert.equal("chatty:connected", chatty:connect("bob"):next().event)
    first:close(1000)
    assert.equal(2, chatty:wait_metric("sessions", 2))
    assert.equal("chatty:connected", chatty:connect("ann"):next().event)
  end)

  it("of the node ends at SESSIONS_MAX, with 4503", function()
    local chatty = server.start{ settings = { SESSIONS_MAX = 2 } }
    local first = chatty:connect("ann")
    first:next()
    chatty:connect("bob"):next()
    assert.equal(4503, (chatty:connect("cleo"):expect_closed()))
    first:abort()
    assert.equal(1, chatty:wait_metric("sessions", 1))
    assert.equal("chatty:connected", chatty:connect("cleo"):next().event)
  end)

  it("that was refused is counted as a limit that was hit", function()
    local chatty = server.start{ settings = { SESSIONS_PER_USER_MAX = 1 } }
    chatty:connect("ann"):next()
    local before = chatty:metric "limit_hits_total"
    chatty:connect("ann"):expect_closed()
    assert.equal(before + 1, chatty:metric "limit_hits_total")
  end)
end)
