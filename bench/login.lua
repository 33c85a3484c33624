-- Logins beside events: how long one app server waits for the answer to a notify to a channel of 100 sessions, first
-- alone, then while others log in with right and with wrong passwords on connections of their own. It notifies at a
-- pace that leaves the processors time: passwords get only what the loops do not use.
-- `bench/run login [LOGINS]`, default 1000.
local caller = require "spec.support.caller"
local server = require "spec.support.server"
local uv = require "luv"
local wait = require "spec.support.wait"

local LOGINS = tonumber(arg[1]) or 1000
local SESSIONS, LOGIN_CONNECTIONS, NOTIFIES_ALONE = 100, 8, 1000
local PAUSE = 0.01           -- seconds between an answer and the next notify
local NOTIFIES_BEFORE = 500 -- that are not measured: both rows are of a warm server

local function start()
  return server.start{ settings = {
    WORKERS = 1, LOGIN_RATE_MAX = 1000000, PING_INTERVAL = "1h",
  } }
end

-- Sessions that throw away what they hear, so that the client costs little.
local function open_sessions(chatty)
  local users = {}
  for i = 1, SESSIONS do users[i] = "user-" .. i end
  assert(chatty:subscribe("users:" .. table.concat(users, ","), { "room-1" }).status == 200)
  for _, user in ipairs(users) do
    local session = chatty:connect(user)
    assert(session.status == 101 and session:next())
    session.connection.on_data = function(connection) connection.inbox:take() end
  end
end

-- Milliseconds until the answer.
local function notify(one)
  local began = uv.hrtime()
  one:send_notify("room-1", '{"content":"hello"}')
  assert(assert(one:read()).status == 200)
  return (uv.hrtime() - began) / 1e6
end

local function send_login(one, number)
  local password = number % 2 == 0 and "open sesame" or "wrong sesame"
  one:send("POST", "/auth/login", ('{"username":"ann","password":"%s"}'):format(password))
end

local function open_logins(chatty)
  local logins = { callers = {}, sent = 0, answered = 0, by_status = {} }
  for i = 1, math.min(LOGIN_CONNECTIONS, LOGINS) do
    logins.callers[i] = caller.open(chatty)
    logins.sent = i
    send_login(logins.callers[i], i)
  end
  return logins
end

-- Takes the answers that have come, and sends further logins.
local function go_on(logins)
  for _, one in ipairs(logins.callers) do
    if one.connection.inbox:size() > 0 then
      local status = assert(one:read()).status
      logins.by_status[status] = (logins.by_status[status] or 0) + 1
      logins.answered = logins.answered + 1
      if logins.sent < LOGINS then
        logins.sent = logins.sent + 1
        send_login(one, logins.sent)
      end
    end
  end
end

local function pause(meanwhile)
  local over = uv.hrtime() + PAUSE * 1e9
  wait.until_(function()
    meanwhile()
    return uv.hrtime() >= over
  end)
end

local function measure_alone(one)
  local times = {}
  for i = 1, NOTIFIES_ALONE do
    times[i] = notify(one)
    pause(function() end)
  end
  return times
end

local function measure_beside(one, logins)
  local times = {}
  while logins.answered < LOGINS do
    times[#times + 1] = notify(one)
    pause(function() go_on(logins) end)
  end
  return times
end

local COLUMNS = { "p50", "p99", "max" }

local function summary_of(times)
  table.sort(times)
  return { p50 = times[math.ceil(#times * 0.50)], p99 = times[math.ceil(#times * 0.99)], max = times[#times] }
end

local function print_row(name, count, row, unit)
  io.write(("%-26s"):format(name))
  for _, column in ipairs(COLUMNS) do io.write(("  %s %8.3f%s"):format(column, row[column], unit)) end
  print(count and ("  (%d notifies)"):format(count) or "")
end

local function print_logins(logins, seconds)
  local statuses = {}
  for status in pairs(logins.by_status) do statuses[#statuses + 1] = status end
  table.sort(statuses)
  for _, status in ipairs(statuses) do print(("logins answered %d: %d"):format(status, logins.by_status[status])) end
  print(("%.1f logins a second, %d under way at any time"):format(logins.answered / seconds, #logins.callers))
end

local function print_conditions()
  local processors = uv.cpu_info()
  print(("notify to %d sessions, 1 worker, %d logins, %s"):format(SESSIONS, LOGINS, processors[1].model))
  print(("the client, the server and its passwords share %d cores; times are the client's"):format(#processors))
end

print_conditions()
local chatty = start()
local user = { username = "ann", password = "open sesame" }
assert(chatty:control("POST", "/auth/register", user).status == 200)
open_sessions(chatty)
local one = caller.open(chatty)
for _ = 1, NOTIFIES_BEFORE do notify(one) end

local times = measure_alone(one)
local alone = summary_of(times)
print_row("notify alone", #times, alone, " ms")

local began, logins = uv.hrtime(), open_logins(chatty)
times = measure_beside(one, logins)
local seconds = (uv.hrtime() - began) / 1e9
local beside = summary_of(times)
print_row("notify beside logins", #times, beside, " ms")

local ratio = {}
for _, column in ipairs(COLUMNS) do ratio[column] = beside[column] / alone[column] end
print_row("beside / alone", nil, ratio, "   ")
print_logins(logins, seconds)
chatty:stop()
server.remove_folders()
os.exit(0) -- without closing the state, whose event loop is of no use any more
