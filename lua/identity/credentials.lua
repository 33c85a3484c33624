-- Credentials: where requests carry tokens and keys, and what these prove.

local control_keys = require "identity.control_keys"
local cookie = require "http.cookie"
local cors = require "http.cors"
local metrics = require "core.metrics"
local names = require "names"
local refusal = require "refusal"
local settings = require "settings"
local token = require "core.token"

local credentials = {}

local CODES = {
  TOKEN_INVALID = "token-invalid", TOKEN_EXPIRED = "token-expired", TOKEN_NOT_YET = "token-not-yet",
  TOKEN_REVOKED = "token-revoked",
}
local NAME_MAX <const> = settings.NAME_MAX
local SOURCE = { header = "Authorization" }
---@class credentials.token
---@field user string
---@field expires? number
---@field claims string  raw JSON

--- The token or key of "Authorization: Bearer ...", whatever it is: what is malformed is a bad one.
---@param core core.request
---@return string|nil
function credentials.bearer(core)
  return core:bearer()
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
    if #found.user <= NAME_MAX then return found end -- token.verify has seen the rest of it
    message = "its subject (sub) " .. select(2, names.check(found.user))
    metrics.add("token_failures_total")
  end
  return nil, credentials.refuse(CODES[code] or "token-invalid",
    ("The token is not accepted: %s."):format(message))
end

local function refuse_key(header)
  metrics.add("token_failures_total")
  return credentials.refuse("key-invalid",
    ("%s must hold one of the keys of CONTROL_KEY or of `chatty key list`."):format(header), { header = header })
end

-- (waits) The named control key that the text of a header is; nil when it is none; nil, refusal when it is like one.
local function find_key(text, header)
  if not control_keys.is_like(text) then return nil end
  local key, message, code = control_keys.find(text)
  if key then return key end
  if message then return nil, refusal.of_failure(refusal.sentence(message), code) end
  return nil, refuse_key(header)
end

--- (waits) The named control key of a request, as bearer or in X-API-Key; nil without a refusal when it has none.
---@param core core.request
---@param bearer string|nil  what credentials.bearer gives
---@return control_keys.key|nil, refusal?
function credentials.key(core, bearer)
  local key, refused
  if bearer then key, refused = find_key(bearer, "Authorization") end
  if key or refused then return key, refused end
  local text = core:header("x-api-key")
  if not text then return nil end
  key, refused = find_key(text, "X-API-Key")
  if key or refused then return key, refused end
  return nil, refuse_key("X-API-Key")
end

return credentials
