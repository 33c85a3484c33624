-- Connections that end in the middle: at each byte of a handshake and of its first frames, in three ways. All
-- of them are let go, and the server is as it was.
local client = require "spec.support.client"
local http = require "spec.support.http"
local polling = require "spec.support.polling"
local server = require "spec.support.server"
local websocket = require "spec.support.websocket"

local PLUGIN = [[
  local chatty = require "chatty"
  local plugin = { api = 1 }
  function plugin.setup(app)
    app:on("connect", function(session) session.data.n = 0 end)
    app:on("message", function(session, event)
      session.data.n = session.data.n + 1
      chatty.subscribe({ session.user }, { "cut-" .. session.data.n })
      return session.data.n
    end)
  end
  return plugin
]]

local WAYS = {
  ["by a reset"] = function(connection) connection:abort() end,
  ["in good order"] = function(connection) connection:close() end,
  ["by half"] = function(connection)
    connection:half_close()
    connection:wait_closed()
  end,
}

describe("a connection that is cut", function()
  local chatty

  setup(function()
    chatty = server.start{ settings = { CLOSE_TIMEOUT = "200ms" }, plugins = { count = PLUGIN } }
  end)

  teardown(function() chatty:stop() end)

  local function handshake(token, path)
    return http.encode({ path = path or "/ws", headers = {
      Upgrade = "websocket", Connection = "Upgrade", ["Sec-WebSocket-Version"] = "13",
      ["Sec-WebSocket-Key"] = "dGhlIHNhbXBsZSBub25jZQ==", Authorization = token and "Bearer " .. token,
    } }, "x")
  end

  local function assert_all_gone()
    for _, name in ipairs{ "sessions", "sockets", "users_online", "queue_bytes" } do
      assert.equal(0, chatty:wait_metric(name, 0))
    end
    assert.equal(1, chatty:wait_metric("connections", 1)) -- the one that asks
    assert.equal("[]", chatty:control("GET", "/control/search/users").body)
  end

  for way, cut in pairs(WAYS) do
    it(way .. " at any byte of a handshake with a token and of the first frames leaves nothing", function()
      local bytes = handshake(chatty:token("ann"))
        .. websocket.encode{ payload = '{"event":"€","ack":1}' }
        .. websocket.encode{ opcode = 1, fin = false, payload = '{"event":' }
        .. websocket.encode{ opcode = 9, payload = "p" }
        .. websocket.encode{ opcode = 0, payload = '"x"}' }
        .. websocket.encode{ opcode = 8, payload = "\x03\xe8bye" }
      for length = 0, #bytes do
        local connection = client.tcp(chatty.port)
        connection:write(bytes:sub(1, length))
        cut(connection)
      end
      assert_all_gone()
    end)

    it(way .. " at any byte of a first frame with a token leaves nothing", function()
      local auth = ('{"event":"chatty:auth","attributes":{"token":"%s"}}'):format(chatty:token("ann"))
      local bytes = websocket.encode{ payload = auth }
        .. websocket.encode{ payload = '{"event":"x","ack":1}' }
      for length = 0, #bytes, 3 do
        local connection = client.tcp(chatty.port)
        connection:write(handshake())
        http.read(connection)
        connection:write(bytes:sub(1, length))
        cut(connection)
      end
      assert_all_gone()
    end)

    it(way .. " at any byte of the change from polling to a WebSocket goes on polling, and misses nothing", function()
      local session = polling.join(chatty, "bob")
      local head = handshake(nil, "/socket.io/?EIO=4&transport=websocket&sid=" .. session.sid)
      local bytes = head .. websocket.encode{ payload = "2probe" } .. websocket.encode{ payload = "5" }
      for length = 0, #bytes - 1 do
        if length > #head - 4 or length % 16 == 0 then
          local connection = client.tcp(chatty.port)
          connection:write(bytes:sub(1, length))
          cut(connection)
          chatty:notify("users:bob", "n", tostring(length))
          local packet
          repeat packet = session:next() until packet ~= "6"
          assert.equal(('42["n",%d]'):format(length), packet)
        end
      end
      session:post("1")
      assert_all_gone()
    end)
  end

  it("in the middle of a poll or of what is posted leaves nothing", function()
    for length = 1, 400, 7 do
      local session = polling.open(chatty.port)
      session:post(('40{"token":"%s"}'):format(chatty:token("bob")))
      local path = "/socket.io/?EIO=4&transport=polling&sid=" .. session.sid
      local body = '42["echo",{}]\x1e451-["echo",{"_placeholder":true,"num":0}]\x1ebAQID\x1e43' .. (1 << 44) .. "[]"
      local bytes = http.encode({ path = path }, "x")
        .. http.encode({ method = "POST", path = path, body = body }, "x")
      local connection = client.tcp(chatty.port)
      connection:write(bytes:sub(1, length))
      connection:abort()
      session:post("1")
    end
    assert_all_gone()
    assert.equal(0, chatty:wait_metric("polling", 0))
  end)
end)
