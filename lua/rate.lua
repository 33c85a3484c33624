-- A limit on how often something happens, per key and on all workers together: at most `max` in a sliding
-- window. It keeps the counts of this window and of the one before, and takes the share of that one that
-- still lies within the window.

local shared = require "core.shared"
local time = require "core.time"

local rate = {}

local GRAIN <const> = 0.001 -- seconds that do not count, nor the errors of reckoning

---@class rate
local methods = {}
local Rate = { __index = methods }

--- `space` names it among those of the server.
---@param space string
---@param max integer
---@param window number    seconds
---@return rate
function rate.new(space, max, window)
  return setmetatable({ space = "rate:" .. space, max = max, window = window }, Rate)
end

local function name_of(index, key)
  return index .. ":" .. key
end

-- The number of the window, and seconds since it began.
local function window_now(self)
  local now = time.monotonic()
  local index = math.floor(now / self.window)
  return index, now - index * self.window
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

-- What counts nothing any more leaves its room to others.
local function take_back(self, name)
  if shared.increment(self.space, name, -1) == 0 then
    shared.set(self.space, name, "0", { expect = "0", ttl = GRAIN })
  end
end

--- Counts one; or nil, and in how many seconds it is allowed; or nil, nil, message, code when it cannot count.
---@param key string
---@return true|nil, integer? seconds, string? message, string? code
function methods:take(key)
  local index, gone = window_now(self)
  local before = tonumber(shared.get(self.space, name_of(index - 1, key))) or 0
  local name = name_of(index, key)
  local count, message, code = shared.increment(self.space, name, 1, { ttl = 2 * self.window })
  if not count then return nil, nil, message, code end
  local wait = wait_of(self, gone, count - 1, before)
  if wait <= GRAIN then return true end
  take_back(self, name)
  return nil, math.ceil(wait - GRAIN)
end

--- Takes one back that was counted.
---@param key string
function methods:give_back(key)
  local index = window_now(self)
  for _, name in ipairs({ name_of(index, key), name_of(index - 1, key) }) do
    if (tonumber(shared.get(self.space, name)) or 0) > 0 then return take_back(self, name) end
  end
end

return rate
