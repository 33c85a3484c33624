-- Clients subscribe themselves, to channels whose names the operator allows:
--   {"event":"subscribe","attributes":{"channels":["room-1"]},"ack":1}     and the same for unsubscribe
-- Other plugins may still refuse, in their hooks subscribe and unsubscribe: change.by is the user.

local chatty = require "chatty"

local plugin = { api = 1, doc = "Lets clients subscribe to the channels that are allowed." }

plugin.options = {
  channels = {
    type = "list", required = true, max = 1000,
    doc = "Patterns of the channels that users may join and leave: room-*, user-{user}.",
  },
  at_once = { type = "integer", default = 10, min = 1, max = 1000, doc = "Channels in one message." },
}

local function refuse(status, code, detail, ...)
  return nil, chatty.refuse(status, code, detail:format(...))
end

-- The list of the message; or nil and a refusal.
local function channels_of(event, at_once)
  local channels = event:get("channels")
  if type(channels) ~= "table" or #channels == 0 then
    return refuse(400, "channels-missing", "Send the attribute channels, a list of names.")
  end
  if #channels > at_once then return refuse(400, "channels-too-many", "At most %d channels at once.", at_once) end
  for _, channel in ipairs(channels) do
    if type(channel) ~= "string" then return refuse(400, "channels-invalid", "Channels are strings.") end
  end
  return channels
end

local function is_allowed(patterns, channel, user)
  for _, pattern in ipairs(patterns) do
    if chatty.match(pattern, channel, { user = user }) then return true end
  end
  return false
end

local function change(session, event, options)
  local channels, refused = channels_of(event, options.at_once)
  if not channels then return refused end
  for _, channel in ipairs(channels) do
    if not is_allowed(options.channels, channel, session.user) then
      return chatty.refuse(403, "channel-not-allowed", ("You may not %s %s."):format(event.name, channel))
    end
  end
  local done, _, _, fault = chatty[event.name] {
    users = { session.user }, channels = channels, by = { kind = "user", user = session.user },
  }
  if not done then return fault or chatty.refuse(503, "try-again", "This cannot be done now.") end
  return { channels = chatty.json.array(done.channels) }
end

function plugin.setup(app, options)
  app:on("message", function(session, event)
    if event.name ~= "subscribe" and event.name ~= "unsubscribe" then return end
    return change(session, event, options)
  end)
end

return plugin
