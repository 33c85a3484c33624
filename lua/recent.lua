-- What was looked up a moment ago: a bounded table whose entries count for a short time. When it is full it
-- starts anew, which costs no more than asking again.

local time = require "core.time"

local recent = {}

---@class recent
local methods = {}
local Recent = { __index = methods }

---@param max integer  entries
---@param age number   seconds
---@return recent
function recent.new(max, age)
  return setmetatable({ max = max, age = age, count = 0, values = {}, born = {} }, Recent)
end

--- The value, which may be false; nil when it is not known, or not any more.
---@param key string
---@return any
function methods:get(key)
  local born = self.born[key]
  if born and time.monotonic() - born <= self.age then return self.values[key] end
end

---@param key string
---@param value any  not nil
function methods:put(key, value)
  if self.born[key] == nil then
    if self.count >= self.max then self.values, self.born, self.count = {}, {}, 0 end
    self.count = self.count + 1
  end
  self.values[key], self.born[key] = value, time.monotonic()
end

return recent
