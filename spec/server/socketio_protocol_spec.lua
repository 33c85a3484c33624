-- Socket.IO v5 as its protocol says: the cases of the official suite, in words of our own. Its Engine.IO
-- half, over /socket.io/, and then packets, each over a WebSocket, and some over polling too.
local cjson = require "cjson"
local client = require "spec.support.client"
local polling = require "spec.support.polling"
local suite = require "spec.support.protocol_suite"
local wait = require "spec.support.wait"

local PATH, SEPARATOR = "/socket.io/", polling.SEPARATOR
local PLACE = '{"_placeholder":true,"num":%d}'

describe("Socket.IO", function()
  local chatty

  setup(function() chatty = suite.start() end)

  teardown(function() chatty:stop() end)

  local function get(query, method)
    return chatty:request{ method = method, path = PATH .. query }
  end

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

  -- The next message that is no ping; pings are answered.
  local function next_of(socket)
    while true do
      local text, opcode = socket:next_raw()
      if text ~= "2" then return text, opcode end
      socket:send("3")
    end
  end

  -- A WebSocket behind the handshake of Engine.IO.
  local function start()
    local socket = open_socket()
    socket:next_raw()
    return socket
  end

  -- A WebSocket that is in the main namespace.
  local function join()
    local socket = start()
    socket:send("40")
    next_of(socket)
    next_of(socket)
    return socket
  end

  describe("on Engine.IO", function()
    it("opens with polling", function()
      local handshake = polling.open(chatty.port).handshake
      assert.same({ { "websocket" }, 300, 1000, 1000000, "string" }, { handshake.upgrades, handshake.pingInterval,
        handshake.pingTimeout, handshake.maxPayload, type(handshake.sid) })
    end)

    it("opens with a WebSocket", function()
      local handshake = cjson.decode(open_socket():next_raw():sub(2))
      assert.same({ {}, 300, 1000, 1000000, "string" }, { handshake.upgrades, handshake.pingInterval,
        handshake.pingTimeout, handshake.maxPayload, type(handshake.sid) })
    end)

    it("wants its version, with polling and on a WebSocket", function()
      for _, query in ipairs{ "?transport=%s", "?EIO=abc&transport=%s" } do
        assert.equal(400, get(query:format("polling")).status)
        assert.equal(400, open_socket(query:format("websocket")).status)
      end
    end)

    it("wants a transport, with polling and on a WebSocket", function()
      for _, query in ipairs{ "?EIO=4", "?EIO=4&transport=abc" } do
        assert.equal(400, get(query).status)
        assert.equal(400, open_socket(query).status)
      end
    end)

    it("wants GET to open", function()
      assert.equal(400, get("?EIO=4&transport=polling", "POST").status)
      assert.equal(400, get("?EIO=4&transport=polling", "PUT").status)
    end)

    it("pings while a client polls", function()
      local session = polling.open(chatty.port)
      for _ = 1, 3 do
        assert.equal("2", session:poll())
        assert.equal(200, (session:post("3")))
      end
    end)

    it("ends a polling client that does not pong", function()
      local session = polling.open(chatty.port)
      wait_for_end()
      assert.equal(400, select(2, session:poll()))
    end)

    it("pings on a WebSocket", function()
      local socket = start()
      for _ = 1, 3 do
        assert.equal("2", (socket:next_raw()))
        socket:send("3")
      end
    end)

    it("ends a WebSocket that does not pong", function()
      assert.equal(1006, (start():expect_closed()))
    end)

    it("ends when a polling client closes", function()
      local session = polling.open(chatty.port)
      local answer_of = start_poll(session)
      assert.equal(200, (session:post("1")))
      assert.equal("6", answer_of().body)
      assert.equal(400, select(2, session:poll()))
    end)

    it("ends when a client closes on a WebSocket", function()
      local socket = start()
      socket:send("1")
      assert.truthy((socket:expect_closed()))
    end)

    it("changes over from polling to a WebSocket", function()
      local session = polling.open(chatty.port)
      local socket = session:upgrade()
      wait_until_over(session)
      assert.equal(400, select(2, session:poll()))
      assert.equal(1008, (session:websocket():expect_closed()))
      socket:send("40")
      assert.matches("^40", (next_of(socket)))
    end)
  end)

  describe("connects", function()
    local function connect(text)
      local socket = start()
      socket:send(text)
      return next_of(socket), socket
    end

    local function sid_of(answer, prefix)
      assert.equal(prefix, answer:sub(1, #prefix))
      local handshake = cjson.decode(answer:sub(#prefix + 1))
      assert.same({ sid = handshake.sid }, handshake)
      assert.equal("string", type(handshake.sid))
    end

    it("to the main namespace", function()
      local answer, socket = connect("40")
      sid_of(answer, "40")
      assert.equal('42["auth",{}]', (next_of(socket)))
    end)

    it("to the main namespace with a payload", function()
      local answer, socket = connect('40{"token":"123"}')
      sid_of(answer, "40")
      assert.equal('42["auth",{"token":"123"}]', (next_of(socket)))
    end)

    it("to another namespace", function()
      local answer, socket = connect("40/custom,")
      sid_of(answer, "40/custom,")
      assert.equal('42/custom,["auth",{}]', (next_of(socket)))
    end)

    it("to another namespace with a payload", function()
      local answer, socket = connect('40/custom,{"token":"abc"}')
      sid_of(answer, "40/custom,")
      assert.equal('42/custom,["auth",{"token":"abc"}]', (next_of(socket)))
    end)

    it("not to a namespace that nobody opened", function()
      assert.equal('44/random,{"message":"Invalid namespace"}', (connect("40/random")))
    end)

    it("not with what is no packet", function()
      local socket = start()
      socket:send("4abc")
      assert.truthy((socket:expect_closed()))
    end)

    it("in time, or the connection is closed", function()
      local socket = start()
      local text
      repeat
        text = socket:next_raw()
        if text == "2" then socket:send("3") end
      until not text
      assert.equal(4500, (socket:expect_closed()))
    end)

    it("over polling", function()
      local session = polling.open(chatty.port)
      session:post("40")
      sid_of(session:next(), "40")
      assert.equal('42["auth",{}]', session:next())
    end)
  end)

  describe("disconnects", function()
    it("from the main namespace, and the connection goes on", function()
      local socket = join()
      socket:send("41")
      assert.equal("2", (socket:next_raw()))
    end)

    it("from another namespace, and the main one goes on", function()
      local socket = join()
      socket:send("40/custom")
      next_of(socket)
      next_of(socket)
      socket:send("41/custom")
      socket:send('42["message","message to main namespace"]')
      assert.equal('42["message-back","message to main namespace"]', (next_of(socket)))
    end)
  end)

  describe("carries", function()
    it("an event with several arguments", function()
      local socket = join()
      socket:send('42["message",1,"2",{"3":[true]}]')
      assert.equal('42["message-back",1,"2",{"3":[true]}]', (next_of(socket)))
    end)

    it("an event in another namespace", function()
      local socket = start()
      socket:send("40/custom")
      next_of(socket)
      next_of(socket)
      socket:send('42/custom,["message",1]')
      assert.equal('42/custom,["message-back",1]', (next_of(socket)))
    end)

    it("an event with binaries", function()
      local socket = join()
      local arguments = PLACE:format(0) .. "," .. PLACE:format(1)
      socket:send(('452-["message",%s]'):format(arguments))
      socket:send_binary("\1\2\3")
      socket:send_binary("\4\5\6")
      assert.equal(('452-["message-back",%s]'):format(arguments), (next_of(socket)))
      assert.same({ "\1\2\3", 2 }, { next_of(socket) })
      assert.same({ "\4\5\6", 2 }, { next_of(socket) })
    end)

    it("an event with an acknowledgement", function()
      local socket = join()
      socket:send('42456["message-with-ack",1,"2",{"3":[false]}]')
      assert.equal('43456[1,"2",{"3":[false]}]', (next_of(socket)))
    end)

    it("an event with binaries and an acknowledgement", function()
      local socket = join()
      local arguments = PLACE:format(0) .. "," .. PLACE:format(1)
      socket:send(('452-789["message-with-ack",%s]'):format(arguments))
      socket:send_binary("\1\2\3")
      socket:send_binary("\4\5\6")
      assert.equal(("462-789[%s]"):format(arguments), (next_of(socket)))
      assert.same({ "\1\2\3", 2 }, { next_of(socket) })
      assert.same({ "\4\5\6", 2 }, { next_of(socket) })
    end)

    it("binaries over polling too", function()
      local session = polling.open(chatty.port)
      session:post("40")
      session:next()
      session:next()
      session:post(table.concat({ ('451-7["message-with-ack",%s]'):format(PLACE:format(0)), "bAQID" }, SEPARATOR))
      assert.equal(("461-7[%s]"):format(PLACE:format(0)), session:next())
      assert.equal("bAQID", session:next())
    end)
  end)

  describe("closes the connection of", function()
    local function closes(text)
      local socket = join()
      socket:send(text)
      local answer = next_of(socket)
      assert.is_nil(answer)
      assert.equal(1002, (socket:expect_closed()))
    end

    it("a packet of unknown type", function() closes("4abc") end)

    it("an event whose data is no array", function() closes("42{}") end)

    it("an event whose acknowledgement id is none", function()
      closes('42abc["message-with-ack",1,"2",{"3":[false]}]')
    end)

    it("a second connect to a namespace", function() closes("40") end)

    it("a binary that nobody waits for", function()
      local socket = join()
      socket:send_binary("x")
      assert.equal(1002, (socket:expect_closed()))
    end)

    it("an event named like a happening", function() closes('42["connect_error",1]') end)
  end)
end)
