-- POST /auth/logout: takes the cookie away and revokes the token that came; with everywhere=true all of the
-- user's. Whoever has no token that counts is logged out already.

local credentials = require "identity.credentials"
local jwt_cookie = require "auth.jwt_cookie"
local requests = require "http.request"
local revocations = require "identity.revocations"

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

local function revoke(token, everywhere)
  if everywhere then return revocations.add_all(token.user) end
  return revocations.add(token)
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
