-- chatty reload: asks the running server to load its plugins anew, and waits for the result.

local remote = require "cli.remote"

local reload = {}

local PATH <const> = "/control/reload"
local TIMEOUT <const> = 660 -- more than a reload can wait for handlers of earlier ones (RELOAD_TIMEOUT)

--- Asks POST /control/reload.
---@param context cli.context
---@return integer exit_code
function reload.run(context)
  local is_dry = context.args["dry-run"]
  local status, body = remote.ask(context, "POST", PATH .. (is_dry and "?dryRun=true" or ""), TIMEOUT)
  if status ~= 200 then return remote.fail(context, status, body) end
  local generation = math.tointeger(context.json.decode(body).generation)
  context.print((is_dry and "can be reloaded; generation %d runs" or "reloaded; generation %d runs"):format(generation))
  return 0
end

return reload
