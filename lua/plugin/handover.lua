-- What plugins hand over when a reload puts new code in their place: what on_unload of the old code returns goes
-- to on_load of the new. Values travel between two Lua states, so there may be numbers, strings, booleans, tables,
-- and sessions and sockets, which arrive as those of the new state.

local json = require "core.json"
local protect = require "protect"
local sessions = require "realtime.session"

local handover = {}

local metatable_of = debug.getmetatable -- sees behind __metatable

local DEPTH_MAX <const> = 90 -- C carries a little deeper
local PLAIN = { ["nil"] = true, boolean = true, number = true, string = true }
local CARRIED = { ["core.session"] = true, ["core.socket"] = true, ["core.json.raw"] = true }
local ARRAY <const> = "core.json.array"

---@class handover.plugin
---@field owner string
---@field on_unload? fun(): any
---@field on_load? fun(value: any)

---@type handover.plugin[]
local registered = {}

--- A plugin is loaded.
---@param owner string
---@param definition {on_unload?: function, on_load?: function}
function handover.add(owner, definition)
  registered[#registered + 1] =
    { owner = owner, on_unload = definition.on_unload, on_load = definition.on_load }
end

local function class_of(value)
  local metatable = metatable_of(value)
  return metatable and metatable.__name
end

local function fail(where, what)
  error(("what on_unload returns cannot be handed over: %s %s"):format(where, what), 0)
end

local pack -- of a value, with where it stands and what was packed already

local function pack_table(value, where, seen, depth)
  if seen[value] then return seen[value] end
  if depth == DEPTH_MAX then fail(where, "lies too deep") end
  local class = class_of(value)
  if metatable_of(value) and class ~= ARRAY then fail(where, "has a metatable") end
  local packed = class == ARRAY and json.array({}) or {}
  seen[value] = packed
  for key, member in next, value do
    local name = ("%s[%s]"):format(where, type(key) == "string" and key or type(key))
    packed[pack(key, "a key of " .. where, seen, depth + 1)] = pack(member, name, seen, depth + 1)
  end
  return packed
end

function pack(value, where, seen, depth)
  local kind = type(value)
  if PLAIN[kind] or value == json.null then return value end
  local core = sessions.core(value)
  if core then return core end
  if kind == "table" then return pack_table(value, where, seen, depth) end
  if kind == "userdata" and CARRIED[class_of(value)] then return value end
  return fail(where, "is a " .. kind)
end

-- Its sessions become those that plugins know. In place: nobody else has it.
local function unpack_value(value, seen)
  if type(value) == "userdata" and class_of(value) == "core.session" then return sessions.of(value) end
  if type(value) ~= "table" or seen[value] then return value end
  seen[value] = true
  local members = {}
  for key, member in next, value do members[#members + 1] = { key, member } end
  for _, member in ipairs(members) do value[member[1]] = nil end
  for _, member in ipairs(members) do
    value[unpack_value(member[1], seen)] = unpack_value(member[2], seen)
  end
  return value
end

local function unload(plugin)
  return pack(plugin.on_unload(), "the value", {}, 0)
end

--- Asks all plugins for what they hand over; by their names.
---@return table<string, any>
function handover.unload()
  local values = {}
  for _, plugin in ipairs(registered) do
    if plugin.on_unload then
      local ok, value = protect.call(plugin.owner, "on_unload", unload, plugin)
      if ok then values[plugin.owner] = value end
    end
  end
  return values
end

--- Gives plugins what those of the same name handed over.
---@param values table<string, any>
function handover.load(values)
  for _, plugin in ipairs(registered) do
    local value = values[plugin.owner]
    if plugin.on_load and value ~= nil then
      protect.call(plugin.owner, "on_load", plugin.on_load, unpack_value(value, {}))
    end
  end
end

return handover
