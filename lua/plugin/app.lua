-- The object by which a plugin's setup registers what it brings: routes, hooks, options, names. What it
-- promises stands in meta/app.lua. After setup it registers nothing any more.

local add = require "notify.add"
local argument = require "argument"
local channels = require "channels"
local engineio = require "realtime.engineio"
local files = require "core.files"
local filters = require "http.filters"
local guard = require "http.guard"
local hooks = require "hooks"
local naming = require "naming"
local private = require "private"
local query = require "http.query"
local refusal = require "refusal"
local router = require "http.router"
local socketio = require "realtime.socketio"
local sockets = require "realtime.sockets"
local static = require "http.static"
local timers = require "plugin.timers"

local app = {}

local metatable_of = debug.getmetatable -- sees behind __metatable

local PLUGIN <const> = private.key() -- of the plugin
local ROUTE = { auth = 1, query = 1, body = 1, body_max = 1, jsonapi = 1, doc = 1 }
local SOCKET = { auth = 1, doc = 1 }
local STATIC = { auth = 1, doc = 1 }
local BODIES = { json = 1, event = 1, document = 1 }

local methods = {}
local App = { __index = methods, __name = "app", __metatable = false }

--- The object for one plugin.
---@param plugin {name: string, priority: number, folder: string}
---@return app
function app.new(plugin)
  return setmetatable({ [PLUGIN] = plugin }, App)
end

--- Ends the time of registering.
---@param self app
function app.seal(self)
  self[PLUGIN] = nil
end

local function plugin_of(self, level)
  if metatable_of(self) ~= App then error("call it with a colon, as app:get(...)", level + 1) end
  return rawget(self, PLUGIN) or error("register in setup: the plugin runs already", level + 1)
end

-- "plugins/shop.lua:12" of the caller at the level.
local function place(level)
  local info = debug.getinfo(level + 1, "Sl")
  return ("%s:%d"):format(info.short_src, info.currentline)
end

local function compile_guard(auth, label, level)
  if auth == nil then
    error(("%s: say who may: auth = 'none', 'jwt', 'control' or a function"):format(label), level + 1)
  end
  local check, name, recognize = guard.compile(auth)
  if check then return check, name, recognize end
  error(label .. ": auth must be 'none', 'jwt', 'control', 'control:<scope>' or a function", level + 1)
end

local function check_route(label, options, handler, level)
  argument.type(options, "table", label .. ": what stands between path and handler", level + 1)
  argument.keys(options, ROUTE, label, level + 1)
  argument.type(handler, "function", label .. ": the handler", level + 1)
  argument.type(options.body_max, "number?", label .. ": body_max", level + 1)
  argument.type(options.query, "table?", label .. ": query", level + 1)
  if options.body ~= nil and not BODIES[options.body] then
    error(label .. ": body must be 'json', 'event' or 'document'", level + 1)
  end
end

local function add_route(self, method, path, options, handler, level)
  local plugin = plugin_of(self, level + 1)
  argument.type(path, "string", ("app:%s: the path"):format(method:lower()), level + 1)
  local label = ("%s %s"):format(method, path)
  check_route(label, options, handler, level + 1)
  local check, name, recognize = compile_guard(options.auth, label, level + 1)
  local ok, line = router.add({
    method = method, path = path, handler = handler, label = label, doc = options.doc,
    plugin = plugin.name, folder = plugin.folder, where = place(level + 1),
    answer_label = ("%s at %s"):format(label, place(level + 1)),
    guard = check, guard_name = name, recognize = recognize,
    query = options.query and query.compile(options.query, level + 1),
    body = options.body, body_max = options.body_max, is_jsonapi = options.jsonapi,
  })
  if not ok then error(line, level + 1) end
end

for _, method in ipairs({ "GET", "POST", "PUT", "PATCH", "DELETE" }) do
  methods[method:lower()] = function(self, path, options, handler)
    add_route(self, method, path, options, handler, 2)
  end
end

