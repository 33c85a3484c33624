-- What plugins say of channels by pattern: app:channel("orders-*", { history = { size = 100, ttl = 300 } }).
-- A `*` stands for any characters; of several patterns that match, the one with the most other characters
-- counts, among equals the later one.

local argument = require "argument"
local history = require "core.history"
local names = require "names"

local channels = {}

local OPTIONS = { history = 1 }
local HISTORY = { size = 1, ttl = 1, bytes = 1 }

-- name, default, most
local LIMITS = {
  { "size", 100, 1000000 },
  { "bytes", 1024 * 1024, 1024 * 1024 * 1024 },
  { "ttl", 300, 30 * 24 * 3600 },
}

local function read_history(given, level)
  local what = "app:channel: history"
  argument.type(given, "table", what, level + 1)
  argument.keys(given, HISTORY, what, level + 1)
  local read = {}
  for _, limit in ipairs(LIMITS) do
    local name, default, max = table.unpack(limit)
    local value = given[name] or default
    if type(value) ~= "number" or not (value > 0 and value <= max) then
      error(("%s.%s must be a number from above 0 to %d"):format(what, name, max), level + 1)
    end
    read[name] = value
  end
  return { events = math.ceil(read.size), bytes = math.ceil(read.bytes), ttl_ms = math.ceil(read.ttl * 1000) }
end

--- Says how channels of a pattern are kept. Raises at `level` if it is wrong.
---@param pattern string
---@param options {history?: {size?: number, ttl?: number, bytes?: number}}
---@param level integer
function channels.add(pattern, options, level)
  local ok, fault = names.check(pattern)
  if not ok then error("app:channel: the pattern " .. fault, level + 1) end
  argument.type(options, "table", "app:channel: the options", level + 1)
  argument.keys(options, OPTIONS, "app:channel", level + 1)
  if options.history ~= nil then history.keep(pattern, read_history(options.history, level + 1)) end
end

return channels
