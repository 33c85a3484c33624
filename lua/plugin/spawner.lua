-- chatty.spawn: functions that run as handlers of their own. Bounded, as a plugin may spawn one for each message.

local metrics = require "core.metrics"
local protect = require "protect"
local settings = require "settings"
local task = require "core.task"

local spawner = {}

local count = 0 -- that run or wait, of this worker

local ended = setmetatable({}, { __close = function() count = count - 1 end })

local function run(owner, f, ...)
  local _ <close> = ended -- however it ends
  protect.call(owner, "spawned function", f, ...)
end

--- Runs f(...) soon. nil, message, "LIMIT" when too many do.
---@param owner string
---@param f function
---@return true|nil, string? message, string? code
function spawner.spawn(owner, f, ...)
  if count >= settings.SPAWNED_MAX then
    metrics.add("limit_hits_total")
    return nil, "too many spawned functions run or wait", "LIMIT"
  end
  count = count + 1
  task.spawn(run, owner, f, ...)
  return true
end

return spawner
