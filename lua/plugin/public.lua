-- Builds the module that plugins get by `require "chatty"`. What it promises stands in meta/chatty.lua.
-- Each plugin has one of its own, so that its log lines and its operations carry its name.

local add = require "notify.add"
local argument = require "argument"
local bus = require "core.bus"
local change = require "change"
local emission = require "notify.emission"
local event = require "event"
local glob = require "glob"
local hooks = require "hooks"
local json = require "core.json"
local log = require "core.log"
local names = require "names"
local node = require "core.node"
local plugin_http = require "plugin.http"
local plugin_metrics = require "plugin.metrics"
local plugin_shared = require "plugin.shared"
local plugin_store = require "plugin.store"
local plugin_token = require "plugin.token"
local refusal = require "refusal"
local spawner = require "plugin.spawner"
local task = require "core.task"
local terms = require "notify.terms"
local time = require "core.time"
local secret = require "core.secret"
local view = require "view"

local public = {}

local REASON_MAX <const> = 120
local CODE_DISCONNECTED <const>, CODE_RECONNECT <const> = 4502, 4003

local NOTIFY = {
  channels = 1, users = 1, efficient = 1, event = 1, attributes = 1, except = 1, report = 1, dry_run = 1,
  add = 1, by = 1, ttl = 1, key = 1, ack = 1, if_offline = 1, id = 1,
}
local CHANGE = { users = 1, users_of = 1, channels = 1, dry_run = 1, by = 1, request = 1 }
local DISCONNECT = { reason = 1, reconnect = 1, dry_run = 1 }
local PAGE = { after = 1, size = 1 }
local PARTICIPANTS = { after = 1, size = 1, offline = 1 }
local SOURCE = { parameter = 1, pointer = 1, header = 1 }

-- How a refusal comes out of the public functions: nil, message, code, refusal.
local function failed(refused)
  return nil, refused.detail, refused.code, refused
end

local function check_names(list, what, level)
  if names.is_checked(list) then return list end
  argument.type(list, "table", what, level + 1)
  local checked, message, code = names.list(list)
  if checked then return checked end
  return nil, refusal.of(code, ("%s: %s."):format(what, message))
end

local function check_refuse(status, code, detail, source)
  if math.type(status) ~= "integer" or status < 400 or status > 599 then
    error("chatty.refuse: the status must be a number from 400 to 599", 3)
  end
  if type(code) ~= "string" or not code:find("^[%w_.-]+$") then
    error("chatty.refuse: the code must be a word such as 'not-yours'", 3)
  end
  argument.type(detail, "string?", "chatty.refuse: the detail", 3)
  argument.type(source, "table?", "chatty.refuse: the source", 3)
  if source then argument.keys(source, SOURCE, "chatty.refuse: the source", 3) end
end

local function refuse(status, code, detail, source)
  check_refuse(status, code, detail, source)
  return refusal.new(status, code, detail, source)
end

-- The core event of what a plugin hands to notify; hooks and options work on a copy.
local function event_of(spec, level)
  if type(spec.event) == "string" then
    local refused = event.refuse_name(spec.event)
    if refused then return nil, refused end
    local made, message = event.make(spec.event, spec.attributes)
    return made, not made and refusal.of("event-invalid", refusal.sentence(message))
  end
  local core = event.core(spec.event)
  if not core or spec.attributes ~= nil then
    error("chatty.notify: event must be a name, with attributes, or an event, without", level + 1)
  end
  local refused = event.refuse_name(core:name())
  if refused then return nil, refused end
  if core:binaries() then
    return nil, refusal.of("event-binary", "An event with binary attachments can only be sent to a session.")
  end
  if core ~= spec.event and (spec.add or hooks.has("notify")) then core = core:copy() end
  return core
end

-- What core.bus.notify takes.
local function outgoing(spec, level)
  if (spec.channels == nil) == (spec.users == nil) then
    error("chatty.notify: say either channels or users", level + 1)
  end
  local by = spec.channels and "channels" or "users"
  local list, refused = check_names(spec[by], by, level + 1)
  if not list then return nil, refused end
  local made
  made, refused = event_of(spec, level + 1)
  if not made then return nil, refused end
  if terms.has_any(spec) then terms.check(spec, level + 1) end
  local except, except_sessions = terms.split_except(spec.except)
  return {
    by = by, names = list, efficient = spec.efficient, except = except, event = made,
    report = spec.report, dry = spec.dry_run, ack = spec.ack, if_offline = spec.if_offline,
    except_sessions = except_sessions, key = spec.key, ttl = spec.ttl, id = spec.id,
  }
end

local function notifier(own)
  return function(spec)
    argument.type(spec, "table", "chatty.notify", 2)
    argument.keys(spec, NOTIFY, "chatty.notify", 2)
    local sent, refused = outgoing(spec, 2)
    local options
    if sent and spec.add then options, refused = add.find(spec.add) end
    if refused then return failed(refused) end
    local done, id, ack = emission.run(sent, options, spec.by or own)
    if not done then return failed(id) end
    return done, id, ack
  end
end

local function change_of(what, spec, level)
  if (spec.users == nil) == (spec.users_of == nil) then
    error(what .. ": say either users or users_of", level + 1)
  end
  local made = { dry_run = spec.dry_run or false }
  for _, key in ipairs({ "users", "users_of", "channels" }) do
    if spec[key] ~= nil or key == "channels" then
      local list, refused = check_names(spec[key], ("%s: %s"):format(what, key), level + 1)
      if not list then return nil, refused end
      made[key] = list
    end
  end
  return made
end

