-- chatty health: whether the server on the configured port is ready.

local outcome = require "cli.outcome"
local remote = require "cli.remote"

local health = {}

local TIMEOUT <const> = 5

--- Asks GET /readyz.
---@param context cli.context
---@return integer exit_code
function health.run(context)
  local status, line = remote.ask(context, "GET", "/readyz", TIMEOUT)
  if status == 200 then return 0 end
  if status then line = ("the server on port %s is not ready"):format(context.settings.APP_PORT) end
  return outcome.fail(context, line)
end

return health
