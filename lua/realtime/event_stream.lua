-- Server-Sent Events: GET /events. Every event of the user is one of the stream; a stream only listens, so
-- nothing comes from its client but the token.

local cors = require "http.cors"
local credentials = require "identity.credentials"
local entrance = require "realtime.entrance"
local reply = require "http.reply"
local requests = require "http.request"

local event_stream = {}

-- What an answer of reply.lua has, too: browsers read a stream of another origin only with these.
local function headers_of(core)
  local headers, origin = {}, core:header("origin")
  if not origin then return headers end
  if cors.add_headers(headers, origin, core:header("host")) then
    table.move({ "Vary", "Origin" }, 1, 2, #headers + 1, headers)
  end
  return headers
end

-- A browser that comes back by itself has the URL of before, so what it says in a header is newer.
local function complete(arrival, core)
  local last = core:header("last-event-id")
  if not last or last == "" then return arrival end
  return { after = last, session = arrival.session }
end

local function open(request)
  local core = requests.core(request)
  local text, arrival, refused = entrance.read(core)
  if refused then return refused end
  if not text then
    return credentials.refuse("credentials-missing",
      "Send a token as ?token=, as a cookie or as Authorization: Bearer.")
  end
  local token
  token, refused = credentials.verify(text)
  if not token then return refused end
  if request.method == "HEAD" then return { status = 200, headers = { ["Content-Type"] = "text/event-stream" } } end
  local session = core:open_stream(headers_of(core))
  if session then entrance.enter(session, token, nil, complete(arrival, core)) end
  return reply.TAKEN
end

---@param app app
function event_stream.setup(app)
  app:get("/events", { auth = "none", doc = "Events of the user as they come (SSE); needs a token." }, open)
end

return event_stream
