-- Tokens that do not count any more although they are good: those that somebody logged out with, by their
-- jti, and those that are older than their user's not_before. What the store says is believed for a second.

local bus = require "core.bus"
local json = require "core.json"
local recent = require "recent"
local refusal = require "refusal"
local secret = require "core.secret"
local settings = require "settings"
local store = require "core.store"
local time = require "core.time"
local users = require "users"

local revocations = {}

local SPACE <const> = "revoked"
local CODE_REVOKED <const> = 4504
local ENTRIES_MAX <const>, AGE <const> = 10000, 1

local ids = recent.new(ENTRIES_MAX, AGE)    -- key -> whether it is revoked
local starts = recent.new(ENTRIES_MAX, AGE) -- user -> his not_before, or false

-- Of one length, whatever stands in the token; nil when the token has no jti. The text of the claims is the
-- token's own, so the jti may stay as it is written there.
local function key_of(token)
  local id = json.find(token.claims, "jti")
  return id and id ~= "null" and secret.hash(token.user .. "\0" .. id) or nil
end

-- While the store was asked, something newer may have come in.
local function keep(cache, key, value)
  local newer = cache:get(key)
  if newer ~= nil then return newer end
  cache:put(key, value)
  return value
end

local function is_revoked(token, is_fresh)
  local key = key_of(token)
  if not key then return false end
  local known = ids:get(key)
  if known or known == false and not is_fresh then return known end
  local value, message, code = store.get(SPACE, key)
  if value == nil and message then return nil, message, code end
  if value then ids:put(key, true) end
  return value ~= nil or keep(ids, key, false)
end

local function not_before_of(user, is_fresh)
  local known = starts:get(user)
  if known ~= nil and not is_fresh then return known end
  local record, message, code = users.find(user)
  if not record and message then return nil, message, code end
  local found = record and record.not_before or false
  if is_fresh and found then starts:put(user, found) end
  return is_fresh and found or keep(starts, user, found)
end

local function is_too_old(token, is_fresh)
  local not_before, message, code = not_before_of(token.user, is_fresh)
  if not not_before then return not_before, message, code end
  local made = tonumber(json.find(token.claims, "iat") or "")
  return not made or made < not_before
end

--- (waits) Whether the token was revoked. A store that does not answer is a failure, not a no.
---@param token credentials.token
---@param is_fresh? boolean  asks the store, whatever it said a moment ago
---@return boolean|nil, string? message, string? code
function revocations.has(token, is_fresh)
  local is_out, message, code = is_revoked(token, is_fresh)
  if is_out == false then is_out, message, code = is_too_old(token, is_fresh) end
  return is_out, message, code
end

--- (waits) Revokes one token, until it dies anyway. False when it has no jti to know it by.
---@param token credentials.token
---@return boolean|nil done, string? message, string? code
function revocations.add(token)
  local key = key_of(token)
  if not key then return false end
  local ttl = token.expires and math.max(1, token.expires - time.now() + settings.JWT_LEEWAY + 1)
  local done, message, code = store.set(SPACE, key, "1", { ttl = ttl })
  if not done then return nil, message, code end
  ids:put(key, true)
  return true
end

--- (waits) Revokes all tokens of a user made up to now, and closes his sessions.
---@param user string
---@return true|nil, string? message, string? code
function revocations.add_all(user)
  local not_before, message, code = users.end_tokens(user)
  if not not_before then return nil, message, code end
  starts:put(user, not_before)
  local closed
  closed, message, code = bus.disconnect({ user }, CODE_REVOKED, "logged out everywhere", false)
  if not closed then return nil, message, code end
  return true
end

--- What a failure of the store tells the client.
---@param message string
---@param code? string
---@return refusal
function revocations.refuse_failure(message, code)
  return refusal.of_failure(("Whether the token was revoked cannot be told now: %s."):format(message), code)
end

return revocations
