-- Engine.IO v4 as its protocol says: the cases of the official suite, in words of our own, and some more. The
-- requests of one client are accepted by any of four workers.
local cjson = require "cjson"
local client = require "spec.support.client"
local polling = require "spec.support.polling"
local suite = require "spec.support.protocol_suite"
local wait = require "spec.support.wait"

local PATH, SEPARATOR = "/engine.io/", polling.SEPARATOR
local KEYS = { "maxPayload", "pingInterval", "pingTimeout", "sid", "upgrades" }

describe("a connection of Engine.IO", function()
  local chatty

  setup(function() chatty = suite.start() end)

  teardown(function() chatty:stop() end)

  local function get(query, method, body)
    return chatty:request{ method = method, path = PATH .. query, body = body }
  end

  local function open() return polling.open(chatty.port, PATH) end

  -- Nobody polls any more: all have changed over, or ended.
  local function wait_for_end()
    assert.equal(0, chatty:wait_metric("polling", 0))
  end

  -- It has changed over, or ended: it takes no posts any more.
  local function wait_until_over(session)
    assert.truthy(wait.until_(function() return session:post("6") == 400 end))
  end

  -- A poll that the server has: what waits for its answer, and its connection.
  local function start_poll(session)
    assert.equal(0, chatty:wait_metric("polls_waiting", 0))
    local answer_of, connection = session:start()
    assert.equal(1, chatty:wait_metric("polls_waiting", 1))
    return answer_of, connection
  end

  local function open_socket(query)
    return client.ws{ port = chatty.port, path = PATH .. (query or "?EIO=4&transport=websocket") }
  end

  -- A WebSocket behind its handshake.
  local function join()
    local socket = open_socket()
    socket:next_raw()
    return socket
  end

  -- The next message that is no ping.
  local function next_of(socket)
    local text, opcode
    repeat text, opcode = socket:next_raw() until text ~= "2"
    return text, opcode
  end

  local function keys(handshake)
    local list = {}
    for key in pairs(handshake) do list[#list + 1] = key end
    table.sort(list)
    return list
  end

  describe("that opens with polling", function()
    it("is told what it must know", function()
      local session = open()
      assert.equal("0", session.response.body:sub(1, 1))
      assert.same(KEYS, keys(session.handshake))
      assert.same({ { "websocket" }, 300, 1000, 1000000 }, { session.handshake.upgrades,
        session.handshake.pingInterval, session.handshake.pingTimeout, session.handshake.maxPayload })
      assert.matches("^[%w_-]+$", session.sid)
    end)

    it("is told what the settings say", function()
      local other = suite.start{ PING_TIMEOUT = "200ms", POLLING_MAX = "64kb" }
      local handshake = polling.open(other.port, PATH).handshake
      assert.same({ 300, 200, 65536 }, { handshake.pingInterval, handshake.pingTimeout, handshake.maxPayload })
      other:stop()
    end)

    it("must name the version of the protocol", function()
      for _, query in ipairs{ "?transport=polling", "?EIO=abc&transport=polling", "?EIO=3&transport=polling" } do
        assert.equal(400, get(query).status)
      end
    end)

    it("must name a transport", function()
      assert.equal(400, get("?EIO=4").status)
      assert.equal(400, get("?EIO=4&transport=abc").status)
    end)

    it("must open with GET", function()
      for _, method in ipairs{ "POST", "PUT", "HEAD" } do
        assert.equal(400, get("?EIO=4&transport=polling", method).status)
      end
    end)
  end)

  describe("that opens with a WebSocket", function()
    it("is told what it must know", function()
      local text = open_socket():next_raw()
      local handshake = cjson.decode(text:sub(2))
      assert.equal("0", text:sub(1, 1))
      assert.same(KEYS, keys(handshake))
      assert.same({ {}, 300, 1000, 1000000 },
        { handshake.upgrades, handshake.pingInterval, handshake.pingTimeout, handshake.maxPayload })
    end)

    it("must name the version of the protocol", function()
      assert.equal(400, open_socket("?transport=websocket").status)
      assert.equal(400, open_socket("?EIO=abc&transport=websocket").status)
    end)

    it("must name a transport", function()
      assert.equal(400, open_socket("?EIO=4").status)
      assert.equal(400, open_socket("?EIO=4&transport=abc").status)
      assert.equal(400, open_socket("?EIO=4&transport=polling").status)
    end)
  end)

  describe("that polls", function()
    it("sends and gets a text", function()
      local session = open()
      assert.same({ 200, "ok" }, { session:post("4hello") })
      assert.equal("4hello", session:poll())
    end)

    it("sends and gets several texts in order", function()
      local session = open()
      local body = table.concat({ "4test1", "4test2", "4test3" }, SEPARATOR)
      assert.same({ 200, "ok" }, { session:post(body) })
      assert.equal(body, session:poll())
    end)

    it("sends and gets texts and binaries", function()
      local session = open()
      assert.same({ 200, "ok" }, { session:post("4hello" .. SEPARATOR .. "bAQIDBA==") })
      assert.equal("4hello" .. SEPARATOR .. "bAQIDBA==", session:poll())
    end)

    it("is closed by a packet that is none", function()
      local session = open()
      assert.equal(400, (session:post("abc")))
      assert.equal(400, select(2, session:poll()))
    end)

    it("is closed by two polls at once", function()
      local session = open()
      local first = start_poll(session)
      local second = session:request()
      assert.equal(400, second.status)
      local response = first()
      assert.same({ 200, "1" }, { response.status, response.body })
      assert.equal(400, select(2, session:poll()))
    end)

    it("is closed by a poll that its client cuts", function()
      local session = open()
      local _, connection = start_poll(session)
      connection:abort()
      assert.equal(400, wait.until_(function()
        local status = session:post("4x")
        return status ~= 200 and status
      end))
    end)

    it("is told of large bodies only", function()
      local session = open()
      assert.equal(413, (session:post("4" .. ("x"):rep(1000000))))
    end)
  end)

  describe("on a WebSocket", function()
    it("sends and gets a text", function()
      local socket = join()
      socket:send("4hello")
      assert.equal("4hello", next_of(socket))
    end)

    it("sends and gets a binary", function()
      local socket = join()
      socket:send_binary("\1\2\3\4")
      assert.same({ "\1\2\3\4", 2 }, { next_of(socket) })
    end)

    it("is closed by a packet that is none", function()
      local socket = join()
      socket:send("abc")
      assert.equal(1002, (socket:expect_closed()))
    end)
  end)

  describe("is pinged", function()
    it("while it polls", function()
      local session = open()
      for _ = 1, 3 do
        assert.equal("2", session:poll())
        assert.equal(200, (session:post("3")))
      end
    end)

    it("and ends while it polls when no pong comes", function()
      local session = open()
      wait_for_end()
      assert.equal(400, select(2, session:poll()))
    end)

    it("on a WebSocket", function()
      local socket = join()
      for _ = 1, 3 do
        assert.equal("2", (socket:next_raw()))
        socket:send("3")
      end
    end)

    it("and ends on a WebSocket when no pong comes", function()
      assert.equal(1006, (join():expect_closed()))
    end)
  end)

  describe("is closed by its client", function()
    it("while it polls", function()
      local session = open()
      local answer_of = start_poll(session)
      assert.same({ 200, "ok" }, { session:post("1") })
      local response = answer_of()
      assert.same({ 200, "6" }, { response.status, response.body })
      assert.equal(400, select(2, session:poll()))
    end)

    it("on a WebSocket", function()
      local socket = join()
      socket:send("1")
      assert.equal(1000, (socket:expect_closed()))
    end)
  end)

  describe("that changes over from polling to a WebSocket", function()
    it("goes on there", function()
      local session = open()
      local socket = session:websocket()
      socket:send("2probe")
      assert.equal("3probe", (socket:next_raw()))
      assert.equal("6", session:poll())
      socket:send("5")
      socket:send("4hello")
      assert.equal("4hello", next_of(socket))
    end)

    it("has no polls any more", function()
      local session = open()
      local socket = session:upgrade()
      wait_until_over(session)
      assert.equal(400, select(2, session:poll()))
      socket:send("4hello")
      assert.equal("4hello", next_of(socket))
    end)

    it("has no second WebSocket", function()
      local session = open()
      local socket = session:upgrade()
      wait_until_over(session)
      assert.equal(1008, (session:websocket():expect_closed()))
      socket:send("4hello")
      assert.equal("4hello", next_of(socket))
    end)

    it("ends a poll that waits", function()
      local session = open()
      local answer_of = start_poll(session)
      local socket = session:websocket()
      socket:send("2probe")
      assert.equal("3probe", (socket:next_raw()))
      assert.equal("6", answer_of().body)
    end)

    it("brings there what waited for a poll #threads", function()
      local session = open()
      session:post("4one" .. SEPARATOR .. "4two")
      local socket = session:upgrade()
      assert.same({ "4one", "4two" }, { (next_of(socket)), (next_of(socket)) })
    end)

    it("is closed by what is no probe, and goes on with polling", function()
      local session = open()
      local socket = session:websocket()
      socket:send("4hello")
      assert.equal(1002, (socket:expect_closed()))
      session:post("4still")
      assert.equal("4still", session:poll())
    end)

    it("needs a session", function()
      local unknown = setmetatable({ sid = "00" .. ("x"):rep(22) }, { __index = open() })
      assert.equal(1008, (unknown:websocket():expect_closed()))
      unknown.sid = "zz"
      assert.equal(400, unknown:websocket().status)
      assert.equal(400, select(2, unknown:poll()))
    end)
  end)
end)
