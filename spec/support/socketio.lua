--- Clients of Socket.IO, the real ones from npm, in one Node process that is told what to do line by line.
local cjson = require "cjson"
local process = require "spec.support.process"
local uv = require "luv"
local wait = require "spec.support.wait"

local FOLDER = uv.cwd() .. "/spec/clients"

---@class spec.SocketIo
---@field process spec.Process
---@field seen integer  lines of its output that were read
local Node = {}
Node.__index = Node

---@class spec.SocketIoClient
---@field node spec.SocketIo
---@field id string
---@field heard table[]  what happened to it and was not asked for yet
local Client = {}
Client.__index = Client

local socketio = { FOLDER = FOLDER, DIST = FOLDER .. "/node_modules/socket.io-client/dist" }

local function read(self)
  local lines = self.process.out
  while self.seen < #lines do
    self.seen = self.seen + 1
    local what = cjson.decode(lines[self.seen])
    if what.on == "ready" then self.is_ready = true end
    local client = self.clients[what.id]
    if client then client.heard[#client.heard + 1] = what end
  end
end

--- Starts Node. To be ended by `stop`. Raises when the packages are not installed.
---@return spec.SocketIo
function socketio.start()
  if not uv.fs_stat(FOLDER .. "/node_modules") then
    error("spec/clients has no node_modules: `npm ci` in that folder installs them, as ./dev test does", 2)
  end
  local self = setmetatable({ seen = 0, clients = {}, count = 0 }, Node)
  self.process = process.start{ command = "node", args = { "socketio.mjs" }, folder = FOLDER, is_told = true }
  wait.until_(function()
    read(self)
    return self.is_ready or self.process:has_ended()
  end)
  if not self.is_ready then error("node did not start:\n" .. table.concat(self.process.err, "\n"), 2) end
  return self
end

function Node:stop()
  self.process:end_input()
  if not self.process:wait_exit() then self.process:kill() end
end

function Node:tell(order)
  self.process:tell(cjson.encode(order))
end

--- Opens a client.
---@param url string
---@param options? table  of the client's io()
---@return spec.SocketIoClient
function Node:open(url, options)
  self.count = self.count + 1
  local client = setmetatable({ node = self, id = "client-" .. self.count, heard = {} }, Client)
  self.clients[client.id] = client
  options = options or {}
  options.forceNew = true
  self:tell{ ["do"] = "open", id = client.id, url = url, options = options }
  return client
end

--- Waits for something to happen to it; what happened before that is forgotten. nil when it does not happen.
---@param on string       "connect", "disconnect", "event" ...
---@param name? string    of the event
---@return table|nil
function Client:wait(on, name, seconds)
  local function find()
    read(self.node)
    for i, what in ipairs(self.heard) do
      if what.on == on and (name == nil or what.event == name or what.ack == name) then
        self.heard = table.move(self.heard, i + 1, #self.heard, 1, {})
        return what
      end
    end
    return self.node.process:has_ended() and { on = "node ended: " .. table.concat(self.node.process.err, "\n") }
  end
  return wait.until_(find, seconds)
end

--- The arguments of the next event of that name.
---@param name string
---@return any[]|nil
function Client:next(name, seconds)
  local what = self:wait("event", name, seconds)
  return what and what.args
end

--- Emits an event; with an `ack` the acknowledgement comes as `wait("ack", ack)`.
function Client:emit(event, args, ack)
  self.node:tell{ ["do"] = "emit", id = self.id, event = event, args = args, ack = ack }
end

--- Emits an event and waits for the acknowledgement.
---@return any[]|nil args
function Client:ask(event, args)
  self.asked = (self.asked or 0) + 1
  local ack = "ack-" .. self.asked
  self:emit(event, args, ack)
  local what = self:wait("ack", ack)
  return what and what.args
end

--- How it acknowledges what the server asks for from now on: with these arguments. What happened before is forgotten.
function Client:answer(args)
  self.node:tell{ ["do"] = "answer", id = self.id, args = args }
  self:wait "answering"
end

function Client:set_auth(auth)
  self.node:tell{ ["do"] = "auth", id = self.id, auth = auth }
end

--- Cuts the connection under it.
function Client:cut()
  self.node:tell{ ["do"] = "cut", id = self.id }
end

function Client:close()
  self.node:tell{ ["do"] = "close", id = self.id }
end

return socketio
