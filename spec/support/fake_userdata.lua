-- Values of type "userdata" made in plain Lua, so that fakes of C objects cannot be mistaken for tables.
-- A light userdata has no metatable of its own; all share the one that is set here.

local fake_userdata = {}

local objects = {}

local meta = {}

function meta.__index(handle, key)
  local object = objects[handle]
  return object and object.methods[key]
end

function meta.__tostring(handle)
  local object = objects[handle]
  return object and object.text or "userdata"
end

--- A new value with these methods. `state` is what fake_userdata.state gives back.
function fake_userdata.new(methods, state, text)
  local anchor = state
  local function keep() return anchor end
  local handle = debug.upvalueid(keep, 1)
  objects[handle] = { methods = methods, state = state, text = text, keep = keep }
  debug.setmetatable(handle, meta)
  return handle
end

function fake_userdata.state(handle)
  return objects[handle] and objects[handle].state
end

return fake_userdata
