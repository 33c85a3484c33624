-- Confirmations: an event with `ack` goes out with a number; clients send it back, and each of them
-- counts once.

local metrics = require "core.metrics"
local secret = require "core.secret"
local sessions = require "realtime.session"
local shared = require "core.shared"
local trace = require "core.trace"

local acks = {}

local SPACE <const> = "ack"
local TTL <const> = 300 -- seconds

--- A number that nobody can guess, so that only those who got the event can confirm it. It has 14 digits, as some
--- libraries keep no more, and is beyond those of `session:ask`, which have 32 bits. nil, message, code.
---@return string|nil digits, string? message, string? code
function acks.new()
  local digits = ("%d"):format(1 << 44 | tonumber(secret.hash(secret.random(16)):sub(1, 11), 16))
  local ok, message, code = shared.set(SPACE, digits, "0", { ttl = TTL })
  if not ok then return nil, message, code end
  return digits
end

--- A session confirms. Numbers that are not known, or not any more, count nothing.
---@param session_id string
---@param digits string
function acks.take(session_id, digits)
  if not digits:find("^%d+$") or not shared.get(SPACE, digits) then return end
  local own = ("%s:%s"):format(digits, sessions.client_of(session_id))
  if not shared.set(SPACE, own, "", { ttl = TTL, expect = false }) then return end
  if not shared.increment(SPACE, digits, 1, { ttl = TTL }) then return end
  metrics.add("acks_total")
  trace.confirm(session_id, digits)
end

--- How many sessions have confirmed; nil when the number is not known.
---@param digits string
---@return integer|nil
function acks.count(digits)
  return digits:find("^%d+$") and math.tointeger(tonumber(shared.get(SPACE, digits))) or nil
end

return acks
