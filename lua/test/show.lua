-- Values as text, for the messages of failed tests.

local json = require "core.json"

local show = {}

local DEPTH_MAX <const> = 6
local ITEMS_MAX <const> = 40
local INDENT <const> = "  "

local RANK = { number = 1, string = 2 }

local function comes_before(a, b)
  local rank_a, rank_b = RANK[type(a)] or 3, RANK[type(b)] or 3
  if rank_a ~= rank_b then return rank_a < rank_b end
  if rank_a < 3 then return a < b end
  return tostring(a) < tostring(b)
end

local function sorted_keys(items)
  local keys = {}
  for key in pairs(items) do keys[#keys + 1] = key end
  table.sort(keys, comes_before)
  return keys
end

local function show_key(key)
  if type(key) == "string" and key:find("^[%a_][%w_]*$") then return key end
  return ("[%s]"):format(type(key) == "string" and ("%q"):format(key) or tostring(key))
end

local function show_value(value, indent, depth, seen)
  if value == json.null then return "null" end
  if type(value) == "string" then return (("%q"):format(value):gsub("\\\n", "\\n")) end
  if type(value) ~= "table" then return tostring(value) end
  if seen[value] then return "(itself)" end
  if next(value) == nil then return "{}" end
  if depth == DEPTH_MAX then return "{...}" end
  seen[value] = true
  local lines = {}
  for i, key in ipairs(sorted_keys(value)) do
    if i > ITEMS_MAX then
      lines[i] = indent .. INDENT .. "..."
      break
    end
    local item = show_value(rawget(value, key), indent .. INDENT, depth + 1, seen)
    lines[i] = ("%s%s = %s,"):format(indent .. INDENT, show_key(key), item)
  end
  seen[value] = nil
  return ("{\n%s\n%s}"):format(table.concat(lines, "\n"), indent)
end

--- A value on as many lines as it needs.
---@param value any
---@return string
function show.value(value)
  return show_value(value, "", 0, {})
end

--- The way to the first place where two values differ: "attributes.items[2]"; nil when they are alike. Numbers
--- are alike when they are equal, tables when their members are, whatever their metatables say.
---@param a any
---@param b any
---@return string|nil
function show.difference(a, b, seen)
  if type(a) ~= "table" or type(b) ~= "table" then
    if a == b then return nil end
    return ""
  end
  seen = seen or {}
  if rawequal(a, b) or seen[a] == b then return nil end
  seen[a] = b
  for _, keys in ipairs({ sorted_keys(a), sorted_keys(b) }) do
    for _, key in ipairs(keys) do
      local way = show.difference(rawget(a, key), rawget(b, key), seen)
      if way then
        local shown = show_key(key)
        return (shown:sub(1, 1) == "[" and "" or ".") .. shown .. way
      end
    end
  end
end

return show
