-- The whole Lua half on fakes: set up as in the server, asked by function calls.

local fake_core = require "spec.support.fake_core"
local fake_json = require "spec.support.fake_json"

local lua_half = {}

local KEY <const> = "Bearer first-key"

--- Sets it up. `plugins` are texts by name, which are loaded from the folder "plugins"; `shipped` are names
--- of files in the real plugins/ folder. `texts` are what the environment has for plugins' options, `files` further
--- files. Gives the fakes, and `init` as C sees it.
---@param options? {settings?: table, plugins?: table<string, string>, shipped?: string[], texts?: table, files?: table}
function lua_half.start(options)
  options = options or {}
  local settings = { PLUGINS = { "plugins" }, ENABLE = options.shipped or {} }
  for name, value in pairs(options.settings or {}) do settings[name] = value end
  local core = fake_core.install(settings)
  for path, text in pairs(options.files or {}) do core.files.tree[path] = text end
  core.node.settings = options.texts or {}
  for name, text in pairs(options.plugins or {}) do core.files.tree["plugins/" .. name .. ".lua"] = text end
  for _, name in ipairs(options.shipped or {}) do
    local file <close> = assert(io.open("plugins/" .. name .. ".lua"))
    core.files.tree[core.node.home .. "/plugins/" .. name .. ".lua"] = file:read("a")
  end
  -- These two would change the process that the specs run in.
  package.loaded.strict = { apply = function() end }
  require("plugin.sandbox").seal_strings = function() end
  core.init = require "init"
  core.init.setup()
  return core
end

local function read(reply)
  local kind = reply.headers["content-type"] or ""
  if reply.body and kind:find("json", 1, true) then reply.json = fake_json.decode(reply.body) end
  reply.error = type(reply.json) == "table" and reply.json.errors and reply.json.errors[1]
  return reply
end

--- Answers a request: { status, headers, body, json, error }; nil when it became a WebSocket.
---@param core table
---@param fields table  as for fake_core.request
function lua_half.ask(core, fields)
  local request = fake_core.request(fields)
  local state = fake_core.state(request)
  local line = fake_core.remembered(request)
  core.init.on_request(request, fake_core.is_plain(request), line, not line and state.method, not line and state.path)
  return state.reply and read(state.reply), state
end

--- A request with a control key; a table as body is sent as JSON.
function lua_half.control(core, method, target, body, headers)
  local all = { authorization = KEY, ["content-type"] = body and "application/json" or nil }
  for name, value in pairs(headers or {}) do all[name] = value end
  if type(body) == "table" then body = fake_json.encode(body) end
  return lua_half.ask(core, { method = method, target = target, headers = all, body = body })
end

--- The last call of a function of core.bus: its first argument, and all.
function lua_half.last_call(core, name)
  for i = #core.bus.calls, 1, -1 do
    local call = core.bus.calls[i]
    if call.name == name then return call[1], call end
  end
end

--- Runs f and gives the one line that it raised.
function lua_half.line_of(f, ...)
  local ok, line = pcall(f, ...)
  return not ok and line or nil
end

return lua_half
