-- chatty why: asks the running server why a user got an event, or did not.

local outcome = require "cli.outcome"
local query = require "http.query"
local remote = require "cli.remote"

local why = {}

local PATH <const> = "/control/why?"
local TIMEOUT <const> = 30

--- Asks GET /control/why.
---@param context cli.context
---@return integer exit_code
function why.run(context)
  local args = context.args
  if not args.user then return outcome.usage(context, "why", "say whom: --user USER") end
  local pairs = { "userId", args.user }
  if args.event then table.move({ "event", args.event }, 1, 2, 3, pairs) end
  local status, body = remote.ask(context, "GET", PATH .. query.encode(pairs), TIMEOUT)
  if status ~= 200 then return remote.fail(context, status, body) end
  if args.json then
    context.print(body)
    return 0
  end
  for _, sentence in ipairs(context.json.decode(body).sentences) do context.print(sentence) end
  return 0
end

return why
