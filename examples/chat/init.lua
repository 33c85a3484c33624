-- The sample chat: a page at /, one lobby, and visitors who only have a name. Each visitor is a user
-- "chat-<name>", so nobody who joins here can be a user of the app server.

local chatty = require "chatty"

local plugin = { api = 1, doc = "A sample chat: a page at /, one lobby, visitors who only have a name." }

local LOBBY <const> = "chat-lobby"
local EVENT <const> = "chat-message"
local USER_PREFIX <const> = "chat-"
local TOKEN_SECONDS <const> = 600 -- the page renews its token before it dies
local NAME_MAX <const>, CONTENT_MAX <const> = 32, 2000 -- characters

-- What a name must not have: control characters, and those that break a line or turn its direction.
local FORBIDDEN <const> = { { 0x00, 0x1F }, { 0x7F, 0x9F }, { 0x2028, 0x202E }, { 0x2066, 0x2069 } }

local function is_forbidden(character)
  for _, range in ipairs(FORBIDDEN) do
    if character >= range[1] and character <= range[2] then return true end
  end
  return false
end

-- Text of 1 to `max` characters.
local function is_text(value, max)
  local length = type(value) == "string" and utf8.len(value)
  return length and length >= 1 and length <= max
end

-- The name without blanks around it; nil if it can be none.
local function clean_name(value)
  local name = type(value) == "string" and value:gsub("^%s+", ""):gsub("%s+$", "")
  if not is_text(name, NAME_MAX) then return nil end
  for _, character in utf8.codes(name) do
    if is_forbidden(character) then return nil end
  end
  return name
end

-- The name of a visitor; nil for every other user.
local function visitor_name(user)
  if user:sub(1, #USER_PREFIX) ~= USER_PREFIX then return nil end
  return user:sub(#USER_PREFIX + 1)
end

-- The token has no role: all it opens is a session as this visitor.
local function join(request)
  local body = request.json
  local name = clean_name(type(body) == "table" and body.name)
  if not name then
    local detail = ("Choose a name of 1 to %d characters, without control characters."):format(NAME_MAX)
    return chatty.refuse(400, "chat-name-invalid", detail, { pointer = "/name" })
  end
  local user = USER_PREFIX .. name
  local token, message = chatty.token.make({ sub = user }, TOKEN_SECONDS)
  if not token then return chatty.refuse(503, "chat-token-unavailable", message) end
  return { json = { token = token, user = user, name = name }, headers = { ["Cache-Control"] = "no-store" } }
end

-- Before the session is live, so that it misses nothing.
local function enter(session)
  if not visitor_name(session.user) then return end
  local done, message = chatty.subscribe({ session.user }, { LOBBY })
  if not done then return chatty.refuse(503, "chat-lobby-unavailable", message) end
end

-- Who said it and when is told by the server, not by the visitor.
local function say(session, event)
  local name = visitor_name(session.user)
  if not name or event.name ~= EVENT then return end
  local content = event:get("content")
  if not is_text(content, CONTENT_MAX) then
    local detail = ("Send a content of 1 to %d characters."):format(CONTENT_MAX)
    return chatty.refuse(400, "chat-content-invalid", detail, { pointer = "/attributes/content" })
  end
  local attributes = { content = content, sender = name, ["time-sent"] = chatty.time.rfc3339() }
  local sent, message = chatty.notify{ channels = { LOBBY }, event = EVENT, attributes = attributes }
  if not sent then return chatty.refuse(503, "chat-lobby-unavailable", message) end
  return { sent = true }
end

function plugin.setup(app)
  app:get("/", { auth = "none" }, function() return { file = "public/index.html" } end)
  app:static("/chat", "public")
  app:post("/chat/join", { auth = "none", body = "json", body_max = 1024 }, join)
  app:on("connect", enter)
  app:on("message", say)
end

return plugin
