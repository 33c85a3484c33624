-- How a command ends that does not end well: one line for the person, and the exit code.

local outcome = {}

--- The words or flags are wrong.
---@param context cli.context
---@param command string  whose help tells more
---@param line string
---@return integer exit_code
function outcome.usage(context, command, line)
  context.error(("%s (chatty help %s)"):format(line, command))
  return 2
end

--- What was asked for failed.
---@param context cli.context
---@param line string
---@return integer exit_code
function outcome.fail(context, line)
  context.error(line)
  return 1
end

return outcome
