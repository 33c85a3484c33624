-- Names of users and channels, and lists of them.

local core_names = require "core.names"
local metrics = require "core.metrics"
local settings = require "settings"

local names = {}

local core_fault = core_names.fault
local NAME_MAX <const>, NAMES_MAX <const> = settings.NAME_MAX, settings.NAMES_MAX

local function fault_of(name)
  if type(name) ~= "string" then return "is a " .. type(name) .. ", not a string" end
  if #name > NAME_MAX then
    metrics.add("limit_hits_total")
    return ("is longer than %d bytes"):format(NAME_MAX)
  end
  return core_fault(name)
end

--- Whether it may be the name of a user or channel.
---@param name any
---@return true|nil, string? fault  "is empty", "has control characters" ...
function names.check(name)
  local fault = fault_of(name)
  if fault then return nil, fault end
  return true
end

-- The mark of lists that were checked, so that nobody checks them again.
local Checked = { __metatable = false }
local metatable_of = debug.getmetatable -- sees behind __metatable

local function unique(items)
  local list, seen = setmetatable({}, Checked), {}
  for i = 1, #items do
    local name = items[i]
    local fault = fault_of(name)
    if fault then return nil, ("name %d %s"):format(i, fault), "name-invalid" end
    if not seen[name] then
      seen[name] = true
      list[#list + 1] = name
      if #list > NAMES_MAX then
        return nil, ("there are more than %d names"):format(NAMES_MAX), "list-too-long"
      end
    end
  end
  return list
end

--- The names, each once, in order, in a list of its own. Codes: "name-invalid", "list-too-long",
--- "list-empty".
---@param items any[]
---@return string[]|nil list, string? message, string? code
function names.list(items)
  local first = items[1]
  if items[2] ~= nil then return unique(items) end
  if first == nil then return nil, "there are no names", "list-empty" end
  local fault = fault_of(first)
  if fault then return nil, "name 1 " .. fault, "name-invalid" end
  return setmetatable({ first }, Checked)
end

--- As names.list, for a list of which nobody else knows: it may be the one that is given.
---@param items any[]
---@return string[]|nil list, string? message, string? code
function names.take(items)
  if items[1] == nil or items[2] ~= nil or fault_of(items[1]) then return names.list(items) end
  return setmetatable(items, Checked)
end

--- Whether it is a list that names.list made. Such a list is not shown to plugins, who might change it.
---@param list any
---@return boolean
function names.is_checked(list)
  return metatable_of(list) == Checked
end

--- A list that may be changed.
---@param list string[]
---@return string[]
function names.copy(list)
  if list[2] == nil then return { list[1] } end
  return table.move(list, 1, #list, 1, {})
end

return names
