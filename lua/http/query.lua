-- The query of a request: decoded, and checked against what the route declares.

local core_query = require "core.query"
local refusal = require "refusal"
local rule = require "rule"

local query = {}

local parse = core_query.parse

--- Refuses what core.query and request:parameters found malformed.
---@param name string|nil
---@param piece string
---@return refusal
function query.refuse_malformed(name, piece)
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
  local values, name, piece = parse(text)
  if not values then return nil, query.refuse_malformed(name, piece) end
  return values
end

---@class query.spec  made by query.compile
---@field rules table<string, rule>
---@field plain table<string, boolean>  those that may be any string
---@field required string[]
---@field defaults table<string, any>
---@field must_be_completed boolean  it has required ones or defaults
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
  spec.must_be_completed = spec.required[1] ~= nil or next(spec.defaults) ~= nil
  table.sort(known)
  table.sort(spec.required)
  spec.known = #known > 0 and table.concat(known, ", ") or "none"
  return spec
end

local function refuse_unknown(name, spec)
  return refusal.of("parameter-unknown", ("The known parameters are: %s."):format(spec.known),
    { parameter = name })
end

-- Adds one parameter that is no plain string, or comes again; a list may come in several pieces.
local function add_declared(values, name, text, spec)
  local before, parameter = values[name], spec.rules[name]
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

local function add_others(values, others, spec)
  for i = 1, #others, 2 do
    local refused = add_declared(values, others[i], others[i + 1], spec)
    if refused then return refused end
  end
end

--- The declared parameters, typed, with their defaults.
---@param text string   raw, without "?"
---@param spec query.spec
---@return table<string, any>|nil values, refusal? refused
function query.read(text, spec)
  local values, others, piece = parse(text, spec.plain)
  if not values then return nil, query.refuse_malformed(others, piece) end
  local refused = others and add_others(values, others, spec)
  if refused then return nil, refused end
  if not spec.must_be_completed then return values end
  refused = refuse_missing(values, spec)
  if refused then return nil, refused end
  for name, default in next, spec.defaults do
    if values[name] == nil then values[name] = default end
  end
  return values
end

return query
