-- Rules: what a declared value may be. A route declares its query parameters with them, a plugin its
-- options: { type = "integer", default = 10, min = 1, max = 100, doc = "How many." }

local argument = require "argument"

local rule = {}

---@class rule
---@field type "string"|"boolean"|"integer"|"number"|"list"
---@field default? any
---@field required? boolean
---@field min? number            of numbers; of lists and strings the least length
---@field max? number            likewise
---@field one_of? string[]       what a string, or an item of a list, may be
---@field of? "string"           of a list: what its items are
---@field secret? boolean       of an option: `chatty config` does not show it
---@field doc? string

local FIELDS = { type = 1, default = 1, required = 1, min = 1, max = 1, one_of = 1, of = 1, secret = 1, doc = 1 }
local BOOLEANS = { ["true"] = true, ["false"] = false }

-- Each type: `is` tells whether a Lua value has it, `read` makes one from text (nil: it is none),
-- `phrase` names it.
local types = {}

types.string = {
  phrase = "a string",
  is = function(value) return type(value) == "string" end,
  read = function(text) return text end,
}

types.boolean = {
  phrase = "true or false",
  is = function(value) return type(value) == "boolean" end,
  read = function(text) return BOOLEANS[text] end,
}

types.integer = {
  phrase = "a whole number",
  is = function(value) return math.type(value) == "integer" end,
  read = function(text) return text:find("^%-?%d+$") and math.tointeger(tonumber(text)) or nil end,
}

types.number = {
  phrase = "a number",
  is = function(value) return type(value) == "number" end,
  read = function(text) return text:find("^%-?%d+%.?%d*$") and tonumber(text) or nil end,
}

local function is_list(value)
  if type(value) ~= "table" then return false end
  for i = 1, #value do
    if type(value[i]) ~= "string" then return false end
  end
  return next(value, #value > 0 and #value or nil) == nil
end

local function read_list(text)
  local list = {}
  for item in (text .. ","):gmatch("([^,]*),") do
    list[#list + 1] = item:match("^[ \t]*(.*[^ \t])") or ""
  end
  return list
end

types.list = { phrase = "a list of strings", is = is_list, read = read_list }

local function contains(list, value)
  for i = 1, #list do
    if list[i] == value then return true end
  end
  return false
end

local function fault_of_choice(self, value)
  if not self.one_of then return nil end
  for _, item in ipairs(type(value) == "table" and value or { value }) do
    if not contains(self.one_of, item) then return "one of " .. table.concat(self.one_of, ", ") end
  end
end

local function fault_of_size(self, value)
  local unit = type(value) == "table" and " items" or type(value) == "string" and " bytes" or ""
  local size = type(value) == "number" and value or #value
  if self.min and size < self.min then return ("at least %s%s"):format(self.min, unit) end
  if self.max and size > self.max then return ("at most %s%s"):format(self.max, unit) end
end

--- Whether the rule accepts a value of Lua. If not, what is allowed: "a whole number", "at most 5".
---@param self rule
---@param value any
---@return true|nil, string? allowed
function rule.accepts(self, value)
  if not types[self.type].is(value) then return nil, types[self.type].phrase end
  if type(value) == "boolean" then return true end
  local fault = fault_of_choice(self, value) or fault_of_size(self, value)
  if fault then return nil, fault end
  return true
end

--- The value that the text of a query parameter says; nil and what is allowed if it may not be.
---@param self rule
---@param text string
---@return any value, string? allowed
function rule.read(self, text)
  local value = types[self.type].read(text)
  if value == nil then return nil, types[self.type].phrase end
  local ok, allowed = rule.accepts(self, value)
  if not ok then return nil, allowed end
  return value
end

--- Raises if this is no proper rule.
---@param self rule
---@param what string   "option 'rooms'"
---@param level integer
function rule.check(self, what, level)
  argument.type(self, "table", what, level + 1)
  argument.keys(self, FIELDS, what, level + 1)
  if not types[self.type] then
    error(what .. ": type must be one of boolean, integer, list, number, string", level + 1)
  end
  if self.of ~= nil and not (self.type == "list" and self.of == "string") then
    error(what .. ": of may only be \"string\", of a list", level + 1)
  end
  if self.default == nil then return end
  local ok, allowed = rule.accepts(self, self.default)
  if not ok then error(("%s: its default must be %s"):format(what, allowed), level + 1) end
end

return rule
