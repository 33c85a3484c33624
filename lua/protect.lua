-- The one protected call of the Lua half. What plugins and handlers raise ends here: a refusal goes on to
-- the client; anything else is a bug, is logged with plugin, file and line, counted, and becomes a 500.

local log = require "core.log"
local metrics = require "core.metrics"
local refusal = require "refusal"

local protect = {}

local function describe(raised)
  if refusal.is(raised) then return raised end
  return { message = tostring(raised), traceback = debug.traceback(nil, 2) }
end

local function report(owner, what, failure)
  metrics.add("script_errors_total")
  log.write("error", ("plugin %s, %s: %s"):format(owner, what, failure.message),
    { plugin = owner, traceback = failure.traceback })
end

local function finish(owner, what, ok, first, ...)
  if ok then return true, first, ... end
  if refusal.is(first) then return false, first end
  report(owner, what, first)
  return false, refusal.of("internal", "The handler failed. The server's log says why."), true
end

--- Calls f(...). True and its results; or false, a refusal, and whether that stands for a bug. The function
--- may wait.
---@param owner string   the plugin whose function it is
---@param what string    where it hangs: "GET /hello/:name", "hook connect"
---@param f function
---@param ... any
---@return boolean ok, any ...
function protect.call(owner, what, f, ...)
  return finish(owner, what, xpcall(f, describe, ...))
end

return protect