local function changer(verb, by)
  local what = "chatty." .. verb
  return function(users, channels)
    local spec = users
    if channels ~= nil then spec = { users = users, channels = channels } end
    argument.type(spec, "table", what, 2)
    argument.keys(spec, CHANGE, what, 2)
    local asked, refused = change_of(what, spec, 2)
    if not asked then return failed(refused) end
    asked.by, asked.request = spec.by or by, spec.request
    local done
    done, refused = change.make(verb, asked)
    if not done then return failed(refused) end
    return { users = done.users, changed = done.changed, channels = asked.channels }
  end
end

local function disconnect(users, options)
  options = options or {}
  argument.keys(options, DISCONNECT, "chatty.disconnect", 2)
  local reason = options.reason or ""
  argument.type(reason, "string", "chatty.disconnect: reason", 2)
  if #reason > REASON_MAX or not utf8.len(reason) then
    error(("chatty.disconnect: reason must be UTF-8 of at most %d bytes"):format(REASON_MAX), 2)
  end
  local list, refused = check_names(users, "chatty.disconnect: users", 2)
  if not list then return failed(refused) end
  local code = options.reconnect and CODE_RECONNECT or CODE_DISCONNECTED
  return bus.disconnect(list, code, reason, options.dry_run or hooks.is_dry())
end

-- An empty list stays one when a plugin answers with it.
local function as_array(list, more, code)
  return list and json.array(list), more, code
end

local search = {}

function search.subscriptions(user)
  return as_array(bus.subscriptions(user))
end

-- What the store keeps of one subscription; nothing but the time of one that is older than such notes.
local function origin_of(channel, text)
  local since, by = text:match("^(%d+) (.*)$")
  return { channel = channel, since = tonumber(since) / 1000, by = by ~= "" and json.decode(by) or nil }
end

function search.origins(user, options)
  if options then argument.keys(options, PAGE, "chatty.search.origins", 2) end
  local channels, texts, more = bus.origins(user, options)
  if not channels then return nil, texts, more end
  local list = {}
  for i, channel in ipairs(channels) do list[i] = origin_of(channel, texts[i]) end
  return json.array(list), more
end

function search.participants(channel, options)
  if options then argument.keys(options, PARTICIPANTS, "chatty.search.participants", 2) end
  return as_array(bus.participants(channel, options))
end

function search.users(options)
  if options then argument.keys(options, PAGE, "chatty.search.users", 2) end
  return as_array(bus.users(options))
end

local users = {}

function users.online(user)
  local sessions, message, code = bus.online(user)
  if not sessions then return nil, message, code end
  return sessions > 0, sessions
end

function users.count()
  local counts, message, code = bus.count()
  if not counts then return nil, message, code end
  return counts.users, counts.sessions
end

local values = {
  null = json.null, array = json.array, raw = json.raw, encode = json.encode,
  decode = function(text) return json.decode(text) end,
  is_array = function(value) return json.is_array(view.value(value)) end,
}

local function logger(owner)
  local levels = {}
  for _, level in ipairs({ "debug", "info", "warn", "error" }) do
    levels[level] = function(message, fields)
      if not log.is_on(level) then return end
      local line = { plugin = owner }
      for name, value in pairs(fields or {}) do line[name] = value end
      log.write(level, tostring(message), line)
    end
  end
  return levels
end

local secrets = {}

function secrets.hmac(key, text)
  argument.type(key, "string", "chatty.secret.hmac: the key", 2)
  argument.type(text, "string", "chatty.secret.hmac: the text", 2)
  return secret.hmac(key, text)
end

function secrets.equal(a, b)
  argument.type(a, "string", "chatty.secret.equal: the first", 2)
  argument.type(b, "string", "chatty.secret.equal: the second", 2)
  return secret.equal(a, b)
end

function secrets.random(bytes)
  if math.type(bytes) ~= "integer" or bytes < 1 or bytes > 1024 then
    error("chatty.secret.random: bytes must be a whole number from 1 to 1024", 2)
  end
  return secret.random(bytes)
end

local function match(pattern, name, given)
  argument.type(pattern, "string", "chatty.match: the pattern", 2)
  argument.type(name, "string", "chatty.match: the name", 2)
  argument.type(given, "table?", "chatty.match: the values", 2)
  return glob.matches(pattern, name, given)
end

-- So that a plugin that writes into a group changes it for nobody else.
local function copy(group)
  local own = {}
  for name, value in pairs(group) do own[name] = value end
  return own
end

--- The module for one plugin.
---@param owner string  the plugin's name
---@return chatty
function public.module(owner)
  local by = { kind = "plugin", name = owner }
  return {
    refuse = refuse,
    match = match,
    secret = copy(secrets),
    notify = notifier(by),
    subscribe = changer("subscribe", by),
    unsubscribe = changer("unsubscribe", by),
    disconnect = disconnect,
    search = copy(search),
    users = copy(users),
    token = plugin_token.tokens(),
    password = plugin_token.passwords(),
    json = copy(values),
    time = { now = time.now, rfc3339 = time.rfc3339, monotonic = time.monotonic },
    log = logger(owner),
    http = plugin_http.of(owner),
    metrics = plugin_metrics.of(owner),
    store = plugin_store.of(owner),
    shared = plugin_shared.of(owner),
    sleep = task.sleep,
    spawn = function(f, ...)
      argument.type(f, "function", "chatty.spawn", 2)
      if hooks.is_dry() then return true end -- a handler of its own would do what it does
      return spawner.spawn(owner, f, ...)
    end,
    node = { name = node.name, version = node.version, worker = node.worker },
  }
end

return public
