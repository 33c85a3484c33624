-- The query of a request: decoded, and checked against what the route declares.

local refusal = require "refusal"
local rule = require "rule"

local query = {}

local find, gsub, sub = string.find, string.gsub, string.sub

local function unhex(digits)
  return string.char(tonumber(digits, 16))
end

-- nil when the encoding is broken or says bytes that are no UTF-8. "+" is a blank, as forms send it.
local function decode(text)
  text = gsub(text, "%+", " ")
  if find(text, "%%%X") or find(text, "%%%x%X") or find(text, "%%%x?$") then return nil end
  text = gsub(text, "%%(%x%x)", unhex)
  return utf8.len(text) and text
end

local function malformed(name, piece)
  name = name or piece:match("^[%w%-_.%[%]]*")
  return refusal.of("query-malformed", ("Percent-encode UTF-8 in '%s'."):format(name), { parameter = name })
end

-- Name and value of one parameter; nil for what is malformed.
local function split(piece, is_plain)
  local at = find(piece, "=", 1, true)
  local name, value = sub(piece, 1, (at or 0) - 1), at and sub(piece, at + 1) or ""
  if is_plain then return name, value end
  return decode(name), decode(value)
end

-- Calls add(values, name, value, context) for each parameter, until one is refused.
local function read_pairs(text, add, context)
  local is_plain = not find(text, "[%%+\128-\255]")
  local values, from = {}, 1
  while from <= #text do
    local stop = find(text, "&", from, true) or #text + 1
    local piece = sub(text, from, stop - 1)
    local name, value = split(piece, is_plain)
    if not name or not value then return nil, malformed(name, piece) end
    local refused = piece ~= "" and add(values, name, value, context)
    if refused then return nil, refused end
    from = stop + 1
  end
  return values
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

local function add_first(values, name, value)
  if values[name] == nil then values[name] = value end
end

--- All parameters by name, of repeated ones the first.
---@param text string   raw, without "?"
---@return table<string, string>|nil values, refusal? refused
function query.all(text)
  return read_pairs(text, add_first)
end

---@class query.spec  made by query.compile
---@field rules table<string, rule>
---@field plain table<string, boolean>  those that may be any string
---@field required string[]
---@field defaults table<string, any>
---@field known string

local function is_plain_string(parameter)
  return parameter.type == "string" and not (parameter.min or parameter.max or parameter.one_of)
end

--- Makes ready a route's declaration, { name = rule, ... }; raises if it is wrong.
---@param declared table<string, rule>
---@param level integer
---@return query.spec
function query.compile(declared, level)
  local spec = { rules = declared, plain = {}, required = {}, defaults = {} }
  local known = {}
  for name, parameter in pairs(declared) do
    rule.check(parameter, ("query parameter '%s'"):format(name), level + 1)
    known[#known + 1] = name
    if parameter.required then spec.required[#spec.required + 1] = name end
    spec.plain[name] = is_plain_string(parameter)
    spec.defaults[name] = parameter.default
  end
  table.sort(known)
  table.sort(spec.required)
  spec.known = #known > 0 and table.concat(known, ", ") or "none"
  return spec
end

local function refuse_unknown(name, spec)
  return refusal.of("parameter-unknown", ("The known parameters are: %s."):format(spec.known),
    { parameter = name })
end

-- Adds one parameter; a list may come in several pieces.
local function add_declared(values, name, text, spec)
  local before, parameter = values[name], spec.rules[name]
  if before == nil and spec.plain[name] then
    values[name] = text
    return nil
  end
  if not parameter then return refuse_unknown(name, spec) end
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

local function refuse_missing(values, spec)
  for i = 1, #spec.required do
    local name = spec.required[i]
    if values[name] == nil or values[name] == "" then
      return refusal.of("parameter-missing", ("Add the query parameter '%s'."):format(name),
        { parameter = name })
    end
  end
end

--- The declared parameters, typed, with their defaults.
---@param text string   raw, without "?"
---@param spec query.spec
---@return table<string, any>|nil values, refusal? refused
function query.read(text, spec)
  local values, refused = read_pairs(text, add_declared, spec)
  refused = refused or refuse_missing(values, spec)
  if refused then return nil, refused end
  for name, default in next, spec.defaults do
    if values[name] == nil then values[name] = default end
  end
  return values
end

return query
