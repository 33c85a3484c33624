-- One plugin: its file is run in a sandbox, what it returns is checked, and its setup registers. Whatever is
-- wrong with it is raised as one line that names plugin, file and line.

local app = require "plugin.app"
local argument = require "argument"
local cage = require "core.cage"
local handover = require "plugin.handover"
local log = require "core.log"
local needs = require "plugin.needs"
local plugin_http = require "plugin.http"
local plugin_options = require "plugin.options"
local protect = require "protect"
local public = require "plugin.public"
local sandbox = require "plugin.sandbox"
local settings = require "settings"
local time = require "core.time"

local plugin = {}

local API <const> = 1
local PRIORITY <const> = 100
local FIELDS = { api = 1, priority = 1, doc = 1, version = 1, options = 1, needs = 1, setup = 1,
  on_unload = 1, on_load = 1,
}

---@class plugin.source  where a plugin lies
---@field name string
---@field file string     plugins/shop.lua, or plugins/shop/init.lua
---@field folder string   of the file; answers' files are named from here
---@field is_folder boolean  it has modules of its own
---@field options? table<string, any>  values of its options that go before all others

---@class plugin.loaded
---@field name string
---@field file string
---@field folder string
---@field priority number
---@field doc? string
---@field version? string

local BLAME <const> = argument.BLAME_NOBODY

local function check_priority(priority)
  argument.type(priority, "number?", "priority", BLAME)
  if priority ~= nil and priority ~= priority then error("priority must be a number", 0) end
end

local function check(definition)
  if type(definition) ~= "table" then
    local what = definition == nil and "nothing" or "a " .. type(definition)
    error(("the file must return the plugin, a table, and returns %s"):format(what), 0)
  end
  argument.keys(definition, FIELDS, "the plugin", BLAME)
  if definition.api ~= API then
    error(("it says api = %s, and this server speaks api = %d"):format(tostring(definition.api), API), 0)
  end
  check_priority(definition.priority)
  argument.type(definition.doc, "string?", "doc", BLAME)
  argument.type(definition.version, "string?", "version", BLAME)
  argument.type(definition.options, "table?", "options", BLAME)
  argument.type(definition.setup, "function", "setup", BLAME)
  argument.type(definition.on_unload, "function?", "on_unload", BLAME)
  argument.type(definition.on_load, "function?", "on_load", BLAME)
end

local function run(source)
  local chatty = public.module(source.name)
  local environment = sandbox.new(source.name, chatty, source.is_folder and source.folder or nil)
  local chunk, line = sandbox.load(source.file, environment)
  if not chunk then error(line, 0) end
  local definition = chunk(source.name, source.file)
  check(definition)
  local values = plugin_options.read(source, definition.options)
  needs.grant(source.name, definition.needs, environment)
  plugin_http.grant_options(source.name, values)
  local own = {
    name = source.name, folder = source.folder, doc = definition.doc,
    priority = definition.priority or PRIORITY, file = source.file, version = definition.version,
  }
  local registrar = app.new(own)
  definition.setup(registrar, values)
  app.seal(registrar)
  handover.add(source.name, definition)
  return own
end

local function one_line(text)
  return (text:gsub("%s*\n%s*", " "))
end

-- As protect.text, but what is too long here has a budget of its own.
local function line_of(kind, raised, traceback)
  if kind ~= "time" then return one_line(protect.text(kind, raised, traceback)) end
  return ("%sit took more than %g s to load (SCRIPT_SETUP_BUDGET)"):format(raised, settings.SCRIPT_SETUP_BUDGET)
end

--- Loads a plugin and runs its setup. Raises one line if it cannot.
---@param source plugin.source
---@return plugin.loaded
function plugin.load(source)
  local began = time.monotonic()
  local ok, loaded, raised, traceback = cage.setup(run, source)
  if not ok then
    local line = line_of(loaded, raised, traceback)
    local place = line:find("%.lua:%d+:") and "" or source.file .. ": "
    error(("plugin %s: %s%s"):format(source.name, place, line), 0)
  end
  log.write("debug", ("plugin %s loaded"):format(source.name), {
    plugin = source.name, file = source.file,
    milliseconds = math.floor((time.monotonic() - began) * 1000 + 0.5),
  })
  return loaded
end

return plugin
