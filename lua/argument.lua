-- Checks what authors hand to the public API. A mistake is an error at the author's own line, so every
-- function takes the `level` of whom to blame, as error() does: 2 is the caller of the function that checks.
-- BLAME_NOBODY leaves the line out.

local nearest = require "nearest"

local argument = { BLAME_NOBODY = -1000 }

local function sorted_keys(set)
  local keys = {}
  for key in pairs(set) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

--- Raises if the table has a key that is not known, and says which were meant.
---@param value table
---@param known table<string, any>
---@param what string   "chatty.notify", "the plugin"
---@param level integer
function argument.keys(value, known, what, level)
  for key in next, value do
    if known[key] == nil then
      local names = sorted_keys(known)
      local near = type(key) == "string" and nearest.find(key, names)
      error(("%s does not know '%s'%s (it knows %s)"):format(what, tostring(key),
        near and ", did you mean '" .. near .. "'?" or "", table.concat(names, ", ")), level + 1)
    end
  end
end

--- Raises if the value is not of the type; `nil` is fine when the type ends with "?".
---@param value any
---@param wanted string  "table", "string?"
---@param what string    "chatty.sleep: seconds"
---@param level integer
function argument.type(value, wanted, what, level)
  if type(value) == wanted then return end
  local plain = wanted:match("^%a+")
  if type(value) == plain or (value == nil and plain ~= wanted) then return end
  local found = value == nil and "nil" or "a " .. type(value)
  error(("%s must be a %s, not %s"):format(what, plain, found), level + 1)
end

return argument
