-- POST /control/notify: emits an event to channels or users.

local answer = require "control.answer"
local chatty = require "chatty"
local requests = require "request"
local selector = require "selector"

local notify = {}

local KINDS = selector.kinds("channels", "channels-efficient", "users")
local NOTIFIED = { raw_json = '{"msg":"Notified."}' }

local function emit(request, kind, names)
  local query = request.query
  return chatty.notify({
    channels = kind ~= "users" and names or nil,
    users = kind == "users" and names or nil,
    efficient = kind == "channels-efficient",
    event = requests.core_event(request),
    add = query.add,
    report = query.report,
    dry_run = query.dryRun,
    by = request.identity,
  })
end

local function handle(request)
  local kind, names = selector.parse(request.query.method, KINDS)
  if not kind then return names end
  local done, id, _, refused = emit(request, kind, names)
  if not done then return refused end
  if request.query.dryRun then
    return answer.done(request, { msg = "Would notify", dryRun = true, report = done })
  end
  if request.query.report then return answer.done(request, { msg = "Notified.", report = done }) end
  if id or request.wants_document then return answer.done(request, { msg = "Notified.", id = id }) end
  return NOTIFIED
end

---@param app app
function notify.setup(app)
  app:post("/control/notify", {
    auth = "control:notify", jsonapi = true, body = "event", doc = "Emits an event to channels or users.",
    query = {
      method = { type = "string", doc = "channels:, channels-efficient: or users: and a list of names." },
      add = { type = "list", doc = "What to add to the attributes: origin, date-time ..." },
      report = { type = "boolean", doc = "Wait, and tell who was reached." },
      dryRun = { type = "boolean", doc = "Only tell who would be reached." },
    },
  }, handle)
end

return notify
