-- A limit on how often something happens, per key: at most `max` in a sliding window. It keeps the counts of
-- this window and of the one before, and takes the share of that one that still lies within the window.

local time = require "core.time"

local rate = {}

local GRAIN <const> = 0.001 -- seconds that do not count, nor the errors of reckoning

---@class rate
local methods = {}
local Rate = { __index = methods }

--- `keys_max` bounds each of the two tables. When more keys come, the older one is forgotten early.
---@param max integer
---@param window number    seconds
---@param keys_max integer
---@return rate
function rate.new(max, window, keys_max)
  return setmetatable({
    max = max, window = window, keys_max = keys_max, began = time.monotonic(), now = {}, before = {}, keys = 0,
  }, Rate)
end

local function turn(self, began)
  self.before, self.now, self.keys, self.began = self.now, {}, 0, began
end

-- Seconds since the window began, which is opened anew when it is over.
local function elapsed(self)
  local gone = time.monotonic() - self.began
  if gone < self.window then return gone end
  if gone >= 2 * self.window then turn(self, self.began) end
  turn(self, self.began + gone // self.window * self.window)
  return time.monotonic() - self.began
end

-- When, after the beginning of a window, one more is allowed with so many in it and in the one before.
local function free_at(self, count, before)
  if count + before < self.max then return 0 end
  return self.window * (1 - (self.max - 1 - count) / before)
end

local function wait_of(self, gone, count, before)
  if count < self.max then return free_at(self, count, before) - gone end
  return self.window - gone + free_at(self, 0, count)
end

--- Counts one; or nil, and in how many seconds it is allowed.
---@param key string
---@return true|nil, integer? seconds
function methods:take(key)
  local gone = elapsed(self)
  local count, before = self.now[key], self.before[key] or 0
  local wait = wait_of(self, gone, count or 0, before)
  if wait > GRAIN then return nil, math.ceil(wait - GRAIN) end
  if not count then
    if self.keys >= self.keys_max then turn(self, self.began) end
    self.keys = self.keys + 1
  end
  self.now[key] = (count or 0) + 1
  return true
end

--- Takes one back that was counted.
---@param key string
function methods:give_back(key)
  local counts = self.now[key] and self.now or self.before
  if counts[key] and counts[key] > 0 then counts[key] = counts[key] - 1 end
end

return rate
