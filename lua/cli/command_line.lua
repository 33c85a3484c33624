-- Reads what stands behind `chatty` on the command line.

local commands = require "cli.commands"
local flags = require "settings.flags"
local options = require "settings.options"
local settings_sources = require "settings.sources"

local command_line = {}

---@class cli.call
---@field command string
---@field args table        own flags by name (repeated ones as arrays, switches as true), words at 1...
---@field flags string[]    the settings among the flags, for options.read
---@field reads_settings boolean
---@field verbose boolean   a failure is to be shown with its traceback

local HELP = { takes = "nothing", is_help = true }
local VERBOSE = { takes = "nothing", is_verbose = true }
local COMMON = { ["-h"] = HELP, help = HELP, ["-v"] = VERBOSE, verbose = VERBOSE }

local function find_flag(command, name)
  if COMMON[name] then return COMMON[name] end
  for _, flag in ipairs(command.flags) do
    if flag.name == name then return { takes = flag.value and "value" or "nothing", own = flag } end
  end
  if command.reads_settings then return settings_sources.find_flag(options.list(), name) end
end

local function add_flag(call, flag)
  local spec = flag.spec
  if spec.is_verbose then
    call.verbose = true
  elseif spec.option then
    call.flags[#call.flags + 1] = ("--%s=%s"):format(settings_sources.flag_name(spec.option.name), flag.value)
  elseif spec.own.repeated then
    call.args[spec.own.name] = call.args[spec.own.name] or {}
    table.insert(call.args[spec.own.name], flag.value)
  else
    call.args[spec.own.name] = spec.own.value and flag.value or true
  end
end

-- The command, the arguments behind it, and whether it was named; or nil, line.
local function take_command(argv)
  local first = argv[1]
  if first == "--version" or first == "-V" then return commands.find("version"), {}, true end
  if not first or first:find("^%-") then return commands.find("serve"), argv, false end
  local command, line = commands.find(first)
  if not command then return nil, line end
  return command, { table.unpack(argv, 2) }, true
end

--- Reads the arguments behind the program's name. A wrong usage gives nil and one line about it.
---@param argv string[]
---@return cli.call|nil call, string? line
function command_line.parse(argv)
  local command, rest, is_named = take_command(argv)
  if not command then return nil, rest end
  local found, words = flags.split(rest, function(name) return find_flag(command, name) end)
  if not found then return nil, words end
  local call = { command = command.name, args = words, flags = {}, verbose = false }
  call.reads_settings = command.reads_settings or false
  for _, flag in ipairs(found) do
    if flag.spec.is_help then
      return { command = "help", args = { is_named and command.name or nil }, flags = {},
        reads_settings = false, verbose = false }
    end
    add_flag(call, flag)
  end
  if #words > (command.words or 0) then
    local unexpected = words[#words]:gsub("%c", "?")
    return nil, ('unexpected argument "%s" (chatty help %s)'):format(unexpected, command.name)
  end
  return call
end

return command_line
