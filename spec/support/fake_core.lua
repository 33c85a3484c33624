-- Fakes of the C modules of lua/meta/core.lua: as much of each as specs of the Lua half need. A spec says
-- `local core = fake_core.install()` before each example and requires the modules it is about behind that;
-- they are loaded anew each time, so no example sees what another did.

local fake_cage = require "spec.support.fake_cage"
local fake_elsewhere = require "spec.support.fake_elsewhere"
local fake_http = require "spec.support.fake_http"
local fake_engine = require "spec.support.fake_engine"
local fake_event = require "spec.support.fake_event"
local fake_greeting = require "spec.support.fake_greeting"
local fake_json = require "spec.support.fake_json"
local fake_records = require "spec.support.fake_records"
local fake_text = require "spec.support.fake_text"
local fake_userdata = require "spec.support.fake_userdata"

local fake_core = {}

local SETTINGS = {
  REVOCATIONS_MAX = 1000000,
  REQUEST_MEMORY_MAX = 1024 * 1024,
  CONTROL_KEY = { "first-key", "second-key" }, CONTROL_AUTH = "key", ALLOWED_ORIGINS = {},
  PLUGIN_OPTIONS = "options.lua", BATCH_MAX = 100,
  ENABLE = {}, PLUGINS = {}, NAMES_MAX = 100, NAME_MAX = 255, PAGE_SIZE_MAX = 1000, AUTH_TIMEOUT = 10,
  SOCKETIO = true, SOCKETIO_PATH = "/socket.io/", POLLING_MAX = 1000000,
  PING_INTERVAL = 25, EXPIRING_NOTICE = 30, JWT_LEEWAY = 5, REGISTRATION = "control", LOGIN_TTL = 43200,
  LOGIN_RATE_MAX = 10, HTTP_TIMEOUT = 10, TIMERS_MAX = 10, SPAWNED_MAX = 3, HTTP_PRIVATE = false,
  SCRIPT_BUDGET = 0.25, SCRIPT_SETUP_BUDGET = 5, SCRIPT_MEMORY_MAX = 128 * 1048576,
  SCRIPT_VALUE_MAX = 16 * 1048576, OVERRUNS_MAX = 3, OVERRUNS_WINDOW = 600, GRANT = {},
}

local state_of = fake_userdata.state

-- Requests -------------------------------------------------------------------------------------------

local request_methods = {}
local remembered = {} -- by method and target

for _, name in ipairs({ "query", "target", "headers", "body", "remote", "is_upgrade" }) do
  request_methods[name] = function(self) return state_of(self)[name] end
end

function request_methods:parameters(...)
  local values, name, piece = fake_text.modules().query.parse(state_of(self).query)
  if not values then return false, name, piece end
  local found = { ... }
  for i, asked in ipairs(found) do found[i] = values[asked] end
  return table.unpack(found, 1, select("#", ...))
end

function request_methods:remember(value)
  local state = state_of(self)
  remembered[state.method .. " " .. state.target] = value
  state.is_remembered = true
end

function request_methods:header(name) return state_of(self).headers[name] end

function request_methods:bearer()
  local header = state_of(self).headers.authorization
  return header and header:match("^[Bb][Ee][Aa][Rr][Ee][Rr]%f[%z ] *(.*)$")
end

function request_methods:has_key(keys)
  for _, key in ipairs(keys) do
    if key == self:bearer() or key == self:header("x-api-key") then return true end
  end
  return false
end

function request_methods:body_size() return #state_of(self).body end

function request_methods:event()
  local state = state_of(self)
  local document, message, code, pointer = fake_event.read(state.body)
  if not document then return nil, message, code, pointer end
  if document.attributes == nil or document.attributes == fake_json.null then
    return nil, "add the member attributes", "attributes-missing", "/attributes"
  end
  local found, members = fake_event.new(document.event, fake_json.find(state.body, "attributes")), nil
  for name, value in pairs(document) do
    if name ~= "event" and name ~= "attributes" then
      members = members or {}
      members[name] = value
    end
  end
  state.body = ""
  return found, members
end

function request_methods:reply(status, headers, body)
  local state = state_of(self)
  if state.reply or state.session or state.socket then return false end
  state.reply = { status = status, headers = {}, body = body }
  if type(headers) == "string" then
    for name, value in headers:gmatch("([^:]*): (.-)\r\n") do state.reply.headers[name:lower()] = value end
  else
    for i = 1, #headers, 2 do state.reply.headers[headers[i]:lower()] = headers[i + 1] end
  end
  return true
