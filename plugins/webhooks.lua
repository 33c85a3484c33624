-- Tells the app server what happens: a POST for each event, signed, tried again while the app server does not answer.
--   X-Chatty-Event: online
--   X-Chatty-Id: random, the same in each try
--   X-Chatty-Timestamp: 1767225600
--   X-Chatty-Signature: sha256=HMAC-SHA256 in hexadecimal, by the option `secret`, of timestamp .. "." .. body
--   {"data":{"user":"ann"},"event":"online","id":"...","node":"...","time":"2026-01-01T00:00:00.000Z"}
-- What concerns one user is told in its order: each user belongs to one lane, and a lane tells one thing at a time.
-- What waits is in the memory of the worker. A reload hands it over, and what is under way then may be told twice, with
-- one id; the end of the server drops it.

local chatty = require "chatty"

local plugin = { api = 1, doc = "Tells the app server what happens, by signed POSTs." }

plugin.options = {
  url = { type = "string", required = true, doc = "Where to POST." },
  secret = { type = "string", required = true, secret = true, min = 16, doc = "Signs what is sent." },
  events = {
    type = "list", default = { "online", "offline", "connect", "disconnect", "message" },
    one_of = { "online", "offline", "connect", "disconnect", "message" }, doc = "What is told.",
  },
  queue_max = { type = "integer", default = 1000, min = 1, max = 100000, doc = "What may wait, in each worker." },
  lanes = { type = "integer", default = 4, min = 1, max = 64, doc = "Requests at one time, in each worker." },
  tries = { type = "integer", default = 6, min = 1, max = 20, doc = "How often it is tried." },
  pause = { type = "number", default = 1, min = 0.1, max = 3600, doc = "Seconds before the second try; doubles." },
  pause_max = { type = "number", default = 60, min = 0.1, max = 3600, doc = "Seconds, the longest pause." },
  timeout = { type = "number", default = 5, min = 0.1, max = 60, doc = "Seconds that an answer may take." },
}

local sent = chatty.metrics.counter("webhooks_sent_total", "Hooks that the app server took.", { "event" })
local dropped = chatty.metrics.counter("webhooks_dropped_total", "Hooks that it did not get.", { "event", "reason" })
local retries = chatty.metrics.counter("webhooks_retries_total", "Tries that were not the first.")
local waiting = chatty.metrics.gauge("webhooks_waiting", "Hooks that wait or are being told.")

local options
local lanes = {} -- each a list of hooks { id, event, time, data, user }, the oldest first; is_running: one tells them
local count = 0  -- that wait, or are being told, in this worker
local is_over = false -- handed over: what still runs here stops

local function drop(hook, reason)
  dropped:add(1, { event = hook.event, reason = reason })
  chatty.log.warn("a webhook is dropped", { event = hook.event, id = hook.id, reason = reason })
end

local function headers_of(hook, body)
  local timestamp = ("%d"):format(math.floor(chatty.time.now()))
  return {
    ["Content-Type"] = "application/json",
    ["X-Chatty-Event"] = hook.event,
    ["X-Chatty-Id"] = hook.id,
    ["X-Chatty-Timestamp"] = timestamp,
    ["X-Chatty-Signature"] = "sha256=" .. chatty.secret.hmac(options.secret, timestamp .. "." .. body),
  }
end

-- True; or nil and whether another try may help.
local function try(hook)
  local body = chatty.json.encode {
    id = hook.id, event = hook.event, time = hook.time, node = chatty.node.name, data = chatty.json.raw(hook.data),
  }
  local answer = chatty.http.post(options.url, {
    body = body, headers = headers_of(hook, body), timeout = options.timeout, body_max = 65536,
  })
  if answer and answer.status >= 200 and answer.status < 300 then return true end
  return nil, not answer or answer.status >= 500 or answer.status == 429 or answer.status == 408
end

local function tell(hook)
  local pause = options.pause
  for i = 1, options.tries do
    local ok, may_help = try(hook)
    if ok then return sent:add(1, { event = hook.event }) end
    if not may_help then return drop(hook, "refused") end
    if i == options.tries then return drop(hook, "no answer") end
    chatty.sleep(pause)
    if is_over then return end
    retries:add(1)
    pause = math.min(pause * 2, options.pause_max)
  end
end

-- The hook stays in its lane while it is told, so that a reload hands it over.
local function run(lane)
  while lane[1] do
    tell(lane[1])
    if is_over then return end
    table.remove(lane, 1)
    count = count - 1
    waiting:add(-1)
  end
  lane.is_running = false
end

local function start(lane)
  if lane.is_running then return end
  lane.is_running = true
  if not chatty.spawn(run, lane) then lane.is_running = false end
end

local function lane_of(user)
  local sum = 0
  for i = 1, #user do sum = (sum * 31 + user:byte(i)) % 1000003 end
  return lanes[sum % options.lanes + 1]
end

local function add(hook)
  if count >= options.queue_max then return drop(hook, "queue full") end
  local lane = lane_of(hook.user)
  lane[#lane + 1] = hook
  count = count + 1
  waiting:add(1)
  start(lane)
end

local function queue(event, user, data)
  add {
    id = chatty.secret.random(12), event = event, time = chatty.time.rfc3339(), user = user,
    data = chatty.json.encode(data),
  }
end

local function describe(session, more)
  local data = { user = session.user, session = session.id, transport = session.transport, remote = session.remote }
  for name, value in pairs(more or {}) do data[name] = value end
  return data
end

local hooks = {
  online = function(user) queue("online", user, { user = user }) end,
  offline = function(user) queue("offline", user, { user = user }) end,
  connect = function(session) queue("connect", session.user, describe(session)) end,
  disconnect = function(session, reason, code)
    queue("disconnect", session.user, describe(session, { reason = reason, code = code }))
  end,
  message = function(session, event)
    queue("message", session.user, describe(session, { name = event.name, attributes = chatty.json.raw(event:raw()) }))
  end,
}

function plugin.setup(app, values)
  options = values
  if not options.url:find("^https?://[^/]") then error("the option url must be an http or https URL", 0) end
  for i = 1, options.lanes do lanes[i] = {} end
  for _, event in ipairs(options.events) do app:on(event, hooks[event]) end
end

function plugin.on_unload()
  local list = {}
  for _, lane in ipairs(lanes) do
    for _, hook in ipairs(lane) do list[#list + 1] = hook end
  end
  waiting:add(-count)
  is_over = true
  return list
end

function plugin.on_load(list)
  for _, hook in ipairs(list) do add(hook) end
end

return plugin
