-- POST /control/subscription/subscribe and unsubscribe: standing subscriptions, by users or by the users of
-- other channels, to the channels that a JSON:API document names.

local answer = require "control.answer"
local chatty = require "chatty"
local json = require "core.json"
local naming = require "naming"
local selector = require "selector"

local subscription = {}

local KINDS = selector.kinds("channels", "users")

local VERBS = {
  subscribe = { change = chatty.subscribe, done = "Subscribed", would = "Would subscribe" },
  unsubscribe = { change = chatty.unsubscribe, done = "Unsubscribed", would = "Would unsubscribe" },
}

local function describe(words, dry_run, done)
  local channels = json.array(done.channels)
  if not dry_run then return { msg = words.done, channels = channels } end
  return { msg = words.would, dryRun = true, channels = channels, users = done.users, changed = done.changed }
end

--- Carries out what a request asks: the fields of its answer, or nil and a refusal.
---@param verb "subscribe"|"unsubscribe"
---@param asked {method?: string, dryRun?: boolean}
---@param document table    as jsonapi.parse gives it
---@param request request   who asks
---@return table|nil fields, refusal? refused
function subscription.run(verb, asked, document, request)
  local kind, names = selector.parse(asked.method, KINDS)
  if not kind then return nil, names end
  local channels, refused = naming.channels(document)
  if not channels then return nil, refused end
  local done, _, _, failed = VERBS[verb].change({
    users = kind == "users" and names or nil,
    users_of = kind == "channels" and names or nil,
    channels = channels,
    dry_run = asked.dryRun,
    by = request.identity,
    request = request.id,
  })
  if not done then return nil, failed end
  return describe(VERBS[verb], asked.dryRun, done)
end

local function handler(verb)
  return function(request)
    local fields, refused = subscription.run(verb, request.query, request.document, request)
    if not fields then return refused end
    local response = answer.done(request, fields)
    response.headers = { ["X-Request-Id"] = request.id }
    return response
  end
end

local function options(doc)
  return {
    auth = "control:subscribe", jsonapi = true, body = "document", doc = doc,
    query = {
      method = { type = "string", doc = "users: and a list of names, or channels: for the users of these." },
      dryRun = { type = "boolean", doc = "Only tell what would change." },
    },
  }
end

---@param app app
function subscription.setup(app)
  app:post("/control/subscription/subscribe", options("Subscribes users to the document's channels."),
    handler("subscribe"))
  app:post("/control/subscription/unsubscribe", options("Unsubscribes users from the document's channels."),
    handler("unsubscribe"))
end

return subscription
