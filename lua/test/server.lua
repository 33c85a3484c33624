-- A server under test: what a spec holds in hand as `t`. It starts, fresh, when a test first does something with it,
-- and ends with the test.

local argument = require "argument"
local asserts = require "test.asserts"
local json = require "core.json"
local logs = require "test.logs"
local metrics = require "test.metrics"
local plan = require "test.plan"
local request = require "test.request"
local session = require "test.session"
local sio = require "test.sio"
local socket = require "test.socket"
local stream = require "test.stream"
local trial = require "core.trial"
local wire = require "test.wire"
local words = require "test.words"

local server = {}

local START <const> = 1767225600 -- 2026-01-01T00:00:00Z
local PUMPS_MAX <const> = 10000
local CONNECT_PAUSE <const> = 0.016 -- seconds: what follows CONNECT leaves a moment later
local HANDSHAKE = {
  Connection = "Upgrade", Upgrade = "websocket", ["Sec-WebSocket-Version"] = "13",
  ["Sec-WebSocket-Key"] = "AAAAAAAAAAAAAAAAAAAAAA==",
}

---@class test.server
local Server = {}

local running -- the server of the test that runs

local function start(self)
  if not words.running then
    error("a server runs within a test only: use it in `it`, before_each or after_each", 3)
  end
  if running then error("this test has another server already", 3) end
  self.clients, self.log = {}, logs.new()
  local stubs = self.stubs_of == words.running and self.stubs or {}
  local plan_text = json.encode { sources = json.array(self.sources), stubs = json.array(stubs) }
  local core, failed = trial.new(self.settings, plan_text, math.floor(self.start * 1000))
  if not core then error(logs.first_error(json.decode(failed)) or "the server does not start", 0) end
  self.core = core
  running = self
  self:settle()
end

-- The server, running.
local function use(self)
  if not self.core then start(self) end
  return self.core
end

local function pump_clients(self)
  local has_moved = false
  for i = #self.clients, 1, -1 do
    local client = self.clients[i]
    has_moved = client:pump() or has_moved
    if client:is_over() then table.remove(self.clients, i) end
  end
  return has_moved
end

--- Lets the server and all its clients do what they can do without time going on. Everything else here does so too.
function Server:settle()
  local core = use(self)
  for _ = 1, PUMPS_MAX do
    local ok, message = core:settle()
    self.log:add(json.decode(core:logs()))
    if not ok then error(message, 0) end
    if not pump_clients(self) then return end
  end
  error("the server and its clients never come to rest", 0)
end

--- Seconds since 1970, as chatty.time.now() tells.
---@return number
function Server:now()
  return use(self):now() / 1000
end

--- Lets time go on: timers, sleeps, expiries and whatever else is due happens in its order, each at its time.
---@param seconds number
function Server:advance(seconds)
  argument.type(seconds, "number", "t:advance: the seconds", 2)
  local core = use(self)
  local until_ms = core:now() + math.floor(seconds * 1000 + 0.5)
  while core:step(until_ms) do self:settle() end
end

local function add_client(self, client)
  table.insert(self.clients, 1, client)
  self:settle()
  return client
end

local function pipe_of(self)
  return assert(use(self):connect())
end

--- Sends a request and does not expect its response at once: pending:response() gives it when it has come.
---@param spec test.request
---@return test.pending
function Server:begin(spec)
  return add_client(self, request.send(self, pipe_of(self), spec))
end

--- Sends a request and gives the response.
---@param spec test.request
---@return test.response
function Server:request(spec)
  local pending = self:begin(spec)
  local response = pending:response()
  if response then return response end
  asserts.fail(("%s %s is not answered: its handler waits. Use t:begin, and t:advance."):format(spec.method, spec.path))
end

for _, method in ipairs({ "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS" }) do
  Server[method:lower()] = function(self, path, spec)
    local all = { method = method, path = path }
    for name, value in pairs(spec or {}) do all[name] = value end
    return self:request(all)
  end
end

local function upgrade(self, spec)
  local headers = {}
  for name, value in pairs(HANDSHAKE) do headers[name] = value end
  for name, value in pairs(spec.headers or {}) do headers[name] = value end
  spec.method, spec.headers = "GET", headers
  local opened = wire.new(pipe_of(self))
  opened:send(request.encode(spec, self))
  return opened
