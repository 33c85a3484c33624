-- The door of the Lua half: what C calls, and the order in which everything is set up.

local acks_page = require "control.acks"
local app = require "plugin.app"
local batch = require "control.batch"
local disconnect = require "control.disconnect"
local dispatch = require "http.dispatch"
local event_stream = require "realtime.event_stream"
local greeting = require "greeting"
local handover = require "plugin.handover"
local health = require "health"
local hooks = require "hooks"
local login = require "auth.login"
local logout = require "auth.logout"
local node = require "core.node"
local notify = require "control.notify"
local listing = require "control.plugins"
local parking = require "plugin.parking"
local plugins = require "plugins"
local realtime = require "realtime.websocket"
local register = require "auth.register"
local reload = require "control.reload"
local router = require "http.router"
local sandbox = require "plugin.sandbox"
local search = require "control.search"
local socketio = require "realtime.socketio"
local sockets = require "realtime.sockets"
local strict = require "strict"
local subscription = require "control.subscription"
local task = require "core.task"
local test_jwt = require "auth.test_jwt"
local update_jwt_secret = require "auth.update_jwt_secret"
local timers = require "plugin.timers"
local token = require "auth.token"
local why = require "control.why"

local init = {
  on_request = dispatch.request,
  on_frame = realtime.on_frame,
  on_packet = realtime.on_packet,
  on_ack = realtime.on_ack,
  on_connect = socketio.on_connect,
  on_expiring = realtime.on_expiring,
  on_disconnect = realtime.on_disconnect,
  on_presence = realtime.on_presence,
  on_dropped = realtime.on_dropped,
  on_parked = parking.park,
  on_socket_message = sockets.on_message,
  on_socket_close = sockets.on_close,
  on_socket_move = sockets.find,
}

-- Our own endpoints, in the shape of a plugin. Its priority lets every plugin go before it.
local OURS = { name = "chatty", folder = node.home .. "/lua", priority = math.mininteger }
local PARTS = {
  health, realtime, event_stream, socketio, test_jwt, register, login, logout, token, update_jwt_secret,
  notify, subscription, batch, acks_page, why, search, disconnect, reload, listing,
}

--- Registers our endpoints and loads the plugins. Raises one line if something is wrong. Needs no worker.
function init.setup()
  local ours = app.new(OURS)
  for _, part in ipairs(PARTS) do part.setup(ours) end
  sandbox.seal_strings()
  plugins.load()
  if not router.find("GET", "/") then greeting.setup(ours) end
  app.seal(ours)
  strict.apply(_G)
end

--- The worker's loop runs, or has come to this state by a reload.
---@param is_reload boolean
function init.start(is_reload)
  task.background(true) -- also what the hooks spawn: a reload ends it where it sleeps, as new hooks start anew
  hooks.run_lifecycle("start", { is_reload = is_reload })
  timers.start()
  health.set_ready(true)
end

--- Another state takes the place of this one; gives what that state's init.load gets.
function init.unload()
  return { is_ready = health.is_ready(), plugins = handover.unload() }
end

--- This state has taken the place of another one.
---@param carried? {is_ready: boolean, plugins: table<string, any>}  nil when that failed
function init.load(carried)
  health.set_ready(not carried or carried.is_ready)
  handover.load(carried and carried.plugins or {})
end

--- The worker is going to stop, and serves until then.
function init.leave()
  health.set_ready(false)
end

--- The worker is about to stop.
function init.stop()
  health.set_ready(false)
  timers.stop()
  hooks.run_lifecycle("stop", {})
end

return init
