-- chatty help: what there is, from the lists of commands and settings.

local columns = require "cli.columns"
local commands = require "cli.commands"
local options = require "settings.options"
local settings_sources = require "settings.sources"

local help = {}

local INDENT = "  "

local function print_rows(context, rows)
  for _, line in ipairs(columns.align(rows)) do context.print(INDENT .. line) end
end

local function print_overview(context)
  context.print("usage: chatty [COMMAND] [FLAGS]")
  context.print("")
  local rows = {}
  for i, command in ipairs(commands.list) do rows[i] = { command.name, command.doc } end
  print_rows(context, rows)
  context.print("")
  context.print("`chatty help COMMAND` tells more about one. Settings come from .env, the environment, and")
  context.print("flags such as --app-port=9999: `chatty help serve` lists them. -v adds the traceback to a")
  context.print("failure. Exit codes: 0 good, 1 failed, 2 wrong usage.")
end

local function print_settings(context)
  for _, section in ipairs(options.sections) do
    local rows = {}
    for i, option in ipairs(section) do
      local default = option.default or ("(%s)"):format(option.unset)
      rows[i] = { "--" .. settings_sources.flag_name(option.name), default, option.doc }
    end
    context.print("")
    context.print(section.title .. ":")
    print_rows(context, rows)
  end
end

local function print_command(context, command)
  context.print("usage: " .. command.usage)
  context.print("")
  context.print(command.doc)
  local rows = {}
  for i, flag in ipairs(command.flags) do
    rows[i] = { ("--%s%s"):format(flag.name, flag.value and " " .. flag.value or ""), flag.doc }
  end
  if rows[1] then
    context.print("")
    print_rows(context, rows)
  end
  if command.name == "serve" then
    print_settings(context)
  elseif command.reads_settings then
    context.print("")
    context.print("Every setting is a flag here too: `chatty help serve` lists them.")
  end
end

--- Prints the overview, or all about the command in args[1].
---@param context cli.context
---@return integer exit_code
function help.run(context)
  local name = context.args[1]
  if not name then
    print_overview(context)
    return 0
  end
  local command, line = commands.find(name)
  if not command then
    context.error(line)
    return 2
  end
  print_command(context, command)
  return 0
end

return help
