-- What plugins do again and again, or later: app:every and app:once. A timer is a handler of its own that sleeps
-- and runs; it never runs twice at one time, and what it missed while it ran it does not make up for. A reload
-- ends those that sleep; those that run come to their end.

local argument = require "argument"
local node = require "core.node"
local protect = require "protect"
local settings = require "settings"
local task = require "core.task"
local time = require "core.time"

local timers = {}

local OPTIONS = { per = 1 }
local PER = { node = true, worker = true }
local SECONDS_MIN <const>, SECONDS_MAX <const> = 0.05, 366 * 86400
local SLEEP_MAX <const> = 86400

---@class timers.timer
---@field seconds number
---@field is_once boolean
---@field f function
---@field owner string
---@field label string
---@field per "node"|"worker"

local registered = {} ---@type timers.timer[]
local is_stopped = false

local function check_seconds(seconds, what, least, level)
  if type(seconds) ~= "number" or not (seconds >= least and seconds <= SECONDS_MAX) then
    error(("%s: seconds must be a number from %s to %d"):format(what, least, SECONDS_MAX), level + 1)
  end
end

--- Adds a plugin's timer; raises at `level` if it cannot be one.
---@param kind "every"|"once"
---@param seconds number
---@param options {per?: "node"|"worker"}
---@param f function
---@param owner string
---@param level integer
function timers.add(kind, seconds, options, f, owner, level)
  local what = "app:" .. kind
  check_seconds(seconds, what, kind == "once" and 0 or SECONDS_MIN, level + 1)
  argument.type(options, "table", what .. ": the options", level + 1)
  argument.keys(options, OPTIONS, what, level + 1)
  if not PER[options.per or "node"] then error(what .. ": per must be 'node' or 'worker'", level + 1) end
  argument.type(f, "function", what .. ": what it runs", level + 1)
  if #registered >= settings.TIMERS_MAX then
    error(("%s: there are %d timers already, the most that TIMERS_MAX allows"):format(what, #registered), level + 1)
  end
  registered[#registered + 1] = {
    seconds = seconds, is_once = kind == "once", f = f, owner = owner, per = options.per or "node",
    label = ("timer %s %s s"):format(kind, seconds),
  }
end

local function sleep_until(due)
  local left = due - time.monotonic()
  while left > 0 and not is_stopped do
    task.sleep(math.min(left, SLEEP_MAX))
    left = due - time.monotonic()
  end
end

-- The next beat behind now.
local function next_due(due, seconds)
  local late = math.max(0, time.monotonic() - due)
  return due + seconds * (late // seconds + 1)
end

local function run(timer)
  local due = time.monotonic() + timer.seconds
  repeat
    sleep_until(due)
    if is_stopped then return end
    task.background(false)
    protect.call(timer.owner, timer.label, timer.f)
    task.background(true)
    due = next_due(due, timer.seconds)
  until timer.is_once
end

--- Starts those of this worker: all on worker 0, on the others those that say so.
function timers.start()
  for _, timer in ipairs(registered) do
    if node.worker == 0 or timer.per == "worker" then task.spawn(run, timer) end
  end
end

--- None begins to run any more; those that run go on to their end.
function timers.stop()
  is_stopped = true
end

return timers
