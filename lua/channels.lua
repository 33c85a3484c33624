-- What plugins say of channels by pattern: app:channel("orders-*", { history = { size = 100, ttl = 300 } }).
-- A `*` stands for any characters; of several patterns that match, the one with the most other characters
-- counts, among equals the later one; for each setting alone.

local argument = require "argument"
local glob = require "glob"
local history = require "core.history"
local names = require "names"

local channels = {}

local OPTIONS = { history = 1, queue = 1 }
local HISTORY = { size = 1, ttl = 1, bytes = 1, durable = 1 }
local QUEUES = { all = true, latest = true }
local CACHE_MAX <const> = 10000

-- name, default, most
local LIMITS = {
  { "size", 100, 1000000 },
  { "bytes", 1024 * 1024, 1024 * 1024 * 1024 },
  { "ttl", 300, 30 * 24 * 3600 },
}

local all = {}                -- what was said: { pattern =, plugin =, settings = }
channels.queues = {}          -- { pattern =, weight =, is_latest = }, what counts most first
local queues = channels.queues
local cache, cached = {}, 0   -- by name, whether only the latest is worth queueing

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
  if given.durable ~= nil then argument.type(given.durable, "boolean", what .. ".durable", level + 1) end
  return { events = math.ceil(read.size), bytes = math.ceil(read.bytes), ttl_ms = math.ceil(read.ttl * 1000),
    durable = given.durable or nil }
end

local function add_queue(pattern, queue)
  local _, stars = pattern:gsub("%*", "")
  local rule = { pattern = pattern, weight = #pattern - stars, is_latest = queue == "latest" }
  local at = 1
  while queues[at] and queues[at].weight > rule.weight do at = at + 1 end
  table.insert(queues, at, rule)
end

-- What was said, for people.
local function describe(limits, queue)
  local parts = {}
  if limits then
    parts[1] = ("history of %d events, %d bytes, %g s%s"):format(limits.events, limits.bytes, limits.ttl_ms / 1000,
      limits.durable and ", durable" or "")
  end
  if queue then parts[#parts + 1] = "queue " .. queue end
  return table.concat(parts, "; ")
end

--- Says how channels of a pattern are kept and queued. Raises at `level` if it is wrong.
---@param pattern string
---@param options {history?: {size?: number, ttl?: number, bytes?: number, durable?: boolean}, queue?: "all"|"latest"}
---@param plugin string
---@param level integer
function channels.add(pattern, options, plugin, level)
  local ok, fault = names.check(pattern)
  if not ok then error("app:channel: the pattern " .. fault, level + 1) end
  argument.type(options, "table", "app:channel: the options", level + 1)
  argument.keys(options, OPTIONS, "app:channel", level + 1)
  if options.queue ~= nil and not QUEUES[options.queue] then
    error("app:channel: queue must be 'all' or 'latest'", level + 1)
  end
  local limits = options.history ~= nil and read_history(options.history, level + 1) or nil
  if limits and not history.keep(pattern, limits) then
    error("app:channel: a durable history needs a store that is: set STORE to a file, sqlite:PATH", level + 1)
  end
  if options.queue then add_queue(pattern, options.queue) end
  all[#all + 1] = { pattern = pattern, plugin = plugin, settings = describe(limits, options.queue) }
end

local function find(name)
  for _, rule in ipairs(queues) do
    if glob.matches(rule.pattern, name) then return rule.is_latest end
  end
  return false
end

local function is_latest(name)
  local found = cache[name]
  if found ~= nil then return found end
  if cached >= CACHE_MAX then cache, cached = {}, 0 end
  cache[name], cached = find(name), cached + 1
  return cache[name]
end

--- Whether of events to these channels only the latest is worth queueing: when that holds for each of them.
---@param list string[]
---@return boolean
function channels.want_latest(list)
  if not queues[1] then return false end
  for i = 1, #list do
    if not is_latest(list[i]) then return false end
  end
  return true
end

--- All that plugins said, in its order, for `chatty routes`.
---@return {pattern: string, plugin: string, settings: string}[]
function channels.list()
  return all
end

return channels
