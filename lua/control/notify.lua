-- POST /control/notify: emits an event to channels or users.

local add = require "notify.add"
local answer = require "control.answer"
local emission = require "notify.emission"
local event = require "event"
local lines = require "http.lines"
local notification = require "notify.notification"
local requests = require "http.request"
local selector = require "selector"
local terms = require "notify.terms"

local notify = {}

local KINDS = selector.kinds("channels", "channels-efficient", "users")
local NOTIFIED <const> = '{"msg":"Notified."}'

local read_event = requests.read_event

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

---@class notify.plan  what a query asks for, ready for every event that is sent with it
---@field by "channels"|"users"
---@field names string[]
---@field efficient boolean
---@field options add.option[]|nil
---@field report boolean|nil
---@field dry boolean|nil
---@field is_plain boolean  no options, and nobody counts

--- Makes a plan of the parameters; nil and a refusal if they are none.
---@param asked {method?: string, add?: string[], report?: boolean, dryRun?: boolean}
---@return notify.plan|nil, refusal? refused
function notify.plan(asked)
  local kind, names = selector.parse(asked.method, KINDS)
  if not kind then return nil, names end
  local options, refused
  if asked.add then
    options, refused = add.find(asked.add)
    if not options then return nil, refused end
  end
  return {
    by = kind == "users" and "users" or "channels", names = names, efficient = kind == "channels-efficient",
    options = options, report = asked.report, dry = asked.dryRun,
    is_plain = not (options or asked.report or asked.dryRun),
  }
end

--- Emits as a request asks: true or the report, the id and the ack; or nil and a refusal.
---@param plan notify.plan
---@param core core.event
---@param members table|nil     of the body, beside the event
---@param key string|nil        Idempotency-Key
---@param identity guard.identity
---@return true|table|nil done, string|refusal|nil id, string? ack
function notify.run(plan, core, members, key, identity)
  if plan.is_plain and not (members or key) then
    return notification.emit_plain(plan, core, identity)
  end
  local sent = {
    by = plan.by, names = plan.names, efficient = plan.efficient, event = core, report = plan.report, dry = plan.dry,
    origin = nil, -- room for what is set on the way
  }
  local refused = ((members or key) and add_terms(sent, members, key)) or event.refuse_name(core:name())
  if refused then return nil, refused end
  return emission.run(sent, plan.options, identity)
end

--- What is answered.
---@param plan notify.plan
---@param done true|table
---@param id? string
---@param ack? string
---@return table fields
function notify.describe(plan, done, id, ack)
  if plan.dry then return { msg = "Would notify", dryRun = true, report = done } end
  return { msg = "Notified.", id = id, ack = ack, report = done ~= true and done or nil }
end

local function make_plan(line, query)
  local plan, refused = notify.plan(query)
  line.made = plan
  return plan, refused
end

local function handle_straight(core, line, identity, query)
  local core_event, members = read_event(core)
  local plan, refused = line.made, nil
  if not plan then plan, refused = make_plan(line, query) end
  if not plan then return nil, refused end
  local done, id, ack = notify.run(plan, core_event, members, nil, identity)
  if not done then return nil, id end
  if done ~= true or ack then return nil, { json = notify.describe(plan, done, id, ack) } end
  return id and '{"id":"' .. id .. '","msg":"Notified."}' or NOTIFIED
end

local function handle(request)
  local core, members, line = requests.event_call(request)
  local plan, refused = line.made, nil
  if not plan then plan, refused = make_plan(line, request.query) end
  if not plan then return refused end
  local key = requests.core(request):header("idempotency-key")
  local done, id, ack = notify.run(plan, core, members, key, request.identity)
  if not done then return id end
  return answer.done(request, notify.describe(plan, done, id, ack))
end

---@param app app
function notify.setup(app)
  lines.straighten(handle, handle_straight)
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
