-- The options of notify's query parameter `add`: each adds something to the event on its way. An option runs
-- once per request, or once per channel when it reads context.channel; never per subscriber.

local event = require "event"
local private = require "private"
local protect = require "protect"
local refusal = require "refusal"
local settings = require "settings"
local time = require "core.time"

local add = {}

local SOURCE = { parameter = "add" }
local CHANNEL <const>, WAS_READ <const> = private.key(), private.key() -- of a context

---@class add.option
---@field f fun(event: event, context: add.context)
---@field owner string  the plugin
---@field label string
---@field where string  where it was registered

---@type table<string, add.option>
local registered = {}

---@class add.context
---@field time number      seconds since 1970, one value per request
---@field channel? string  the channel that emits; nil when users are notified
local Context = { __metatable = false }

function Context.__index(self, key)
  if key ~= "channel" then return nil end
  self[WAS_READ] = true
  return rawget(self, CHANNEL)
end

--- Registers an option. nil, where the other is, if the name is taken.
---@param name string
---@param f fun(event: event, context: add.context)
---@param owner string
---@param where string
---@return true|nil, string? where
function add.register(name, f, owner, where)
  if registered[name] then return nil, registered[name].where end
  registered[name] = { f = f, owner = owner, label = ("option add=%s"):format(name), where = where }
  return true
end

local function known()
  local list = {}
  for name in pairs(registered) do list[#list + 1] = name end
  table.sort(list)
  return #list > 0 and table.concat(list, ", ") or "none"
end

--- The options of these names, each once, in order. nil and a refusal if one is unknown.
---@param list string[]
---@return add.option[]|nil options, refusal? refused
function add.find(list)
  local options, seen = {}, {}
  for _, name in ipairs(list) do
    local option = registered[name]
    if not option then
      return nil, refusal.of("add-unknown", ("'%s' is not known; the known options are: %s."):format(
        name:sub(1, 40), known()), SOURCE)
    end
    if not seen[option] then options[#options + 1] = option end
    seen[option] = true
  end
  return options
end

local function run(option, core, context, channel)
  context[CHANNEL] = channel
  local ok, result = protect.call(option.owner, option.label, option.f, event.of(core), context)
  if not ok or refusal.is(result) then return result end
end

-- An event of its own for each channel costs memory for each: as much as all bodies may take, not more.
local function check_cost(core, channels)
  local bytes = core:size() * #channels
  if bytes <= settings.REQUEST_MEMORY_MAX then return nil end
  return refusal.of("add-too-large",
    ("Name fewer channels or send less: %d bytes for each of %d channels are more than REQUEST_MEMORY_MAX."):format(
      core:size(), #channels), SOURCE)
end

-- Runs an option on the event that all channels share so far. If it asks for the channel they part: each
-- gets an event of its own, made from how the shared one was before.
local function run_shared(option, events, channels, context)
  local before = #channels > 1 and events[1]:copy()
  context[WAS_READ] = false
  local refused = run(option, events[1], context, channels[1])
  if refused or not before or not context[WAS_READ] then return refused end
  refused = check_cost(before, channels)
  for i = 2, #channels do
    if refused then return refused end
    events[i] = before:copy()
    refused = run(option, events[i], context, channels[i])
  end
  return refused
end

local function run_parted(option, events, channels, context)
  for i = 1, #channels do
    local refused = run(option, events[i], context, channels[i])
    if refused then return refused end
  end
end

--- Lets the options work on spec.event; spec gets `events` instead, one per channel, if they differ.
---@param options add.option[]
---@param spec core.bus.notify
---@return refusal|nil
function add.apply(options, spec)
  if not spec.event:is_object() then
    return refusal.of("add-needs-object", "Send attributes as an object, or leave add out.", SOURCE)
  end
  local context = setmetatable({ time = time.now() }, Context)
  local channels = spec.by == "channels" and spec.names or {}
  local events = { spec.event }
  for _, option in ipairs(options) do
    local work = events[2] and run_parted or run_shared
    local refused = work(option, events, channels, context)
    if refused then return refused end
  end
  if events[2] then spec.event, spec.events = nil, events end
end

return add
