-- The query parameter `method`: kind ":" list. It selects whom an operation is about:
--   channels:a,b    channels:[a, b]    channels-efficient:["a,b","c"]    users:ann

local core_names = require "core.names"
local json = require "core.json"
local names = require "names"
local refusal = require "refusal"

local selector = {}

local find, match, sub, split = string.find, string.match, string.sub, core_names.split
local SOURCE = { parameter = "method" }

---@class selector.kinds  made by selector.kinds
---@field list string
---@field known table<string, boolean>

--- The kinds that an endpoint allows.
---@param ... string
---@return selector.kinds
function selector.kinds(...)
  local kinds = { list = table.concat({ ... }, ", "), known = {} }
  for _, kind in ipairs({ ... }) do kinds.known[kind] = true end
  return kinds
end

local function read_json(text)
  local items = json.decode(text)
  if not json.is_array(items) then return nil end
  for i = 1, #items do
    if type(items[i]) ~= "string" then return nil end
  end
  return items
end

local function read_list(text)
  local list = find(text, "[", 1, true) and match(text, "^[ \t]*(%[.*%])[ \t]*$")
  if not list then return names.take(split(text)) end
  local items = read_json(list)
  if items then return names.list(items) end
  return names.take(split(sub(list, 2, -2)))
end

local function refuse_kind(text, kinds)
  return refusal.of("method-invalid",
    ("Begin method with one of %s, a colon and a list; '%s' does not."):format(kinds.list,
      text:match("^[^:]*"):sub(1, 40)), SOURCE)
end

--- Reads the selector: its kind and names, each name once. nil and a refusal if it is none.
---@param text string|nil   percent-decoded
---@param kinds selector.kinds
---@return string|nil kind, string[]|refusal names_or_refused
function selector.parse(text, kinds)
  if not text or text == "" then
    return nil, refusal.of("method-missing",
      ("Add ?method= with one of %s, a colon and a list of names."):format(kinds.list), SOURCE)
  end
  local colon = find(text, ":", 1, true)
  local kind = colon and sub(text, 1, colon - 1)
  if not kind or not kinds.known[kind] then return nil, refuse_kind(text, kinds) end
  local list, message, code = read_list(sub(text, colon + 1))
  if not list then
    return nil, refusal.of(code, ("In method=%s: %s."):format(kind, message), SOURCE)
  end
  return kind, list
end

return selector
