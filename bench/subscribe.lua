-- Standing subscriptions in the embedded store: how many pairs of user and channel a second are committed, by
-- callers side by side, what each costs in memory, how long the server takes to start with them, and what a search
-- costs. `bench/run subscribe [PAIRS]`, default 1,000,000 (100 users a call, 10 channels each).
local caller = require "spec.support.caller"
local server = require "spec.support.server"
local uv = require "luv"

local PAIRS = tonumber(arg[1]) or 1000000
local CALLERS, USERS_PER_CALL, CHANNELS_PER_USER = 8, 100, 10
local SEARCHES = 2000
local TICKS_PER_SECOND = 100 -- of /proc/PID/stat, on every Linux we know

local function read(path)
  local file = assert(io.open(path))
  local text = file:read "a"
  file:close()
  return text
end

-- Seconds of CPU that the process has used.
local function cpu(pid)
  local fields = {}
  for word in read(("/proc/%d/stat"):format(pid)):match("^.*%) (.*)$"):gmatch("%S+") do fields[#fields + 1] = word end
  return (tonumber(fields[12]) + tonumber(fields[13])) / TICKS_PER_SECOND
end

local function resident(pid)
  return tonumber(read(("/proc/%d/status"):format(pid)):match("VmRSS:%s+(%d+)")) * 1024
end

local function seconds()
  return uv.hrtime() / 1e9
end

local function start(folder)
  return server.start{
    folder = folder,
    settings = { STORE = "sqlite:chatty.db", WORKERS = 1, URL_MAX = "64kb", HEADER_MAX = "128kb",
      LOG_LEVEL = "info" },
  }
end

local function document(first)
  local items = {}
  for i = 1, CHANNELS_PER_USER do items[i] = ('{"type":"room","id":"%d"}'):format((first * 7 + i) % 50000) end
  return ('{"data":[%s]}'):format(table.concat(items, ","))
end

local function send(one, call)
  local users = {}
  for i = 1, USERS_PER_CALL do users[i] = "user-" .. (call * USERS_PER_CALL + i) end
  one:send("POST", "/control/subscription/subscribe?method=users:" .. table.concat(users, ","), document(call))
end

-- All calls, CALLERS of them under way at any time.
local function subscribe_all(chatty)
  local callers, calls = {}, math.ceil(PAIRS / USERS_PER_CALL / CHANNELS_PER_USER)
  for i = 1, CALLERS do
    callers[i] = caller.open(chatty)
    if i <= calls then send(callers[i], i) end
  end
  for call = 1, calls do
    local one = callers[(call - 1) % CALLERS + 1]
    local answer = assert(one:read())
    assert(answer.status == 200, answer.body)
    if call + CALLERS <= calls then send(one, call + CALLERS) end
  end
end

local function print_row(name, format, ...)
  print(("%-34s " .. format):format(name, ...))
end

local function measure_subscribe()
  local chatty = start()
  local memory, used, began = resident(chatty.pid), cpu(chatty.pid), seconds()
  subscribe_all(chatty)
  local took, burnt = seconds() - began, cpu(chatty.pid) - used
  local pairs_kept = chatty:metric "subscriptions"
  print_row("pairs committed", "%d", pairs_kept)
  print_row("pairs per second", "%.0f", pairs_kept / took)
  print_row("pairs per second of CPU", "%.0f", pairs_kept / burnt)
  print_row("memory per pair (bytes)", "%.1f", (resident(chatty.pid) - memory) / pairs_kept)
  return chatty
end

local function measure_search(chatty)
  local one, used = caller.open(chatty), cpu(chatty.pid)
  for i = 1, SEARCHES do
    assert(one:call("GET", "/control/search/subscriptions?userId=user-" .. i * 7 + 100).status == 200)
  end
  print_row("CPU per search (ms)", "%.3f", (cpu(chatty.pid) - used) * 1000 / SEARCHES)
end

local function measure_start(folder)
  local began = seconds()
  local chatty = start(folder)
  print_row("start with all of them (s)", "%.2f", seconds() - began)
  print_row("memory after that (MB)", "%.1f", resident(chatty.pid) / 1024 / 1024)
  chatty:stop()
end

local processor = read("/proc/cpuinfo"):match("model name%s*:%s*([^\n]+)")
print(("%d pairs, %d callers, 1 worker, %s"):format(PAIRS, CALLERS, processor))
local chatty = measure_subscribe()
measure_search(chatty)
chatty:stop()
measure_start(chatty.folder)
server.remove_folders()
os.exit(0) -- without closing the state, whose event loop is of no use any more
