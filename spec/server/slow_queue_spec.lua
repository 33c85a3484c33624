-- What waits for a slow session: events that a newer one replaces, or whose time is over, are dropped first; too
-- much or too old ends the session with 4002; too much for all of them together, and nothing new is taken.
local cjson = require "cjson"
local event_stream = require "spec.support.event_stream"
local polling = require "spec.support.polling"
local raw_socketio = require "spec.support.raw_socketio"
local server = require "spec.support.server"
local wait = require "spec.support.wait"

local LARGE = ("x"):rep(400000)

local PLUGIN = [[
local chatty = require "chatty"
return { api = 1, setup = function(app)
  app:channel("log-*", { history = { size = 40 } })
  app:post("/notify", { auth = "none" }, function()
    local done, message, code = chatty.notify{ users = { "quick" }, event = "x" }
    return { json = { done = done, message = message, code = code } }
  end)
end }
]]

describe("the queue of a slow session", function()
  local function start(settings)
    local all = { WORKERS = 1, SESSION_QUEUE_MAX = "1mb", CLOSE_TIMEOUT = "100ms", STOP_TIMEOUT = "1s" }
    for name, value in pairs(settings or {}) do all[name] = value end
    return server.start{ settings = all, plugins = { tell = PLUGIN } }
  end

  local function notify(chatty, event, members, attributes)
    members = members or {}
    members.attributes = attributes
    return chatty:notify_with("users:slow", event, members)
  end

  -- A session that does not read and for which something waits that the kernel does not take.
  local function open_blocked(chatty)
    local socket = chatty:join("slow")
    socket:pause()
    for _ = 1, 100 do
      if chatty:metric "queue_bytes" > 0 then return socket end
      notify(chatty, "large", nil, LARGE)
    end
    error "the kernel takes everything"
  end

  -- The names of the small events that come now.
  local function names_of(chatty, socket)
    notify(chatty, "mark")
    socket:resume()
    local names = {}
    while true do
      local event = assert(socket:next())
      if event.event == "mark" then return names end
      if event.event ~= "large" then names[#names + 1] = ("%s:%d"):format(event.event, event.attributes.n) end
    end
  end

  it("holds of the events with a key only the newest", function()
    local chatty = start()
    local socket = open_blocked(chatty)
    for i = 1, 50 do
      notify(chatty, "price", { key = "price" }, { n = i })
      if i % 10 == 0 then notify(chatty, "other", { key = "other-" .. i }, { n = i }) end
      if i == 25 then notify(chatty, "plain", nil, { n = i }) end
    end
    assert.equal(49, chatty:metric "superseded_total")
    assert.same({ "other:10", "other:20", "plain:25", "other:30", "other:40", "price:50", "other:50" },
      names_of(chatty, socket))
  end)

  it("holds all events with a key for who keeps up", function()
    local chatty = start()
    local socket = chatty:join("slow")
    for i = 1, 20 do notify(chatty, "price", { key = "price" }, { n = i }) end
    assert.equal(20, #names_of(chatty, socket))
    assert.equal(0, chatty:metric "superseded_total")
  end)

  it("is the same for a client that polls, between its polls", function()
    local chatty = start()
    local session = polling.open(chatty.port)
    session:post(('40{"token":"%s"}'):format(chatty:token("slow")))
    assert.matches("^40", session:next())
    assert.matches("chatty:connected", session:next(), 1, true)
    for i = 1, 5 do
      notify(chatty, "price", { key = "price" }, { n = i })
      notify(chatty, "brief", { ttl = 0.01 }, { n = i, data = LARGE:sub(1, 150000) })
    end
    wait.until_(function() return false end, 0.05)
    for i = 6, 11 do notify(chatty, "last", nil, { n = i, data = LARGE:sub(1, 150000) }) end
    local names = {}
    repeat
      local name, n = session:next():match('42%["(%w+)",{.-"n":(%d+)')
      names[#names + 1] = name and name .. ":" .. n
    until n == "11"
    assert.same({ "price:5", "last:6", "last:7", "last:8", "last:9", "last:10", "last:11" }, names)
    assert.same({ 4, 5, 0, 0 }, { chatty:metric "superseded_total", chatty:metric "expired_total",
      chatty:metric "slow_readers_total", chatty:metric "queue_bytes" })
  end)

  it("stays small though many events of one key are emitted", function()
    local chatty = start()
    local socket = open_blocked(chatty)
    for _ = 1, 20 do notify(chatty, "large", { key = "large" }, LARGE) end
    assert.equal(0, chatty:metric "slow_readers_total")
    assert.same({}, names_of(chatty, socket))
  end)

  it("lets events go whose ttl is over, before it is full", function()
    local chatty = start()
    local socket = open_blocked(chatty)
    notify(chatty, "brief", { ttl = 0.01 }, { n = 1, data = LARGE })
    notify(chatty, "long", { ttl = 100 }, { n = 2 })
    wait.until_(function() return false end, 0.05)
    notify(chatty, "last", nil, { n = 3, data = LARGE })
    notify(chatty, "last", nil, { n = 4, data = LARGE })
    assert.equal(1, chatty:metric "expired_total")
    assert.equal(0, chatty:metric "slow_readers_total")
    assert.same({ "long:2", "last:3", "last:4" }, names_of(chatty, socket))
  end)

  it("ends with 4002 when something waits longer than SESSION_QUEUE_AGE", function()
    local chatty = start{ SESSION_QUEUE_AGE = "100ms" }
    local socket = open_blocked(chatty)
    assert.is_true(wait.until_(function()
      notify(chatty, "small")
      return chatty:metric "slow_readers_total" == 1
    end))
    socket:abort()
  end)

  it("does not age while the peer reads, however much there is", function()
    local chatty = start{ SESSION_QUEUE_AGE = "1s", SESSION_QUEUE_MAX = "64mb" }
    local socket = open_blocked(chatty)
    socket:resume()
    local began = os.time()
    while os.time() < began + 3 do
      notify(chatty, "large", nil, LARGE)
      assert.is_table(socket:next())
    end
    assert.equal(0, chatty:metric "slow_readers_total")
  end)

  it("ends before the events of the others are refused, however many are slow #threads", function()
    local chatty = start{ QUEUES_MAX = "4mb", WORKERS = 2 }
    local sockets = {}
    for i = 1, 12 do
      sockets[i] = chatty:join("slow")
      sockets[i]:pause()
    end
    local quick = chatty:join("quick")
    local most = 0
    assert.is_truthy(wait.until_(function()
      local answer = chatty:control("POST", "/control/notify?method=users:slow,quick",
        { event = "x", attributes = LARGE:sub(1, 50000) })
      assert.equal(200, answer.status)
      assert.equal("x", quick:next().event)
      most = math.max(most, chatty:metric "queue_bytes")
      return chatty:metric "slow_readers_total" == #sockets
    end))
    assert.is_true(most > 2 * 1024 * 1024 and most <= 4 * 1024 * 1024, most)
    for _, socket in ipairs(sockets) do socket:abort() end
  end)

  it("is not one while the peer was not offered what waits, as when a session comes back for much", function()
    local chatty = start{ QUEUES_MAX = "64kb" }
    chatty:subscribe("users:quick", { "log-1" })
    local socket = chatty:connect("quick")
    local id = socket:next().id
    socket:abort()
    for _ = 1, 40 do chatty:notify("channels:log-1", "x", '"' .. LARGE:sub(1, 10000) .. '"') end
    for _ = 1, 10 do
      local again = chatty:connect("quick", { path = "/ws?after=" .. id })
      again:next()
      for _ = 1, 40 do assert.equal("x", assert(again:next()).event) end
      again:abort()
    end
    assert.equal(0, chatty:metric "slow_readers_total")
  end)

  it("is refused more, with all others together, when they hold more than QUEUES_MAX", function()
    local chatty = start{ QUEUES_MAX = "64kb", MAX_REQ_SIZE = "32mb" }
    local socket = chatty:join("slow")
    socket:pause()
    notify(chatty, "huge", nil, ("x"):rep(16 * 1024 * 1024)) -- one event waits, however large it is
    local refused = notify(chatty, "small")
    assert.same({ 503, "queues-full", "1" },
      { refused.status, refused.json().errors[1].code, refused.headers["retry-after"] })
    assert.equal("queues-full", cjson.decode(chatty:request{ method = "POST", path = "/notify" }.body).code)
    socket:resume()
    assert.is_truthy(wait.until_(function() return notify(chatty, "small").status == 200 end))
  end)

  -- Clients of each kind that take one event and then nothing more.
  local KINDS = {
    websocket = function(chatty) return chatty:join("slow") end,
    ["Socket.IO"] = function(chatty) return (raw_socketio.join(chatty, "slow")) end,
    ["event stream"] = function(chatty)
      local stream = event_stream.open{ port = chatty.port, token = chatty:token("slow") }
      stream:next()
      return stream.connection
    end,
  }

  for kind, open in pairs(KINDS) do
    it("that holds up all others for a second is dropped: " .. kind .. " #threads", function()
      local chatty = start{ QUEUES_MAX = "4mb", MAX_REQ_SIZE = "32mb", WORKERS = 2 }
      local sockets = {}
      for i = 1, 3 do
        sockets[i] = open(chatty)
        sockets[i]:pause()
      end
      local quick = chatty:join("quick")
      notify(chatty, "huge", nil, ("x"):rep(16 * 1024 * 1024))
      assert.is_truthy(wait.until_(function() return chatty:metric "slow_readers_total" == #sockets end))
      assert.is_truthy(wait.until_(function() return chatty:notify("users:quick", "small").status == 200 end))
      assert.equal("small", quick:next().event)
      for _, socket in ipairs(sockets) do socket:abort() end
    end)
  end
end)
