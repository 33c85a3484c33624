-- The WebSocket endpoint: GET /ws. Who comes brings a token in one of five places; from then on every frame,
-- both ways, is one event.

local core_event = require "core.event"
local credentials = require "credentials"
local event = require "event"
local hooks = require "hooks"
local json = require "core.json"
local protect = require "protect"
local refusal = require "refusal"
local reply = require "reply"
local requests = require "request"
local sessions = require "session"
local settings = require "settings"
local sockets = require "sockets"
local time = require "core.time"

local realtime = {}

local PROTOCOL <const> = "chatty.v1"
local CHANNELS_SHOWN <const> = 1000  -- in chatty:connected
local REASON_MAX <const> = 120       -- bytes; a close frame has room for 123
local YEAR_10000 <const> = 253402300800
local CLOSE = { internal = 1011, try_later = 1013, bad_token = 4500, refused = 4501, too_many = 4503 }
local CODE_REVOKED <const> = 4504

-- Cut to what a close frame takes, between characters.
local function reason_of(text)
  if not utf8.len(text) then return "" end
  if #text <= REASON_MAX then return text end
  return text:sub(1, utf8.offset(text, 0, REASON_MAX + 1) - 1)
end

-- As RFC 3339; null for never, or for later than that can say.
local function show_time(seconds)
  if not seconds or seconds >= YEAR_10000 then return json.null end
  return time.rfc3339(seconds)
end

local function send(core, name, attributes, ack)
  return core:send(core_event.new(name, attributes), ack)
end

local function send_error(core, refused, ack)
  local attributes = { status = refused.status, code = refused.code, detail = refused.detail }
  return send(core, "chatty:error", attributes, ack)
end

