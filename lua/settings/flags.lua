-- Reads flags from a command line: --name=value, --name value, and switches that stand alone.

local option_types = require "settings.types"

local flags = {}

---@class flags.spec
---@field takes "value"|"boolean"|"nothing"  a boolean may stand alone; then it is true

local function is_boolean(text)
  return text ~= nil and option_types.types.boolean.parse(text) ~= nil
end

-- The value of the flag at args[i], and how many further arguments it used.
local function value_of(spec, flag, given, following)
  if spec.takes == "nothing" then
    if given then return nil, flag .. " takes no value" end
    return "true", 0
  end
  if given and given:find("%S") then return given, 0 end
  if given then return nil, flag .. " has no value" end
  if spec.takes == "boolean" then
    if is_boolean(following) then return following, 1 end
    return "true", 0
  end
  if following and following:find("%S") and not following:find("^%-%-") then return following, 1 end
  return nil, flag .. " has no value"
end

--- Splits arguments into flags and words. `find` is asked with "app-port" for --app-port and with "-v"
--- for -v, and answers the flag's spec or nil, line.
---@param args string[]
---@param find fun(name: string): flags.spec|nil, string?
---@return {spec: flags.spec, flag: string, value: string}[]|nil found, string[]|string words_or_line
function flags.split(args, find)
  local found, words, i = {}, {}, 1
  while i <= #args do
    local flag, given = args[i]:match("^(%-[^=]*)=?(.*)$")
    if not flag then
      words[#words + 1] = args[i]
    else
      given = args[i]:find("=", 1, true) and given or nil
      local spec, fault = find((flag:gsub("^%-%-", "")))
      if not spec then return nil, ((fault or "unknown flag " .. flag):gsub("%c", "?")) end
      local value, used = value_of(spec, flag, given, args[i + 1])
      if not value then return nil, used end
      found[#found + 1] = { spec = spec, flag = flag, value = value }
      i = i + used
    end
    i = i + 1
  end
  return found, words
end

return flags
