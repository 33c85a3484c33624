-- A session over Socket.IO, on a WebSocket: packets of Engine.IO, and in them those of one namespace.

local asserts = require "test.asserts"
local json = require "core.json"
local session = require "test.session"
local socket = require "test.socket"

local sio = {}

local Sio = setmetatable({}, { __index = session.methods })
Sio.__index = Sio

---@param server test.server
---@param wire test.wire
---@param user? string
---@param spec {namespace: string, auth?: table}
function sio.open(server, wire, user, spec)
  local prefix = spec.namespace == "/" and "" or spec.namespace .. ","
  return socket.open(setmetatable({ user = user, acks = 0, prefix = prefix, auth = spec.auth }, Sio), server, wire)
end

-- Engine.IO's 4, a message; then the packet's own digit.
local function packet(self, digit, rest)
  return "4" .. digit .. self.prefix .. (rest or "")
end

local on_packet = {}

on_packet["0"] = function(self, _, value)
  self.id = value.sid
end

on_packet["1"] = function(self)
  self.ended = self.ended or { code = 1000, reason = "" }
end

on_packet["2"] = function(self, ack, value, text)
  local event = { event = value[1], attributes = value[2], ack = ack, id = value[3] }
  if event.event == "chatty:closed" then
    self.ended = { code = event.attributes.code, reason = event.attributes.reason or "" }
  elseif event.event == "chatty:offset" then
    self.messages[#self.messages][1].id = event.attributes -- of the event before it
  else
    self:keep(event, text)
  end
end

on_packet["3"] = function(self, ack, value, text)
  local refused = type(value[1]) == "table" and value[1].error
  self:keep({ event = refused and "chatty:error" or "chatty:ack", attributes = refused or value[1], ack = ack }, text)
end

on_packet["4"] = function(self, _, value)
  self.ended = { code = value.data and value.data.code or 0, reason = value.message }
end

local function read_packet(self, text)
  local digit, rest = text:sub(1, 1), text:sub(2)
  if rest:sub(1, #self.prefix) ~= self.prefix then return end
  local ack, body = rest:sub(#self.prefix + 1):match("^(%d*)(.*)$")
  local read = on_packet[digit] or error("a packet of Socket.IO that tests cannot read: " .. text, 0)
  read(self, tonumber(ack), body ~= "" and json.decode(body) or nil, text)
end

function Sio:on_message(text)
  local kind, rest = text:sub(1, 1), text:sub(2)
  if kind == "0" then
    self:push(packet(self, "0", self.auth and json.encode(self.auth)))
  elseif kind == "2" then
    self:push("3")
  elseif kind == "4" then
    read_packet(self, rest)
  end
end

--- With `ack`, a number, its acknowledgement comes as an event with it.
function Sio:send(name, attributes, ack)
  self:send_raw(packet(self, "2", (ack or "") .. json.encode(json.array({ name, attributes }))))
end

function Sio:acknowledge(ack, value)
  if ack == nil then asserts.fail("This event wants no acknowledgement.") end
  self:send_raw(packet(self, "3", ack .. json.encode(json.array({ value }))))
end

return sio
