--- A client of Socket.IO on a WebSocket, packet by packet.
local cjson = require "cjson"
local client = require "spec.support.client"

local raw_socketio = {}

---@class spec.RawSocketIoOptions
---@field prefix? string  of a namespace: "/other,"
---@field pid? string     of the connection before
---@field offset? string  of the last event that it had

--- Opens a connection and asks to be let in; the answer is the next packet.
---@param chatty spec.Server
---@param user string
---@param options? spec.RawSocketIoOptions
---@return spec.WebSocket
function raw_socketio.open(chatty, user, options)
  options = options or {}
  local socket = client.ws{ port = chatty.port, path = "/socket.io/?EIO=4&transport=websocket" }
  socket:next_raw()
  local auth = { token = chatty:token(user), pid = options.pid, offset = options.offset }
  socket:send(("40%s%s"):format(options.prefix or "", cjson.encode(auth)))
  return socket
end

--- A live session, behind chatty:connected.
---@param chatty spec.Server
---@param user string
---@param options? spec.RawSocketIoOptions
---@return spec.WebSocket socket, table connect  what the server answered: sid, pid
function raw_socketio.join(chatty, user, options)
  local socket = raw_socketio.open(chatty, user, options)
  local connect = cjson.decode(socket:next_raw():match("{.*"))
  socket:next_raw()
  return socket, connect
end

return raw_socketio