end

function request_methods:handshake_fault()
  local state = state_of(self)
  if not state.is_upgrade then return 426, "upgrade-required", "This address speaks WebSocket only." end
  if state.is_broken then return 400, "websocket-handshake", "Send a key." end
end

function request_methods:offers(protocol)
  local offered = state_of(self).headers["sec-websocket-protocol"] or ""
  return ("," .. offered:gsub("%s", "") .. ","):find("," .. protocol .. ",", 1, true) ~= nil
end

function request_methods:open_session(protocol)
  local state = state_of(self)
  state.session = fake_core.session({ protocol = protocol })
  return state.session
end

function request_methods:open_stream(headers)
  local state = state_of(self)
  state.session = fake_core.session({ stream_headers = headers, transport = "sse" })
  return state.session
end

function request_methods:open_socket(handler)
  local state = state_of(self)
  state.socket = fake_core.socket()
  state_of(state.socket).handler = handler
  return state.socket
end

--- A request: { method, target, headers (lower case), body, is_upgrade }. Its answer stands in
--- fake_core.state(request).reply = { status, headers, body }.
function fake_core.request(fields)
  local target = fields.target or "/"
  local state = {
    method = fields.method or "GET", target = target, headers = fields.headers or {},
    path = target:match("^[^?]*"), query = target:match("%?(.*)$") or "", body = fields.body or "",
    remote = "127.0.0.1", is_upgrade = fields.is_upgrade or false, is_broken = fields.is_broken,
    is_remembered = false,
  }
  return fake_userdata.new(request_methods, state)
end

--- What the Lua half remembered of requests of the same line.
function fake_core.remembered(request)
  local state = state_of(request)
  return remembered[state.method .. " " .. state.target]
end

--- What C says of a request's head beside it: that nothing in it asks for more than JSON.
function fake_core.is_plain(request)
  local headers, json = state_of(request).headers, "application/json"
  local accept, type = headers.accept or json, headers["content-type"] or (request:body_size() == 0 and json)
  return (accept == json or accept == "*/*") and type == json and not (headers.origin or headers["idempotency-key"])
end

-- Sessions and sockets -------------------------------------------------------------------------------

local session_methods = {}

for _, name in ipairs({ "id", "user", "claims", "transport", "remote", "since", "expires", "data" }) do
  session_methods[name] = function(self) return state_of(self)[name] end
end

function session_methods:identify(user, claims, expires)
  local state = state_of(self)
  state.user, state.claims, state.expires = user, claims, expires
  return true
end

function session_methods:set_client(name) state_of(self).client = name end

function session_methods:expect_auth(seconds) state_of(self).auth_timeout = seconds end

