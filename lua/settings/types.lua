-- The types a setting can have: how its text is read, written in one canonical form, shown to people,
-- and described when it is wrong. Values are in bytes and seconds.

local option_types = {}

local SIZE_UNITS = { b = 1, kb = 1024, mb = 1024 * 1024, gb = 1024 * 1024 * 1024 }
local SIZE_ORDER = { "gb", "mb", "kb", "b" }
local DURATION_UNITS = { ms = 1, s = 1000, m = 60000, h = 3600000 }
local DURATION_ORDER = { "h", "m", "s", "ms" }
local BOOLEANS = {
  ["true"] = true, yes = true, on = true, ["1"] = true,
  ["false"] = false, no = false, off = false, ["0"] = false,
}
local DIGITS_MAX = 15 -- so that a float holds every number that is read
local STRING_BYTES_MAX = 4096
local DEFAULT_PORTS = { http = "80", https = "443", ws = "80", wss = "443" }

--- The text without blanks at both ends.
---@param text string
---@return string
function option_types.trim(text)
  return (text:match("^%s*(.-)%s*$"))
end

-- "1.5 MB" in the smallest unit, rounded; nil when it is no number with one of the units.
local function read_quantity(text, units, unit_of_plain)
  local digits, unit = text:lower():match("^(%d+%.?%d*)%s*(%a*)$")
  local factor = units[unit == "" and unit_of_plain or unit]
  if not factor or #digits > DIGITS_MAX then return nil end
  return math.floor(tonumber(digits) * factor + 0.5)
end

