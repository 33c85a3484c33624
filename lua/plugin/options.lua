-- The values of plugins' options: from the environment or .env (PLUGIN_SHOP_URL for the option url of the plugin shop),
-- else from the Lua file that PLUGIN_OPTIONS names, else the default. What is wrong ends the start with one line. A
-- reload reads them all again.

local argument = require "argument"
local cage = require "core.cage"
local files = require "core.files"
local log = require "core.log"
local nearest = require "nearest"
local node = require "core.node"
local options = require "settings.options"
local protect = require "protect"
local rule = require "rule"
local settings = require "settings"
local settings_sources = require "settings.sources"

local plugin_options = {}

local PREFIX <const> = "PLUGIN_"
local DEFAULT_FILE <const> = "options.lua" -- may be missing
local ENV_FILE <const> = ".env" -- likewise
local BLAME <const> = argument.BLAME_NOBODY

---@class plugin_options.option
---@field plugin string
---@field name string     of the environment
---@field rule rule
---@field value any
---@field source string   "environment", "options.lua", "default"

local all = {} ---@type plugin_options.option[]
local names = {} -- of the environment -> true
local loaded = {} -- plugins -> the names of their options
local from_file = {} -- plugin -> option -> value
local texts = {} -- of environment and .env, by name

local function shout(text)
  return (text:upper():gsub("[^%w]", "_"))
end

--- "PLUGIN_SHOP_URL".
---@param plugin string
---@param option string
---@return string
function plugin_options.environment_name(plugin, option)
  return ("%s%s_%s"):format(PREFIX, shout(plugin), shout(option))
end

local function fail(line, ...)
  error(line:format(...), 0)
end

local function run_file(path, text)
  local chunk, line = load(text, "@" .. path, "t", {})
  if not chunk then fail("PLUGIN_OPTIONS: %s", line) end
  local ok, value, raised = cage.setup(chunk)
  if not ok then fail("PLUGIN_OPTIONS: %s", protect.text(value, raised)) end
  if type(value) ~= "table" then fail("PLUGIN_OPTIONS: %s must return a table of plugins' options", path) end
  for plugin, values in pairs(value) do
    if type(values) ~= "table" then
      fail("PLUGIN_OPTIONS: %s: the options of %s must be a table", path, tostring(plugin))
    end
  end
  return value
end