function session_methods:join(after, greeting, expires, ack)
  local state = state_of(self)
  if state.join_code then return nil, "no", state.join_code end
  state.is_live, state.after = true, after
  local sent = greeting and greeting(state, expires)
  if sent then
    sent.ack, sent.id = ack, not state.gap and state.cursor or nil
    state.sent[#state.sent + 1] = sent
  end
  return true, state.cursor, state.gap
end

function session_methods:is_live() return state_of(self).is_live end

function session_methods:forget() state_of(self).data = nil end

function session_methods:channels()
  if state_of(self).closed then return nil, "closed", "CLOSED" end
  return state_of(self).channels
end

function session_methods:send(made, ack, id)
  local state = state_of(self)
  if state.closed then return nil, "closed", "CLOSED" end
  local sent = { event = made:name(), attributes = made:attributes(), ack = ack, id = id }
  state.sent[#state.sent + 1] = sent
  return true
end

function session_methods:namespace() return state_of(self).namespace end

function session_methods:ask(made, seconds)
  local state = state_of(self)
  state.asked = { made:name(), made:attributes(), seconds, made:binaries() }
  local answer = state.answer or { nil, "closed", "CLOSED" }
  return answer[1], answer[2], answer[3]
end

function session_methods:close(code, reason)
  local state = state_of(self)
  state.closed = state.closed or { code = code, reason = reason }
end

--- A session; what it sent stands in fake_core.state(session).sent, how it was closed in .closed.
function fake_core.session(fields)
  local state = {
    id = "session-1", transport = "ws", remote = "127.0.0.1", since = 1000, data = {}, sent = {},
    channels = {}, is_live = false,
  }
  for key, value in pairs(fields or {}) do state[key] = value end
  return fake_userdata.new(session_methods, state)
end

local socket_methods = {}

function socket_methods:send(data, binary)
  local sent = state_of(self).sent
  sent[#sent + 1] = { data = data, binary = binary or false }
  return true
end

function socket_methods:close(code, reason)
  state_of(self).closed = { code = code or 1000, reason = reason }
end

function fake_core.socket()
  return fake_userdata.new(socket_methods, { sent = {} })
end

-- The bus --------------------------------------------------------------------------------------------

-- Remembers what it was asked in bus.calls and answers what stands in bus.answers, a list of results.
local function new_bus()
  local bus = { calls = {}, answers = {} }
  function bus.hear() end
  local defaults = {
    notify = { true }, change = { { users = 1, changed = 1 } }, subscriptions = { {} }, participants = { {} },
    users = { {} }, online = { 0 }, count = { { users = 0, sessions = 0 } }, disconnect = { 0 }, park = {},
  }
  for name, default in pairs(defaults) do
    bus[name] = function(...)
      bus.calls[#bus.calls + 1] = { name = name, ... }
      return table.unpack(bus.answers[name] or default, 1, 3)
    end
  end
  function bus.emit(by, names, efficient, made, origin)
    if fake_event.module.is_reserved(made:name()) then return nil, "a reserved name", "INVALID" end
    return bus.notify({ by = by, names = names, efficient = efficient, event = made, origin = origin })
  end
  return bus
end

-- The rest -------------------------------------------------------------------------------------------

-- Tokens are what stands in `known`: text -> { user, claims, expires }, or text -> a code. What was told to
-- workers stands in `revoked`: space and key -> value.
local function new_token()
  local token = { known = {}, revoked = {} }
  local function is_revoked(found)
    local key = token.revocation_key(found.user, found.claims)
    if key and token.revoked["revoked " .. key] then return true end
    local start = tonumber(token.revoked["tokens-from " .. found.user])
    return start and (tonumber(fake_json.find(found.claims, "iat")) or 0) < start
  end
  function token.verify(text)
    local found = token.known[text]
    if type(found) ~= "table" then return nil, "its signature is not valid", found or "TOKEN_INVALID" end
    if is_revoked(found) then return nil, "it was revoked", "TOKEN_REVOKED" end
    return found
  end
  function token.revocation_key(user, claims)
    local id = fake_json.find(claims, "jti")
    return id and id ~= "null" and ("hash of %s %s"):format(id, user) or nil
  end
  function token.revoke(space, key, value)
    token.revoked[space .. " " .. key] = value
    return 0
  end
  function token.sweep_revocations() end
  function token.revocation_count()
    local count = 0
    for _ in pairs(token.revoked) do count = count + 1 end
    return count
  end
  function token.make(claims, ttl)
    token.made = { claims = claims, ttl = ttl }
    return "token-of-" .. claims.sub
  end
  return token
end

-- A file system: path -> text.
local function new_files()
  local files = { tree = {}, modified = 1700000000 }
  local function is_folder(path)
    for name in pairs(files.tree) do
      if name:sub(1, #path + 1) == path .. "/" then return true end
    end
    return false
  end
  function files.kind(path)
    if files.tree[path] then return "file" end
    return is_folder(path) and "folder" or nil
  end
  function files.absolute(path)
    return files.kind(path) and (path:sub(1, 1) == "/" and path or "/here/" .. path)
  end
  function files.read(path)
    if files.tree[path] then return files.tree[path] end
    return nil, "no such file", "NOT_FOUND"
  end
  function files.stat(path)
    if files.tree[path] then return #files.tree[path], files.modified end
    return nil, "no such file", "NOT_FOUND"
  end
  function files.list(path)
    local names, seen = {}, {}
    for name in pairs(files.tree) do
      local entry = name:sub(1, #path + 1) == path .. "/" and name:sub(#path + 2):match("^[^/]+")
      if entry and not seen[entry] then names[#names + 1] = entry end
      if entry then seen[entry] = true end
    end
    table.sort(names)
    return names
  end
  function files.same(a, b) return a == b end
  return files
end

local function new_log()
  local log = { lines = {} }
  function log.write(level, message, fields)
    log.lines[#log.lines + 1] = { level = level, message = message, fields = fields }
  end
  function log.is_on() return true end
  return log
end

local function new_metrics()
  local metrics = { counts = {} }
  function metrics.add(name, amount) metrics.counts[name] = (metrics.counts[name] or 0) + (amount or 1) end
  function metrics.encode() return "chatty_sessions 0\n" end
  metrics.declared, metrics.values, metrics.series_max = {}, {}, 100
  function metrics.declare(name, help, kind, bounds)
    local found = metrics.declared[name]
    if found and found.kind ~= kind then return nil, "it exists already", "EXISTS" end
    metrics.declared[name] = { help = help, kind = kind, bounds = bounds }
    return true
  end
  function metrics.series(name, labels)
    local key = name .. "{" .. labels .. "}"
    if not metrics.values[key] and metrics.series_max == 0 then return nil, "a limit was reached", "LIMIT" end
    if not metrics.values[key] then metrics.series_max = metrics.series_max - 1 end
    metrics.values[key] = metrics.values[key] or { value = 0 }
    return metrics.values[key]
  end
  function metrics.increase(series, amount) series.value = series.value + amount end
  function metrics.set(series, value) series.value = value end
  function metrics.observe(series, value) series[#series + 1] = value end
  return metrics
end

local function new_time()
  local time = { clock = 1700000000.25 }
  function time.now() return time.clock end
  function time.monotonic() return time.clock end
  function time.rfc3339(seconds)
    seconds = seconds or time.clock
    return os.date("!%Y-%m-%dT%H:%M:%S", math.floor(seconds)) .. (".%03dZ"):format(seconds % 1 * 1000)
  end
  return time
end

local function new_history()
  local history = { kept = {} }
  function history.keep(pattern, limits)
    history.kept[pattern] = limits
    return true
  end
  return history
end

-- "argon:TEXT" and, of another kind, "$2b$TEXT" are the hashes; with `failure`, a code, nothing is hashed.
local function new_task()
  local task = { spawned = {}, numbers = {}, id = 1 }
  function task.nesting(number)
    local id = task.id or 0
    local before = task.numbers[id] or 0
    task.numbers[id] = number or before
    return before
  end
  function task.nest(more) return task.nesting(task.nesting() + more) end
  function task.background() end
  function task.spawn(f, ...) task.spawned[#task.spawned + 1] = table.pack(f, ...) end
  function task.sleep(seconds)
    task.slept = seconds
    if task.on_sleep then task.on_sleep(seconds) end
  end
  return task
end

local function new_trace()
  local function find() return {} end
  return { events = find, sessions = find, confirm = function() end }
end

local function settings_with(own)
  local settings = {}
  for name, value in pairs(SETTINGS) do settings[name] = value end
  for name, value in pairs(own or {}) do settings[name] = value end
  return settings
end

local function unload_ours()
  for name in pairs(package.loaded) do
    if package.searchpath(name, "./lua/?.lua;./lua/?/init.lua") then package.loaded[name] = nil end
  end
end

--- Puts fresh fakes in place of the C modules and of the settings, and gives them by name.
function fake_core.install(own_settings)
  unload_ours()
  remembered = {}
  local clock = new_time()
  local modules = {
    bus = new_bus(), cage = fake_cage.new(), engine = fake_engine.new(fake_core.socket),
    event = fake_event.module, greeting = fake_greeting,
    files = new_files(), json = fake_json, log = new_log(),
    metrics = new_metrics(), task = new_task(), time = clock, token = new_token(),
    node = {
      name = "here-1", version = "0.1.0", worker = 0, workers = 1, generation = 1, home = "/home/chatty", settings = {},
    },
    secret = {
      equal = function(a, b) return a == b end,
      random = function(bytes) return ("r"):rep(bytes) end,
      hash = function(text) return "hash of " .. text end,
      hmac = function(key, text) return ("hmac of %s by %s"):format(text, key) end,
    },
    history = new_history(), trace = new_trace(),
    store = fake_records.new_store(clock), shared = fake_records.new_shared(clock),
    http = fake_http.new(), password = fake_elsewhere.password(), reload = fake_elsewhere.reload(),
  }
  for name, module in pairs(fake_text.modules()) do modules[name] = module end
  for name, module in pairs(modules) do package.loaded["core." .. name] = module end
  package.loaded.settings = settings_with(own_settings)
  modules.settings = package.loaded.settings
  return modules
end

fake_core.state = state_of

return fake_core
