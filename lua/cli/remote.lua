-- What commands that talk to a running server have in common: where it is, by which key, and what it answered.

local outcome = require "cli.outcome"

local remote = {}

-- What stands in the way, as one line.
local FAULTS = {
  CLOSED = "the server on port %s does not listen",
  UNAVAILABLE = "the server on port %s cut the connection",
  TIMEOUT = "the server on port %s does not answer",
  INVALID = "what answers on port %s is no chatty",
}

local function key_of(settings)
  return settings.CONTROL_KEY:match("^%s*([^,%s]*)")
end

--- Asks the server of these settings, with its first control key. The status and the body; or nil and a line.
---@param context cli.context
---@param method string
---@param path string
---@param timeout integer  seconds
---@return integer|nil status, string body_or_line
function remote.ask(context, method, path, timeout)
  local settings = context.settings
  if settings.APP_PORT == "0" then return nil, "APP_PORT is 0: say which port, --app-port=PORT" end
  local status, body, code = context.ask(settings.APP_HOST, tonumber(settings.APP_PORT), method, path,
    key_of(settings), timeout)
  if status then return status, body end
  return nil, (FAULTS[code] or body):format(settings.APP_PORT)
end

-- What is wrong, of an answer that is an error document.
local function detail(context, status, body)
  local document = context.json.decode(body)
  local first = type(document) == "table" and type(document.errors) == "table" and document.errors[1]
  return first and first.detail or ("the server answered %d"):format(status)
end

--- The end of a command whose request was refused, or reached no server: gets what `ask` gave.
---@param context cli.context
---@param status? integer
---@param body_or_line string
---@return integer exit_code
function remote.fail(context, status, body_or_line)
  return outcome.fail(context, status and detail(context, status, body_or_line) or body_or_line)
end

return remote
