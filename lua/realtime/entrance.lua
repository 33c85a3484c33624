-- The way into the realtime part, whichever the transport: from a token to a live session, a fresh token in
-- a live one, and what the server itself tells a session.

local core_event = require "core.event"
local credentials = require "identity.credentials"
local greeting = require "core.greeting"
local hooks = require "hooks"
local json = require "core.json"
local protect = require "protect"
local query = require "http.query"
local sessions = require "realtime.session"
local settings = require "settings"
local time = require "core.time"

local entrance = {}

local CHANNELS_SHOWN <const> = 1000  -- in chatty:connected
local CONNECTED <const> = greeting.new("chatty:connected",
  '{"channelCount":$count,"channels":$channels,"expires":$expires,"pingInterval":'
    .. json.encode(settings.PING_INTERVAL) .. ',"session":$session,"user":$user}', CHANNELS_SHOWN)
local REASON_MAX <const> = 120       -- bytes; a close frame has room for 123
local YEAR_10000 <const> = 253402300800
local CLOSE = { internal = 1011, try_later = 1013, bad_token = 4500, refused = 4501, too_many = 4503, revoked = 4504 }

-- Cut to what a close frame takes, between characters.
local function reason_of(text)
  if not utf8.len(text) then return "" end
  if #text <= REASON_MAX then return text end
  return text:sub(1, utf8.offset(text, 0, REASON_MAX + 1) - 1)
end

--- A time as RFC 3339; null for never, or for later than that can say.
---@param seconds number|nil
function entrance.show_time(seconds)
  if not seconds or seconds >= YEAR_10000 then return json.null end
  return time.rfc3339(seconds)
end

--- Sends an event of the server's own.
---@param core core.session
---@param name string
---@param attributes any
---@param ack? string
---@param id? string  behind which the session's events go on
function entrance.send(core, name, attributes, ack, id)
  return core:send(core_event.new(name, attributes), ack, id)
end

---@class entrance.arrival  what a client says when it comes
---@field after? string    the id of the last event that it had: it gets what it missed
---@field session? string  the id of its last session, or another name of its own
---@field auth? table      of a client of Socket.IO: all that it says

local NEW <const> = {}

--- What a client said, if it is a text with something in it; else nil.
---@param value any
---@return string|nil
function entrance.text_of(value)
  return type(value) == "string" and value ~= "" and value or nil
end

--- What a request that opens a session brings: the first token in it, and what its query says of the client. A
--- refusal when the query is malformed, or when the token must not be taken from where it is.
---@param core core.request
---@param is_handshake? boolean  of a WebSocket: the token may stand in a subprotocol, and a cookie needs Origin
---@return string|nil token, entrance.arrival|nil arrival, refusal?
function entrance.read(core, is_handshake)
  local of_query, after, session = core:parameters("token", "after", "session")
  if of_query == false then return nil, nil, query.refuse_malformed(after, session) end
  local arrival = NEW
  if after or session then
    arrival = { after = entrance.text_of(after), session = entrance.text_of(session) }
  end
  local text = credentials.bearer(core) or of_query or is_handshake and credentials.of_subprotocol(core)
  if text then return text, arrival end
  local refused
  text, refused = credentials.of_cookie(core, is_handshake)
  return text, arrival, refused
end

-- Says whose the session is. It ends with the token, which is taken JWT_LEEWAY longer than it says.
local function identify(core, token)
  local ends = token.expires and token.expires + settings.JWT_LEEWAY
  core:identify(token.user, token.claims, ends, token.key)
end

-- What the session missed comes behind what is sent here, and before anything new. A guest has nothing to be told of.
local function join(core, token, ack, after)
  local joined, id, code = core:join(after, not token.is_guest and CONNECTED or nil, token.expires, ack)
  if not joined then
    if code == "LIMIT" then return core:close(CLOSE.too_many, "too many sessions") end
    if code ~= "CLOSED" then core:close(CLOSE.try_later, "try again later") end
  elseif code then
    entrance.send(core, "chatty:gap", { after = after, reason = code }, nil, id)
  end
end

-- Joins unless a connect hook refuses; what hooks send comes behind chatty:connected.
local function join_by_hooks(core, token, ack, arrival)
  local session = sessions.hold(core)
  sessions.introduce(core, arrival.auth)
  local refused = hooks.run("connect", session)
  sessions.introduce(core, nil)
  if refused then
    core:close(CLOSE.refused, reason_of(refused.detail))
  else
    join(core, token, ack, arrival.after)
  end
  sessions.release(session)
end

-- From the token to the live session. A guest's name has the id in it, which so stays as it is.
local function enter(core, token, ack, arrival)
  identify(core, token)
  if not token.is_guest then core:set_client(arrival.session) end
  if hooks.has("connect") then return join_by_hooks(core, token, ack, arrival) end
  join(core, token, ack, arrival.after)
end

--- (waits) Makes an open session that of the token's user, and live, or closes it.
---@param core core.session
---@param token credentials.token
---@param ack? string    of the frame that brought the token
---@param arrival entrance.arrival
function entrance.enter(core, token, ack, arrival)
  local ok = protect.one("chatty", "session", enter, core, token, ack, arrival)
  if not ok then core:close(CLOSE.internal, "internal error") end
end

-- A fresh token in a live session.
local function refresh(core, token, ack)
  if token.user ~= core:user() then return core:close(CLOSE.bad_token, "the token is another user's") end
  identify(core, token)
  sessions.refresh(core)
  entrance.send(core, "chatty:auth", { expires = entrance.show_time(token.expires) }, ack)
end

local function close_code_of(refused)
  if refused.code == "token-revoked" then return CLOSE.revoked end
  return refused.status == 401 and CLOSE.bad_token or CLOSE.try_later
end

--- Closes a session whose token was refused.
---@param core core.session
---@param refused refusal
function entrance.refuse(core, refused)
  core:close(close_code_of(refused), reason_of(refused.detail))
end

--- (waits) A chatty:auth came: the first token of the session, or a fresh one.
---@param core core.session
---@param found core.event
---@param ack? string
function entrance.authenticate(core, found, ack)
  local text = found:get("token")
  if type(text) ~= "string" then
    return core:close(CLOSE.bad_token, "chatty:auth needs attributes with a token")
  end
  local token, refused = credentials.verify(text)
  if not token then return entrance.refuse(core, refused) end
  if core:user() then return refresh(core, token, ack) end
  entrance.enter(core, token, ack, {
    after = entrance.text_of(found:get("after")), session = entrance.text_of(found:get("session")),
  })
end

return entrance
