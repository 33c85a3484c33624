-- GET /control/why: why a user got an event, or did not; and why he is subscribed to what. In JSON and in sentences.

local answer = require "control.answer"
local chatty = require "chatty"
local explanation = require "control.explanation"
local json = require "core.json"
local names = require "names"
local refusal = require "refusal"
local settings = require "settings"
local time = require "core.time"
local trace = require "core.trace"

local why = {}

-- The newest of what the workers found.
local function find_event(text)
  local found
  for _, one in ipairs(trace.events(text)) do
    local event = json.decode(one)
    if event ~= json.null and (not found or event.at > found.at) then found = event end
  end
  return found
end

local function find_sessions(user, event)
  local all = json.array({})
  for _, text in ipairs(trace.sessions(user, event and event.number, event and event.ack)) do
    for _, session in ipairs(json.decode(text)) do all[#all + 1] = session end
  end
  table.sort(all, function(a, b)
    if a.since ~= b.since then return a.since < b.since end
    return a.id < b.id
  end)
  return all
end

local function find_subscriptions(user)
  local list, message, code = chatty.search.origins(user, { size = settings.PAGE_SIZE_MAX })
  if not list then return nil, refusal.of_failure(message, code) end
  for _, one in ipairs(list) do
    if type(one.since) == "number" then one.since = time.rfc3339(one.since) end
  end
  return json.array(list)
end

-- Of the user's subscriptions those by which the event came.
local function ways_of(event, subscriptions)
  local named, ways = {}, json.array({})
  for _, channel in ipairs(event.channels or {}) do named[channel] = true end
  for _, one in ipairs(subscriptions) do
    if named[one.channel] then ways[#ways + 1] = one end
  end
  return ways
end

local function show_times(value)
  for _, key in ipairs({ "at", "since", "closed", "confirmed" }) do
    if math.type(value[key]) then value[key] = time.rfc3339(value[key] / 1000) end
  end
end

local function handle(request)
  local user, text = request.query.userId, request.query.event
  local ok, fault = names.check(user)
  if not ok then return refusal.of("name-invalid", ("The name %s."):format(fault), { parameter = "userId" }) end
  local event = text and find_event(text)
  if text and not event then
    return refusal.of("event-unknown",
      "Name an event by its id, its idempotency key, or its name; the last ones are known (TRACE_MEMORY_MAX).",
      { parameter = "event" })
  end
  local subscriptions, refused = find_subscriptions(user)
  if not subscriptions then return refused end
  local found = {
    user = user, event = event, sessions = find_sessions(user, event),
    subscriptions = event and ways_of(event, subscriptions) or subscriptions,
  }
  found.sentences = json.array(explanation.of(found))
  for _, session in ipairs(found.sessions) do show_times(session) end
  if event then
    event.number = nil
    show_times(event)
  end
  return answer.done(request, found)
end

---@param app app
function why.setup(app)
  app:get("/control/why", {
    auth = "control:search", jsonapi = true, doc = "Why a user got an event, or did not.",
    query = {
      userId = { type = "string", required = true, doc = "The user." },
      event = { type = "string", min = 1, max = 255, doc = "Its id, idempotency key or name; the newest counts." },
    },
  }, handle)
end

return why