--- The files of a folder, which is named from the plugin's own.
function methods:static(prefix, folder, options)
  local plugin = plugin_of(self, 2)
  options = options or { auth = "none" }
  argument.type(prefix, "string", "app:static: the prefix", 2)
  argument.type(folder, "string", "app:static: the folder", 2)
  argument.keys(options, STATIC, "app:static", 2)
  local root = folder:sub(1, 1) == "/" and folder or plugin.folder .. "/" .. folder
  if files.kind(root) ~= "folder" then
    error(("app:static: there is no folder %s"):format(root), 2)
  end
  local function serve(request)
    local file = static.find(root, request.params.path)
    if not file then return refusal.of("not-found", "There is no such file.") end
    return { file = folder .. "/" .. file }
  end
  add_route(self, "GET", prefix:gsub("/$", "") .. "/*path", options, serve, 2)
end

--- A WebSocket of the plugin's own.
function methods:websocket(path, options, handlers)
  local plugin = plugin_of(self, 2)
  argument.type(options, "table", "app:websocket: what stands between path and handlers", 2)
  argument.keys(options, SOCKET, "app:websocket", 2)
  local handler = sockets.handler(handlers, plugin.name, tostring(path), 2)
  add_route(self, "GET", path, options, handler, 2)
end

--- An endpoint of Engine.IO of the plugin's own, without Socket.IO on it.
function methods:engineio(path, options, handlers)
  local plugin = plugin_of(self, 2)
  argument.type(options, "table", "app:engineio: what stands between path and handlers", 2)
  argument.keys(options, SOCKET, "app:engineio", 2)
  local endpoint = sockets.endpoint(handlers, plugin.name, tostring(path), 2)
  for method, handler in pairs(engineio.handlers(endpoint)) do
    add_route(self, method:upper(), path, options, handler, 2)
  end
end

--- A namespace of Socket.IO.
function methods:namespace(name, options)
  plugin_of(self, 2)
  socketio.add(name, options, place(2), 2)
end

--- A filter before the handlers of all routes below a path.
function methods:before(path, f)
  filters.add("before", path, f, plugin_of(self, 2), 2)
end

--- A filter behind them.
function methods:after(path, f)
  filters.add("after", path, f, plugin_of(self, 2), 2)
end

--- How a resource becomes the names of channels.
function methods:channel_name(f)
  local plugin = plugin_of(self, 2)
  argument.type(f, "function", "app:channel_name: the naming", 2)
  naming.use(f, plugin.name)
end

--- What channels whose names match keep.
function methods:channel(pattern, options)
  local plugin = plugin_of(self, 2)
  channels.add(pattern, options, plugin.name, 2)
end

--- An option of a query parameter; in this version that of `add`.
function methods:option(parameter, name, f)
  local plugin = plugin_of(self, 2)
  if parameter ~= "add" then error("app:option: the only parameter with options is 'add'", 2) end
  argument.type(name, "string", "app:option: the option's name", 2)
  if not name:find("^[%w_.-]+$") then error("app:option: the name may have letters, digits, _ . and -", 2) end
  argument.type(f, "function", "app:option: the option", 2)
  local ok, where = add.register(name, f, plugin.name, place(2))
  if not ok then error(("app:option: add=%s is there already (%s)"):format(name, where), 2) end
end

--- A hook: app:on("connect", f) or app:on("connect", { on_error = "closed" }, f).
function methods:on(name, options, f)
  if f == nil then options, f = {}, options end
  local plugin = plugin_of(self, 2)
  argument.type(options, "table", "app:on: the options", 2)
  hooks.add(name, f, options, plugin, 2)
end

-- app:every(60, f) or app:every(60, { per = "worker" }, f).
for _, kind in ipairs({ "every", "once" }) do
  methods[kind] = function(self, seconds, options, f)
    if f == nil then options, f = {}, options end
    timers.add(kind, seconds, options, f, plugin_of(self, 2).name, 2)
  end
end

return app
