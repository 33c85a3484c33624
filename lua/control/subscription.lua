-- POST /control/subscription/subscribe and unsubscribe: standing subscriptions, by users or by the users of
-- other channels, to the channels that a JSON:API document names.

local answer = require "control.answer"
local chatty = require "chatty"
local json = require "core.json"
local naming = require "naming"
local selector = require "selector"

local subscription = {}

local KINDS = selector.kinds("channels", "users")

local function describe(words, dry_run, done)
  local channels = json.array(done.channels)
  if not dry_run then return { msg = words.done, channels = channels } end
  return { msg = words.would, dryRun = true, channels = channels, users = done.users, changed = done.changed }
end

local function handler(change, words)
  return function(request)
    local dry_run = request.query.dryRun
    local kind, names = selector.parse(request.query.method, KINDS)
    if not kind then return names end
    local channels, refused = naming.channels(request.document)
    if not channels then return refused end
    local done, _, _, failed = change({
      users = kind == "users" and names or nil,
      users_of = kind == "channels" and names or nil,
      channels = channels,
      dry_run = dry_run,
      by = request.identity,
      request = request.id,
    })
    if not done then return failed end
    local response = answer.done(request, describe(words, dry_run, done))
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
    handler(chatty.subscribe, { done = "Subscribed", would = "Would subscribe" }))
  app:post("/control/subscription/unsubscribe", options("Unsubscribes users from the document's channels."),
    handler(chatty.unsubscribe, { done = "Unsubscribed", would = "Would unsubscribe" }))
end

return subscription
