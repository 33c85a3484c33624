-- What is known of a user and an event, in sentences.

local sessions = require "realtime.session"
local time = require "core.time"

local explanation = {}

local CODE_SLOW <const>, CODE_LOST <const> = 4002, 1006

--- Why a session did not get an event; docs/protocol.md lists them, the hook `dropped` tells them too.
explanation.REASONS = {
  slow = "its queue was full, so it was closed with 4002",
  closing = "it was closing",
  lost = "its connection was lost",
}

--- Why it was taken out of a session's queue again.
explanation.VOID = {
  superseded = "a newer event of its key came",
  expired = "its ttl was over",
}

local function at(milliseconds)
  return time.rfc3339(milliseconds / 1000)
end

local function list_of(words)
  return table.concat(words, ", ")
end

local function whom(by)
  if type(by) ~= "table" then return "nobody knows whom" end
  if by.kind == "control" and by.key then return "the control key " .. by.key end
  if by.kind == "control" and by.user then return "the token of " .. by.user end
  if by.kind == "control" then return "a control key" end
  if by.kind == "plugin" then return "the plugin " .. tostring(by.name) end
  return tostring(by.kind) .. (by.user and " " .. by.user or "")
end

local function tell_event(event, out)
  local targets = event.channels or event.users
  out[#out + 1] = ("The event %s%s was emitted at %s to the %s %s by %s."):format(event.event,
    event.id and (" (%s)"):format(event.id) or "", at(event.at), event.channels and "channels" or "users",
    list_of(targets), event.by ~= "" and event.by or "a control key")
end

local function tell_subscription(user, one, out)
  out[#out + 1] = ("%s is subscribed to %s since %s, by %s%s."):format(user, one.channel, one.since, whom(one.by),
    one.by and one.by.request and (", request %s"):format(one.by.request) or "")
end

local function contains(list, name)
  for _, one in ipairs(list or {}) do
    if one == name then return true end
  end
  return false
end

-- Why no session got it, as far as that is not told of each session.
local function tell_nothing(found, out)
  local event, user = found.event, found.user
  if contains(event.except, user) then
    out[#out + 1] = ("%s was left out by except."):format(user)
  elseif event.cut then
    out[#out + 1] = "The event was for, or not for, more names than are remembered."
  elseif event.users and not contains(event.users, user) then
    out[#out + 1] = ("%s is not one of its users."):format(user)
  elseif event.channels and #found.subscriptions == 0 then
    out[#out + 1] = ("%s is not subscribed to any of its channels now."):format(user)
  end
end

local function is_left_out(session, event)
  for _, one in ipairs(event.exceptSessions) do
    if sessions.client_of(one) == sessions.client_of(session.id) then return true end
  end
  return false
end

local function tell_time(session, event, out, label)
  if is_left_out(session, event) then
    out[#out + 1] = ("%s was left out by except."):format(label)
  elseif session.since > event.at then
    out[#out + 1] = ("%s began at %s, after the event, and was not brought it."):format(label, at(session.since))
  elseif session.closed and session.closed < event.at then
    out[#out + 1] = ("%s had ended at %s, before the event (%d%s)."):format(label, at(session.closed), session.code,
      session.reason ~= "" and ", " .. session.reason or "")
  else
    out[#out + 1] = ("%s was live and was not given it."):format(label)
  end
end

local HOW = { queued = "It was queued for %s", replayed = "It was brought to %s when it came back" }

local function in_sentence(label)
  return label:sub(1, 1):lower() .. label:sub(2)
end

local function tell_delivery(session, got, out, label)
  if got.reason then
    out[#out + 1] = ("It was taken out of the queue of %s again: %s."):format(in_sentence(label),
      explanation.VOID[got.reason])
    return
  elseif got.how == "dropped" then
    got.reason = session.code == CODE_SLOW and "slow" or session.code == CODE_LOST and "lost" or "closing"
    out[#out + 1] = ("%s was not given it: %s."):format(label, explanation.REASONS[got.reason])
    return
  end
  local line = HOW[got.how]:format(in_sentence(label))
  if got.written then
    out[#out + 1] = line .. " and written to its connection."
  elseif session.closed then
    out[#out + 1] = line .. (" and may not have been written: %d frames waited when it ended (%d)."):format(
      session.waiting, session.code)
  else
    out[#out + 1] = line .. (" and may not be written yet: %d frames wait."):format(session.waiting)
  end
end

local function tell_confirmation(session, event, out, label)
  if session.confirmed then
    out[#out + 1] = ("%s confirmed it at %s."):format(label, at(session.confirmed))
  elseif event.ack and #session.got > 0 then
    out[#out + 1] = ("%s is not known to have confirmed it."):format(label)
  end
end

local function tell_session(session, event, out)
  local label = ("The session %s"):format(session.id)
  if #session.got == 0 then tell_time(session, event, out, label) end
  for _, got in ipairs(session.got) do tell_delivery(session, got, out, label) end
  tell_confirmation(session, event, out, label)
end

local function tell_presence(found, out)
  local live = 0
  for _, session in ipairs(found.sessions) do live = live + (session.closed and 0 or 1) end
  out[#out + 1] = ("%s has %d live session%s."):format(found.user, live, live == 1 and "" or "s")
end

--- The sentences. Completes what `found` says of dropped events by a reason.
---@param found {user: string, event?: table, sessions: table[], subscriptions: table[]}
---@return string[]
function explanation.of(found)
  local out, event = {}, found.event
  if event then
    tell_event(event, out)
    tell_nothing(found, out)
  end
  for _, one in ipairs(found.subscriptions) do tell_subscription(found.user, one, out) end
  if not event then
    tell_presence(found, out)
    return out
  end
  for _, session in ipairs(found.sessions) do tell_session(session, event, out) end
  if #found.sessions == 0 then
    out[#out + 1] = ("No session of %s is known from then or now."):format(found.user)
  end
  return out
end

return explanation
