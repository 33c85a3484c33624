-- What `chatty user` and `chatty key` have in common: actions on records in the store that the server uses.

local columns = require "cli.columns"
local outcome = require "cli.outcome"

local records = {}

---@class cli.records
---@field command string
---@field actions table<string, fun(context: cli.context, name?: string): integer>  by the first word
---@field fault_of fun(args: table): string?  what is wrong with the words and flags
---@field elsewhere string  what to do when no other process sees the store

--- Carries out the action that the first word names, on the record that the second names.
---@param context cli.context
---@param spec cli.records
---@return integer exit_code
function records.run(context, spec)
  local fault = spec.fault_of(context.args)
  if fault then return outcome.usage(context, spec.command, fault) end
  if context.settings.STORE == "memory" then
    return outcome.fail(context, "STORE is memory, which only the server sees: " .. spec.elsewhere)
  end
  return spec.actions[context.args[1]](context, context.args[2])
end

--- When a record was made, as the lists show it.
---@param seconds? number  since 1970
---@return string
function records.since(seconds)
  return os.date("!%Y-%m-%dT%H:%M:%SZ", math.floor(seconds or 0)) --[[@as string]]
end

--- Prints the rows below each other, the first as their head.
---@param context cli.context
---@param rows string[][]
---@return integer exit_code
function records.show(context, rows)
  for _, line in ipairs(columns.align(rows)) do context.print(line) end
  return 0
end

return records
