-- The server asks silent clients whether they live, and lets go of those that do not.
local client = require "spec.support.client"
local server = require "spec.support.server"
local wait = require "spec.support.wait"

local PING, PONG = 9, 10

local PLUGIN = [[
  local chatty = require "chatty"
  local plugin = { api = 1 }
  function plugin.setup(app)
    app:on("disconnect", function(session, reason, code)
      chatty.log.info(("gone: %s, %d, %s"):format(session.user, code, reason))
    end)
  end
  return plugin
]]

describe("a ping of the server", function()
  local chatty

  setup(function()
    chatty = server.start{
      settings = { PING_INTERVAL = "100ms", PING_TIMEOUT = "150ms", AUTH_TIMEOUT = "1m", ENABLE = "echo" },
      plugins = { gone = PLUGIN },
    }
  end)

  teardown(function() chatty:stop() end)

  local function open(user)
    local socket = chatty:connect(user)
    assert.equal(0.1, socket:next().attributes.pingInterval)
    return socket
  end

  it("comes again and again, as long as it is answered", function()
    local socket = open("ann")
    assert.is_true(wait.until_(function() return socket.pings >= 4 end))
    assert.is_nil(socket.connection.ended)
  end)

  it("comes to sessions that sent no token yet", function()
    local socket = client.ws{ port = chatty.port }
    assert.is_true(wait.until_(function() return socket.pings >= 2 end))
  end)

  it("comes to plugins' own WebSockets", function()
    local socket = client.ws{ port = chatty.port, path = "/echo" }
    assert.is_true(wait.until_(function() return socket.pings >= 2 end))
  end)

  it("that is not answered ends the connection without a word", function()
    local socket = open("mute")
    socket.answers = false
    assert.equal(1006, (socket:expect_closed()))
  end)

  it("that is not answered ends the session", function()
    local socket = open("silent")
    socket.answers = false
    assert.is_string(chatty:wait_log("gone: silent, 1006, ping timeout"))
    assert.equal("[]", chatty:control("GET", "/control/search/participants?channel=silent-1").body)
  end)

  it("that is not answered ends a connection that reads nothing", function()
    local socket = open("hung")
    socket:pause()
    assert.is_string(chatty:wait_log("gone: hung, 1006, ping timeout"))
    socket:abort()
  end)

  it("may be answered by anything that comes", function()
    local socket = open("ann")
    socket.answers = false
    for _ = 1, 4 do
      repeat local frame = socket:next_frame() until frame.opcode == PING
      socket:send_event("still-here")
    end
    assert.is_nil(socket.connection.ended)
  end)

  it("is not meant for one who sends all the time", function()
    local socket = open("busy")
    local busy_until = socket.pings
    for _ = 1, 300 do
      socket:ping("x")
      repeat local frame = socket:next_frame() until frame.opcode == PONG
    end
    assert.equal(busy_until, socket.pings)
  end)
end)

describe("a ping of a client", function()
  local chatty, socket

  setup(function() chatty = server.start() end)

  teardown(function() chatty:stop() end)

  before_each(function()
    socket = chatty:connect("ann")
    socket:next()
  end)

  after_each(function() socket:abort() end)

  it("is answered with its own payload", function()
    for _, payload in ipairs{ "", "x", "\0\255\254", ("p"):rep(125) } do
      socket:ping(payload)
      assert.same({ opcode = PONG, fin = true, payload = payload }, socket:next_frame())
    end
  end)

  it("is answered before a token came", function()
    local stranger = client.ws{ port = chatty.port }
    stranger:ping("who am I")
    assert.equal("who am I", stranger:next_frame().payload)
  end)

  it("is answered each, as long as its client reads", function()
    for i = 1, 50 do socket:ping(tostring(i)) end
    for i = 1, 50 do assert.equal(tostring(i), socket:next_frame().payload) end
  end)

  it("is answered at last when they come in a flood", function()
    for i = 1, 5000 do socket:ping(tostring(i)) end
    local last
    repeat last = socket:next_frame() until not last or last.payload == "5000"
    assert.equal("5000", last and last.payload)
  end)

  it("has no answer when it is a pong", function()
    socket:send_frame{ opcode = PONG, payload = "unasked" }
    socket:ping("asked")
    assert.equal("asked", socket:next_frame().payload)
  end)
end)
