-- The opening handshake of RFC 6455, over real connections.
local client = require "spec.support.client"
local http = require "spec.support.http"
local server = require "spec.support.server"
local websocket = require "spec.support.websocket"

local KEY, ACCEPT = "dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" -- RFC 6455 1.3

describe("the opening handshake", function()
  local chatty

  setup(function() chatty = server.start{ settings = { ENABLE = "echo", CLOSE_TIMEOUT = "100ms" } } end)

  teardown(function() chatty:stop() end)

  local LINES = {
    "GET /echo HTTP/1.1", "Host: 127.0.0.1", "Upgrade: websocket", "Connection: Upgrade",
    "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: " .. KEY,
  }

  -- The bytes of a handshake. changes: line number -> another line, false to leave it out; 7 and 8 are added.
  local function request(changes)
    local lines = {}
    for i = 1, 8 do
      local line = changes and changes[i]
      if line == nil then line = LINES[i] end
      if line then lines[#lines + 1] = line end
    end
    return table.concat(lines, "\r\n") .. "\r\n\r\n"
  end

  local function send(bytes)
    local connection = client.tcp(chatty.port)
    connection:write(bytes)
    return http.read(connection), connection
  end

  it("is answered as the RFC's own example is", function()
    local response = send(request())
    assert.equal(101, response.status)
    assert.equal("websocket", response.headers.upgrade:lower())
    assert.equal("upgrade", response.headers.connection:lower())
    assert.equal(ACCEPT, response.headers["sec-websocket-accept"])
    assert.is_nil(response.headers["content-length"])
    assert.is_nil(response.headers["transfer-encoding"])
  end)

  it("is answered without extensions and protocols, whatever was offered", function()
    local response = send(request{
      [7] = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
      [8] = "Sec-WebSocket-Protocol: mqtt",
    })
    assert.equal(101, response.status)
    assert.is_nil(response.headers["sec-websocket-extensions"])
    assert.is_nil(response.headers["sec-websocket-protocol"])
  end)

  for name, changes in pairs{
    ["headers in any case"] = {
      [3] = "UPGRADE: WebSocket", [4] = "connection: UPGRADE", [6] = "SEC-websocket-KEY: " .. KEY,
    },
    ["more than one connection option"] = { [4] = "Connection: keep-alive, Upgrade" },
    ["connection options in two headers"] = { [7] = "Connection: keep-alive" },
    ["more than one protocol to upgrade to"] = { [3] = "Upgrade: h2c, websocket" },
    ["blanks around values"] = { [5] = "Sec-WebSocket-Version:   13  ", [6] = "Sec-WebSocket-Key:\t" .. KEY },
    ["an absolute target"] = { [1] = "GET http://127.0.0.1/echo HTTP/1.1" },
    ["a query"] = { [1] = "GET /echo?x=1 HTTP/1.1" },
    ["a length of nothing"] = { [7] = "Content-Length: 0" },
  } do
    it("may have " .. name, function()
      local response = send(request(changes))
      assert.same({ 101, ACCEPT }, { response.status, response.headers["sec-websocket-accept"] })
    end)
  end

  for name, case in pairs{
    ["without Upgrade"] = { 426, { [3] = false } },
    ["to another protocol"] = { 426, { [3] = "Upgrade: h2c" } },
    ["of no version"] = { 426, { [5] = false } },
    ["of version 8"] = { 426, { [5] = "Sec-WebSocket-Version: 8" } },
    ["of two versions"] = { 426, { [5] = "Sec-WebSocket-Version: 13, 8" } },
    ["without Connection: Upgrade"] = { 400, { [4] = false } },
    ["with another Connection"] = { 400, { [4] = "Connection: keep-alive" } },
    ["without a key"] = { 400, { [6] = false } },
    ["with an empty key"] = { 400, { [6] = "Sec-WebSocket-Key:" } },
    ["with a key of 15 bytes"] = { 400, { [6] = "Sec-WebSocket-Key: MTIzNDU2Nzg5MDEyMzQ1" } },
    ["with a key that is no base64"] = { 400, { [6] = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j*Q==" } },
    ["with two keys"] = { 400, { [7] = "Sec-WebSocket-Key: " .. KEY } },
    ["without Host"] = { 400, { [2] = false } },
    ["of HTTP/1.0"] = { 400, { [1] = "GET /echo HTTP/1.0" } },
    ["by POST"] = { 405, { [1] = "POST /echo HTTP/1.1", [7] = "Content-Length: 0" } },
    ["by HEAD"] = { 400, { [1] = "HEAD /echo HTTP/1.1" } },
    ["where there is nothing"] = { 404, { [1] = "GET /nothing HTTP/1.1" } },
  } do
    it(("%s is refused with %d"):format(name, case[1]), function()
      local connection = client.tcp(chatty.port)
      connection:write(request(case[2]))
      local method = case[2][1] and case[2][1]:match("^HEAD") or "GET"
      assert.equal(case[1], http.read(connection, method).status)
    end)
  end

  it("with a body is refused with 400", function()
    local response = send(request{ [7] = "Content-Length: 2" } .. "hi")
    assert.equal(400, response.status)
  end)

  it("that asks for another version is told the right one", function()
    local response = send(request{ [5] = "Sec-WebSocket-Version: 12" })
    assert.equal("13", response.headers["sec-websocket-version"])
    assert.equal("websocket", response.headers.upgrade)
    assert.matches("upgrade", response.headers.connection:lower())
  end)

  it("that was refused leaves the connection fit for a better one", function()
    local response, connection = send(request{ [5] = "Sec-WebSocket-Version: 12" })
    assert.equal(426, response.status)
    connection:write(request())
    assert.equal(101, http.read(connection).status)
  end)

  it("may follow other requests on the same connection, even unasked", function()
    local connection = client.tcp(chatty.port)
    local before, behind = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", websocket.encode{ payload = "Hello" }
    connection:write(before .. request() .. behind)
    assert.equal(200, http.read(connection).status)
    assert.equal(101, http.read(connection).status)
    assert.equal("\x81\x05Hello", connection:read(7))
  end)

  it("may come together with frames", function()
    local frames = websocket.encode{ payload = "one" } .. websocket.encode{ opcode = 9, payload = "p" }
      .. websocket.encode{ payload = "two" } .. websocket.encode{ opcode = 8, payload = "\x03\xe8" }
    local response, connection = send(request() .. frames)
    assert.equal(101, response.status)
    local messages, pongs = connection:read_all():gsub("\x8a\x01p", "")
    assert.same({ "\x81\x03one\x81\x03two\x88\x02\x03\xe8", 1 }, { messages, pongs })
  end)

  it("may come together with a fault", function()
    local response, connection = send(request() .. websocket.encode{ opcode = 3 })
    assert.equal(101, response.status)
    assert.equal("\x03\xea", connection:read_all():sub(3, 4))
  end)

  it("may come together with half a frame", function()
    local frame = websocket.encode{ payload = "Hello" }
    local response, connection = send(request() .. frame:sub(1, 7))
    assert.equal(101, response.status)
    connection:write(frame:sub(8))
    assert.equal("\x81\x05Hello", connection:read(7))
  end)

  it("may come byte by byte", function()
    local connection = client.tcp(chatty.port)
    connection.handle:nodelay(true)
    local bytes = request() .. websocket.encode{ payload = "Hello" }
    for i = 1, #bytes do connection:write(bytes:sub(i, i)) end
    assert.equal(101, http.read(connection).status)
    assert.equal("\x81\x05Hello", connection:read(7))
  end)
end)
