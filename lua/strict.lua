-- No accidental globals in our own half: reading or setting one that nobody declared is an error.

local strict = {}

local function on_read(_, name)
  error("there is no global '" .. tostring(name) .. "'", 2)
end

local function on_write(_, name)
  error("'" .. tostring(name) .. "' would become a global: say local", 2)
end

--- From now on the table (of globals) has what it has and nothing else.
---@param globals table
function strict.apply(globals)
  setmetatable(globals, { __index = on_read, __newindex = on_write, __metatable = false })
end

return strict
