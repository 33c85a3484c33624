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
---@field times number[]    of the last overruns, seconds
---@field overruns integer  so far, on this worker
---@field reason? "time"|"memory"  of the last one
---@field since? number     when it was parked, seconds since 1970

---@type table<string, parking.record>
local records = {}

local function record_of(owner)
  local record = records[owner]
  if not record then
    record = { times = {}, overruns = 0 }
    records[owner] = record
  end
  return record
end

-- Whether there were too many within the window.
local function is_too_often(record)
  local max = settings.OVERRUNS_MAX
  if max == 0 then return false end
  local now = time.monotonic()
  record.times[#record.times + 1] = now
  if #record.times > max then table.remove(record.times, 1) end
  return #record.times == max and now - record.times[1] <= settings.OVERRUNS_WINDOW
end

--- A plugin was stopped. If it was so too often it is parked, on all workers.
---@param owner string
---@param reason "time"|"memory"
function parking.count(owner, reason)
  metrics.add("script_overruns_total")
  local record = record_of(owner)
  record.overruns, record.reason = record.overruns + 1, reason
  if record.since or not is_too_often(record) then return end
  log.write("error", ("plugin %s is parked: it was stopped %d times. Mend it, and load the plugins anew"):format(
    owner, #record.times), { plugin = owner })
  metrics.add("plugins_parked_total")
  parking.park(owner)
  bus.park(owner)
end

--- From now on it is parked on this worker.
---@param owner string
function parking.park(owner)
  local record = record_of(owner)
  record.since = record.since or time.now()
end

---@param owner string
---@return boolean
function parking.has(owner)
  local record = records[owner]
  return record ~= nil and record.since ~= nil
end

--- What the callers of a parked plugin get.
---@param owner string
---@return refusal
function parking.refuse(owner)
  return refusal.of("plugin-parked", ("The plugin %s was stopped too often and does nothing now."):format(owner))
end

--- What is known of a plugin: its overruns on this worker, why the last one, and since when it is parked.
---@param owner string
---@return parking.record|nil
function parking.of(owner)
  return records[owner]
end

return parking
