-- chatty config: every setting with its value, its source and its meaning.

local columns = require "cli.columns"
local options = require "settings.options"

local config = {}

---@class cli.context
---@field args table                      own flags and words of the command line
---@field print fun(line: string)         to stdout
---@field error fun(line: string)         to stderr
---@field settings? table<string, string> of options.read, as sources and warnings
---@field sources? table<string, string>
---@field warnings? string[]
---@field json? table                     core.json
---@field home? string                    of chatty
---@field files? {read: function, write: function, exists: function}
---@field random? fun(bytes: integer): string
---@field ask? function                  core.remote.ask
---@field make_token? function            core.token.make
---@field check_token? function           core.token.verify
---@field routes? table[]
---@field channels? {pattern: string, plugin: string, settings: string}[]
---@field plugin_options? plugin_options.option[]  of the plugins that were loaded
---@field fault? string                   why not all of them were

-- The value of a plugin's option as people would write it.
local function text_of(value)
  if type(value) == "table" then return table.concat(value, ",") end
  return tostring(value)
end

local function show(option)
  if option.value == nil then return "(not set)" end
  return option.rule.secret and "(set)" or text_of(option.value)
end

local function source_of(context, option)
  return option.source == "environment" and context.sources[option.name] or option.source
end

local function print_text(context)
  local rows = {}
  for i, option in ipairs(options.list()) do
    local text = context.settings[option.name]
    rows[i] = { option.name, options.show(option, text), context.sources[option.name], option.doc }
  end
  for _, option in ipairs(context.plugin_options or {}) do
    rows[#rows + 1] = { option.name, show(option), source_of(context, option), option.rule.doc or "" }
  end
  for _, line in ipairs(columns.align(rows)) do context.print(line) end
end

-- A secret is told of, not told.
local function describe(option, text, source)
  local is_set = text ~= ""
  return {
    value = is_set and not option.secret and options.show(option, text) or nil,
    set = is_set,
    secret = option.secret,
    source = source,
    type = option.type,
    default = option.default,
    doc = option.doc,
  }
end

local function describe_option(context, option)
  local rule = option.rule
  return {
    value = not rule.secret and option.value or nil,
    set = option.value ~= nil,
    secret = rule.secret,
    source = source_of(context, option),
    type = rule.type,
    default = rule.default,
    doc = rule.doc,
    plugin = option.plugin,
  }
end

local function print_json(context)
  local lines = {}
  for i, option in ipairs(options.list()) do
    local item = describe(option, context.settings[option.name], context.sources[option.name])
    lines[i] = ('  "%s": %s'):format(option.name, context.json.encode(item))
  end
  for _, option in ipairs(context.plugin_options or {}) do
    lines[#lines + 1] = ('  "%s": %s'):format(option.name, context.json.encode(describe_option(context, option)))
  end
  context.print("{")
  for i, line in ipairs(lines) do context.print(line .. (i < #lines and "," or "")) end
  context.print("}")
end

--- Prints all settings, and on stderr what is doubtful about them or keeps the server from starting.
---@param context cli.context
---@return integer exit_code
function config.run(context)
  if context.args.json then print_json(context) else print_text(context) end
  for _, warning in ipairs(context.warnings) do context.error(warning) end
  if context.fault then context.error("serve would not start: " .. context.fault) end
  local warnings, line = options.check(context.settings)
  for _, warning in ipairs(warnings or { "serve would not start: " .. tostring(line) }) do
    context.error(warning)
  end
  return 0
end

return config