-- In the greatest unit that leaves no fraction.
local function show_quantity(amount, units, order)
  for _, unit in ipairs(order) do
    if amount % units[unit] == 0 and amount >= units[unit] then
      return ("%d%s"):format(amount // units[unit], unit)
    end
  end
end

local function is_within(option, value, parse)
  if not value then return false end
  if option.min and value < parse(option.min) then return false end
  return not option.max or value <= parse(option.max)
end

local function bounds(option)
  return (" from %s to %s"):format(option.min, option.max)
end

local types = {}
option_types.types = types

types.integer = {
  parse = function(text)
    return text:find("^%d+$") and #text <= DIGITS_MAX and math.tointeger(tonumber(text)) or nil
  end,
  encode = function(value) return ("%d"):format(value) end,
  allowed = function(option) return "a whole number" .. bounds(option) end,
}

types.size = {
  parse = function(text) return read_quantity(text, SIZE_UNITS, "b") end,
  encode = function(value) return ("%db"):format(value) end,
  show = function(value) return show_quantity(value, SIZE_UNITS, SIZE_ORDER) or "0b" end,
  allowed = function(option) return "a size" .. bounds(option) end,
  units = "b, kb, mb, gb",
}

types.duration = {
  parse = function(text)
    local milliseconds = read_quantity(text, DURATION_UNITS, "s")
    if not milliseconds then return nil end
    return milliseconds % 1000 == 0 and milliseconds // 1000 or milliseconds / 1000
  end,
  encode = function(value) return ("%dms"):format(math.floor(value * 1000 + 0.5)) end,
  show = function(value)
    return show_quantity(math.floor(value * 1000 + 0.5), DURATION_UNITS, DURATION_ORDER) or "0s"
  end,
  allowed = function(option) return "a duration" .. bounds(option) end,
  units = "ms, s, m, h",
}

types.boolean = {
  parse = function(text) return BOOLEANS[text:lower()] end,
  encode = tostring,
  allowed = function() return "true or false" end,
}

types.enum = {
  parse = function(text, option)
    for _, value in ipairs(option.values) do
      if value:lower() == text:lower() then return value end
    end
  end,
  encode = tostring,
  allowed = function(option)
    if #option.values == 1 then return "only " .. option.values[1] end
    return "one of " .. table.concat(option.values, ", ")
  end,
}

types.string = {
  -- A secret may be any bytes; everything else is shown and logged, so it must be plain text.
  parse = function(text, option)
    if #text > STRING_BYTES_MAX then return nil end
    if not option.secret and (text:find("%c") or not utf8.len(text)) then return nil end
    return text
  end,
  encode = tostring,
  allowed = function(option)
    return ("%s of at most %d bytes"):format(option.secret and "text" or "plain text", STRING_BYTES_MAX)
  end,
}

types.store = {
  parse = function(text)
    if text:lower() == "memory" then return "memory" end
    local path = text:match("^sqlite:(.+)$")
    return path and types.string.parse(path, {}) and text or nil
  end,
  encode = tostring,
  allowed = function() return "memory or sqlite:PATH" end,
}

types.prefix = {
  parse = function(text) return #text <= 255 and text:match("^/[%w/_.-]*/$") end,
  encode = tostring,
  allowed = function() return "a path that begins and ends with /" end,
}

local items = {}

items.folder = {
  parse = function(text) return types.string.parse(text, {}) end,
  allowed = "folders",
}

items.plugin = {
  parse = function(text) return text:match("^[%a_][%w_-]*$") end,
  allowed = "names of plugins, such as date_time",
}

-- "backup:io" and the like.
items.grant = {
  parse = function(text)
    local library = text:match("^[%w][%w_-]*:(%l+)$")
    return (library == "io" or library == "os" or library == "debug") and text or nil
  end,
  allowed = "a plugin's name and io, os or debug, such as backup:io",
}

-- A key travels in a header, as one word.
items.key = {
  parse = function(text) return text:match("^[!-~]+$") end,
  allowed = "keys of printable ASCII without blanks",
}

-- As browsers write it in the header Origin: lower case, without path, without the scheme's own port.
items.origin = {
  parse = function(text)
    local scheme, host = text:lower():match("^(%a[%w+.-]*)://([^/%s?#@]+)$")
    if not scheme or host:find("%c") or host:find("*", 1, true) then return nil end
    local name, port = host:match("^(.*):(%d+)$")
    if port and port == DEFAULT_PORTS[scheme] then host = name end
    return scheme .. "://" .. host
  end,
  allowed = "origins such as https://app.example.com, without a path",
}

-- The items, each once; nil when one is wrong. `none` is the word for an empty list that has a default.
local function parse_list(text, option)
  local list, seen = {}, {}
  if option.none and text:lower() == "none" then return list end
  for part in (text .. option.separator):gmatch("(.-)%" .. option.separator) do
    part = option_types.trim(part)
    local item = part ~= "" and items[option.item].parse(part)
    if item == nil then return nil end
    if item and not seen[item] then
      seen[item] = true
      list[#list + 1] = item
    end
  end
  return list[1] and list or nil
end

types.list = {
  parse = parse_list,
  encode = function(value, option)
    if #value == 0 then return "none" end
    return table.concat(value, option.separator)
  end,
  allowed = function(option)
    local separated = option.separator == "," and ", comma separated" or ", colon separated"
    return items[option.item].allowed .. separated .. (option.none and ", or none" or "")
  end,
}

--- Reads the text of a setting. Blank text means "not set"; the caller has seen that it is not.
---@param option table  an entry of `options`
---@param text string
---@return any value   nil when it is not allowed
function option_types.parse(option, text)
  local kind = types[option.type]
  local value = kind.parse(option.secret and text or option_types.trim(text), option)
  if option.min and not is_within(option, value, kind.parse) then return nil end
  return value
end

--- The canonical text: sizes in bytes ("1048576b"), durations in milliseconds ("25000ms").
---@param option table
---@param value any
---@return string
function option_types.encode(option, value)
  return types[option.type].encode(value, option)
end

--- The text as people write it: "1mb", "25s".
---@param option table
---@param value any
---@return string
function option_types.show(option, value)
  local kind = types[option.type]
  return (kind.show or kind.encode)(value, option)
end

--- Says in a few words what may stand there.
---@param option table
---@return string
function option_types.allowed(option)
  local kind = types[option.type]
  local hint = option.hint or kind.units
  return kind.allowed(option) .. (hint and (" (%s)"):format(hint) or "")
end

return option_types
