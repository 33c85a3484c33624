-- Credentials: where requests carry tokens and keys, and what these prove.

local cookie = require "cookie"
local cors = require "cors"
local metrics = require "core.metrics"
local names = require "names"
local query = require "query"
local refusal = require "refusal"
local secret = require "core.secret"
local settings = require "settings"
local token = require "core.token"

local credentials = {}

local keys = settings.CONTROL_KEY
local CODES = {
  TOKEN_INVALID = "token-invalid", TOKEN_EXPIRED = "token-expired", TOKEN_NOT_YET = "token-not-yet",
}
local SOURCE = { header = "Authorization" }

---@class credentials.token
---@field user string
---@field expires? number
---@field claims string  raw JSON

--- The token or key of "Authorization: Bearer ...", whatever it is: what is malformed is a bad one.
---@param core core.request
---@return string|nil
function credentials.bearer(core)
  local header = core:header("authorization")
  if not header then return nil end
  if header:sub(1, 7) == "Bearer " then return header:match("^%S+ +(.*)$") end
  return header:match("^[Bb][Ee][Aa][Rr][Ee][Rr]%f[%z ] *(.*)$")
end

--- The token of ?token=, for those who cannot set headers. nil, refusal for a malformed query.
---@param core core.request
---@return string|nil, refusal?
function credentials.of_query(core)
  local values, refused = query.all(core:query())
  if not values then return nil, refused end
  return values.token
end

--- The token of the subprotocol "bearer.TOKEN", for browsers' WebSockets.
---@param core core.request
---@return string|nil
function credentials.of_subprotocol(core)
  local header = core:header("sec-websocket-protocol")
  if not header then return nil end
  for protocol in header:gmatch("[^,%s]+") do
    local text = protocol:match("^bearer%.(.*)$")
    if text then return text end
  end
end

local function refuse_origin()
  return refusal.of("origin-not-allowed",
    "Send a token or key as a bearer, or add the page's origin to ALLOWED_ORIGINS.", { header = "Origin" })
end

--- A refusal if a page of an origin that is not allowed asks.
---@param core core.request
---@return refusal|nil
function credentials.check_origin(core)
  local origin = core:header("origin")
  if origin and not cors.is_allowed(origin, core:header("host")) then return refuse_origin() end
end

--- The token of the cookie jwt. nil, refusal when it comes from a page that may not use cookies. Browsers
--- name the origin in every WebSocket handshake, but not in every request: so `must_have_origin`.
---@param core core.request
---@param must_have_origin? boolean
---@return string|nil, refusal?
function credentials.of_cookie(core, must_have_origin)
  local text = cookie.find(core:header("cookie"), "jwt")
  if not text then return nil end
  if must_have_origin and not core:header("origin") then return nil, refuse_origin() end
  local refused = credentials.check_origin(core)
  if refused then return nil, refused end
  return text
end

--- A refusal with 401 that says how to authenticate.
---@param code string
---@param detail string
---@param source? table
---@return refusal
function credentials.refuse(code, detail, source)
  local challenge = code == "credentials-missing" and "Bearer" or 'Bearer error="invalid_token"'
  return refusal.of(code, detail, source or SOURCE, { "WWW-Authenticate", challenge })
end

--- Checks a token.
---@param text string
---@return credentials.token|nil, refusal?
function credentials.verify(text)
  local found, message, code = token.verify(text)
  if found then
    local is_name, fault = names.check(found.user)
    if is_name then return found end
    message = "its subject (sub) " .. fault
    metrics.add("token_failures_total")
  end
  return nil, credentials.refuse(CODES[code] or "token-invalid",
    ("The token is not accepted: %s."):format(message))
end

--- Whether it is one of the control keys. Looks at all of them, so that the time tells nothing.
---@param text string
---@return boolean
function credentials.is_key(text)
  local is_found = false
  for i = 1, #keys do
    if secret.equal(text, keys[i]) then is_found = true end
  end
  return is_found
end

--- Checks the header X-API-Key: true when it is a control key, false when it is not there.
---@param core core.request
---@return boolean|nil, refusal?
function credentials.check_api_key(core)
  local text = core:header("x-api-key")
  if not text then return false end
  if credentials.is_key(text) then return true end
  metrics.add("token_failures_total")
  return nil, credentials.refuse("key-invalid", "X-API-Key must hold one of the keys of CONTROL_KEY.",
    { header = "X-API-Key" })
end

return credentials
