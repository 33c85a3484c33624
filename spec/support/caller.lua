--- An app server in specs: one kept connection to the control endpoints, with several calls under way.
local http = require "spec.support.http"
local tcp = require "spec.support.tcp"

---@class spec.Caller
---@field connection spec.Connection
local Caller = {}
Caller.__index = Caller

local caller = {}

--- Opens a connection to the server; each new one may come to another worker.
---@param server spec.Server
---@return spec.Caller
function caller.open(server)
  return setmetatable({ server = server, connection = tcp.open(server.port) }, Caller)
end

--- Sends a call and does not wait for its answer.
---@param method string
---@param path string
---@param body? string
function Caller:send(method, path, body)
  local headers = { ["X-API-Key"] = self.server.settings.CONTROL_KEY, ["Content-Type"] = "application/json" }
  local request = { method = method, path = path, headers = headers, body = body }
  self.connection:write(http.encode(request, "127.0.0.1:" .. self.server.port))
end

--- Waits for the answer to the oldest call that has none yet.
---@return spec.Response|nil, string? reason
function Caller:read()
  return http.read(self.connection, "POST")
end

--- Sends a call and waits for its answer.
---@return spec.Response|nil, string? reason
function Caller:call(method, path, body)
  self:send(method, path, body)
  return self:read()
end

local function document(channel)
  local kind, id = channel:match("^(.-)%-(.+)$")
  return ('{"data":{"type":"%s","id":"%s"}}'):format(kind, id)
end

--- subscribe or unsubscribe of one user and one channel ("type-id"). Does not wait.
function Caller:send_change(verb, user, channel)
  self:send("POST", ("/control/subscription/%s?method=users:%s"):format(verb, user), document(channel))
end

--- The same, and waits for the answer.
function Caller:change(verb, user, channel)
  self:send_change(verb, user, channel)
  return self:read()
end

--- Emits an event to one channel; attributes is JSON. Does not wait.
function Caller:send_notify(channel, attributes, more)
  local path = "/control/notify?method=channels:" .. channel .. (more or "")
  self:send("POST", path, ('{"event":"tick","attributes":%s}'):format(attributes))
end

function Caller:close()
  self.connection:close()
end

return caller
