-- A client that does not read: it costs bounded memory, is closed with 4002, and delays nobody.
local client = require "spec.support.client"
local server = require "spec.support.server"
local wait = require "spec.support.wait"

local PLUGIN = [[
  local chatty = require "chatty"
  local plugin = { api = 1 }
  function plugin.setup(app)
    app:on("message", function(session, event) return event.attributes end)
    app:on("disconnect", function(session, reason, code)
      chatty.log.info(("gone: %s, %d, %s"):format(session.user, code, reason))
    end)
    app:websocket("/flood", { auth = "none" }, {
      message = function(socket)
        local payload, count = ("x"):rep(100000), 0
        while socket:send(payload) and count < 1000 do
          count = count + 1
          chatty.sleep(0)
        end
        chatty.log.info(("the flood ended: %s"):format(select(3, socket:send("more"))))
      end,
      close = function(socket, code) chatty.log.info("flooded: " .. code) end,
    })
  end
  return plugin
]]

local QUEUE_MAX = 256 * 1024
local LARGE = '{"data":"' .. ("x"):rep(500000) .. '"}'
local MANY = 100 -- of them are more than all buffers of two kernels hold

local function start(settings)
  local all = { SESSION_QUEUE_MAX = QUEUE_MAX, CLOSE_TIMEOUT = "100ms", WORKERS = 1, MAX_REQ_SIZE = "2mb" }
  for name, value in pairs(settings or {}) do all[name] = value end
  return server.start{ settings = all, plugins = { tell = PLUGIN } }
end

-- A live session that reads nothing any more.
local function open_deaf(chatty, user)
  local socket = chatty:connect(user)
  socket:next()
  socket:pause()
  return socket
end

local function open(chatty, user)
  local socket = chatty:connect(user)
  socket:next()
  return socket
end

-- Emits until so many slow readers were closed; how many events that took, nil when it does not happen.
local function flood(chatty, method, readers)
  for i = 1, MANY do
    chatty:notify(method, "large", LARGE)
    if chatty:metric "slow_readers_total" >= readers then return i end
  end
end

local function memory_of(chatty)
  local file = assert(io.open(("/proc/%d/statm"):format(chatty.pid)))
  local _, resident = file:read("n", "n")
  file:close()
  return resident * 4096
end

