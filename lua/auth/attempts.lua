-- How often somebody may try passwords: per address and per name, on all workers together. An attempt counts
-- until it has turned out to be good.

local proxy = require "http.proxy"
local rate = require "rate"
local refusal = require "refusal"
local settings = require "settings"

local attempts = {}

local WINDOW <const> = 60 -- seconds

local addresses = rate.new("login address", settings.LOGIN_RATE_MAX, WINDOW)
local names = rate.new("login name", settings.LOGIN_RATE_MAX, WINDOW)

local function refuse(seconds, message, code)
  if not seconds then return refusal.of_failure(refusal.sentence(message), code) end
  return refusal.of("login-rate", ("Too many attempts: try again in %d s."):format(seconds), nil,
    { "Retry-After", tostring(seconds) })
end

-- One subscriber has a whole /64 of IPv6 to himself.
local function network(address)
  if not address:find(":", 1, true) or address:find(".", 1, true) then return address end
  local head, tail = address:match("^(.-)::(.*)$")
  local groups = {}
  for group in (head or address):gmatch("%x+") do groups[#groups + 1] = group end
  local _, behind = (tail or ""):gsub("%x+", "")
  local missing = 8 - #groups - behind
  for _ = 1, missing do groups[#groups + 1] = "0" end
  for group in (tail or ""):gmatch("%x+") do groups[#groups + 1] = group end
  return table.concat(groups, ":", 1, math.min(4, #groups))
end

--- Counts an attempt; a refusal when there were too many. Without a name only the address counts.
---@param request request
---@param name? string
---@return refusal|nil
function attempts.begin(request, name)
  local address = network(proxy.address(request))
  local ok, seconds, message, code = addresses:take(address)
  if not ok then return refuse(seconds, message, code) end
  if not name then return nil end
  ok, seconds, message, code = names:take(name)
  if ok then return nil end
  addresses:give_back(address)
  return refuse(seconds, message, code)
end

--- Takes an attempt back.
---@param request request
---@param name string
function attempts.forgive(request, name)
  addresses:give_back(network(proxy.address(request)))
  names:give_back(name)
end

return attempts
