-- Who is here: the members of a channel hear when another one comes and goes, and may ask who is there.
--   {"event":"presence:join","attributes":{"channel":"room-1","user":"ann"}}      and presence:leave
-- A user comes when his first session is live or, with a session, when he is subscribed; he goes when he is
-- unsubscribed, or OFFLINE_GRACE after his last session ended. Of a change of more than users_max users nothing is
-- told.

local chatty = require "chatty"

local plugin = { api = 1, doc = "Tells the members of a channel who comes and goes, and who is here." }

plugin.options = {
  channels = { type = "list", default = { "*" }, max = 1000, doc = "Patterns of the channels that tell: room-*." },
  channels_max = { type = "integer", default = 100, min = 1, doc = "Channels that hear of one user's coming." },
  users_max = { type = "integer", default = 1000, min = 1, max = 10000, doc = "Users in one answer or change." },
}

local CHECKS <const>, PAUSE <const> = 5, 0.2 -- that a change of subscriptions has come true

local function is_watched(options, channel)
  for _, pattern in ipairs(options.channels) do
    if chatty.match(pattern, channel) then return true end
  end
  return false
end

-- The first of the channels that tell.
local function watched(options, channels)
  local found = {}
  for _, channel in ipairs(channels) do
    if #found == options.channels_max then break end
    if is_watched(options, channel) then found[#found + 1] = channel end
  end
  return found
end

local function tell(name, channel, user)
  chatty.notify {
    channels = { channel }, event = name, attributes = { channel = channel, user = user }, except = { user },
  }
end

local function on_presence(options, name)
  return function(user)
    local channels, message = chatty.search.subscriptions(user)
    if not channels then return chatty.log.warn("presence is not told: " .. message) end
    for _, channel in ipairs(watched(options, channels)) do tell(name, channel, user) end
  end
end

local function as_set(list)
  local set = {}
  for _, item in ipairs(list or {}) do set[item] = true end
  return set
end

-- The channels that the user is not in yet, or no more: those of a change that would be one.
local function changing(user, channels, is_coming)
  local present, found = as_set(chatty.search.subscriptions(user)), {}
  for _, channel in ipairs(channels) do
    if (present[channel] == true) ~= is_coming then found[#found + 1] = channel end
  end
  return found
end

-- Hooks run before the change is made, and others may refuse it: so it is looked at afterwards.
local function tell_when_true(name, user, channels, is_coming)
  for _ = 1, CHECKS do
    local open = changing(user, channels, is_coming)
    if #open == 0 then break end
    if #open < #channels then channels = open end
    chatty.sleep(PAUSE)
  end
  local failed = as_set(changing(user, channels, is_coming))
  for _, channel in ipairs(channels) do
    if not failed[channel] then tell(name, channel, user) end
  end
end

-- The users of the change that are here, as far as one answer holds them.
local function users_of(change, options)
  if change.users then return change.users end
  local users = {}
  for _, channel in ipairs(change.users_of) do
    for _, user in ipairs(chatty.search.participants(channel, { size = options.users_max }) or {}) do
      users[#users + 1] = user
    end
  end
  return users
end

local function on_change(options, name, is_coming)
  return function(change)
    local channels, users = watched(options, change.channels), users_of(change, options)
    if #channels == 0 or #users > options.users_max then return end
    for user in pairs(as_set(users)) do
      local open = chatty.users.online(user) and changing(user, channels, is_coming) or {}
      if #open > 0 then chatty.spawn(tell_when_true, name, user, open, is_coming) end
    end
  end
end

-- The list; or nil and a refusal.
local function who_is_here(user, channel, options)
  if type(channel) ~= "string" or not is_watched(options, channel) then
    return nil, chatty.refuse(404, "channel-unknown", "Nothing is told of this channel.")
  end
  local own, message = chatty.search.subscriptions(user)
  if not own then return nil, chatty.refuse(503, "try-again", message) end
  if not as_set(own)[channel] then
    return nil, chatty.refuse(403, "not-a-member", "Only members of the channel may ask.")
  end
  local users, more = chatty.search.participants(channel, { size = options.users_max })
  if not users then return nil, chatty.refuse(503, "try-again", more) end
  return { channel = channel, users = chatty.json.array(users), more = more }
end

function plugin.setup(app, options)
  app:on("online", on_presence(options, "presence:join"))
  app:on("offline", on_presence(options, "presence:leave"))
  app:on("subscribe", on_change(options, "presence:join", true))
  app:on("unsubscribe", on_change(options, "presence:leave", false))
  app:on("message", function(session, event)
    if event.name ~= "presence:who" then return end
    local answer, refused = who_is_here(session.user, event:get("channel"), options)
    return answer or refused
  end)
  app:get("/presence/:channel", { auth = "jwt", doc = "Who is in a channel." }, function(request)
    local answer, refused = who_is_here(request.user, request.params.channel, options)
    return answer and { json = answer } or refused
  end)
end

return plugin
