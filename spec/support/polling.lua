--- A client of Engine.IO that polls: each request on a connection of its own, so that any worker may get it.
local cjson = require "cjson"
local client = require "spec.support.client"
local http = require "spec.support.http"
local tcp = require "spec.support.tcp"

---@class spec.Polling
---@field port integer
---@field path string
---@field sid string|nil
---@field handshake table|nil    what the packet OPEN said
---@field response spec.Response of the opening request
local Polling = {}
Polling.__index = Polling

local polling = { SEPARATOR = "\x1e" }

--- Opens a connection.
---@param port integer
---@param path? string                     default "/socket.io/"
---@param headers? table<string, string>
---@param query? string                    more of it, "token=x"
---@return spec.Polling
function polling.open(port, path, headers, query)
  local self = setmetatable({ port = port, path = path or "/socket.io/", headers = headers }, Polling)
  self.query = query and "&" .. query or ""
  self.response = self:request()
  if self.response.status == 200 then
    self.handshake = cjson.decode(self.response.body:sub(2))
    self.sid = self.handshake.sid
  end
  return self
end

local function target(self)
  return ("%s?EIO=4&transport=polling%s%s"):format(self.path, self.query, self.sid and "&sid=" .. self.sid or "")
end

--- Sends one request and waits for its answer.
---@return spec.Response
function Polling:request(method, body)
  return client.request{
    port = self.port, method = method, path = target(self), headers = self.headers, body = body,
  }
end

--- A live session of a user over Socket.IO, behind chatty:connected and `count` further packets.
---@param chatty spec.Server
---@param user string
---@param count? integer
---@return spec.Polling
function polling.join(chatty, user, count)
  local self = polling.open(chatty.port)
  self:post(('40{"token":"%s"}'):format(chatty:token(user)))
  for _ = 1, 2 + (count or 0) do self:next() end
  return self
end

--- What the next GET brings.
---@return string|nil body, integer status
function Polling:poll()
  local response = self:request()
  return response.status == 200 and response.body or nil, response.status
end

--- The packets of the next GET.
---@return string[]
function Polling:packets()
  local list = {}
  for packet in ((self:poll() or "") .. polling.SEPARATOR):gmatch("([^\x1e]*)\x1e") do list[#list + 1] = packet end
  return list
end

--- Polls until a packet comes that is no ping, and answers those.
---@return string|nil
function Polling:next()
  while true do
    if self.waiting and #self.waiting > 0 then return table.remove(self.waiting, 1) end
    local body, status = self:poll()
    if not body then return nil, status end
    self.waiting = {}
    for packet in (body .. polling.SEPARATOR):gmatch("([^\x1e]*)\x1e") do
      if packet == "2" then self:post("3") else self.waiting[#self.waiting + 1] = packet end
    end
  end
end

--- Sends packets; the status and body of the answer.
function Polling:post(body)
  local response = self:request("POST", body)
  return response.status, response.body
end

--- Starts a GET and returns at once: a function that waits for its answer, and the connection.
---@return fun(): spec.Response, spec.Connection
function Polling:start()
  local connection = tcp.open(self.port)
  connection:write(http.encode({ path = target(self) }, "127.0.0.1:" .. self.port))
  return function()
    local response = http.read(connection, "GET")
    connection:close()
    return response
  end, connection
end

--- A WebSocket with the sid.
---@return spec.WebSocket
function Polling:websocket()
  return client.ws{ port = self.port, path = ("%s?EIO=4&transport=websocket&sid=%s"):format(self.path, self.sid) }
end

--- Changes over to a WebSocket and returns it.
---@return spec.WebSocket
function Polling:upgrade()
  local socket = self:websocket()
  socket:send("2probe")
  assert(socket:next_raw() == "3probe", "the probe was not answered")
  socket:send("5")
  return socket
end

return polling
