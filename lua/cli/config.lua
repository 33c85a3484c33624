-- chatty config: every setting with its value, its source and its meaning.

local columns = require "cli.columns"
local options = require "options"

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
---@field make_token? function            core.token.make
---@field check_token? function           core.token.verify
---@field routes? table[]

local function print_text(context)
  local rows = {}
  for i, option in ipairs(options.list()) do
    local text = context.settings[option.name]
    rows[i] = { option.name, options.show(option, text), context.sources[option.name], option.doc }
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

local function print_json(context)
  local list = options.list()
  context.print("{")
  for i, option in ipairs(list) do
    local item = describe(option, context.settings[option.name], context.sources[option.name])
    context.print(('  "%s": %s%s'):format(option.name, context.json.encode(item), i < #list and "," or ""))
  end
  context.print("}")
end

--- Prints all settings, and on stderr what is doubtful about them or keeps the server from starting.
---@param context cli.context
---@return integer exit_code
function config.run(context)
  if context.args.json then print_json(context) else print_text(context) end
  for _, warning in ipairs(context.warnings) do context.error(warning) end
  local warnings, line = options.check(context.settings)
  for _, warning in ipairs(warnings or { "serve would not start: " .. tostring(line) }) do
    context.error(warning)
  end
  return 0
end

return config
