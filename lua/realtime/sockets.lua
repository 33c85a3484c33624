-- Plugins' own WebSockets (app:websocket) and connections of Engine.IO (app:engineio): raw messages, no users,
-- no channels.

local argument = require "argument"
local engine = require "core.engine"
local log = require "core.log"
local protect = require "protect"
local refusal = require "refusal"
local reply = require "http.reply"
local requests = require "http.request"

local sockets = {}

local registered = {} -- handlers by plugin and label

local HANDLERS = { open = 1, message = 1, close = 1 }
local INTERNAL_ERROR <const> = 1011

---@class sockets.handler
---@field open? fun(socket: core.socket, request: request)
---@field message? fun(socket: core.socket, data: string, is_binary: boolean)
---@field close? fun(socket: core.socket, code: integer, reason: string)
---@field owner string
---@field label string  "websocket /echo"

--- Why a request cannot become a WebSocket, or nil.
---@param core core.request
---@return refusal|nil
function sockets.refuse_handshake(core)
  local status, code, detail = core:handshake_fault()
  if not status then return nil end
  local headers = status == 426 and { "Upgrade", "websocket", "Sec-WebSocket-Version", "13" } or nil
  return refusal.new(status, code, detail, nil, headers)
end

-- What a plugin gave, checked; also found by its label after a reload.
local function register(handlers, owner, label, level)
  local what = "app:" .. label:match("^%a+")
  argument.type(handlers, "table", what .. ": the handlers", level + 1)
  argument.keys(handlers, HANDLERS, what .. ": the handlers", level + 1)
  for name, f in pairs(handlers) do
    argument.type(f, "function", what .. ": the handler " .. name, level + 1)
  end
  local handler = {
    open = handlers.open, message = handlers.message, close = handlers.close, owner = owner, label = label,
  }
  registered[owner] = registered[owner] or {}
  registered[owner][label] = handler
  return handler
end

local function run_open(handler, socket, request)
  if not handler.open then return end
  local ok = protect.call(handler.owner, handler.label, handler.open, socket, request)
  if not ok then socket:close(INTERNAL_ERROR, "internal error") end
end

local function log_failure(handler, message)
  log.write("debug", ("%s: %s"):format(handler.label, message))
end

--- The handler of a route that upgrades to the plugin's socket.
---@param handlers {open?: function, message?: function, close?: function}
---@param owner string  the plugin
---@param path string
---@param level integer
---@return fun(request: request): table|refusal
function sockets.handler(handlers, owner, path, level)
  local handler = register(handlers, owner, "websocket " .. path, level + 1)
  return function(request)
    local core = requests.core(request)
    local refused = sockets.refuse_handshake(core)
    if refused then return refused end
    local socket, message = core:open_socket(handler)
    if socket then run_open(handler, socket, request) else log_failure(handler, message) end
    return reply.TAKEN
  end
end

--- How connections of Engine.IO open that are the plugin's own.
---@param handlers {open?: function, message?: function, close?: function}
---@param owner string
---@param path string
---@param level integer
---@return engineio.endpoint
function sockets.endpoint(handlers, owner, path, level)
  local handler = register(handlers, owner, "engineio " .. path, level + 1)
  return {
    open = function(request, core)
      local socket, answer = engine.open(core, handler)
      if not socket then return nil end
      run_open(handler, socket, request)
      return answer
    end,
    open_socket = function(request, core)
      local socket, message = engine.open_socket(core, handler)
      if socket then run_open(handler, socket, request) else log_failure(handler, message) end
    end,
  }
end

--- The handler of a plugin that stands where another one stood before a reload.
---@param owner string
---@param label string
---@return sockets.handler|nil
function sockets.find(owner, label)
  return registered[owner] and registered[owner][label]
end

--- A message came.
---@param handler sockets.handler
---@param socket core.socket
---@param data string
---@param is_binary boolean
function sockets.on_message(handler, socket, data, is_binary)
  if not handler.message then return end
  local ok = protect.call(handler.owner, handler.label, handler.message, socket, data, is_binary)
  if not ok then socket:close(INTERNAL_ERROR, "internal error") end
end

--- The socket is closed.
---@param handler sockets.handler
---@param socket core.socket
---@param code integer
---@param reason string
function sockets.on_close(handler, socket, code, reason)
  if not handler.close then return end
  protect.call(handler.owner, handler.label, handler.close, socket, code, reason)
end

return sockets