local function read_texts()
  for name, text in pairs(node.settings) do
    if name:sub(1, #PREFIX) == PREFIX and not settings[name] then texts[name] = text end
  end
  if node.generation < 2 or node.trial then return end -- read by whoever started, or by the test
  local known = {}
  for name in pairs(texts) do known[#known + 1] = name end
  local file, message, code = files.read(ENV_FILE)
  if not file and code ~= "NOT_FOUND" then fail("%s cannot be read: %s", ENV_FILE, message) end
  local found, line = settings_sources.plugin_texts(options.list(), settings.CHATTY_ENV, known,
    { file = file or "", file_name = ENV_FILE, getenv = os.getenv })
  texts = found or fail("%s", line)
end

--- Reads what stands in environment and files; before the first plugin is loaded. Raises one line if it cannot.
function plugin_options.open()
  read_texts()
  local path = settings.PLUGIN_OPTIONS
  local text, message, code = files.read(path)
  if text then
    from_file = run_file(path, text)
  elseif code ~= "NOT_FOUND" or path ~= DEFAULT_FILE then
    fail("PLUGIN_OPTIONS: %s cannot be read: %s", path, message)
  end
end

-- Value and source; nil when it is nowhere.
local function find(source, option, declared, name)
  if source.options and source.options[option] ~= nil then return source.options[option], "test" end
  local text = texts[name]
  if text and text ~= "" then
    local value, allowed = rule.read(declared, text)
    if value == nil then
      fail("%s is %s: allowed is %s", name, declared.secret and "wrong" or ('"%s"'):format(text), allowed)
    end
    return value, "environment"
  end
  local value = (from_file[source.name] or {})[option]
  if value ~= nil then return value, settings.PLUGIN_OPTIONS end
  return declared.default, "default"
end

local function check(option, declared, name, value, origin)
  if value == nil then
    if not declared.required then return end
    fail("option '%s' is required: set %s, or %s in %s", option, name, option, settings.PLUGIN_OPTIONS)
  end
  local ok, allowed = rule.accepts(declared, value)
  if not ok then fail("option '%s' (%s): allowed is %s", option, origin, allowed) end
end

local function check_name(source, option, name)
  if type(option) ~= "string" or not option:find("^[%a_][%w_]*$") then
    fail("option '%s': its name must be a word", tostring(option))
  end
  if names[name] then fail("option '%s': another plugin's option is %s too", option, name) end
  names[name] = true
  loaded[source.name][#loaded[source.name] + 1] = option
end

local function contains(list, item)
  for _, one in ipairs(list) do
    if one == item then return true end
  end
  return false
end

-- Options of the file that the plugin does not have.
local function check_strangers(source)
  for _, given in ipairs({ source.options or {}, from_file[source.name] or {} }) do
    for option in pairs(given) do
      local known = loaded[source.name]
      if not contains(known, option) then
        local near = type(option) == "string" and nearest.find(option, known)
        fail("it has no option '%s'%s", tostring(option), near and (", did you mean '%s'?"):format(near) or "")
      end
    end
  end
end

local function sorted(declared)
  local list = {}
  for option in pairs(declared) do list[#list + 1] = option end
  table.sort(list, function(a, b) return tostring(a) < tostring(b) end)
  return list
end

--- The values for one plugin. Raises one line if they are wrong.
---@param source plugin.source
---@param declared table<string, rule>|nil
---@return table<string, any>
function plugin_options.read(source, declared)
  loaded[source.name] = {}
  local values = {}
  for _, option in ipairs(sorted(declared or {})) do
    local what, wanted = ("option '%s'"):format(tostring(option)), declared[option]
    rule.check(wanted, what, BLAME)
    local name = plugin_options.environment_name(source.name, tostring(option))
    check_name(source, option, name)
    local value, origin = find(source, option, wanted, name)
    check(option, wanted, name, value, origin)
    values[option] = value
    all[#all + 1] = { plugin = source.name, name = name, rule = wanted, value = value, source = origin }
  end
  check_strangers(source)
  return values
end

-- The loaded plugin whose option a name of the environment would be; the longest name of those that fit.
local function owner_of(name)
  local found
  for plugin in pairs(loaded) do
    local head = PREFIX .. shout(plugin) .. "_"
    if name:sub(1, #head) == head and #plugin > #(found or "") then found = plugin end
  end
  return found
end

local function known_names()
  local list = {}
  for name in pairs(names) do list[#list + 1] = name end
  return list
end

local function check_environment()
  for name in pairs(texts) do
    if not names[name] then
      local owner, near = owner_of(name), nearest.find(name, known_names())
      local hint = near and (", did you mean %s?"):format(near) or ""
      if owner then fail("%s: the plugin %s has no such option%s", name, owner, hint) end
      log.write("warn", ("%s is no option of a plugin that is loaded%s"):format(name, hint), {})
    end
  end
end

--- Asked when all plugins are loaded: raises one line if the environment has an option that a loaded plugin does not
--- have. What is meant for plugins that are not loaded is only told of.
function plugin_options.check_rest()
  check_environment()
  for plugin in pairs(from_file) do
    if not loaded[plugin] then
      log.write("warn", ("%s has options of %s, a plugin that is not loaded"):format(
        settings.PLUGIN_OPTIONS, tostring(plugin)), {})
    end
  end
end

--- All options of the loaded plugins with their values, for `chatty config`.
---@return plugin_options.option[]
function plugin_options.list()
  return all
end

return plugin_options
