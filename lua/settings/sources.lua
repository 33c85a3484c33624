-- Finds the text of every setting in .env, process environment and flags, and says where it came from.
-- A flag wins over the environment, and that over the file. Within one of them the name with the
-- environment's prefix (DEV_APP_PORT) wins over the plain one, and that over an alias (PORT).

local flags = require "settings.flags"
local nearest = require "nearest"
local option_types = require "settings.types"
local settings_file = require "settings.file"

local settings_sources = {}

local PREFIXES = { development = "DEV_", test = "TEST_", production = "PROD_" }
local SHOWN_MAX = 60 -- bytes of a wrong value in a message

---@class settings_sources.input
---@field environment? table<string, string>
---@field file? string        the text of .env
---@field file_name? string   default ".env"
---@field flags? string[]

-- A value as a message may show it: on one line, not too long, without what is secret.
local function shown(option, text)
  if option.secret then return option.name .. " (its value is not shown)" end
  text = text:gsub("^(%s*%a[%w+.-]*://[^:@/]*:).*@", "%1***@")
  if #text > SHOWN_MAX then text = text:sub(1, SHOWN_MAX) .. "..." end
  return ('%s is "%s"'):format(option.name, (text:gsub("%c", "?")))
end

--- The flag of a setting: "app-port" for APP_PORT.
---@param name string
---@return string
function settings_sources.flag_name(name)
  return (name:lower():gsub("_", "-"))
end

