-- Keys under which our own objects keep what is not for plugins. Who has no key cannot read the field: plugins'
-- `next` and `pairs` (sandbox.lua) skip it. Objects read such fields with rawget, so that a table of a plugin's
-- own with __index never gets to see a key.

local private = {}

local keys = {} -- all that were made; modules make theirs once, when they are loaded

--- A new key.
---@return table
function private.key()
  local key = {}
  keys[key] = true
  return key
end

--- As Lua's next, without what lies under private keys.
---@param fields table
---@param key? any
---@return any key, any value
function private.next(fields, key)
  if type(fields) ~= "table" then
    error(("bad argument #1 to 'next' (table expected, got %s)"):format(type(fields)), 2)
  end
  local value
  repeat key, value = next(fields, key) until not keys[key]
  return key, value
end

--- As Lua's pairs, without what lies under private keys.
---@param fields any
---@return function iterate, any fields, any key
function private.pairs(fields)
  local iterate, state, first = pairs(fields)
  if iterate == next then iterate = private.next end
  return iterate, state, first
end

return private
