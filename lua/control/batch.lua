-- POST /control/batch: a list of operations, carried out one after the other, in order, and answered one by one:
--   [{"op":"subscribe","method":"users:ann","body":{"data":...}}, {"op":"notify","method":"channels:a","body":{...}}]
-- An operation that is refused does not keep the next ones from being carried out.

local answer = require "control.answer"
local core_event = require "core.event"
local guard = require "http.guard"
local json = require "core.json"
local jsonapi = require "jsonapi"
local notify = require "control.notify"
local protect = require "protect"
local refusal = require "refusal"
local requests = require "http.request"
local settings = require "settings"
local subscription = require "control.subscription"

local batch = {}

local may_notify, may_subscribe = guard.compile("control:notify"), guard.compile("control:subscribe")

local MEMBERS = { op = 1, method = 1, add = 1, report = 1, dryRun = 1, id = 1, body = 1 }
local TYPES = { op = "string", method = "string", report = "boolean", dryRun = "boolean", id = "string" }

local function invalid(detail, pointer)
  return refusal.of("operation-invalid", detail, { pointer = pointer })
end

local function refuse_member(name)
  return invalid(("An operation has no member '%s'."):format(tostring(name):sub(1, 40)), "")
end

local function is_list(add)
  if type(add) == "string" then return true end
  if not json.is_array(add) then return false end
  for i = 1, #add do
    if type(add[i]) ~= "string" then return false end
  end
  return true
end

-- What is wrong with the members of an operation.
local function fault_of(item)
  if type(item) ~= "table" or json.is_array(item) then return invalid("An operation is an object.", "") end
  for name, value in pairs(item) do
    if not MEMBERS[name] then return refuse_member(name) end
    if TYPES[name] and type(value) ~= TYPES[name] then
      return invalid(("The member %s must be a %s."):format(name, TYPES[name]), "/" .. name)
    end
  end
  if item.add ~= nil and not is_list(item.add) then
    return invalid("The member add must be a list of names.", "/add")
  end
end

local function list_of(add)
  if type(add) ~= "string" then return add end
  local list = {}
  for name in add:gmatch("[^,]+") do list[#list + 1] = name end
  return list
end

local run = {}

function run.notify(item, raw, request)
  local refused = may_notify(request, requests.core(request))
  if refused then return nil, refused end
  local core, members, code, pointer = core_event.read(raw)
  if not core then
    return nil, refusal.of(code, refusal.sentence(members), pointer and { pointer = "/body" .. pointer })
  end
  local plan
  plan, refused = notify.plan({ method = item.method, add = item.add and list_of(item.add), report = item.report,
    dryRun = item.dryRun })
  if not plan then return nil, refused end
  local done, id, ack = notify.run(plan, core, members, item.id, request.identity)
  if not done then return nil, id end
  return notify.describe(plan, done, id, ack)
end

local function run_change(verb)
  return function(item, raw, request)
    local refused = may_subscribe(request, requests.core(request))
    if refused then return nil, refused end
    return subscription.run(verb, item, jsonapi.parse(raw), request)
  end
end

run.subscribe, run.unsubscribe = run_change("subscribe"), run_change("unsubscribe")

local function carry_out(raw, request)
  local item = json.decode(raw)
  local refused = fault_of(item)
  if refused then return nil, refused end
  local f = run[item.op]
  if not f then return nil, invalid("The member op must be notify, subscribe or unsubscribe.", "/op") end
  if item.body == nil then return nil, invalid("Add the member body: what the operation's endpoint gets.", "/body") end
  return f(item, json.find(raw, "body"), request)
end

local function result_of(ok, fields, refused)
  if ok and fields then
    fields.status = 200
    return fields
  end
  refused = ok and refused or fields
  return { status = refused.status, errors = json.array({ refusal.object(refused) }) }
end

local function handle(request)
  local items = json.items(request.body)
  if not items then return refusal.of("batch-invalid", "Send an array of operations.", { pointer = "" }) end
  if #items > settings.BATCH_MAX then return refusal.of("batch-too-long") end
  local results = json.array({})
  for i = 1, #items do
    results[i] = result_of(protect.call("chatty", "operation of a batch", carry_out, items[i], request))
  end
  return answer.done(request, { results = results })
end

-- Whoever may do any of them comes in; each operation asks for its own right.
local function check(request)
  local core = requests.core(request)
  local refused = may_notify(request, core)
  if refused then refused = may_subscribe(request, core) end
  if refused then return nil, refused end
  return request.identity
end

---@param app app
function batch.setup(app)
  app:post("/control/batch", {
    auth = check, jsonapi = true, body = "json", query = {},
    doc = "Carries out a list of notify, subscribe and unsubscribe, in order.",
  }, handle)
end

return batch
