-- The sample chat for clients of Socket.IO: a page at /socketio/ with the unmodified socket.io-client. It connects
-- as pages of the Node.js server did: by polling, with the token in the header Authorization, then by WebSocket.

local chatty = require "chatty"

local plugin = { api = 1, doc = "A sample chat with socket.io-client: a page at /socketio/." }

local ROOM <const> = "socketio-room"
local USER_PREFIX <const> = "socketio-"
local TOKEN_SECONDS <const> = 600
local NAME_MAX <const>, CONTENT_MAX <const> = 32, 2000

local function is_text(value, max)
  local length = type(value) == "string" and utf8.len(value)
  return length and length >= 1 and length <= max and not value:find("^%s*$")
end

-- The name of a visitor; nil for every other user.
local function visitor_name(user)
  return user:sub(1, #USER_PREFIX) == USER_PREFIX and user:sub(#USER_PREFIX + 1) or nil
end

-- The token has no role: all it opens is a session as this visitor.
local function join(request)
  local body = request.json
  local name = type(body) == "table" and body.name
  if not is_text(name, NAME_MAX) or name:find("%c") then
    local detail = ("Choose a name of 1 to %d characters."):format(NAME_MAX)
    return chatty.refuse(400, "socketio-name-invalid", detail, { pointer = "/name" })
  end
  local token, message = chatty.token.make({ sub = USER_PREFIX .. name }, TOKEN_SECONDS)
  if not token then return chatty.refuse(503, "socketio-token-unavailable", message) end
  return { json = { token = token, name = name }, headers = { ["Cache-Control"] = "no-store" } }
end

local function enter(session)
  if visitor_name(session.user) then chatty.subscribe({ session.user }, { ROOM }) end
end

-- What is returned is what the callback of `socket.emit` gets.
local function say(session, event)
  local name = visitor_name(session.user)
  if not name or event.name ~= "chat-message" then return end
  local content = event:get("content")
  if not is_text(content, CONTENT_MAX) then
    return chatty.refuse(400, "socketio-content-invalid", ("Say 1 to %d characters."):format(CONTENT_MAX))
  end
  chatty.notify{
    channels = { ROOM }, event = "chat-message",
    attributes = { content = content, sender = name, ["time-sent"] = chatty.time.rfc3339() },
  }
  return { sent = true }
end

function plugin.setup(app)
  app:static("/socketio", "public")
  app:post("/socketio/join", { auth = "none", body = "json", body_max = 1024 }, join)
  app:on("connect", enter)
  app:on("message", say)
end

return plugin
