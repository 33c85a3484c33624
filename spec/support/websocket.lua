--- A WebSocket client that can do everything right and anything wrong. Made by `client.ws`.
local cjson = require "cjson"
local digest = require "openssl.digest"
local http = require "spec.support.http"
local mime = require "mime"
local rand = require "openssl.rand"
local tcp = require "spec.support.tcp"
local wait = require "spec.support.wait"

local CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
local MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

---@class spec.WebSocket
---@field connection spec.Connection
---@field status integer|nil     of the handshake's answer: 101, or the refusal; nil: it did not come
---@field fault string|nil       what the server did wrong, or why there was no answer
---@field body string|nil        of a refusal
---@field headers table<string, string>
---@field protocol string|nil    the subprotocol the server chose
---@field messages integer       whole data messages that came
---@field pings integer          pings that came
---@field close_code integer|nil what the server's close frame said; 1005: nothing
---@field close_reason string|nil
---@field answers boolean        whether pings and closes are answered at once, as they should be
local WebSocket = {}
WebSocket.__index = WebSocket

local websocket = { CONTINUATION = CONTINUATION, TEXT = TEXT, BINARY = BINARY, CLOSE = CLOSE,
  PING = PING, PONG = PONG }

--- XORs with the four bytes of `key` as RFC 6455 5.3 says, eight bytes at a time.
local function mask(payload, key)
  local word = string.unpack("<I8", key .. key)
  local parts = {}
  local last = #payload - #payload % 8
  for i = 1, last, 8 do
    parts[#parts + 1] = string.pack("<I8", string.unpack("<I8", payload, i) ~ word)
  end
  for i = last + 1, #payload do
    parts[#parts + 1] = string.char(payload:byte(i) ~ key:byte((i - 1) % 4 + 1))
  end
  return table.concat(parts)
end

local function encode_length(length, width)
  if width == 8 then return 127, string.pack(">I8", length) end
  if width == 2 then return 126, string.pack(">I2", length) end
  return length, ""
end

local function width_of(length)
  return length < 126 and 0 or length < 65536 and 2 or 8
end

---@class spec.Frame
---@field opcode? integer    default TEXT
---@field payload? string
---@field fin? boolean       default true
---@field rsv? integer       the three reserved bits, 0 to 7
---@field mask? string|false four bytes; false: not masked, which a client must not do
---@field length? integer    what the header says, when it shall lie
---@field width? integer     bytes of the extended length: 0, 2 or 8, when it shall not be the shortest

--- The bytes of a frame.
---@param frame spec.Frame
---@return string
function websocket.encode(frame)
  local payload = frame.payload or ""
  local length = frame.length or #payload
  local first = (frame.fin == false and 0 or 0x80) | (frame.rsv or 0) << 4 | (frame.opcode or TEXT)
  local second, extended = encode_length(length, frame.width or width_of(length))
  if frame.mask == false then return string.char(first, second) .. extended .. payload end
  local key = frame.mask or rand.bytes(4)
  return string.char(first, 0x80 | second) .. extended .. key .. mask(payload, key)
end

local function take_frame(inbox)
  local head = inbox:peek(10)
  if #head < 2 then return nil end
  local first, second = head:byte(1, 2)
  local length, header_bytes = second & 0x7F, 2
  if length >= 126 then
    local width = length == 126 and 2 or 8
    header_bytes = 2 + width
    if #head < header_bytes then return nil end
    length = string.unpack(">I" .. width, head, 3)
  end
  if second & 0x80 ~= 0 then error("the server masked a frame", 0) end
  if first & 0x70 ~= 0 then error("the server set a reserved bit", 0) end
  if inbox:size() < header_bytes + length then return nil end
  inbox:take(header_bytes)
  return { opcode = first & 0x0F, fin = first & 0x80 ~= 0, payload = inbox:take(length) }
end

local function on_close_frame(self, payload)
  self.close_code = #payload >= 2 and string.unpack(">I2", payload) or 1005
  self.close_reason = payload:sub(3)
  if self.answers and not self.has_closed then
    self:send_frame{ opcode = CLOSE, payload = payload:sub(1, 2) }
    self.has_closed = true
  end
end

local function on_frame(self, frame)
  self.last = self.last + 1
  self.frames[self.last] = frame
  if frame.opcode == PING then
    self.pings = self.pings + 1
    if self.answers then self:send_frame{ opcode = PONG, payload = frame.payload } end
  elseif frame.opcode == CLOSE then
    on_close_frame(self, frame.payload)
  elseif frame.opcode <= BINARY and frame.fin then
    self.messages = self.messages + 1
  end
end

local function on_data(self)
  local ok, fault = pcall(function()
    for frame in take_frame, self.connection.inbox do on_frame(self, frame) end
  end)
  if ok then return end
  self.fault = fault
  self.connection:close()
end

---@class spec.WebSocketOptions
---@field port integer
---@field path? string        default "/ws"
---@field token? string       goes out as Authorization: Bearer
---@field protocols? string[] offered in Sec-WebSocket-Protocol
---@field headers? table<string, string|false>  add to or replace the usual ones; false leaves one out
---@field method? string
---@field paused? boolean     reads nothing after the handshake until resume()

local function encode_handshake(options, key)
  local headers = {
    Upgrade = "websocket",
    Connection = "Upgrade",
    ["Sec-WebSocket-Key"] = key,
    ["Sec-WebSocket-Version"] = "13",
  }
  if options.token then headers.Authorization = "Bearer " .. options.token end
  if options.protocols then
    headers["Sec-WebSocket-Protocol"] = table.concat(options.protocols, ", ")
  end
  for name, value in pairs(options.headers or {}) do headers[name] = value or nil end
  local request = { method = options.method, path = options.path or "/ws", headers = headers }
  return http.encode(request, "127.0.0.1:" .. options.port)
end

--- Starts the handshake and returns at once; `finish` waits for its answer.
---@param options spec.WebSocketOptions
---@return spec.WebSocket
function websocket.start(options)
  local self = setmetatable({}, WebSocket)
  self.frames, self.first, self.last = {}, 1, 0
  self.messages, self.pings, self.answers = 0, 0, true
  self.headers = {}
  self.key = mime.b64(rand.bytes(16))
  self.is_paused = options.paused
  self.connection = tcp.open(options.port)
  self.connection:write(encode_handshake(options, self.key))
  return self
end

local function accept_of(key)
  return (mime.b64(digest.new("sha1"):final(key .. MAGIC)))
end

--- Waits for the answer to the handshake, in `status`.
---@return spec.WebSocket self
function WebSocket:finish(seconds)
  local response, fault = http.read(self.connection, "GET", seconds)
  if not response then
    self.fault = fault
    return self
  end
  self.status, self.body, self.headers = response.status, response.body, response.headers
  if self.status ~= 101 then
    self.connection:close()
  elseif self.headers["sec-websocket-accept"] ~= accept_of(self.key) then
    self.fault = "wrong Sec-WebSocket-Accept"
    self.connection:close()
  else
    self.protocol = self.headers["sec-websocket-protocol"]
    self.connection.on_data = function() on_data(self) end
    if self.is_paused then self:pause() else on_data(self) end
  end
  return self
end

--- Sends bytes as they are, in no frame.
function WebSocket:write(bytes)
  return self.connection:write(bytes)
end

---@param frame spec.Frame
function WebSocket:send_frame(frame)
  return self.connection:write(websocket.encode(frame))
end

function WebSocket:send(text)
  return self:send_frame{ payload = text }
end

function WebSocket:send_binary(bytes)
  return self:send_frame{ opcode = BINARY, payload = bytes }
end

function WebSocket:ping(payload)
  return self:send_frame{ opcode = PING, payload = payload }
end

--- Sends a message in as many frames as there are parts.
---@param parts string[]
function WebSocket:send_fragments(parts)
  for i, part in ipairs(parts) do
    self:send_frame{ opcode = i == 1 and TEXT or CONTINUATION, fin = i == #parts, payload = part }
  end
end

--- Sends one event.
---@param name string
---@param attributes? string  JSON; default {}
---@param ack? integer|string
function WebSocket:send_event(name, attributes, ack)
  local tail = ack and ',"ack":' .. cjson.encode(ack) or ""
  return self:send(('{"event":%s,"attributes":%s%s}'):format(cjson.encode(name), attributes or "{}", tail))
end

--- Waits for the next frame of any kind, also control frames; nil, reason when none comes.
---@return {opcode:integer, fin:boolean, payload:string}|nil, string? reason
function WebSocket:next_frame(seconds)
  wait.until_(function() return self.frames[self.first] or self.connection.ended end, seconds)
  local frame = self.frames[self.first]
  if not frame then return nil, self.fault or self.connection.ended or "TIMEOUT" end
  self.frames[self.first] = nil
  self.first = self.first + 1
  return frame
end

--- Waits for the next data message and skips control frames; nil, reason when none comes.
---@return string|nil payload, integer|string opcode_or_reason
function WebSocket:next_raw(seconds)
  local parts, opcode = {}, nil
  while true do
    local frame, reason = self:next_frame(seconds)
    if not frame then return nil, reason end
    if frame.opcode <= BINARY then
      opcode = opcode or frame.opcode
      parts[#parts + 1] = frame.payload
      if frame.fin then return table.concat(parts), opcode end
    end
  end
end

--- Waits for the next event; returns it decoded, and as it came. nil, reason when none comes.
---@return table|nil event, string text_or_reason
function WebSocket:next(seconds)
  local text, reason = self:next_raw(seconds)
  if not text then return nil, reason end
  return cjson.decode(text), text
end

--- Stops to read, as a client that hangs.
function WebSocket:pause()
  self.connection:pause()
end

function WebSocket:resume()
  on_data(self)
  self.connection:resume()
end

--- Begins the closing handshake.
function WebSocket:close(code, reason)
  self.has_closed = true
  return self:send_frame{ opcode = CLOSE, payload = code and string.pack(">I2", code) .. (reason or "") }
end

--- Ends the connection without a word, by reset.
function WebSocket:abort()
  self.connection:abort()
end

--- Waits until the connection is over; returns what the server's close frame said, 1006 when there was
--- none, nil when the connection goes on.
---@return integer|nil code, string reason
function WebSocket:expect_closed(seconds)
  local ended = self.connection:wait_closed(seconds)
  if not ended then return nil, "still open" end
  return self.close_code or 1006, self.close_reason or ended
end

return websocket
