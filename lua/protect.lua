-- The one protected call of the Lua half. What plugins and handlers raise ends here: a refusal goes on to
-- the client; anything else is a bug, is logged with plugin, file and line, counted, and becomes a 500. A
-- plugin's function runs in a cage, which stops it when it takes too much; whoever is stopped too often is
-- parked.

local blame = require "plugin.blame"
local cage = require "core.cage"
local log = require "core.log"
local metrics = require "core.metrics"
local parking = require "plugin.parking"
local refusal = require "refusal"
local settings = require "settings"

local protect = {}

local OURS <const> = "chatty"
local MB <const> = 1048576
local call, parked, xpcall = cage.call, parking.parked, xpcall

local function describe(raised)
  if refusal.is(raised) then return raised end
  return { message = tostring(raised), traceback = debug.traceback(nil, 2) }
end

local function report(owner, what, message, traceback)
  metrics.add("script_errors_total")
  log.write("error", ("plugin %s, %s: %s"):format(owner, what, message), { plugin = owner, traceback = traceback })
end

local function refuse_failure()
  return refusal.of("internal", "The handler failed. The server's log says why.")
end

local function finish(owner, what, ok, first, ...)
  if ok then return true, first, ... end
  if refusal.is(first) then return false, first end
  report(owner, what, first.message, first.traceback)
  return false, refuse_failure(), true
end

-- What stopped it, and what to do; by the kinds of core.cage.
local stops = {
  time = function()
    return ("it ran for more than %g s without waiting (SCRIPT_BUDGET)"):format(settings.SCRIPT_BUDGET)
  end,
  memory = function()
    return ("it took too much memory: there are %d MB for all plugins of a worker (SCRIPT_MEMORY_MAX)"):format(
      settings.SCRIPT_MEMORY_MAX // MB)
  end,
  full = function()
    return ("no memory is left: plugins hold the %d MB that there are for all of a worker (SCRIPT_MEMORY_MAX)"):format(
      settings.SCRIPT_MEMORY_MAX // MB)
  end,
  value = function()
    return ("not enough memory: one string or table may have %d MB (SCRIPT_VALUE_MAX), and all together %d MB "
      .. "(SCRIPT_MEMORY_MAX)"):format(settings.SCRIPT_VALUE_MAX // MB, settings.SCRIPT_MEMORY_MAX // MB)
  end,
  yield = function()
    return "it yielded without waiting for anything: use chatty.sleep or another function that waits, not "
      .. "coroutine.yield"
  end,
}

-- The text of an error value, which may have a __tostring of the plugin's own.
local function text_of(raised)
  if type(raised) == "string" then return raised end
  local ok, text = call(tostring, raised)
  return ok and text or ("an error value, a %s, that cannot be shown"):format(type(raised))
end

--- What a failed call of core.cage means, as one text.
---@param kind string
---@param raised any
---@param traceback? string
---@return string
function protect.text(kind, raised, traceback)
  if kind == "error" then return blame.plugin(text_of(raised), traceback) end
  return raised .. stops[kind]()
end

local function finish_caged(owner, what, ok, first, ...)
  if ok then return true, first, ... end
  local raised, traceback = ...
  if first == "error" and refusal.is(raised) then return false, raised end
  report(owner, what, protect.text(first, raised, traceback), traceback)
  if first == "time" or first == "memory" then parking.count(owner, first) end
  return false, refuse_failure(), true
end

--- Calls f(...). True and its results; or false, a refusal, and whether that stands for a bug. The function
--- may wait.
---@param owner string   the plugin whose function it is
---@param what string    where it hangs: "GET /hello/:name", "hook connect"
---@param f function
---@param ... any
---@return boolean ok, any ...
function protect.call(owner, what, f, ...)
  if owner == OURS then return finish(owner, what, xpcall(f, describe, ...)) end
  if parked[owner] then return false, parking.refuse(owner), true end
  return finish_caged(owner, what, call(f, ...))
end

--- The same, and cheaper, for a function of ours that gets at most four values and gives two.
---@param what string
---@param f function
---@param a? any
---@param b? any
---@param c? any
---@param d? any
---@return boolean ok, any first, any second, boolean? is_bug
function protect.own(what, f, a, b, c, d)
  local ok, first, second = xpcall(f, describe, a, b, c, d)
  if ok then return true, first, second end
  return finish(OURS, what, false, first)
end

--- The same for what gets at most four values and gives one: hooks, handlers of requests.
---@param owner string
---@param what string
---@param f function
---@param a? any
---@param b? any
---@param c? any
---@param d? any
---@return boolean ok, any result, boolean? is_bug
function protect.one(owner, what, f, a, b, c, d)
  if owner == OURS then return protect.own(what, f, a, b, c, d) end
  if parked[owner] then return false, parking.refuse(owner), true end
  local ok, first, raised, traceback = call(f, a, b, c, d)
  if ok then return true, first end
  return finish_caged(owner, what, false, first, raised, traceback)
end

return protect
