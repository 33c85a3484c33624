-- POST /control/disconnect: closes all sessions of users.

local answer = require "control.answer"
local chatty = require "chatty"
local selector = require "selector"

local disconnect = {}

local KINDS = selector.kinds("users")
local REASON_MAX <const> = 120

local function handle(request)
  local query = request.query
  local kind, names = selector.parse(query.method, KINDS)
  if not kind then return names end
  local sessions, message, code, refused = chatty.disconnect(names, {
    reason = query.reason, reconnect = query.reconnect, dry_run = query.dryRun,
  })
  if not sessions then return nil, message, code, refused end
  if query.dryRun then
    return answer.done(request, { msg = "Would disconnect", dryRun = true, sessions = sessions })
  end
  return answer.done(request, { msg = "Disconnected.", sessions = sessions })
end

---@param app app
function disconnect.setup(app)
  app:post("/control/disconnect", {
    auth = "control:disconnect", jsonapi = true, doc = "Closes all sessions of users.",
    query = {
      method = { type = "string", doc = "users: and a list of names." },
      reason = { type = "string", max = REASON_MAX, doc = "What the clients are told." },
      reconnect = { type = "boolean", doc = "Ask them to come back (4003) and not to stay away (4502)." },
      dryRun = { type = "boolean", doc = "Only tell how many sessions there are." },
    },
  }, handle)
end

return disconnect
