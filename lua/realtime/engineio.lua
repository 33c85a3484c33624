-- Engine.IO v4 over HTTP: what a request of a client means, whoever the endpoint belongs to. Without a sid it
-- opens a connection, by polling or as a WebSocket; with one it polls, posts packets, or changes over.

local engine = require "core.engine"
local query = require "http.query"
local refusal = require "refusal"
local reply = require "http.reply"
local requests = require "http.request"
local settings = require "settings"
local sockets = require "realtime.sockets"

local engineio = {}

local VERSION <const> = "4"
local TEXT <const> = "text/plain; charset=UTF-8"
local HEADERS = { ["Content-Type"] = TEXT, ["Cache-Control"] = "no-store" }
local DETAILS = {
  ["sid-unknown"] = "There is no session that polls and has this sid: open a new one.",
  ["request-concurrent"] = "Wait for the answer to one request before the next: the session is closed.",
  ["packet-malformed"] = "The body holds no packets of Engine.IO: the session is closed.",
}

---@class engineio.endpoint
---@field open fun(request: request, core: core.request, is_text_only: boolean): string|nil  opens with polling; what to
---answer, nil: too many
---@field open_socket fun(request: request, core: core.request, is_text_only: boolean)  opens with a WebSocket

local function answer(text)
  return { text = text, headers = HEADERS }
end

local function refuse_transport(detail)
  return refusal.of("engine-request", detail, { parameter = "transport" })
end

-- The parameters of a request; nil, refusal when it is none of Engine.IO.
local function read(request)
  local values, refused = query.all(requests.core(request):query())
  if not values then return nil, refused end
  if values.EIO ~= VERSION then
    return nil, refusal.of("engine-request", "Speak version 4 of Engine.IO: EIO=4.", { parameter = "EIO" })
  end
  if values.transport ~= "polling" and values.transport ~= "websocket" then
    return nil, refuse_transport("The transport must be polling or websocket.")
  end
  return values
end

local function refuse_full()
  return refusal.of("polling-max", "Too many clients poll. Come back in a moment.", nil, { "Retry-After", "5" })
end

local function refused_because(code)
  return refusal.of(DETAILS[code] and code or "unavailable", DETAILS[code] or "The server stops.")
end

local function open_websocket(endpoint, request, core, values)
  local refused = sockets.refuse_handshake(core)
  if refused then return refused end
  if not values.sid then
    endpoint.open_socket(request, core, values.b64 ~= nil)
    return reply.TAKEN
  end
  if not engine.upgrade(core, values.sid) then return refused_because("sid-unknown") end
  return reply.TAKEN
end

local function get(endpoint, request)
  local core = requests.core(request)
  local values, refused = read(request)
  if not values then return refused end
  if request.method ~= "GET" then return refuse_transport("Only GET and POST are requests of Engine.IO.") end
  if values.transport == "websocket" then return open_websocket(endpoint, request, core, values) end
  if core:is_upgrade() then return refuse_transport("A WebSocket has transport=websocket.") end
  local text
  if values.sid then
    text, refused = engine.poll(core, values.sid)
    if not text then return refused_because(refused) end
  else
    text = endpoint.open(request, core, values.b64 ~= nil)
    if not text then return refuse_full() end
  end
  return answer(text)
end

local function post(request)
  local core = requests.core(request)
  local values, refused = read(request)
  if not values then return refused end
  if values.transport ~= "polling" then return refuse_transport("Packets are posted with transport=polling.") end
  if not values.sid then
    return refusal.of("engine-request", "A session opens with GET.", { parameter = "sid" })
  end
  if core:body_size() > settings.POLLING_MAX then
    return refusal.of("body-too-large", ("Send a body of at most %d bytes."):format(settings.POLLING_MAX))
  end
  local text, code = engine.post(core, values.sid)
  if not text then return refused_because(code) end
  return answer(text)
end

local function refuse_method()
  return refuse_transport("Only GET and POST are requests of Engine.IO.")
end

--- The handlers of an endpoint, by method.
---@param endpoint engineio.endpoint
---@return table<"get"|"post"|"put", fun(request: request): table|refusal>
function engineio.handlers(endpoint)
  return {
    get = function(request) return get(endpoint, request) end,
    post = post,
    put = refuse_method,
  }
end

return engineio
