-- The query of a request: decoded, and checked against what the route declares.

local refusal = require "refusal"
local rule = require "rule"

local query = {}

local find, gsub, gmatch = string.find, string.gsub, string.gmatch

local function unhex(digits)
  return string.char(tonumber(digits, 16))
end

-- nil when the encoding is broken or says bytes that are no UTF-8. "+" is a blank, as forms send it.
local function decode(text)
  if not find(text, "[%%+\128-\255]") then return text end
  text = gsub(text, "%+", " ")
  if find(text, "%%%X") or find(text, "%%%x%X") or find(text, "%%%x?$") then return nil end
  text = gsub(text, "%%(%x%x)", unhex)
  return utf8.len(text) and text
end

local function split(piece)
  local at = find(piece, "=", 1, true)
  if not at then return decode(piece), "", piece end
  return decode(piece:sub(1, at - 1)), decode(piece:sub(at + 1)), piece
end

local function malformed(name, piece)
  name = name or piece:match("^[%w%-_.%[%]]*")
  return refusal.of("query-malformed", ("Percent-encode UTF-8 in '%s'."):format(name), { parameter = name })
end

local function escape(text)
  return (text:gsub("[^%w%-._~]", function(byte) return ("%%%02X"):format(byte:byte()) end))
end

--- A query: encode({ "channel", "a b" }) is "channel=a%20b".
---@param pairs string[]  name, value, name, value ...
---@return string
function query.encode(pairs)
  local parts = {}
  for i = 1, #pairs, 2 do parts[#parts + 1] = escape(pairs[i]) .. "=" .. escape(pairs[i + 1]) end
  return table.concat(parts, "&")
end

--- All parameters by name, of repeated ones the first.
---@param text string   raw, without "?"
---@return table<string, string>|nil values, refusal? refused
function query.all(text)
  local values = {}
  for piece in gmatch(text, "[^&]+") do
    local name, value = split(piece)
    if not name or not value then return nil, malformed(name, piece) end
    if values[name] == nil then values[name] = value end
  end
  return values
end

---@class query.spec  made by query.compile
---@field rules table<string, rule>
---@field required string[]
---@field defaults table<string, any>
---@field known string

--- Makes ready a route's declaration, { name = rule, ... }; raises if it is wrong.
---@param declared table<string, rule>
---@param level integer
---@return query.spec
function query.compile(declared, level)
  local spec = { rules = declared, required = {}, defaults = {} }
  local known = {}
  for name, parameter in pairs(declared) do
    rule.check(parameter, ("query parameter '%s'"):format(name), level + 1)
    known[#known + 1] = name
    if parameter.required then spec.required[#spec.required + 1] = name end
    spec.defaults[name] = parameter.default
  end
  table.sort(known)
  table.sort(spec.required)
  spec.known = #known > 0 and table.concat(known, ", ") or "none"
  return spec
end

-- Adds one parameter; a list may come in several pieces.
local function add(values, spec, name, text)
  local parameter = spec.rules[name]
  if not parameter then
    return refusal.of("parameter-unknown", ("The known parameters are: %s."):format(spec.known),
      { parameter = name })
  end
  local before = values[name]
  if before and parameter.type == "list" then
    text = table.concat(before, ",") .. "," .. text
  elseif before ~= nil then
    return refusal.of("parameter-repeated", ("Send '%s' once."):format(name), { parameter = name })
  end
  local value, allowed = rule.read(parameter, text)
  if value == nil then
    return refusal.of("parameter-invalid", ("'%s' must be %s."):format(name, allowed), { parameter = name })
  end
  values[name] = value
end

local function complete(values, spec)
  for i = 1, #spec.required do
    local name = spec.required[i]
    if values[name] == nil or values[name] == "" then
      return refusal.of("parameter-missing", ("Add the query parameter '%s'."):format(name),
        { parameter = name })
    end
  end
  for name, default in next, spec.defaults do
    if values[name] == nil then values[name] = default end
  end
end

--- The declared parameters, typed, with their defaults.
---@param text string   raw, without "?"
---@param spec query.spec
---@return table<string, any>|nil values, refusal? refused
function query.read(text, spec)
  local values = {}
  for piece in gmatch(text, "[^&]+") do
    local name, value = split(piece)
    if not name or not value then return nil, malformed(name, piece) end
    local refused = add(values, spec, name, value)
    if refused then return nil, refused end
  end
  local refused = complete(values, spec)
  if refused then return nil, refused end
  return values
end

return query
