-- POST /control/notify: emits an event to channels or users.

local answer = require "control.answer"
local emission = require "notify.emission"
local event = require "event"
local reply = require "http.reply"
local requests = require "http.request"
local selector = require "selector"
local terms = require "notify.terms"

local notify = {}

local KINDS = selector.kinds("channels", "channels-efficient", "users")
local NOTIFIED = reply.constant('{"msg":"Notified."}')

-- Puts what stands in the body beside the event, and the key of the header, into what is sent.
local function add_terms(sent, members, key)
  if members then
    local fields, refused = terms.of_members(members)
    if not fields then return refused end
    for name, value in pairs(fields) do sent[name] = value end
    sent.except, sent.except_sessions = terms.split_except(sent.except)
  end
  if not key then return nil end
  local fields, refused = terms.of_members({ id = key })
  if not fields then
    refused.source = { header = "Idempotency-Key" }
    return refused
  end
  sent.id = key
end

--- Emits as a request asks: true or the report, the id and the ack; or nil and a refusal.
---@param asked {method?: string, add?: string[], report?: boolean, dryRun?: boolean}
---@param core core.event
---@param members table|nil     of the body, beside the event
---@param key string|nil        Idempotency-Key
---@param identity guard.identity
---@return true|table|nil done, string|refusal|nil id, string? ack
function notify.run(asked, core, members, key, identity)
  local kind, names = selector.parse(asked.method, KINDS)
  if not kind then return nil, names end
  local sent = {
    by = kind == "users" and "users" or "channels", names = names, efficient = kind == "channels-efficient",
    event = core, report = asked.report, dry = asked.dryRun,
    origin = nil, -- room for what is set on the way
  }
  local refused = ((members or key) and add_terms(sent, members, key)) or event.refuse_name(core:name())
  if refused then return nil, refused end
  return emission.run(sent, asked.add, identity)
end

--- What is answered.
---@param asked {dryRun?: boolean}
---@param done true|table
---@param id? string
---@param ack? string
---@return table fields
function notify.describe(asked, done, id, ack)
  if asked.dryRun then return { msg = "Would notify", dryRun = true, report = done } end
  return { msg = "Notified.", id = id, ack = ack, report = done ~= true and done or nil }
end

local function handle(request)
  local core = requests.core_event(request)
  local done, id, ack = notify.run(request.query, core, requests.event_members(request),
    requests.core(request):header("idempotency-key"), request.identity)
  if not done then return id end
  if done == true and not (ack or request.wants_document) then
    return id and { raw_json = '{"id":"' .. id .. '","msg":"Notified."}' } or NOTIFIED
  end
  return answer.done(request, notify.describe(request.query, done, id, ack))
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
