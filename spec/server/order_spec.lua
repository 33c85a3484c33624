-- One order per channel (CONTRACT 1.3), and what a 200 means (1.2), with several workers at once.
local caller = require "spec.support.caller"
local server = require "spec.support.server"
local wait = require "spec.support.wait"

local ROUNDS = tonumber(os.getenv "CHATTY_SPEC_ROUNDS") or 1000

local function open_callers(chatty, count)
  local callers = {}
  for i = 1, count do callers[i] = caller.open(chatty) end
  return callers
end

-- Sessions of one user each, all subscribed to `channel`.
local function open_sessions(chatty, count, channel)
  local users, sessions = {}, {}
  for i = 1, count do users[i] = "user-" .. i end
  assert.equal(200, chatty:subscribe("users:" .. table.concat(users, ","), { channel }).status)
  for i, user in ipairs(users) do
    sessions[i] = chatty:connect(user)
    assert.equal("chatty:connected", sessions[i]:next().event)
  end
  return sessions
end

-- The serial numbers of the next `count` events.
local function collect(session, count)
  local seen = {}
  for i = 1, count do
    local event = session:next()
    if not event then return seen end
    seen[i] = event.attributes.n
  end
  return seen
end

describe("one order per channel", function()
  it("is the same for all sessions, whoever publishes on whichever worker #threads", function()
    local chatty = server.start{ settings = { WORKERS = 4 } }
    local sessions = open_sessions(chatty, 8, "room-1")
    local callers, each = open_callers(chatty, 8), math.ceil(ROUNDS / 8)
    for i, one in ipairs(callers) do
      for k = 1, each do one:send_notify("room-1", ('{"n":%d}'):format(i * 1000000 + k)) end
    end
    for _, one in ipairs(callers) do
      for _ = 1, each do assert.equal(200, one:read().status) end
    end
    local first = collect(sessions[1], each * #callers)
    assert.equal(each * #callers, #first)
    for i = 2, #sessions do assert.same(first, collect(sessions[i], #first)) end
  end)

  it("keeps the order in which one publisher sent #threads", function()
    local chatty = server.start{ settings = { WORKERS = 4 } }
    local sessions = open_sessions(chatty, 4, "room-1")
    local publisher, expected = caller.open(chatty), {}
    for n = 1, ROUNDS do
      publisher:send_notify("room-1", ('{"n":%d}'):format(n))
      expected[n] = n
    end
    for _, session in ipairs(sessions) do assert.same(expected, collect(session, ROUNDS)) end
  end)
end)

-- Takes what comes until the event `mark`; returns the names of the events before it.
local function until_mark(session)
  local names = {}
  repeat
    local event = session:next()
    names[#names + 1] = event and event.attributes.name
  until not event or event.event == "mark"
  return names
end

local function mark(chatty, user)
  assert.equal(200, chatty:notify("users:" .. user, "mark").status)
end

describe("a 200", function()
  it("of subscribe means that every later notify, sent anywhere, finds the subscription #threads", function()
    local chatty = server.start{ settings = { WORKERS = 4 } }
    local session = chatty:connect("ann")
    session:next()
    local callers, expected = open_callers(chatty, 5), {}
    for n = 1, ROUNDS do
      local one, other = callers[n % 5 + 1], callers[(n * 3 + 1) % 5 + 1]
      assert.equal(200, one:change("subscribe", "ann", "room-" .. n).status)
      other:send_notify("room-" .. n, ('{"name":%d}'):format(n))
      assert.equal(200, other:read().status)
      expected[n] = n
    end
    mark(chatty, "ann")
    assert.same(expected, until_mark(session))
  end)

  it("of unsubscribe means that no later notify, sent anywhere, finds it #threads", function()
    local chatty = server.start{ settings = { WORKERS = 4 } }
    local session = chatty:connect("ann")
    session:next()
    local callers = open_callers(chatty, 5)
    for n = 1, ROUNDS do
      local one, other = callers[n % 5 + 1], callers[(n * 3 + 1) % 5 + 1]
      one:change("subscribe", "ann", "room-" .. n)
      assert.equal(200, one:change("unsubscribe", "ann", "room-" .. n).status)
      other:send_notify("room-" .. n, ('{"name":%d}'):format(n))
      assert.equal(200, other:read().status)
    end
    mark(chatty, "ann")
    assert.same({}, until_mark(session))
  end)

  it("of subscribe holds for a session that connects at the same moment #threads", function()
    local chatty = server.start{ settings = { WORKERS = 4 } }
    local callers = open_callers(chatty, 3)
    for n = 1, math.ceil(ROUNDS / 20) do
      local user, channel = "user-" .. n, "room-" .. n
      callers[1]:send("POST", "/control/subscription/subscribe?method=users:" .. user,
        ('{"data":{"type":"room","id":"%d"}}'):format(n))
      local session = chatty:connect(user)
      assert.equal(200, callers[1]:read().status)
      assert.equal("chatty:connected", session:next().event)
      callers[2]:send_notify(channel, '{"name":1}')
      assert.equal(200, callers[2]:read().status)
      assert.equal("tick", (session:next() or {}).event)
      session:abort()
    end
    assert.equal(0, chatty:wait_metric("sessions", 0))
  end)
end)

describe("a report", function()
  it("counts a user with sessions on several workers once, and all his sessions #threads", function()
    local chatty = server.start{ settings = { WORKERS = 4 } }
    chatty:subscribe("users:ann", { "room-1" })
    local sessions = {}
    for i = 1, 12 do
      sessions[i] = chatty:connect("ann")
      sessions[i]:next()
    end
    local answer = chatty:notify("channels:room-1", "tick", "{}", "report=true").json()
    assert.same({ users = 1, sessions = 12 }, answer.report.channels["room-1"])
    for _, session in ipairs(sessions) do session:abort() end
    assert.equal(0, chatty:wait_metric("sessions", 0))
    assert.is_truthy(wait.until_(function() return chatty:metric "sockets" == 0 end))
  end)
end)