local function send_connected(core, channels, token, ack)
  local shown = json.array(table.move(channels, 1, math.min(#channels, CHANNELS_SHOWN), 1, {}))
  return send(core, "chatty:connected", {
    user = core:user(), session = core:id(), channels = shown, channelCount = #channels,
    expires = show_time(token.expires), pingInterval = settings.PING_INTERVAL,
  }, ack)
end

-- The first token found; nil, refusal when it must not be taken from there.
local function find_token(core)
  local text = credentials.bearer(core)
  if text then return text end
  local of_query, refused = credentials.of_query(core)
  if of_query or refused then return of_query, refused end
  text = credentials.of_subprotocol(core)
  if text then return text end
  return credentials.of_cookie(core, true)
end

-- Says whose the session is. It ends with the token, which is taken JWT_LEEWAY longer than it says.
local function identify(core, token)
  local ends = token.expires and token.expires + settings.JWT_LEEWAY
  core:identify(token.user, token.claims, ends, token.key)
end

local function join(core, token, ack)
  local channels, _, code = core:join()
  if channels then
    send_connected(core, channels, token, ack)
  elseif code == "LIMIT" then
    core:close(CLOSE.too_many, "too many sessions")
  elseif code ~= "CLOSED" then
    core:close(CLOSE.try_later, "try again later")
  end
end

-- Joins unless a connect hook refuses; what hooks send comes behind chatty:connected.
local function join_by_hooks(core, token, ack)
  local session = sessions.hold(core)
  local refused = hooks.run("connect", session)
  if refused then
    core:close(CLOSE.refused, reason_of(refused.detail))
  else
    join(core, token, ack)
  end
  sessions.release(session)
end

-- From the token to the live session.
local function enter(core, token, ack)
  identify(core, token)
  if hooks.has("connect") then return join_by_hooks(core, token, ack) end
  join(core, token, ack)
end

local function try_enter(core, token, ack)
  local ok = protect.call("chatty", "session", enter, core, token, ack)
  if not ok then core:close(CLOSE.internal, "internal error") end
end

local function open(request)
  local core = requests.core(request)
  local refused = sockets.refuse_handshake(core)
  if refused then return refused end
  local text, token
  text, refused = find_token(core)
  if text then token, refused = credentials.verify(text) end
  if refused then return refused end
  local session = core:open_session(core:offers(PROTOCOL) and PROTOCOL or nil)
  if session and token then
    try_enter(session, token)
  elseif session then
    session:expect_auth(settings.AUTH_TIMEOUT)
  end
  return reply.TAKEN
end

-- A fresh token in a live session.
local function refresh(core, token, ack)
  if token.user ~= core:user() then return core:close(CLOSE.bad_token, "the token is another user's") end
  identify(core, token)
  sessions.refresh(core)
  send(core, "chatty:auth", { expires = show_time(token.expires) }, ack)
end

local function close_code_of(refused)
  if refused.code == "token-revoked" then return CODE_REVOKED end
  return refused.status == 401 and CLOSE.bad_token or CLOSE.try_later
end

local function authenticate(core, found, ack)
  local text = found:get("token")
  if type(text) ~= "string" then
    return core:close(CLOSE.bad_token, "chatty:auth needs attributes with a token")
  end
  local token, refused = credentials.verify(text)
  if not token then return core:close(close_code_of(refused), reason_of(refused.detail)) end
  if core:user() then return refresh(core, token, ack) end
  try_enter(core, token, ack)
end

local function send_ack(core, value, ack)
  if value == nil or value == json.null then value = {} end
  local ok, made = protect.call("chatty", "acknowledgement", core_event.new, "chatty:ack", value)
  if not ok then return send_error(core, made, ack) end
  core:send(made, ack)
end

local function ask_plugins(core, found, ack)
  local value, refused = hooks.ask("message", sessions.of(core), event.of(found))
  if refused then return send_error(core, refused, ack) end
  if ack then send_ack(core, value, ack) end
end

--- A frame came from a client.
---@param core core.session
---@param text string
function realtime.on_frame(core, text)
  local found, ack_or_message, _, ack = core_event.parse(text)
  if not found then
    return send_error(core, refusal.of("frame-malformed", refusal.sentence(ack_or_message)), ack)
  end
  ack = ack_or_message
  local name = found:name()
  if name == "chatty:auth" then return authenticate(core, found, ack) end
  if not core:user() then
    return send_error(core, refusal.of("auth-required", "Send chatty:auth first."), ack)
  end
  if name:sub(1, 7) == "chatty:" then
    return send_error(core, refusal.of("event-reserved", "Names with chatty: belong to the server."), ack)
  end
  if not hooks.has("message") then
    return send_error(core, refusal.of("no-handler", "No plugin takes messages from clients."), ack)
  end
  ask_plugins(core, found, ack)
end

-- When its token dies, or the session before that, as that of a secret that was changed; nil for never.
local function expires_of(core)
  local ends = core:expires()
  local text = ends and json.find(core:claims(), "exp")
  local exp = text and json.decode(text)
  return type(exp) == "number" and math.min(exp, ends) or ends
end

--- The token of a session dies soon.
---@param core core.session
function realtime.on_expiring(core)
  local expires = expires_of(core)
  if not expires then return end
  local seconds = math.max(0, math.ceil(expires - time.now()))
  send(core, "chatty:expiring", { expires = show_time(expires), seconds = seconds })
end

--- A user came online, or is gone for good.
---@param user string
---@param is_online boolean
---@param generation integer
function realtime.on_presence(user, is_online, generation)
  local name = is_online and "online" or "offline"
  if hooks.has(name) then hooks.run(name, user, generation) end
end

--- A session that was live is over.
---@param core core.session
---@param code integer
---@param reason string
function realtime.on_disconnect(core, code, reason)
  if hooks.has("disconnect") then hooks.run("disconnect", sessions.of(core), reason, code) end
  core:forget()
end

---@param app app
function realtime.setup(app)
  app:get("/ws", { auth = "none", doc = "WebSocket for users; the token is checked in the handshake." }, open)
end

return realtime
