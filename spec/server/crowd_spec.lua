-- Ten thousand sockets connect, receive and leave, and nothing is left over.
local client = require "spec.support.client"
local server = require "spec.support.server"
local wait = require "spec.support.wait"

local CROWD = tonumber(os.getenv "CHATTY_SPEC_CROWD") or 10000

-- What must be back to zero when all have left.
local GAUGES = {
  "sessions", "sockets", "users_online", "channels_live", "queue_bytes", "request_bytes",
}

local function subscribe_all(chatty, count)
  for first = 1, count, 500 do
    local users = {}
    for i = first, math.min(count, first + 499) do users[#users + 1] = "u" .. i end
    local answer = chatty:subscribe("users:" .. table.concat(users, ","), { "room-1" })
    assert.equal(200, answer.status)
  end
end

-- A server with so many sessions, all of them in room-1.
local function start(count, settings)
  settings.URL_MAX, settings.HEADER_MAX = "64kb", "128kb"
  local chatty = server.start{ settings = settings }
  subscribe_all(chatty, count)
  local sessions = client.ws_many(count, function(i)
    return { port = chatty.port, token = chatty:token("u" .. i) }
  end)
  return chatty, sessions
end

local function sent(chatty)
  local text = chatty:control("GET", "/metrics").body
  return tonumber(text:match "\nchatty_deliveries_total (%d+)"), tonumber(text:match "\nchatty_bytes_sent_total (%d+)")
end

local function read_all(sessions, name)
  local count = 0
  for _, session in ipairs(sessions) do
    local event = session:next()
    if event and event.event == name then count = count + 1 end
  end
  return count
end

describe("a crowd", function()
  it("connects, receives and leaves without a trace", function()
    local chatty, sessions = start(CROWD, {})
    assert.equal(CROWD, read_all(sessions, "chatty:connected"))
    assert.equal(CROWD, chatty:metric "sessions")
    local answer = chatty:notify("channels:room-1", "tick", '{"n":1}', "report=true").json()
    assert.same({ users = CROWD, sessions = CROWD }, answer.report.channels["room-1"])
    assert.equal(CROWD, read_all(sessions, "tick"))
    for i, session in ipairs(sessions) do
      if i % 2 == 0 then session:abort() else session:close(1000) end
    end
    for _, gauge in ipairs(GAUGES) do assert.equal(0, chatty:wait_metric(gauge, 0), gauge) end
    assert.is_truthy(wait.until_(function() return chatty:metric "connections" <= 1 end))
    assert.equal(CROWD, chatty:metric "subscriptions")
    assert.equal(0, chatty:stop())
  end)

  it("does not hold up others while it is written to", function()
    local count, bytes = CROWD // 4, 1000
    local chatty, sessions = start(count, { WORKERS = "1" })
    assert.equal(count, read_all(sessions, "chatty:connected"))
    local ticks = 0
    assert.is_truthy(wait.until_(function()
      local deliveries, before = sent(chatty)
      chatty:notify("channels:room-1", "tick", ('"%s"'):format(("x"):rep(bytes)))
      local deliveries_now, now = sent(chatty)
      ticks = ticks + 1
      assert.equal(count, read_all(sessions, "tick"))
      return deliveries_now == deliveries + count and now < before + count * bytes / 2
    end))
    assert.equal(0, chatty:wait_metric("queue_bytes", 0))
    assert.equal(ticks * count, (sent(chatty)))
    assert.equal(0, chatty:stop())
  end)
end)
