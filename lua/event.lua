-- The event as plugins hold it: a name, attributes that stay raw JSON until somebody asks for a member, and
-- where it goes. What is not touched goes out byte for byte.

local core_event = require "core.event"
local json = require "core.json"
local private = require "private"
local refusal = require "refusal"
local view = require "view"

local event = {}

local metatable_of, setmetatable = debug.getmetatable, setmetatable -- the former sees behind __metatable

local CORE <const> = private.key() -- of the core.event
local VIEW <const> = private.key() -- of the view, once somebody looked
local LAZY <const> = private.key() -- of the function that knows more fields
local CONTEXT <const> = private.key() -- of what that function needs

local methods = {}

-- Raises at the caller's caller unless the attributes have members.
local function check_object(core)
  if not core:is_object() then error("the event's attributes are no object and have no members", 3) end
end

-- Lets go of what was shown of the attributes: they have changed.
local function forget_view(self)
  rawset(self, VIEW, nil)
end

--- The value of one member of the attributes, decoded; nil when it is not there.
function methods:get(key)
  return rawget(self, CORE):get(key)
end

--- Sets one member. All other bytes stay as they are.
function methods:set(key, value)
  if value == nil then error("event:set needs a value; event:remove takes a member out", 2) end
  local core = rawget(self, CORE)
  check_object(core)
  core:set(key, value)
  forget_view(self)
end

--- Takes one member out.
function methods:remove(key)
  local core = rawget(self, CORE)
  check_object(core)
  core:remove(key)
  forget_view(self)
end

--- Says the attributes anew: any value, or chatty.json.raw(text).
function methods:replace(attributes)
  if attributes == nil or attributes == json.null then error("event:replace needs attributes", 2) end
  rawget(self, CORE):replace(attributes)
  forget_view(self)
end

--- The attributes as raw JSON.
function methods:raw()
  return rawget(self, CORE):raw()
end

--- The arguments that a client of Socket.IO sent, decoded; from other clients it is one, the attributes.
function methods:arguments()
  local core = rawget(self, CORE)
  local attributes = core:attributes()
  if core:is_spread() then return attributes end
  return json.array({ attributes })
end

--- The binaries that placeholders in the attributes stand for; nil when there are none.
function methods:binaries()
  local list = rawget(self, CORE):binaries()
  return list and table.move(list, 1, #list, 1, {})
end

local Event = { __name = "event", __metatable = false }

function Event.__index(self, key)
  if key ~= "attributes" then
    local method, more = methods[key], rawget(self, LAZY)
    if method or not more then return method end
    return more(self, key, rawget(self, CONTEXT))
  end
  local shown = rawget(self, VIEW)
  if shown == nil then
    shown = view.of(self[CORE]:attributes())
    rawset(self, VIEW, shown)
  end
  return shown
end

function Event.__newindex(self, key, value)
  if key == "attributes" then error("use event:set, event:remove or event:replace", 2) end
  local more = rawget(self, LAZY)
  if more then more(self, nil, rawget(self, CONTEXT)) end
  rawset(self, key, value)
end

--- The public face of a core event. `fields` becomes it: channels, users, efficient, except, by ...
---@param core core.event
---@param fields? table
---@return event
function event.of(core, fields)
  local self = fields or {}
  self[CORE] = core
  self.name = core:name()
  return setmetatable(self, Event)
end

--- The same, but `more(self, key, context)` gives the fields that are not there yet. Before one is set it is called
--- without a key, and must put them all there (event.reveal).
---@param core core.event
---@param by guard.identity  who emits it
---@param dry_run boolean
---@param more fun(self: event, key: string|nil, context: any): any
---@param context any
---@return event
function event.lazy(core, by, dry_run, more, context)
  return setmetatable({ [CORE] = core, [LAZY] = more, [CONTEXT] = context, by = by, dry_run = dry_run }, Event)
end

--- Whether not all of its fields have been put there.
---@param self event
---@return boolean
function event.is_lazy(self)
  return self[LAZY] ~= nil
end

--- Puts all fields of a lazy event there.
---@param self event
---@param fields table
function event.reveal(self, fields)
  rawset(self, LAZY, nil)
  rawset(self, "name", rawget(self, CORE):name())
  for key, value in pairs(fields) do rawset(self, key, value) end
end

--- Whether it is an event as plugins hold it.
---@param value any
---@return boolean
function event.is(value)
  return metatable_of(value) == Event
end

--- The core event under a public one, or under itself; nil for anything else.
---@param value any
---@return core.event|nil
function event.core(value)
  if metatable_of(value) == Event then return value[CORE] end
  if type(value) == "userdata" then return value end
end

--- The core event that a public one is now: under the name that a plugin may have given it.
---@param value any
---@return core.event|nil
function event.outgoing(value)
  local core = event.core(value)
  if not core or metatable_of(value) ~= Event or rawget(value, "name") == core:name() then return core end
  core = core:copy()
  local ok, message = core:rename(tostring(rawget(value, "name")))
  if not ok then error(message, 3) end
  return core
end

--- Why the server must not emit an event of this name, or nil.
---@param name string
---@return refusal|nil
function event.refuse_name(name)
  if not core_event.is_reserved(name) then return nil end
  return refusal.of("event-reserved",
    ("Choose another name than '%s': chatty: and Socket.IO's own names are reserved."):format(name),
    { pointer = "/event" })
end

--- Makes a core event. nil, message, code when the name is not allowed.
---@param name string
---@param attributes any  default {}
---@return core.event|nil, string? message, string? code
function event.make(name, attributes)
  if attributes == nil then attributes = {} end
  return core_event.new(name, attributes)
end

return event
