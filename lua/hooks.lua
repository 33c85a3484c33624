-- Hooks: the places on the way of an operation where plugins may look, change or refuse. Those of higher
-- priority run first, among equals by the plugin's name.

local argument = require "argument"
local bus = require "core.bus"
local node = require "core.node"
local parking = require "plugin.parking"
local protect = require "protect"
local refusal = require "refusal"
local log = require "core.log"
local task = require "core.task"

local hooks = {}

local nest, nesting, call_one = task.nest, task.nesting, protect.one

local DEPTH_MAX <const> = 8 -- hooks that cause each other, as a notify inside a notify hook does
local OPTIONS = { on_error = 1, per = 1 }
local ON_ERROR = { open = true, closed = true }
local PER = { node = true, worker = true }
local HEARD = { disconnect = true, dropped = true, offline = true, online = true } -- C starts nothing without them

---@class hooks.hook
---@field f function
---@field owner string    the plugin
---@field priority number
---@field label string    "hook connect"
---@field is_closed boolean  an error in it refuses
---@field per "node"|"worker"

--- By name; others look only whether there are any.
---@type table<string, hooks.hook[]>
hooks.registered = {
  start = {}, stop = {}, connect = {}, message = {}, subscribe = {}, unsubscribe = {}, notify = {},
  disconnect = {}, dropped = {}, online = {}, offline = {}, unreached = {},
}

local registered = hooks.registered

-- What each handler keeps (task.nesting): how deep it is in hooks, and DRY more for each operation that only
-- pretends. A hook may go on in a coroutine of its own.
local DRY <const> = 256

local function comes_before(a, b)
  if a.priority ~= b.priority then return a.priority > b.priority end
  if a.owner ~= b.owner then return a.owner < b.owner end
  return a.index < b.index
end

local function check_name(name, level)
  if registered[name] then return end
  argument.keys({ [tostring(name)] = 1 }, registered, "app:on", level + 1)
end

local function check_options(name, options, level)
  argument.keys(options, OPTIONS, "app:on", level + 1)
  if not ON_ERROR[options.on_error or "open"] then
    error("app:on: on_error must be 'open' or 'closed'", level + 1)
  end
  if not PER[options.per or "node"] then error("app:on: per must be 'node' or 'worker'", level + 1) end
  if options.per and name ~= "start" and name ~= "stop" then
    error("app:on: per is for the hooks start and stop", level + 1)
  end
end

--- Adds a plugin's hook; raises at `level` if it cannot be one.
---@param name string
---@param f function
---@param options {on_error?: "open"|"closed", per?: "node"|"worker"}
---@param plugin {name: string, priority: number}
---@param level integer
function hooks.add(name, f, options, plugin, level)
  check_name(name, level + 1)
  check_options(name, options, level + 1)
  argument.type(f, "function", ("app:on: the hook '%s'"):format(name), level + 1)
  if HEARD[name] then bus.hear(name) end
  local list = registered[name]
  list[#list + 1] = {
    f = f, owner = plugin.name, priority = plugin.priority, index = #list, label = "hook " .. name,
    is_closed = options.on_error == "closed", per = options.per or "node",
  }
  table.sort(list, comes_before)
end

--- Whether anybody listens; without, nothing needs to be made for them.
---@param name string
---@return boolean
function hooks.has(name)
  return registered[name][1] ~= nil
end

--- Whether the running handler is in a hook of an operation that only tells what it would do (dryRun).
---@return boolean
function hooks.is_dry()
  return nesting() >= DRY
end

-- Goes one deeper. How deep it was; nil if that is too deep.
local function enter(subject)
  local outer = nest(subject.dry_run == true and DRY + 1 or 1)
  if outer % DRY < DEPTH_MAX then return outer end
  nesting(outer)
end

local function refuse_depth(name)
  return refusal.of("hook-depth", ("The hooks '%s' caused each other %d times."):format(name, DEPTH_MAX))
end

local function refuse_failure()
  return refusal.of("hook-failed", "A plugin failed. The server's log says why.")
end

-- What the hook returned; or nil, a refusal that stops the operation, and whether the hook failed.
local function judge(hook, ok, result, is_bug)
  if ok then
    if result == nil then return nil end
    if refusal.is(result) then return nil, result end
    return result
  end
  if not is_bug then return nil, result end
  if not hook.is_closed then return nil, nil, true end
  return nil, result.code == "plugin-parked" and result or refuse_failure(), true
end

local function call(hook, subject, extra, more)
  return judge(hook, call_one(hook.owner, hook.label, hook.f, subject, extra, more))
end

-- The refusal, if the hook says no.
local function find_refusal(hook, ok, result, is_bug)
  local value, refused = judge(hook, ok, result, is_bug)
  if value == false then
    log.write("warn", ("plugin %s, %s returned false, which does not refuse: return chatty.refuse(...)")
      :format(hook.owner, hook.label), { plugin = hook.owner })
  end
  return refused
end

-- What is wrong with how the hook has left the subject; also behind one that was stopped, and whose plugin is parked
-- for it.
local function recheck(hook, subject, check)
  local owner = parking.has(hook.owner) and "chatty" or hook.owner
  local ok, wrong = protect.call(owner, hook.label, check.run, subject)
  if not ok then return wrong end
end

--- Runs all hooks of a name, until one refuses. Behind each `check.run` raises if the hook has left the subject in a
--- state that cannot be, unless `check.is_untouched`; that one calls nothing that the subject may have of a plugin.
---@param name string
---@param subject table   what the hooks get first; its field dry_run tells that nothing is to happen
---@param extra? any      what they get second
---@param more? any       what they get third
---@param check? {run: fun(subject: table), is_untouched: fun(subject: table): boolean}
---@return refusal|nil
function hooks.run(name, subject, extra, more, check)
  local outer = enter(subject)
  if not outer then return refuse_depth(name) end
  local list, refused = registered[name], nil
  for i = 1, #list do
    local hook = list[i]
    local ok, result, is_bug = call_one(hook.owner, hook.label, hook.f, subject, extra, more)
    if not ok or result ~= nil then refused = find_refusal(hook, ok, result, is_bug) end -- most say nothing
    if not refused and check and not check.is_untouched(subject) then refused = recheck(hook, subject, check) end
    if refused then break end
  end
  nesting(outer)
  return refused
end

local function ask(list, subject, extra)
  local has_failed = false
  for i = 1, #list do
    local result, refused, is_failure = call(list[i], subject, extra)
    if refused then return nil, refused end
    if result ~= nil then return result end
    has_failed = has_failed or is_failure
  end
  if has_failed then return nil, refuse_failure() end
end

--- Runs the hooks of a name until one returns a value, and gives that. nil, refusal if one refuses, or if
--- none gave a value and one failed.
---@param name string
---@param subject table
---@param extra? any
---@return any value, refusal? refused
function hooks.ask(name, subject, extra)
  local outer = enter(subject)
  if not outer then return nil, refuse_depth(name) end
  local value, refused = ask(registered[name], subject, extra)
  nesting(outer)
  return value, refused
end

--- Runs the hooks `start` or `stop`: on worker 0, or on every worker for those that said so.
---@param name "start"|"stop"
---@param what table  what the hooks get
function hooks.run_lifecycle(name, what)
  for _, hook in ipairs(registered[name]) do
    if node.worker == 0 or hook.per == "worker" then call(hook, what) end
  end
end

return hooks