describe("a slow reader", function()
  it("is closed with 4002 when more waits for it than SESSION_QUEUE_MAX", function()
    local chatty = start()
    local slow = open_deaf(chatty, "slow")
    assert.is_number(flood(chatty, "users:slow", 1))
    assert.is_string(chatty:wait_log("gone: slow, 4002, slow reader"))
    slow:abort()
  end)

  it("is let go though it never reads again, and leaves nothing behind", function()
    local chatty = start()
    local slow = open_deaf(chatty, "slow")
    flood(chatty, "users:slow", 1)
    assert.equal(0, chatty:wait_metric("sessions", 0))
    assert.equal(0, chatty:wait_metric("sockets", 0))
    assert.equal(0, chatty:metric "queue_bytes")
    assert.equal("[]", chatty:control("GET", "/control/search/users").body)
    slow:abort()
  end)

  it("gets what was sent before in order, then 4002, when it reads at last", function()
    local chatty = start{ CLOSE_TIMEOUT = "1m", STOP_TIMEOUT = "1s" }
    local slow = open_deaf(chatty, "slow")
    local sent = flood(chatty, "users:slow", 1)
    slow:resume()
    assert.same({ 4002, "slow reader" }, { slow:expect_closed() })
    local came = 0
    for event in function() return (slow:next()) end do
      assert.equal("large", event.event)
      came = came + 1
    end
    assert.is_true(came < sent, came)
  end)

  it("does not keep the others waiting", function()
    local chatty = start()
    chatty:subscribe("users:slow,quick", { "room-1" })
    local slow, quick = open_deaf(chatty, "slow"), open(chatty, "quick")
    for _ = 1, MANY do
      chatty:notify("channels:room-1", "large", LARGE)
      assert.equal("large", quick:next().event)
      if chatty:metric "slow_readers_total" == 1 then break end
    end
    assert.equal(1, chatty:metric "slow_readers_total")
    chatty:notify("channels:room-1", "afterwards")
    assert.equal("afterwards", quick:next().event)
    slow:abort()
  end)

  it("is not one of another tab of the same user", function()
    local chatty = start()
    local slow, quick = open_deaf(chatty, "ann"), open(chatty, "ann")
    for _ = 1, MANY do
      chatty:notify("users:ann", "large", LARGE)
      assert.equal("large", quick:next().event)
      if chatty:metric "slow_readers_total" == 1 then break end
    end
    assert.equal(1, chatty:wait_metric("sessions", 1))
    slow:abort()
  end)

  it("costs bounded memory, however many they are", function()
    local chatty = start{ CLOSE_TIMEOUT = "1m", STOP_TIMEOUT = "1s" }
    local slow, highest = {}, 0
    for i = 1, 20 do slow[i] = open_deaf(chatty, "slow-" .. i) end
    local names = {}
    for i = 1, 20 do names[i] = "slow-" .. i end
    local before = memory_of(chatty)
    for _ = 1, MANY do
      chatty:notify("users:" .. table.concat(names, ","), "large", LARGE)
      highest = math.max(highest, chatty:metric "queue_bytes")
      if chatty:metric "slow_readers_total" == 20 then break end
    end
    assert.equal(20, chatty:metric "slow_readers_total")
    assert.is_true(highest > 0 and highest <= 20 * (QUEUE_MAX + #LARGE), highest)
    assert.is_true(memory_of(chatty) - before < 40 * 1024 * 1024)
    for i = 1, 20 do slow[i]:abort() end
    assert.equal(0, chatty:wait_metric("queue_bytes", 0))
  end)

  it("counts as a limit that was hit", function()
    local chatty = start()
    local slow = open_deaf(chatty, "slow")
    local before = chatty:metric "limit_hits_total"
    flood(chatty, "users:slow", 1)
    assert.is_true(chatty:metric "limit_hits_total" > before)
    slow:abort()
  end)

  it("may be one that sends and does not read what it is answered", function()
    local chatty = start{ FRAME_MAX = "128kb" }
    local slow = open_deaf(chatty, "slow")
    local frame = ('{"event":"x","ack":1,"attributes":"%s"}'):format(("x"):rep(100000))
    assert.is_true(wait.until_(function()
      if slow.connection:unsent() < 1000000 then slow:send(frame) end
      return chatty:metric "slow_readers_total" == 1
    end))
    assert.is_string(chatty:wait_log("gone: slow, 4002, slow reader"))
    slow:abort()
  end)

  it("is not one that only pauses", function()
    local chatty = start()
    local socket = open_deaf(chatty, "ann")
    for i = 1, 20 do chatty:notify("users:ann", "small", ('{"i":%d}'):format(i)) end
    socket:resume()
    for i = 1, 20 do assert.equal(i, socket:next().attributes.i) end
  end)

  it("is not one that gets an event larger than its queue may be", function()
    local chatty = start()
    local quick = open(chatty, "ann")
    assert.equal(200, chatty:notify("users:ann", "large", LARGE).status)
    assert.equal(500000, #quick:next().attributes.data)
  end)

  it("is not one that gets many events at once", function()
    local chatty = start()
    chatty:subscribe("users:ann", { "room-1", "room-2", "room-3" })
    local quick = open(chatty, "ann")
    local data = '{"data":"' .. ("x"):rep(200000) .. '"}'
    chatty:notify("channels:room-1,room-2,room-3", "large", data)
    for _ = 1, 3 do assert.equal(200000, #quick:next().attributes.data) end
    assert.equal(0, chatty:metric "slow_readers_total")
  end)
end)

describe("a slow reader of a plugin's WebSocket", function()
  it("is closed with 4002, and the plugin is told", function()
    local chatty = start()
    local slow = client.ws{ port = chatty.port, path = "/flood" }
    slow:send("go")
    slow:pause()
    assert.is_string(chatty:wait_log("the flood ended: CLOSED"))
    assert.is_string(chatty:wait_log("flooded: 4002"))
    assert.equal(1, chatty:metric "slow_readers_total")
    assert.equal(0, chatty:wait_metric("queue_bytes", 0))
    slow:abort()
  end)
end)

describe("a client that asks and does not read", function()
  it("by pings costs bounded memory", function()
    local chatty = start()
    local slow = open_deaf(chatty, "slow")
    local pings = {}
    for i = 1, 1000 do pings[i] = "\x89\xfd\0\0\0\0" .. ("p"):rep(125) end
    local bytes = table.concat(pings)
    local highest, rounds_with_queue = 0, 0
    for _ = 1, 3000 do -- the buffers of two kernels are filled first
      slow:write(bytes)
      local now = chatty:metric "queue_bytes"
      highest = math.max(highest, now)
      if now > 0 then rounds_with_queue = rounds_with_queue + 1 end
      if rounds_with_queue == 100 then break end
    end
    assert.equal(100, rounds_with_queue)
    assert.is_true(highest <= 64 * 1024, highest)
    slow:resume()
    slow:ping("at last")
    local last
    repeat last = slow:next_frame() until not last or last.payload == "at last"
    assert.is_table(last)
  end)
end)
