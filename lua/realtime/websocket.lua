-- The WebSocket endpoint: GET /ws. Who comes brings a token in one of five places; from then on every frame,
-- both ways, is one event.

local acks = require "notify.acks"
local core_event = require "core.event"
local credentials = require "identity.credentials"
local entrance = require "realtime.entrance"
local event = require "event"
local hooks = require "hooks"
local json = require "core.json"
local protect = require "protect"
local refusal = require "refusal"
local reply = require "http.reply"
local requests = require "http.request"
local sessions = require "realtime.session"
local settings = require "settings"
local sockets = require "realtime.sockets"
local time = require "core.time"

local realtime = {}

local PROTOCOL <const> = "chatty.v1"

-- An acknowledgement of Socket.IO has no name that would tell an error from a value.
local function send_error(core, refused, ack)
  local attributes = { status = refused.status, code = refused.code, detail = refused.detail }
  if ack and core:transport() == "sio" then attributes = { error = attributes } end
  return entrance.send(core, "chatty:error", attributes, ack)
end

local function open(request)
  local core = requests.core(request)
  local refused = sockets.refuse_handshake(core)
  if refused then return refused end
  local text, arrival, token
  text, arrival, refused = entrance.read(core, true)
  if text then token, refused = credentials.verify(text) end
  if refused then return refused end
  local session = core:open_session(core:offers(PROTOCOL) and PROTOCOL or nil)
  if session and token then
    entrance.enter(session, token, nil, arrival)
  elseif session then
    session:expect_auth(settings.AUTH_TIMEOUT)
  end
  return reply.TAKEN
end

-- What a hook that returned nothing acknowledges with: no argument at all to Socket.IO.
local function empty_ack(core)
  local made = core_event.new("chatty:ack", core:transport() == "sio" and json.array({}) or {})
  if core:transport() == "sio" then made:spread() end
  return made
end

-- An event as a value acknowledges with its attributes, several arguments and binaries included.
local function make_ack(value)
  if not event.is(value) then return core_event.new("chatty:ack", value) end
  local made = event.core(value):copy()
  made:rename("chatty:ack")
  return made
end

local function send_ack(core, value, ack)
  if value == nil or value == json.null then return core:send(empty_ack(core), ack) end
  local ok, made = protect.call("chatty", "acknowledgement", make_ack, value)
  if not ok then return send_error(core, made, ack) end
  core:send(made, ack)
end

local function ask_plugins(core, found, ack)
  local value, refused = hooks.ask("message", sessions.of(core), event.of(found))
  if refused then return send_error(core, refused, ack) end
  if ack then send_ack(core, value, ack) end
end

-- What a client said: a token, or an event for the plugins.
local function take(core, found, ack)
  local name = found:name()
  if name == "chatty:auth" then return entrance.authenticate(core, found, ack) end
  if not core:user() then
    return send_error(core, refusal.of("auth-required", "Send chatty:auth first."), ack)
  end
  if name == "chatty:ack" and ack and core:transport() ~= "sio" then return acks.take(core:id(), ack) end
  if name:sub(1, 7) == "chatty:" then
    return send_error(core, refusal.of("event-reserved", "Names with chatty: belong to the server."), ack)
  end
  if not hooks.has("message") then
    return send_error(core, refusal.of("no-handler", "No plugin takes messages from clients."), ack)
  end
  ask_plugins(core, found, ack)
end

--- A frame came from a client.
---@param core core.session
---@param text string
function realtime.on_frame(core, text)
  local found, ack_or_message, _, ack = core_event.parse(text)
  if not found then
    return send_error(core, refusal.of("frame-malformed", refusal.sentence(ack_or_message)), ack)
  end
  take(core, found, ack_or_message)
end

--- An event came from a client of Socket.IO.
---@param core core.session
---@param found core.event|nil  nil: its name is none
---@param ack string|nil
function realtime.on_packet(core, found, ack)
  if found then return take(core, found, ack) end
  send_error(core, refusal.of("frame-malformed", "The event's name must be UTF-8 of 1 to 255 bytes."), ack)
end

--- A client of Socket.IO acknowledged what was notified with an ack.
---@param core core.session
---@param digits string
function realtime.on_ack(core, digits)
  if core:user() then acks.take(core:id(), digits) end
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
  entrance.send(core, "chatty:expiring", { expires = entrance.show_time(expires), seconds = seconds })
end

--- A user came online, or is gone for good.
---@param user string
---@param is_online boolean
---@param generation integer
function realtime.on_presence(user, is_online, generation)
  hooks.run(is_online and "online" or "offline", user, generation)
end

--- A session that was live is over. Only called where there are hooks for it, as is on_presence.
---@param core core.session
---@param code integer
---@param reason string
function realtime.on_disconnect(core, code, reason)
  hooks.run("disconnect", sessions.of(core), reason, code)
  core:forget()
end

--- Events that sessions did not get, in the order of dropping.
---@param drops {session: core.session, name: string, attributes: string, reason: string}[]  name, attributes: JSON
function realtime.on_dropped(drops)
  for _, drop in ipairs(drops) do
    local made = event.make(json.decode(drop.name), json.raw(drop.attributes))
    if made then hooks.run("dropped", event.of(made), sessions.of(drop.session), drop.reason) end
  end
end

---@param app app
function realtime.setup(app)
  app:get("/ws", { auth = "none", doc = "WebSocket for users; the token is checked in the handshake." }, open)
end

return realtime
