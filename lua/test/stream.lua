-- A session that only listens: Server-Sent Events.

local json = require "core.json"
local session = require "test.session"

local stream = {}

local LOST <const> = 1006

local Stream = setmetatable({}, { __index = session.methods })
Stream.__index = Stream

---@param server test.server
---@param wire test.wire
---@param user? string
function stream.open(server, wire, user)
  return setmetatable({ server = server, wire = wire, user = user, messages = {} }, Stream)
end

-- One event of the stream, without the blank line behind it; nil for a comment, or a word to the browser.
local function read_event(text)
  local event, data = {}, {}
  for line in text:gmatch("[^\n]+") do
    local name, value = line:match("^(%a+): ?(.*)$")
    if name == "event" then event.event = value end
    if name == "id" then event.id = value end
    if name == "data" then data[#data + 1] = value end
  end
  if not data[1] then return nil end
  event.attributes = json.decode(table.concat(data, "\n"))
  return event
end

local function read_events(self)
  while true do
    local from, to = self.wire.input:find("\n\n", 1, true)
    if not from then return end
    local text = self.wire.input:sub(1, from)
    self.wire.input = self.wire.input:sub(to + 1)
    local event = read_event(text)
    if event and event.event == "chatty:closed" then
      self.ended = self.ended or { code = event.attributes.code, reason = event.attributes.reason or "" }
    elseif event then
      self:keep(event, text)
    end
  end
end

function Stream:pump()
  if not self.wire:move_for(self) then return false end
  if self.status == 200 then read_events(self) end
  if self.wire.is_over then
    if self.status == 200 then self.ended = self.ended or { code = LOST, reason = "" } end
    self.wire:close()
  end
  return true
end

--- A stream has no way to close but to be gone.
function Stream:close()
  self:cut()
end

function Stream:send_raw()
  error(("%s only listens: a stream of events takes nothing"):format(self.user or "the session"), 2)
end

return stream
