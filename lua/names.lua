-- Names of users and channels, and lists of them.

local settings = require "settings"

local names = {}

local NAME_MAX <const>, NAMES_MAX <const> = settings.NAME_MAX, settings.NAMES_MAX

local function fault_of(name)
  if type(name) ~= "string" then return "is a " .. type(name) .. ", not a string" end
  if name == "" then return "is empty" end
  if #name > NAME_MAX then return ("is longer than %d bytes"):format(NAME_MAX) end
  if not utf8.len(name) then return "is not UTF-8" end
  if name:find("%c") then return "has control characters" end
end

--- Whether it may be the name of a user or channel.
---@param name any
---@return true|nil, string? fault  "is empty", "has control characters" ...
function names.check(name)
  local fault = fault_of(name)
  if fault then return nil, fault end
  return true
end

local function unique(items)
  local list, seen = {}, {}
  for i = 1, #items do
    local name = items[i]
    local fault = fault_of(name)
    if fault then return nil, ("name %d %s"):format(i, fault), "name-invalid" end
    if not seen[name] then
      seen[name] = true
      list[#list + 1] = name
    end
  end
  return list
end

--- The names, each once, in order. Codes: "name-invalid", "list-too-long", "list-empty".
---@param items any[]
---@return string[]|nil list, string? message, string? code
function names.list(items)
  if #items > NAMES_MAX then
    return nil, ("there are %d names, at most %d are allowed"):format(#items, NAMES_MAX), "list-too-long"
  end
  local first = items[1]
  if items[2] ~= nil then return unique(items) end
  if first == nil then return nil, "there are no names", "list-empty" end
  local fault = fault_of(first)
  if fault then return nil, "name 1 " .. fault, "name-invalid" end
  return { first }
end

return names