end

local function copy(spec)
  local own = {}
  for name, value in pairs(spec or {}) do own[name] = value end
  return own
end

local function open_ws(self, own, user)
  own.path = own.path or "/ws"
  return session.open(self, upgrade(self, own), user)
end

local function open_sse(self, own, user)
  own.method, own.path = "GET", own.path or "/events"
  local opened = wire.new(pipe_of(self))
  opened:send(request.encode(own, self))
  return stream.open(self, opened, user)
end

local function open_sio(self, own, user)
  local namespace, auth = own.namespace, own.auth
  own.namespace, own.auth = nil, nil
  own.path = own.path or "/socket.io/?EIO=4&transport=websocket"
  return sio.open(self, upgrade(self, own), user, { namespace = namespace or "/", auth = auth })
end

local OPEN = { ws = open_ws, sse = open_sse, sio = open_sio }

--- Opens a session of a user.
---@param user? string
---@param spec? test.handshake
---@return test.session
function Server:connect(user, spec)
  local own = copy(spec)
  local open = OPEN[own.transport or "ws"]
  if not open then error("t:connect: the transport is one of ws, sse and sio", 2) end
  own.transport, own.user = nil, own.user or user
  local opened = add_client(self, open(self, own, user))
  if open == open_sio then self:advance(CONNECT_PAUSE) end
  return opened
end

--- Opens a WebSocket of a plugin's own.
---@param path string
---@param spec? test.request
---@return test.socket
function Server:websocket(path, spec)
  local own = copy(spec)
  own.path = path
  return add_client(self, socket.open(setmetatable({}, socket.methods), self, upgrade(self, own)))
end

-- What chatty.* gives there; a call that waits longer than time stands still fails the test.
local function call(self, owner, path, ...)
  local core = use(self)
  local list = table.pack(...)
  for i = 1, list.n do
    if list[i] == nil then list[i] = json.null end
  end
  list.n = nil
  local ok, asked = pcall(json.encode, { owner = owner, path = path, arguments = json.array(list) })
  if not ok then error(("chatty.%s cannot be called from a test: %s"):format(path, asked), 0) end
  local number = core:call(asked)
  self:settle()
  local text = core:answer(number)
  if not text then asserts.fail(("chatty.%s waits for something that does not happen"):format(path)) end
  local answer = json.decode(text)
  if answer.error then error(("chatty.%s: %s"):format(path, answer.error), 0) end
  local results = answer.results
  local count = #results
  for i = 1, count do
    if results[i] == json.null then results[i] = nil end
  end
  return table.unpack(results, 1, count)
end

local STUB = { status = 1, headers = 1, body = 1, json = 1, delay = 1, error = 1, message = 1 }

-- One answer, or several that come one after the other.
local function answers_of(answer)
  local list = answer and (answer[1] and answer or { answer }) or { {} }
  for _, one in ipairs(list) do argument.keys(one, STUB, "t:stub_http", 3) end
  return json.array(list)
end

--- Answers in the place of another server: "http://shop/orders", "POST http://shop/orders", "http://shop/*".
---@param target string
---@param answer? table  or a list of them
function Server:stub_http(target, answer)
  argument.type(target, "string", "t:stub_http: the target", 2)
  local method, url = target:match("^(%u+) (.+)$")
  local stub = { method = method, url = url or target, answers = answers_of(answer) }
  if running == self then return call(self, nil, "stub", stub) end
  if not words.running then error("t:stub_http: use it in `it` or before_each", 2) end
  if self.stubs_of ~= words.running then self.stubs, self.stubs_of = {}, words.running end
  table.insert(self.stubs, stub)
end

--- What the plugins asked other servers in this test.
---@return test.http_call[]
function Server:http_calls()
  local calls = call(self, nil, "calls")
  for _, one in ipairs(calls) do
    one.body = one.hex and one.hex:gsub("%x%x", function(digits) return string.char(tonumber(digits, 16)) end)
    one.json, one.hex = one.body and json.decode(one.body) or nil, nil
  end
  return calls
end

--- What plugins have counted: the sum of all series with these labels; nil when there is none.
---@param name string  as it was declared; of a histogram with _count or _sum
---@param labels? table<string, any>
---@return number|nil
function Server:metric(name, labels)
  return metrics.sum(self:get("/metrics").body, name, labels)
