--- The clients of specs: HTTP, raw TCP and WebSocket, any number of them at once in one process.
local http = require "spec.support.http"
local tcp = require "spec.support.tcp"
local websocket = require "spec.support.websocket"

local client = {}

--- Sends one request on a connection of its own and waits for the response; nil, reason when none comes.
---@param request spec.Request|{port:integer, seconds:number?}
---@return spec.Response|nil, string? reason
function client.request(request)
  local connection = tcp.open(request.port)
  connection:write(http.encode(request, "127.0.0.1:" .. request.port))
  local response, reason = http.read(connection, request.method, request.seconds)
  connection:close()
  return response, reason
end

--- A raw connection, connected; nil, reason when that fails.
---@param port integer
---@return spec.Connection|nil, string? reason
function client.tcp(port)
  local connection = tcp.open(port)
  local ok, reason = connection:wait_open()
  if ok then return connection end
  return nil, reason
end

--- A WebSocket whose handshake was answered: look at its `status`.
---@param options spec.WebSocketOptions
---@return spec.WebSocket
function client.ws(options)
  return websocket.start(options):finish()
end

-- So many handshakes are under way at once: fewer than the backlog of a listener holds.
local BATCH = 128

--- Many WebSockets, opened side by side.
---@param count integer
---@param options_of fun(i: integer): spec.WebSocketOptions
---@return spec.WebSocket[]
function client.ws_many(count, options_of)
  local all = {}
  for first = 1, count, BATCH do
    local last = math.min(count, first + BATCH - 1)
    for i = first, last do all[i] = websocket.start(options_of(i)) end
    for i = first, last do all[i]:finish() end
  end
  return all
end

return client
