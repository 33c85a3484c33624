-- Read-only views of decoded JSON: writing to one is an error, so nobody believes to have changed an event
-- by changing a table. json.encode writes a view as what it shows.

local private = require "private"

local view = {}

local metatable_of = debug.getmetatable -- sees behind __metatable

local function refuse_write()
  error("this is a read-only view: use event:set, event:remove or event:replace", 2)
end

local function next_item(self, key)
  local value
  key, value = private.next(metatable_of(self).__value, key)
  return key, view.of(value)
end

local function pairs_of(self)
  return next_item, self, nil
end

local function length_of(self)
  return #metatable_of(self).__value
end

local function index_of(self, key)
  return view.of(metatable_of(self).__value[key])
end

--- A view of a table, and of all tables in it; any other value as it is.
---@param value any
---@return any
function view.of(value)
  if type(value) ~= "table" then return value end
  return setmetatable({}, {
    __value = value,
    __metatable = false,
    __index = index_of,
    __newindex = refuse_write,
    __pairs = pairs_of,
    __len = length_of,
  })
end

--- What is under the view; any other value as it is.
---@param value any
---@return any
function view.value(value)
  local meta = type(value) == "table" and metatable_of(value)
  return type(meta) == "table" and meta.__value or value
end

return view