end

--- Stops the server as SIGTERM does. What takes its time takes it by t:advance.
function Server:stop()
  use(self):stop()
  self:settle()
end

--- Loads the plugins anew, as POST /control/reload does, and gives the response.
---@return test.response
function Server:reload()
  return self:post("/control/reload", { control = true })
end

-- chatty, and each group of it: a field is a group and a function at once.
local function proxy(self, owner, path)
  return setmetatable({}, {
    __index = function(_, name) return proxy(self, owner, path and path .. "." .. name or name) end,
    __call = function(_, ...) return call(self, owner, path, ...) end,
  })
end

--- The module `chatty` of a plugin in the server: what is called there happens there.
---@param plugin? string  default: the first one
---@return chatty
function Server:chatty_of(plugin)
  return proxy(self, plugin or self.owner)
end

--- A token of a user.
---@param user string
---@param claims? table
---@param ttl? number  seconds; default: it never dies
---@return string
function Server:token(user, claims, ttl)
  local all = copy(claims)
  all.sub = user
  return call(self, self.owner, "token.make", all, ttl)
end

-- What of an event stands in the query; the rest is the body.
local IN_QUERY = { channels = 1, users = 1, efficient = 1, add = 1, report = 1, dry_run = 1 }

-- What the body calls otherwise than chatty.notify does.
local IN_BODY = { if_offline = "ifOffline" }

local function query_of(event)
  local by = event.channels and "channels" or "users"
  argument.type(event[by], "table", "t:notify: " .. by, 3)
  local method = event.efficient and "channels-efficient" or by
  return {
    method = method .. ":" .. json.encode(json.array(event[by])),
    add = event.add and table.concat(event.add, ","), report = event.report, dryRun = event.dry_run,
  }
end

--- Emits an event as the app server does, with POST /control/notify. Fields as of chatty.notify.
---@param event table
---@return test.response
function Server:notify(event)
  argument.type(event, "table", "t:notify", 2)
  local body = { attributes = {} }
  for name, value in pairs(event) do
    if not IN_QUERY[name] then body[IN_BODY[name] or name] = value end
  end
  return self:post("/control/notify", { control = true, query = query_of(event), json = body })
end

--- Subscribes users to channels, as the app server does.
function Server:subscribe(users, channels)
  local done, message = call(self, self.owner, "subscribe",
    { users = users, channels = channels, by = { kind = "control" } })
  if not done then error(message, 0) end
  return done
end

function Server:unsubscribe(users, channels)
  local done, message = call(self, self.owner, "unsubscribe",
    { users = users, channels = channels, by = { kind = "control" } })
  if not done then error(message, 0) end
  return done
end

--- The lines that were logged, as { level =, message =, fields = }.
function Server:logs()
  use(self)
  return self.log:list()
end

--- A line of the log that matches the pattern. Fails the test when there is none; errors that nobody expects fail it.
---@param pattern string
---@return test.log_line
function Server:expect_log(pattern)
  use(self)
  return self.log:expect(pattern)
end

function Server.__index(self, key)
  if key == "chatty" then return self:chatty_of() end
  return Server[key]
end

--- A server with these plugins.
---@param paths string[]
---@param spec? {options?: table, settings?: table, now?: number}
---@param spec_folder string
---@return test.server
function server.new(paths, spec, spec_folder)
  spec = spec or {}
  argument.keys(spec, { options = 1, settings = 1, now = 1 }, "chatty.test", 3)
  local sources, values = plan.sources(paths, spec_folder), spec.options or {}
  for _, source in ipairs(sources) do
    source.options = values
    if #sources > 1 then source.options = values[source.name] end
  end
  return setmetatable({
    owner = sources[1] and sources[1].name or "test",
    control_key = plan.control_key,
    settings = plan.settings(spec.settings),
    start = spec.now or START,
    sources = sources,
  }, Server)
end

--- The test is over: ends its server, and tells what it logged that nobody expected.
---@return {message: string, lines: string[]}|nil
function server.finish()
  local self = running
  running = nil
  if not self then return nil end
  self.core:close()
  self.core = nil
  return self.log:fault()
end

return server
