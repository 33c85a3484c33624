-- Which hosts a plugin may ask: what it says in needs.http. "shop.internal" and "shop.internal:8080" are one host,
-- "*.shop.internal" is all below it, "*" is any.

local http = require "core.http"

local http_hosts = {}

local FORM <const> = "'shop.example', 'shop.example:8080', '*.shop.example' or '*'"

---@class http_hosts.rule
---@field host? string    in lower case
---@field suffix? string  ".shop.example"
---@field port? integer   without: any
---@field is_any? boolean

-- The rule of one text; nil when it is none.
local function rule_of(text)
  if text == "*" then return { is_any = true } end
  local host, port = text:lower():match("^(.-):(%d+)$")
  host = host or text:lower()
  local rule = { port = math.tointeger(tonumber(port)) }
  if port and (rule.port < 1 or rule.port > 65535) then return nil end
  if host:find("^%[[%x:.]+%]$") or host:find("^[%w_-][%w_.-]*$") then
    rule.host = host
  elseif host:find("^%*%.[%w_-][%w_.-]*$") then
    rule.suffix = host:sub(2)
  else
    return nil
  end
  return rule
end

--- The rules of a list; or nil and one line.
---@param list any
---@return http_hosts.rule[]|nil rules, string? line
function http_hosts.compile(list)
  local line = "needs: http must be a list of hosts, each " .. FORM
  if type(list) ~= "table" or #list == 0 or next(list, #list) ~= nil then return nil, line end
  local rules = {}
  for i, text in ipairs(list) do
    rules[i] = type(text) == "string" and rule_of(text) or nil
    if not rules[i] then return nil, ("%s, not '%s'"):format(line, tostring(text)) end
  end
  return rules
end

--- The rules for the hosts of the URLs that options say, each with its port.
---@param values table<string, any>  of a plugin's options
---@return http_hosts.rule[]
function http_hosts.of_options(values)
  local rules = {}
  for _, value in pairs(values) do
    for _, text in ipairs(type(value) == "table" and value or { value }) do
      local place = type(text) == "string" and http.parse(text)
      if place then rules[#rules + 1] = { host = place.host, port = place.port } end
    end
  end
  return rules
end

local function matches(rule, host, port)
  if rule.port and rule.port ~= port then return false end
  if rule.host then return rule.host == host end
  return rule.suffix ~= nil and #host > #rule.suffix and host:sub(-#rule.suffix) == rule.suffix
end

--- Whether a host may be asked: "named" when a rule names it, "any" when only "*" lets it in, or nil.
---@param rules http_hosts.rule[]
---@param host string  in lower case
---@param port integer
---@return "named"|"any"|nil
function http_hosts.permit(rules, host, port)
  local found
  for _, rule in ipairs(rules) do
    if rule.is_any then
      found = "any"
    elseif matches(rule, host, port) then
      return "named"
    end
  end
  return found
end

return http_hosts
