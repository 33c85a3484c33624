--- Waiting in specs: the event loop turns until something is true, and nothing ever sleeps.
local uv = require "luv"

local wait = {
  --- Seconds that a helper waits when the spec says nothing, on a machine that may be busy; more under sanitizers.
  patience = tonumber(os.getenv "CHATTY_SPEC_PATIENCE") or 30,
}

-- Some conditions ask another process: they are asked again when nothing came in for this long.
local TICK_MS = 5

--- Turns the loop until `condition` gives a true value, and returns that; nil when `seconds` have passed.
---@generic T
---@param condition fun(): T|nil|false  may itself wait
---@param seconds? number
---@return T|nil
function wait.until_(condition, seconds)
  local value = condition()
  if value then return value end
  local ticker = uv.new_timer()
  local _ <close> = setmetatable({}, { __close = function() ticker:close() end })
  ticker:start(TICK_MS, TICK_MS, function() end)
  local deadline = uv.hrtime() + (seconds or wait.patience) * 1e9
  repeat
    uv.run("once")
    value = condition()
  until value or uv.hrtime() > deadline
  return value or nil
end

return wait
