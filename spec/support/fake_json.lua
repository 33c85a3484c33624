-- A stand-in for core.json in plain Lua: small, slow, and as exact as the specs need.

local fake_userdata = require "spec.support.fake_userdata"

local fake_json = { null = fake_userdata.new({}, "null", "null") }

local Array = {}
local Raw = {}
local ESCAPES = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t", ['"'] = '"', ["\\"] = "\\", ["/"] = "/" }

local read

local function fail(at, message)
  error({ at = at - 1, message = message }, 0)
end

local function skip(text, at)
  return text:find("[^ \t\r\n]", at) or #text + 1
end

local function read_string(text, at)
  local parts, from = {}, at + 1
  while true do
    local stop = text:find('["\\%c]', from) or fail(#text + 1, "a string is not closed")
    parts[#parts + 1] = text:sub(from, stop - 1)
    local byte = text:sub(stop, stop)
    if byte == '"' then return table.concat(parts), stop + 1 end
    local hex = text:match("^\\u(%x%x%x%x)", stop)
    local plain = ESCAPES[text:match("^\\(.)", stop)]
    if not hex and not plain then fail(stop, "a string has a wrong character") end
    parts[#parts + 1] = hex and utf8.char(tonumber(hex, 16)) or plain
    from = stop + (hex and 6 or 2)
  end
end

local function read_number(text, at)
  local digits = text:match("^-?%d+%.?%d*[eE]?[+-]?%d*", at)
  if not digits or digits:find("^-?0%d") then fail(at, "a value is expected") end
  local value = tonumber(digits) or fail(at, "a number is malformed")
  if digits:find("^-?%d+$") and math.type(value) == "float" then
    value = fake_userdata.new({}, Raw, digits)
  end
  return value, at + #digits
end

-- Calls each(key_from, key, value, value_from, value_to) for the members of the object at `at`.
local function walk(text, at, keep_order, each)
  at = skip(text, at + 1)
  if text:sub(at, at) == "}" then return at + 1 end
  while true do
    if text:sub(at, at) ~= '"' then fail(at, "a member's name is expected") end
    local key_from = at
    local key, value
    key, at = read_string(text, at)
    at = skip(text, at)
    if text:sub(at, at) ~= ":" then fail(at, "a colon is expected") end
    local from = skip(text, at + 1)
    value, at = read(text, from, keep_order)
    each(key_from, key, value, from, at - 1)
    at = skip(text, at)
    local byte = text:sub(at, at)
    if byte == "}" then return at + 1 end
    if byte ~= "," then fail(at, "a comma or } is expected") end
    at = skip(text, at + 1)
  end
end

local function read_object(text, at, keep_order)
  local object, keys = {}, {}
  local stop = walk(text, at, keep_order, function(_, key, value)
    if object[key] == nil then keys[#keys + 1] = key end
    object[key] = value
  end)
  if keep_order then setmetatable(object, { keys = keys }) end
  return object, stop
end

local function read_array(text, at, keep_order)
  local array = setmetatable({}, Array)
  at = skip(text, at + 1)
  if text:sub(at, at) == "]" then return array, at + 1 end
  while true do
    array[#array + 1], at = read(text, at, keep_order)
    at = skip(text, at)
    local byte = text:sub(at, at)
    if byte == "]" then return array, at + 1 end
    if byte ~= "," then fail(at, "a comma or ] is expected") end
    at = skip(text, at + 1)
  end
end

local WORDS = { t = { "true", true }, f = { "false", false }, n = { "null", fake_json.null } }

function read(text, at, keep_order)
  local byte = text:sub(at, at)
  if byte == "{" then return read_object(text, at, keep_order) end
  if byte == "[" then return read_array(text, at, keep_order) end
  if byte == '"' then return read_string(text, at) end
  local word = WORDS[byte]
  if not word then return read_number(text, at) end
  if text:sub(at, at + #word[1] - 1) ~= word[1] then fail(at, "a value is expected") end
  return word[2], at + #word[1]
end

local function read_all(text, keep_order)
  local value, at = read(text, skip(text, 1), keep_order)
  at = skip(text, at)
  if at <= #text then fail(at, "something follows the value") end
  return value
end

function fake_json.decode(text, keep_order)
  local ok, value = pcall(read_all, text, keep_order)
  if ok then return value end
  if type(value) ~= "table" then error(value, 0) end
  return nil, value.message, "INVALID", value.at
end

--- Where the members of an object stand: { key, key_from, from, to }; and where it closes.
function fake_json.members(text)
  local list, at = {}, skip(text, 1)
  local stop = walk(text, at, false, function(key_from, key, _, from, to)
    list[#list + 1] = { key = key, key_from = key_from, from = from, to = to }
  end)
  return list, stop - 1
end

function fake_json.find(text, key)
  local value = fake_json.decode(text)
  if type(value) ~= "table" or fake_json.is_array(value) then return nil end
  local found
  for _, member in ipairs(fake_json.members(text)) do
    if member.key == key then found = text:sub(member.from, member.to) end
  end
  return found
end

function fake_json.array(items)
  return debug.setmetatable(items or {}, Array)
end

function fake_json.is_array(value)
  if type(value) ~= "table" then return false end
  return getmetatable(value) == Array or (#value > 0 and next(value, #value) == nil)
end

function fake_json.raw(text)
  local _, message = fake_json.decode(text)
  if message then error("not valid JSON: " .. message, 2) end
  return fake_userdata.new({}, Raw, text)
end

local function quote(text)
  return '"' .. text:gsub('[%c"\\]', function(byte)
    if byte == '"' or byte == "\\" then return "\\" .. byte end
    return ("\\u%04x"):format(byte:byte())
  end) .. '"'
end

local encode

local function encode_object(value)
  local keys, parts = {}, {}
  for key in pairs(value) do
    if type(key) ~= "string" then error("a JSON object's keys must be strings", 0) end
    keys[#keys + 1] = key
  end
  table.sort(keys)
  for i, key in ipairs(keys) do parts[i] = quote(key) .. ":" .. encode(value[key]) end
  return "{" .. table.concat(parts, ",") .. "}"
end

local function encode_table(value)
  local meta = debug.getmetatable(value)
  if meta and meta.__value then return encode(meta.__value) end
  if not fake_json.is_array(value) then return encode_object(value) end
  local parts = {}
  for i = 1, #value do parts[i] = encode(value[i]) end
  return "[" .. table.concat(parts, ",") .. "]"
end

function encode(value)
  local kind = type(value)
  if kind == "string" then return quote(value) end
  if kind == "table" then return encode_table(value) end
  if kind == "number" or kind == "boolean" then return tostring(value) end
  if kind == "userdata" then return tostring(value) end
  error(("a %s cannot be JSON"):format(kind), 0)
end

fake_json.encode = encode

return fake_json
