-- The headers of requests that plugins make, and of the answers to them.

local http_headers = {}

local NAME <const> = "^[%w!#$%%&'*+.^_`|~-]+$"
local OURS = {
  ["connection"] = true, ["content-length"] = true, ["expect"] = true, ["host"] = true, ["te"] = true,
  ["trailer"] = true, ["transfer-encoding"] = true, ["upgrade"] = true,
}
local OF_ORIGIN = { ["authorization"] = true, ["cookie"] = true, ["proxy-authorization"] = true }

local function check_value(name, value, what, level)
  if type(value) == "number" then value = tostring(value) end
  if type(value) ~= "string" or value:find("[\0\r\n]") then
    error(("%s: the header '%s' must be a text of one line"):format(what, name), level + 1)
  end
  return value
end

local function add(list, name, value, what, level)
  if type(name) ~= "string" or not name:find(NAME) then
    error(("%s: '%s' cannot be the name of a header"):format(what, tostring(name)), level + 1)
  end
  if OURS[name:lower()] then
    error(("%s: the header '%s' is the server's own"):format(what, name), level + 1)
  end
  for _, one in ipairs(type(value) == "table" and value or { value }) do
    list[#list + 1] = name
    list[#list + 1] = check_value(name, one, what, level + 1)
  end
end

--- The flat list of a table of headers, with others for names that it does not have. Raises what is wrong.
---@param headers? table<string, string|number|string[]>
---@param defaults table<string, string>  by name in lower case
---@param what string
---@param level integer
---@return string[]  name, value, name, value ...
function http_headers.list(headers, defaults, what, level)
  local list, has = {}, {}
  for name, value in pairs(headers or {}) do
    add(list, name, value, what, level + 1)
    has[name:lower()] = true
  end
  for name, value in pairs(defaults) do
    if not has[name] then add(list, name, value, what, level + 1) end
  end
  return list
end

--- Without what is meant for one origin only.
---@param list string[]
---@return string[]
function http_headers.without_secrets(list)
  local kept = {}
  for i = 1, #list, 2 do
    if not OF_ORIGIN[list[i]:lower()] then
      kept[#kept + 1] = list[i]
      kept[#kept + 1] = list[i + 1]
    end
  end
  return kept
end

--- The headers of an answer by name in lower case; repeated ones are joined with commas.
---@param list string[]
---@return table<string, string>
function http_headers.by_name(list)
  local headers = {}
  for i = 1, #list, 2 do
    local name = list[i]:lower()
    headers[name] = headers[name] and headers[name] .. ", " .. list[i + 1] or list[i + 1]
  end
  return headers
end

return http_headers
