-- POST /auth/logout: takes the cookie away and revokes the token that came; with everywhere=true all of the
-- user's. Whoever has no token that counts is logged out already.

local credentials = require "identity.credentials"
local json = require "core.json"
local jwt_cookie = require "auth.jwt_cookie"
local requests = require "http.request"
local revocations = require "identity.revocations"
local time = require "core.time"

local logout = {}

-- The token; nil when there is none that counts; nil, refusal when that cannot be told, or when the cookie
-- comes from a page that may not use it.
local function find_token(request)
  local core = requests.core(request)
  local text, refused = credentials.bearer(core), nil
  if not text then text, refused = credentials.of_cookie(core) end
  if not text then return nil, refused end
  local found
  found, refused = credentials.verify(text)
  if not found and refused.status ~= 401 then return nil, refused end
  return found
end

-- Made by a clock that is ahead, or before ours was set back: it would count on when others do not.
local function is_ahead(token)
  local made = tonumber((json.find(token.claims, "iat")))
  return made and made > time.now()
end

local function revoke(token, everywhere)
  if not everywhere then return revocations.add(token) end
  local must_name = is_ahead(token)
  local done, message, code = revocations.add_all(token.user)
  if done and must_name then return revocations.add(token) end
  return done, message, code
end

local function handle(request)
  local token, refused = find_token(request)
  if refused then return refused end
  local is_revoked = false
  if token then
    local done, message, code = revoke(token, request.query.everywhere)
    if done == nil then return nil, message, code end
    is_revoked = done
  end
  return {
    json = { msg = "Logged out.", revoked = is_revoked },
    cookies = { jwt = jwt_cookie.make(request, "", 0) },
  }
end

---@param app app
function logout.setup(app)
  app:post("/auth/logout", {
    auth = "none", doc = "Revokes the token that came and takes the cookie away.",
    query = { everywhere = { type = "boolean", doc = "Revoke all tokens of the user, close all sessions." } },
  }, handle)
end

return logout
