-- The client of one WebSocket: it answers pings and closes, and keeps the messages that came until they are asked
-- for.

local asserts = require "test.asserts"

local socket = {}

local TEXT <const>, BINARY <const>, CLOSE <const>, PING <const>, PONG <const> = 1, 2, 8, 9, 10
local FINAL <const>, MASKED <const> = 0x80, 0x80
local SHORT_MAX <const>, MEDIUM_MAX <const> = 125, 0xFFFF
local MASK <const> = "\0\0\0\0" -- a key like any other, which leaves the payload as it is
local LOST <const> = 1006

-- A whole frame as clients send it.
local function encode(opcode, payload)
  local len, head = #payload
  if len <= SHORT_MAX then
    head = string.pack(">BB", FINAL | opcode, MASKED | len)
  elseif len <= MEDIUM_MAX then
    head = string.pack(">BBI2", FINAL | opcode, MASKED | 126, len)
  else
    head = string.pack(">BBI8", FINAL | opcode, MASKED | 127, len)
  end
  return head .. MASK .. payload
end

-- The first frame of the bytes, and what follows it; nil: it is not whole.
local function decode(bytes)
  if #bytes < 2 then return nil end
  local first, len, at = string.unpack(">BB", bytes)
  if len > SHORT_MAX then
    local form = len == 126 and ">I2" or ">I8"
    if #bytes < at - 1 + string.packsize(form) then return nil end
    len, at = string.unpack(form, bytes, at)
  end
  if #bytes < at - 1 + len then return nil end
  return first & 0x0F, bytes:sub(at, at + len - 1), bytes:sub(at + len)
end

---@class test.socket
---@field ended? {code: integer, reason: string}
local Socket = {}
Socket.__index = Socket
socket.methods = Socket

--- Makes `self` the client of an upgrade whose request is on the wire.
---@param self table
---@param server test.server
---@param wire test.wire
function socket.open(self, server, wire)
  self.server, self.wire, self.messages = server, wire, {}
  return self
end

local function end_with(self, code, reason)
  self.ended = self.ended or { code = code, reason = reason }
end

local function on_close(self, payload)
  local code, reason = 1005, ""
  if #payload >= 2 then code, reason = string.unpack(">I2", payload), payload:sub(3) end
  if not self.ended then self.wire:send(encode(CLOSE, payload)) end
  end_with(self, code, reason)
end

local function on_frame(self, opcode, payload)
  if opcode == PING then
    self.wire:send(encode(PONG, payload))
  elseif opcode == CLOSE then
    on_close(self, payload)
  elseif opcode == TEXT or opcode == BINARY then
    self:on_message(payload, opcode == BINARY)
  end
end

function Socket:on_message(payload, is_binary)
  self.messages[#self.messages + 1] = { payload, is_binary }
end

local function read_frames(self)
  while true do
    local opcode, payload, rest = decode(self.wire.input)
    if not opcode then return end
    self.wire.input = rest
    on_frame(self, opcode, payload)
  end
end

--- Lets it read and answer; gives whether anything came or went.
function Socket:pump()
  if not self.wire:move_for(self) then return false end
  if self.status == 101 then read_frames(self) end
  if self.wire.is_over then
    if self.status == 101 then end_with(self, LOST, "") end
    self.wire:close()
  end
  return true
end

--- Whether nothing comes any more.
function Socket:is_over()
  return self.wire.is_over
end

--- Sends text, and does not look what comes of it.
---@param text string
function Socket:push(text)
  self.wire:send(encode(TEXT, text))
end

local function send(self, opcode, payload)
  self.wire:send(encode(opcode, payload))
  self.server:settle()
end

local function none(self)
  if self.ended then
    return ("closed with %d%s"):format(self.ended.code, self.ended.reason ~= "" and ": " .. self.ended.reason or "")
  end
  return self.status == 101 and "nothing waits" or ("refused with status %s"):format(self.status)
end

--- The message that came first, and whether it is binary. Fails the test when there is none.
---@return string data, boolean is_binary
function Socket:next()
  local message = table.remove(self.messages, 1)
  if not message then asserts.fail(("There is no message: %s."):format(none(self))) end
  return message[1], message[2]
end

--- Fails the test when a message waits.
function Socket:none()
  if not self.messages[1] then return end
  asserts.fail(("Expected no message, but %d came. The first:\n%s"):format(#self.messages, self.messages[1][1]))
end

--- Why nothing comes: for the messages of failures.
function Socket:state()
  return none(self)
end

--- Sends a message.
---@param data string
---@param is_binary? boolean
function Socket:send(data, is_binary)
  send(self, is_binary and BINARY or TEXT, data)
end

--- Closes, as a client does.
---@param code? integer   default 1000
---@param reason? string
function Socket:close(code, reason)
  code, reason = code or 1000, reason or ""
  if not self.ended then
    end_with(self, code, reason)
    send(self, CLOSE, string.pack(">I2", code) .. reason)
  end
end

--- Is gone, as a client whose network is.
function Socket:cut()
  end_with(self, LOST, "")
  self.wire:close()
  self.server:settle()
end

--- The code and the reason it was closed with; nil while it is open.
---@return integer|nil code, string? reason
function Socket:closed()
  if self.ended then return self.ended.code, self.ended.reason end
end

return socket