--- The spec of a setting's flag, for flags.split; nil, line when there is none, naming the nearest.
---@param list table[]
---@param flag string  without the dashes
---@return {takes: string, option: table}|nil, string? line
function settings_sources.find_flag(list, flag)
  local names = {}
  for _, option in ipairs(list) do
    local name = settings_sources.flag_name(option.name)
    if name == flag then
      return { takes = option.type == "boolean" and "boolean" or "value", option = option }
    end
    names[#names + 1] = name
  end
  local written = flag:sub(1, 1) == "-" and flag or "--" .. flag
  local near = nearest.find(settings_sources.flag_name(flag), names)
  return nil, "unknown flag " .. written .. (near and ", did you mean --" .. near .. "?" or "")
end

-- The flags' values by setting name.
local function read_flags(list, args)
  local found, words = flags.split(args, function(flag) return settings_sources.find_flag(list, flag) end)
  if not found then return nil, words end
  if words[1] then return nil, ('unexpected argument "%s"'):format((words[1]:gsub("%c", "?"))) end
  local values = {}
  for _, flag in ipairs(found) do values[flag.spec.option.name] = flag.value end
  return values
end

-- The names under which a setting may stand, the strongest first.
local function names_of(option, prefix)
  local names = { option.name, table.unpack(option.aliases or {}) }
  if prefix and not option.chooses_prefix then table.insert(names, 1, prefix .. option.name) end
  return names
end

-- Text and source of a setting; nil when it stands nowhere. A blank value counts as none.
local function pick(option, prefix, input)
  local flag = input.flags[option.name]
  if flag then return flag, "--" .. settings_sources.flag_name(option.name) end
  local names = names_of(option, prefix)
  for _, name in ipairs(names) do
    local text = input.environment[name]
    if text and text:find("%S") then return text, "environment " .. name end
  end
  for _, name in ipairs(names) do
    local entry = input.file[name]
    if entry and entry.value:find("%S") then return entry.value, input.file_name .. " " .. name end
  end
end

-- Canonical text and source of a setting, "" when it is not set and has no default; or nil, line.
local function resolve(option, prefix, input)
  local text, source = pick(option, prefix, input)
  if not text then
    local default = option.default and option_types.parse(option, option.default)
    return default == nil and "" or option_types.encode(option, default), "default"
  end
  local value = option_types.parse(option, text)
  if value == nil then
    return nil, ("%s (%s): allowed is %s"):format(shown(option, text), source, option_types.allowed(option))
  end
  return option_types.encode(option, value), source
end

-- The names in environment or file that begin so, without the prefix of the environment.
local function plugin_names(list, prefix, input)
  local taken, found = {}, {}
  for _, option in ipairs(list) do taken[option.name] = true end
  for _, place in ipairs({ input.environment, input.file }) do
    for name in pairs(place) do
      local bare = name:sub(1, #prefix) == prefix and name:sub(#prefix + 1) or name
      if bare:find("^PLUGIN_%w") and not taken[bare] then found[bare] = true end
    end
  end
  return found
end

-- What is meant for plugins' options goes on as text: nobody knows them before the plugins are loaded.
local function add_plugin_texts(settings, sources, list, prefix, input)
  for name in pairs(plugin_names(list, prefix, input)) do
    local text, source = pick({ name = name }, prefix, input)
    if text then settings[name], sources[name] = text, source end
  end
end

-- All names that are read under some environment, and all that a mistyped one is compared with.
local function known_names(list)
  local known, candidates, options = {}, {}, {}
  for _, option in ipairs(list) do
    for _, name in ipairs(names_of(option)) do
      known[name], options[name] = true, option
      candidates[#candidates + 1] = name
    end
    for _, prefix in pairs(PREFIXES) do
      if not option.chooses_prefix then known[prefix .. option.name] = true end
    end
  end
  return known, candidates, options
end

local function split_prefix(name)
  for _, prefix in pairs(PREFIXES) do
    if name:sub(1, #prefix) == prefix then return prefix, name:sub(#prefix + 1) end
  end
  return "", name
end

-- One line for each name in the file that looks like a mistyped setting. Other programs' settings may
-- stand there too: those say nothing to us.
local function find_mistyped(list, input)
  local known, candidates, options = known_names(list)
  local lines = {}
  for name, entry in pairs(input.file) do
    local prefix, rest = split_prefix(name:upper())
    if not known[name] and not rest:find("^PLUGIN_%w") then
      local near = nearest.find(rest, candidates)
      if near and prefix ~= "" then near = names_of(options[near], prefix)[1] end
      if near then
        lines[#lines + 1] = { entry.line, ("%s line %d: %s is no setting, did you mean %s?"):format(
          input.file_name, entry.line, name, near) }
      end
    end
  end
  table.sort(lines, function(a, b) return a[1] < b[1] end)
  for i, line in ipairs(lines) do lines[i] = line[2] end
  return lines
end

-- The prefix of names that the environment asks for; or nil, line.
local function choose_prefix(list, input)
  for _, option in ipairs(list) do
    if option.chooses_prefix then
      local environment, source = resolve(option, nil, input)
      if not environment then return nil, source end
      return PREFIXES[environment]
    end
  end
end

--- Merges all sources.
---@param list table[]  the entries of `options`
---@param given settings_sources.input
---@return table<string, string>|nil settings, table|string sources_or_line, string[]? warnings
function settings_sources.merge(list, given)
  local input = { environment = given.environment or {}, file_name = given.file_name or ".env" }
  local line, prefix
  input.file, line = settings_file.parse(given.file or "", input.file_name)
  if not input.file then return nil, line end
  input.flags, line = read_flags(list, given.flags or {})
  if not input.flags then return nil, line end
  prefix, line = choose_prefix(list, input)
  if not prefix then return nil, line end
  local settings, sources = {}, {}
  for _, option in ipairs(list) do
    local text, source = resolve(option, prefix, input)
    if not text then return nil, source end
    settings[option.name], sources[option.name] = text, source
  end
  add_plugin_texts(settings, sources, list, prefix, input)
  local warnings = find_mistyped(list, input)
  for _, option in ipairs(list) do
    if option.secret and input.flags[option.name] then
      warnings[#warnings + 1] = ("%s is on the command line, which other users of this machine can read: "
        .. "put it into %s"):format(option.name, input.file_name)
    end
  end
  return settings, sources, warnings
end

--- The texts of plugins' options as they stand in the environment and in .env now, without settings of our own.
---@param list table[]  the entries of `options`
---@param environment string  that CHATTY_ENV says
---@param known string[]  names that stood somewhere at the start
---@param given {file: string, file_name: string, getenv: fun(name: string): string|nil}
---@return table<string, string>|nil texts, string? line
function settings_sources.plugin_texts(list, environment, known, given)
  local file, line = settings_file.parse(given.file, given.file_name)
  if not file then return nil, line end
  local looked_up = setmetatable({}, { __index = function(_, name) return given.getenv(name) end })
  local input = { environment = looked_up, file = file, file_name = given.file_name, flags = {} }
  local prefix, texts = PREFIXES[environment], {}
  local names = plugin_names(list, prefix, input)
  for _, name in ipairs(known) do names[name] = true end
  for name in pairs(names) do texts[name] = pick({ name = name }, prefix, input) end
  return texts
end

return settings_sources
