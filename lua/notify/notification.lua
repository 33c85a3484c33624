-- A notification: one event on its way through hooks and options to the bus.

local acks = require "notify.acks"
local add = require "notify.add"
local bus = require "core.bus"
local channels = require "channels"
local event = require "event"
local hooks = require "hooks"
local names = require "names"
local refusal = require "refusal"
local task = require "core.task"
local terms = require "notify.terms"
local unreached = require "notify.unreached"

local notification = {}

local TERMS = { except = true, except_sessions = true, key = true, ttl = true }

local hooked, queues = hooks.registered.notify, channels.queues
local is_lazy, run_all = event.is_lazy, hooks.run

local NOTHING = { users = 0, sessions = 0, per_name = {} }

-- Where the event goes after a hook: "channels" or "users", and the names.
local function read_target(shown)
  if (shown.channels == nil) == (shown.users == nil) then
    error("a hook must leave the event either channels or users", 0)
  end
  if shown.channels then return "channels", shown.channels end
  return "users", shown.users
end

local function check_list(list, what)
  if type(list) ~= "table" then error(("event.%s must be a list of names"):format(what), 0) end
  if #list == 0 then return list end
  local unique, message = names.list(list)
  if not unique then error(("event.%s: %s"):format(what, message), 0) end
  return unique
end

-- Most hooks neither look at where the event goes nor set anything. Those who do get a copy of all.
local function reveal(shown, key, spec)
  if key == "name" then return event.core(shown):name() end
  if key == "efficient" then return spec.efficient or false end
  if key ~= nil and key ~= spec.by and not (TERMS[key] and spec[key] ~= nil) then return nil end
  event.reveal(shown, {
    [spec.by] = names.copy(spec.names), efficient = spec.efficient or false, except = spec.except,
    except_sessions = spec.except_sessions, key = spec.key, ttl = spec.ttl,
  })
  return rawget(shown, key)
end

-- Raises if a hook has left the event in a state that cannot be sent.
local function check(shown)
  local by, list = read_target(shown)
  shown[by] = check_list(list, by)
  if shown.except then shown.except = check_list(shown.except, "except") end
  terms.check_hooked(shown)
  local core = event.core(shown)
  if shown.name == core:name() then return end
  local refused = event.refuse_name(shown.name)
  if refused then error(refused.detail, 0) end
  local ok, message = core:rename(shown.name)
  if not ok then error(message, 0) end
end

-- Lazy: nobody has seen where the event goes.
local CHECK = { run = check, is_untouched = is_lazy }

-- The spec or plan is only read. Nil, and what the hooks made of it if they did; or a refusal.
local function run_hooks(core, spec, by, is_dry)
  local shown = event.lazy(core, by, is_dry, reveal, spec)
  local refused = run_all("notify", shown, nil, nil, CHECK)
  if refused or is_lazy(shown) then return refused end
  return nil, shown
end

local function take_over(spec, shown)
  spec.by, spec.names = read_target(shown)
  spec.efficient, spec.except = shown.efficient and true or false, shown.except
  spec.except_sessions, spec.key, spec.ttl = shown.except_sessions, shown.key, shown.ttl
end

-- What the bus is told beside the common terms; nil when there is nothing. nil, refusal.
local function set_terms(spec)
  local digits, message, code
  if spec.ack and not spec.dry then
    digits, message, code = acks.new()
    if not digits then return refusal.of_failure(message, code) end
  end
  if digits or spec.except_sessions or spec.key or spec.ttl then
    spec.terms = { ack = digits, except_sessions = spec.except_sessions, key = spec.key, ttl = spec.ttl }
  end
end

-- An event of channels whose queue is "latest" has its name as key, unless it has another.
local function set_key(spec)
  if spec.key or spec.by ~= "channels" or not channels.want_latest(spec.names) then return end
  spec.key = (spec.event or spec.events[1]):name()
end

-- Who asks, as `chatty why` tells it; made once for each who asks.
local labels = setmetatable({}, { __mode = "k" })

local function label_of(by)
  local label = labels[by]
  if label then return label end
  if type(by) ~= "table" then return tostring(by) end
  if by.kind == "plugin" then
    label = "the plugin " .. tostring(by.name)
  elseif by.kind == "control" and by.key then
    label = "the control key " .. by.key
  else
    label = by.user and "the token of " .. by.user or "a control key"
  end
  labels[by] = label
  return label
end

local function refuse(message, code)
  if code ~= "LIMIT" then return refusal.of_failure(message, code) end
  return refusal.of("queues-full", nil, nil, { "Retry-After", "1" })
end

local function send(spec, by)
  set_key(spec)
  local refused = set_terms(spec)
  if refused then return nil, refused end
  spec.origin = label_of(by)
  local done, id, code = bus.notify(spec)
  if not done then return nil, refuse(id, code) end
  if spec.if_offline and not spec.dry and hooks.has("unreached") then
    task.spawn(unreached.tell, spec.event or spec.events[1], spec.by, spec.names, spec.except)
  end
  return done, id, spec.terms and spec.terms.ack
end

-- Sends what the hooks have left.
local function finish(spec, options, by)
  if #spec.names == 0 then return (spec.report or spec.dry) and NOTHING or true end
  if options then
    local refused = add.apply(options, spec)
    if refused then return nil, refused end
  end
  return send(spec, by)
end

--- Emits an event. True, or the counts when `spec` says report or dry; nil and a refusal if a hook or an
--- option says no, or it cannot be kept. The spec is used up. Waits for counts, for the store if a durable channel
--- keeps the event, and if somebody on the way does.
---@param spec core.bus.notify
---@param options add.option[]|nil
---@param by guard.identity  who asks; the hooks see it
---@return true|{users: integer, sessions: integer, per_name: table[]}|nil done
---@return string|refusal|nil id   of a kept event
---@return string? ack             the number that clients confirm it with
function notification.emit(spec, options, by)
  if hooks.is_dry() then spec.dry = true end
  if hooked[1] then
    local refused, shown = run_hooks(spec.event, spec, by, spec.dry or false)
    if refused then return nil, refused end
    if shown then take_over(spec, shown) end
  end
  return finish(spec, options, by)
end

local function emit_shortly(plan, core, by)
  local done, id, code = bus.emit(plan.by, plan.names, plan.efficient, core, labels[by] or label_of(by))
  if done then return done, id end
  return nil, code == "INVALID" and event.refuse_name(core:name()) or refuse(id, code)
end

-- As emit_plain, when there are hooks, or queues of which some keep the latest event only.
local function emit_watched(plan, core, by)
  local refused, shown = core:is_reserved() and event.refuse_name(core:name()) or nil, nil
  if not refused and hooked[1] then refused, shown = run_hooks(core, plan, by, false) end
  if refused then return nil, refused end
  if not (shown or queues[1]) then return emit_shortly(plan, core, by) end
  local spec = { by = plan.by, names = plan.names, efficient = plan.efficient, event = core,
    origin = nil, key = nil } -- room for what is set on the way
  if shown then take_over(spec, shown) end
  return finish(spec, nil, by)
end

--- As emit, for what asks for no options, terms or counts: most events do, and if nobody on the way wants more,
--- nothing is made of them. Not within hooks. The plan stays as it is.
---@param plan {by: "channels"|"users", names: string[], efficient: boolean}
---@param core core.event
---@param by guard.identity
---@return true|nil done, string|refusal|nil id
function notification.emit_plain(plan, core, by)
  if hooked[1] or queues[1] then return emit_watched(plan, core, by) end
  return emit_shortly(plan, core, by)
end

return notification
