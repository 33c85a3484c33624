-- Plugins that were stopped too often are parked: their functions are not called any more, on no worker,
-- until the plugins are loaded anew.

local bus = require "core.bus"
local log = require "core.log"
local metrics = require "core.metrics"
local refusal = require "refusal"
local settings = require "settings"
local time = require "core.time"

local parking = {}

---@class parking.record
---@field since number  seconds since 1970
---@field reason "time"|"memory"  of the last overrun

---@type table<string, parking.record>
local parked = {}

--- By plugin, those that are parked; for looking only.
parking.parked = parked

local overruns = {} -- of each plugin the times of the last ones, seconds, on this worker

-- Notes one more. Whether there were too many within the window.
local function is_too_often(owner)
  local max = settings.OVERRUNS_MAX
  if max == 0 then return false end
  local times, now = overruns[owner] or {}, time.monotonic()
  overruns[owner] = times
  times[#times + 1] = now
  if #times > max then table.remove(times, 1) end
  return #times == max and now - times[1] <= settings.OVERRUNS_WINDOW
end

--- A plugin was stopped. If it was so too often it is parked, on all workers.
---@param owner string
---@param reason "time"|"memory"
function parking.count(owner, reason)
  metrics.add("script_overruns_total")
  if parked[owner] or not is_too_often(owner) then return end
  log.write("error", ("plugin %s is parked: it was stopped %d times. Mend it, and load the plugins anew"):format(
    owner, settings.OVERRUNS_MAX), { plugin = owner, reason = reason })
  metrics.add("plugins_parked_total")
  parking.park(owner, reason)
  bus.park(owner, reason)
end

--- From now on it is parked on this worker.
---@param owner string
---@param reason "time"|"memory"
function parking.park(owner, reason)
  parked[owner] = parked[owner] or { since = time.now(), reason = reason }
end

---@param owner string
---@return boolean
function parking.has(owner)
  return parked[owner] ~= nil
end

--- What the callers of a parked plugin get.
---@param owner string
---@return refusal
function parking.refuse(owner)
  return refusal.of("plugin-parked", ("The plugin %s was stopped too often and does nothing now."):format(owner))
end

--- Since when a plugin is parked, and why; nil when it is not.
---@param owner string
---@return parking.record|nil
function parking.of(owner)
  return parked[owner]
end

--- The parked ones, sorted.
---@return string[]
function parking.names()
  local names = {}
  for owner in pairs(parked) do names[#names + 1] = owner end
  table.sort(names)
  return names
end

return parking
