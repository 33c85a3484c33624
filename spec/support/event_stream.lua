--- A client of Server-Sent Events that reads one event after the other, as they came.
local cjson = require "cjson"
local http = require "spec.support.http"
local tcp = require "spec.support.tcp"

---@class spec.EventStream
---@field status integer|nil   of the answer
---@field headers table<string, string>
---@field head string
---@field connection spec.Connection
---@field retry integer|nil    milliseconds, as the server asked
---@field comments integer     that came
local EventStream = {}
EventStream.__index = EventStream

local event_stream = {}

--- Asks for a stream and waits for the head of the answer.
---@param options {port:integer, path:string?, headers:table<string, string>?, token:string?, method:string?}
---@return spec.EventStream
function event_stream.open(options)
  local headers = { Accept = "text/event-stream" }
  for name, value in pairs(options.headers or {}) do headers[name] = value end
  if options.token then headers.Authorization = "Bearer " .. options.token end
  local connection = tcp.open(options.port)
  connection:write(http.encode({ method = options.method, path = options.path or "/events", headers = headers },
    "127.0.0.1:" .. options.port))
  local head = connection:read_until("\r\n\r\n") or ""
  local self = { connection = connection, head = head, headers = {}, comments = 0 }
  self.status = tonumber(head:match("^HTTP/1%.1 (%d%d%d)"))
  for name, value in head:gmatch("\r\n([^:\r\n]+):[ \t]*([^\r\n]*)") do self.headers[name:lower()] = value end
  return setmetatable(self, EventStream)
end

local function read_fields(block)
  local fields = {}
  for line in block:gmatch("([^\n]*)\n") do
    local name, value = line:match("^([^:]*): ?(.*)$")
    fields[name] = fields[name] and fields[name] .. "\n" .. value or value
  end
  return fields
end

--- Waits for the next event: { event, data, id, attributes (decoded) }; nil when the stream ends or is silent.
---@return table|nil
function EventStream:next(seconds)
  while true do
    local block = self.connection:read_until("\n\n", seconds)
    if not block then return nil end
    local fields = read_fields(block:sub(1, -2))
    if fields[""] then self.comments = self.comments + 1 end
    if fields.retry then self.retry = tonumber(fields.retry) end
    if fields.event then
      return { event = fields.event, data = fields.data, id = fields.id, attributes = cjson.decode(fields.data) }
    end
    if fields[""] and self.wants_comment then return nil end
  end
end

--- Waits for a comment; false when an event or nothing comes.
---@return boolean
function EventStream:next_comment(seconds)
  local before = self.comments
  self.wants_comment = true
  local came = self:next(seconds)
  self.wants_comment = nil
  return not came and self.comments > before
end

--- Whether the server ends the connection.
function EventStream:wait_closed(seconds)
  return self.connection:wait_closed(seconds)
end

function EventStream:close()
  self.connection:close()
end

return event_stream
