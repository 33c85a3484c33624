-- Makes the tokens that the server gives out: each can be revoked, and has the issuer and audience that the
-- server asks for.

local revocations = require "identity.revocations"
local secret = require "core.secret"
local settings = require "settings"
local task = require "core.task"
local time = require "core.time"
local token = require "core.token"

local mint = {}

local ID_BYTES <const> = 15
local WAIT_MAX <const> = 2 -- seconds

-- After "log out everywhere" tokens count from the next whole second on. Gives that: the clock may have been set
-- back since.
local function wait_for_start(user)
  local start, message, code = revocations.start_of(user)
  if not start then return nil, message, code end
  local wait = start - time.now()
  if wait > 0 then task.sleep(math.min(wait, WAIT_MAX)) end
  return start
end

--- (waits) A token with these claims, which get a jti; and when it dies.
---@param claims table          with sub; is changed
---@param ttl number            seconds
---@return string|nil text, number|string expires_or_message, string? code
function mint.token(claims, ttl)
  local start, message, code = wait_for_start(claims.sub)
  if not start then return nil, message, code end
  claims.jti = secret.random(ID_BYTES)
  if claims.iss == nil then claims.iss = settings.JWT_ISSUER end
  if claims.aud == nil then claims.aud = settings.JWT_AUDIENCE end
  ttl = math.floor(ttl)
  local expires = math.floor(time.now()) + ttl
  local text
  text, message, code = token.make(claims, ttl, start)
  if not text then return nil, message, code end
  return text, expires
end

return mint
