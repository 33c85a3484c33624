-- Tokens that do not count any more although they are good: those that somebody logged out with, by their
-- jti, and those of a user that were made before some second. They are kept in the store and told to all
-- workers, which look them up in memory (core.token.verify) and close the sessions that came with them.
-- Other processes, as the command line, only keep them: the server looks twice a second.

local metrics = require "core.metrics"
local node = require "core.node"
local settings = require "settings"
local store = require "core.store"
local time = require "core.time"
local token = require "core.token"

local revocations = {}

local TOKENS <const>, USERS <const> = "revoked", "tokens-from"

local function is_server() return node.worker >= 0 end

local function check_room()
  if not is_server() or token.revocation_count() < settings.REVOCATIONS_MAX then return true end
  token.sweep_revocations()
  if token.revocation_count() < settings.REVOCATIONS_MAX then return true end
  metrics.add("limit_hits_total")
  return nil, "REVOCATIONS_MAX tokens and users are revoked already", "LIMIT"
end

-- Answers how many sessions were closed here.
local function add(space, key, seconds, ttl)
  local done, message, code = check_room()
  if not done then return nil, message, code end
  local value = ("%d"):format(seconds)
  done, message, code = store.set(space, key, value, { ttl = ttl })
  if not done then return nil, message, code end
  return is_server() and token.revoke(space, key, value) or 0
end

--- (waits) Revokes one token, until it dies anyway. False when it has no jti to know it by.
---@param found credentials.token
---@return boolean|nil done, string? message, string? code
function revocations.add(found)
  local key = token.revocation_key(found.user, found.claims)
  if not key then return false end
  local dead = found.expires and math.ceil(found.expires + settings.JWT_LEEWAY) + 1 or 0
  local ttl = dead > 0 and math.max(1, dead - time.now()) or nil
  local closed, message, code = add(TOKENS, key, dead, ttl)
  if not closed then return nil, message, code end
  return true
end

--- (waits) Revokes all tokens of a user made up to now: times in tokens are whole seconds, so from the next
--- one on they count.
---@param user string
---@return true|nil, string? message, string? code
function revocations.add_all(user)
  local closed, message, code = add(USERS, user, math.floor(time.now()) + 1)
  if not closed then return nil, message, code end
  return true
end

--- (waits) From when on tokens of the user count; 0 when all do.
---@param user string
---@return number|nil seconds, string? message, string? code
function revocations.start_of(user)
  local text, message, code = store.get(USERS, user)
  if not text and message then return nil, message, code end
  return tonumber(text) or 0
end

return revocations
