-- A session of a user, as a test holds it: the WebSocket, whose messages are events.

local asserts = require "test.asserts"
local json = require "core.json"
local socket = require "test.socket"

local session = {}

---@class test.session: test.socket
local Session = setmetatable({}, { __index = socket.methods })
Session.__index = Session
session.methods = Session

--- A session that is being opened: see test.socket.
---@param server test.server
---@param wire test.wire
---@param user? string
function session.open(server, wire, user)
  return socket.open(setmetatable({ user = user, acks = 0 }, Session), server, wire)
end

--- An event has come. chatty:connected greets the session and is not among its events.
---@param event test.event
---@param text string
function Session:keep(event, text)
  if event.event == "chatty:connected" and not self.connected then
    self.connected = event.attributes
    self.id = event.attributes.session
  else
    self.messages[#self.messages + 1] = { event, text }
  end
end

function Session:on_message(text)
  self:keep(json.decode(text), text)
end

local function name_of(self)
  return self.user or "the session"
end

--- The event that came first, decoded, and as it came. Fails the test when there is none.
---@return test.event event, string text
function Session:next()
  local message = table.remove(self.messages, 1)
  if not message then asserts.fail(("%s got no event: %s."):format(name_of(self), self:state())) end
  return message[1], message[2]
end

--- All events that came, decoded; {} when there is none.
---@return test.event[]
function Session:events()
  local events = {}
  for i, message in ipairs(self.messages) do events[i] = message[1] end
  self.messages = {}
  return events
end

--- Fails the test when an event waits.
function Session:none()
  local message = self.messages[1]
  if message then
    asserts.fail(("Expected no event for %s, but %d came. The first:\n%s"):format(
      name_of(self), #self.messages, message[2]))
  end
end

local function encode(name, attributes, ack)
  return json.encode { event = name, attributes = attributes == nil and {} or attributes, ack = ack }
end

--- Sends a frame as it is.
function Session:send_raw(data, is_binary)
  socket.methods.send(self, data, is_binary)
end

--- Sends an event, with a number to acknowledge if one is given.
---@param name string
---@param attributes? any
---@param ack? integer
function Session:send(name, attributes, ack)
  self:send_raw(encode(name, attributes, ack))
end

-- Takes the answer to `ack` out of what came, wherever it lies.
local function take_answer(self, ack)
  for i, message in ipairs(self.messages) do
    local event = message[1]
    if event.ack == ack then
      table.remove(self.messages, i)
      return event
    end
  end
end

--- Acknowledges an event of the server's, by its number.
---@param ack any
function Session:acknowledge(ack)
  self:send_raw(json.encode { event = "chatty:ack", ack = ack })
end

--- Sends an event and gives how it was acknowledged; or nil and the error { status, code, detail }.
---@param name string
---@param attributes? any
---@return any acknowledgement, table? refused
function Session:ask(name, attributes)
  self.acks = self.acks + 1
  self:send(name, attributes, self.acks)
  local answer = take_answer(self, self.acks)
  if not answer then
    asserts.fail(("'%s' of %s is not acknowledged: %s. Does its handler wait?"):format(
      name, name_of(self), self:state()))
  end
  if answer.event == "chatty:error" then return nil, answer.attributes end
  return answer.attributes
end

return session
