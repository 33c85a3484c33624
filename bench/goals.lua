-- The rows of the table: which case each comes from, what of it is looked at, and what the goal is.

local goals = {}

---@class bench.Row
---@field work string
---@field case string
---@field goal string
---@field value fun(report: table): number
---@field beside? fun(report: table): number  shown in brackets
---@field format string
---@field beside_format? string
---@field ratio_max? number        of the floor's value
---@field value_max? number
---@field value_min? number
---@field beside_max? number
---@field beside_min? number
---@field floor? string            the server that tells how slow this machine is; "floor"
---@field floor_then? number       its value where the goal, a time or a rate, was set

local function delivery(report) return report.deliver.cpu_us end
local function idle_share(report) return report.idle.cpu_seconds / report.idle.seconds end
local function session_bytes(report) return report.memory.session_bytes end
local function delivery_user(report) return report.deliver.user_us end

local function fan_out(row)
  row.value, row.beside = delivery, delivery_user
  row.format, row.beside_format = "%.2f", "%.2f"
  return row
end

goals.FAN_OUT = {
  title = "Fan-out: CPU microseconds per delivery (of it user time)",
  rows = {
    fan_out{ work = "1 publisher flat out, 1,000 subscribers, 128 B", case = "one publisher",
      goal = "<= 1.05 x floor, user <= 0.35", ratio_max = 1.05, beside_max = 0.35, floor_then = 6.98 },
    fan_out{ work = "the same, 1 KiB", case = "one publisher, 1 KiB", goal = "<= 1.05 x floor", ratio_max = 1.05 },
    fan_out{ work = "the same, 10,000 subscribers, 128 B", case = "many sessions",
      goal = "<= 1.05 x floor, user <= 0.45", ratio_max = 1.05, beside_max = 0.45, floor_then = 8.50 },
    fan_out{ work = "20 events/s, 1,000 subscribers", case = "20 events a second", goal = "<= 1.05 x floor",
      ratio_max = 1.05 },
    fan_out{ work = "8 publishers flat out, 1,000 subscribers, 128 B", case = "eight publishers", goal = "<= 0.70",
      value_max = 0.70, floor = "floor_batched", floor_then = 0.85 },
    { work = "deliveries a second of these", case = "eight publishers", goal = ">= 1,000,000", format = "%.0f",
      value = function(report) return report.deliver.per_second end, value_min = 1e6, floor = "floor_batched",
      floor_then = 1e6 / 0.85 },
  },
}

goals.SIZE = {
  title = "Size and connecting",
  rows = {
    { work = "memory of the process per idle session (bytes)", case = "idle", goal = "<= 900",
      value = session_bytes, format = "%.0f", value_max = 900 },
    { work = "CPU per connect (us)", case = "many sessions", goal = "<= 35", format = "%.1f", value_max = 35,
      value = function(report) return report.connect.cpu_us end, floor_then = 20.5 },
    { work = "CPU of 10,000 idle sessions (share of a core)", case = "idle", goal = "<= 0.001", format = "%.4f",
      value_max = 0.001, value = idle_share },
  },
}

goals.NOTIFY = {
  title = "Notify over HTTP, no subscriber: CPU microseconds per POST (requests/s on one core)",
  rows = {
    { work = "8 keep-alive connections", case = "nobody listens", goal = "<= 10 (>= 95,000)", format = "%.1f",
      value_max = 10, value = function(report) return report.notify.cpu_us end,
      beside = function(report) return report.notify.per_second end, beside_format = "%.0f", beside_min = 95000,
      floor_then = 6.6 },
  },
}

--- The tables that have a column for each server.
goals.BESIDE = { goals.FAN_OUT, goals.SIZE, goals.NOTIFY }

-- What is looked at in the reports of the growth cases, and how much it may differ. Only notify has a goal in numbers;
-- what walks larger tables misses more caches, but must not walk more.
local COSTS = {
  { "notify to a channel of 100", function(report) return report.notify.cpu_us end, 1.10 },
  { "connect", function(report) return report.connect.cpu_us end, 2 },
  { "disconnect", function(report) return report.leave.cpu_us end, 2 },
  { "subscribe, per pair", function(report) return report.subscribe.cpu_us end, 2 },
  { "unsubscribe, per pair", function(report) return report.unsubscribe.cpu_us end, 2 },
}

---@class bench.Finding
---@field what string
---@field goal string
---@field measured string
---@field reached boolean|nil  nil: there is no goal, or it cannot be measured here

---@class bench.Measured
---@field median fun(case: string, server: string, value: function): number|nil  nil when it was not measured
---@field paired fun(base: bench.Of, other: bench.Of, value: function, combine: function): number|nil

local function quotient(base, other) return other / base end
local function difference(base, other) return other - base end

-- What one took as a multiple of what another did.
---@param measured bench.Measured
---@param what string
---@param base bench.Of
---@param other bench.Of
---@param value fun(report: table): number
---@param max number
---@param unit string
local function ratio_of(measured, what, base, other, value, max, unit)
  local ratio = measured.paired(base, other, value, quotient)
  if not ratio then return nil end
  return { what = what, goal = ("<= %.2f x"):format(max), reached = ratio <= max,
    measured = ("%.2f x: %.1f and %.1f %s"):format(ratio, measured.median(base[1], base[2], value),
      measured.median(other[1], other[2], value), unit) }
end

local function without_goal(finding)
  if finding then finding.goal, finding.reached = "", nil end
  return finding
end

local function add_growth(findings, measured)
  for _, cost in ipairs(COSTS) do
    local what = cost[1] .. ", with 1,000,000 other channels and 100,000 users against 10 and 100"
    findings[#findings + 1] = ratio_of(measured, what, { "few others", "chatty" }, { "many others", "chatty" },
      cost[2], cost[3], "us")
  end
end

-- The goal for idle sessions stands in another table; this says what of it pings alone need: one send and one read for
-- each, and their part of a wait.
local function add_idle(findings, measured)
  local median = measured.median
  local share = median("idle", "floor_pings", idle_share)
  local sessions = median("idle", "floor_pings", function(report) return report.sessions end)
  if not share then return end
  findings[#findings + 1] = { what = "10,000 idle sessions of a floor that does nothing but ping each every 25 s",
    goal = "", measured = ("%.4f of a core: %.1f us for each ping and its answer, where the goal leaves 2.5"):format(
      share, share * 25 / sessions * 1e6) }
end

-- A floor of as many threads says what of it the kernel takes, which switches between them.
local function add_workers(findings, measured)
  for _, count in ipairs{ 2, 4 } do
    local what = ("CPU per delivery with %d workers against one, on one core"):format(count)
    local function ratio(server, suffix)
      local one, several = { "1 workers", server }, { count .. " workers", server }
      return ratio_of(measured, what .. suffix, one, several, delivery, 1.05, "us")
    end
    findings[#findings + 1] = ratio("chatty", "")
    findings[#findings + 1] = without_goal(ratio("floor", ": a floor of as many threads"))
  end
end

local function add_cores(findings, measured)
  local median = measured.median
  local function rate(report) return report.deliver.per_second end
  local one, two = median("1 workers on all cores", "chatty", rate), median("2 workers on all cores", "chatty", rate)
  if not (one and two) then return end
  findings[#findings + 1] = { what = "deliveries/s with 2 workers against one, 8 publishers, load on the same cores",
    goal = "", measured = ("%.2f x: %.0f and %.0f"):format(two / one, one, two) }
end

local function add_latency(findings, measured)
  local median = measured.median
  local case = "20 events a second"
  for _, one in ipairs{ { "p50", 1.1 }, { "p99", 1.2 } } do
    local name, max = one[1], one[2]
    local function latency(report) return report.latency_us[name] end
    findings[#findings + 1] = ratio_of(measured, ("latency at 20 events/s, %s, against the floor's"):format(name),
      { case, "floor" }, { case, "chatty" }, latency, max, "us")
  end
  local answer = median(case, "chatty", function(report) return report.answer_us.p50 end)
  if not answer then return end
  findings[#findings + 1] = { what = "the publisher's answer at 20 events/s, p50", goal = "<= 0.4 ms",
    measured = ("%.3f ms"):format(answer / 1000), reached = answer <= 400 }
end

local function add_subscriptions(findings, measured)
  local median = measured.median
  local one = median("one subscription", "chatty", session_bytes)
  local more = median("101 subscriptions", "chatty", session_bytes)
  local standing = median("standing", "chatty", function(report)
    return report.memory.fill_bytes / report.fill.count
  end)
  if not (one and more and standing) then return end
  local live = (more - one) / 100 - standing
  findings[#findings + 1] = { what = "each further standing subscription", goal = "<= 100 bytes",
    measured = ("%.0f bytes"):format(standing), reached = standing <= 100 }
  findings[#findings + 1] = { what = "each further subscription of a live session, beside the standing one",
    goal = "<= 64 bytes", measured = ("%.0f bytes"):format(live), reached = live <= 64 }
end

local function add_transports(findings, measured)
  for _, one in ipairs{ { "chatty_sse", "Server-Sent Events" }, { "chatty_socketio", "Socket.IO" } } do
    local server, name = one[1], one[2]
    local plain, other = { "transports", "chatty" }, { "transports", server }
    findings[#findings + 1] = ratio_of(measured, ("CPU per delivery over %s against WebSocket"):format(name), plain,
      other, delivery, 1.10, "us")
    findings[#findings + 1] = ratio_of(measured, ("memory of an idle session over %s against WebSocket"):format(name),
      plain, other, session_bytes, 2, "bytes")
  end
end

local function add_peak(findings, measured)
  local median = measured.median
  local function memory(name)
    return median("peak", "chatty", function(report) return report.memory[name] end)
  end
  local start, full, rest = memory "start_bytes", memory "full_bytes", memory "rest_bytes"
  if not (start and full and rest) then return end
  findings[#findings + 1] = { what = "memory of the process before 10,000 sessions, with them, when they had left",
    goal = "<= 1.2 x before + 4 MB", reached = rest <= 1.2 * start + 4e6,
    measured = ("%.1f, %.1f, %.1f MB"):format(start / 1e6, full / 1e6, rest / 1e6) }
end

local function add_history(findings, measured)
  local median = measured.median
  local function notify(report) return report.notify.cpu_us end
  findings[#findings + 1] = ratio_of(measured, "CPU of a notify into a channel with history against one without",
    { "without history", "chatty" }, { "with history", "chatty" }, notify, 1.20, "us")
  for _, name in ipairs{ "8 publishers with durable history", "64 publishers with durable history" } do
    local cpu = median(name, "chatty", notify)
    findings[#findings + 1] = cpu and { what = "notify by " .. name, goal = "",
      measured = ("%.1f us of CPU, %.0f a second, all committed"):format(cpu,
        median(name, "chatty", function(report) return report.notify.per_second end)) }
  end
  local seconds = median("replay", "chatty", function(report) return report.replay.seconds end)
  if not seconds then return end
  findings[#findings + 1] = { what = "10,000 sessions come back for 100 events that they missed", goal = "",
    measured = ("%.1f s, %.0f us of CPU each, %.1f MB more memory"):format(seconds,
      median("replay", "chatty", function(report) return report.replay.cpu_us end),
      median("replay", "chatty", function(report) return report.memory.replay_bytes end) / 1e6) }
end

local function add_handlers(findings, measured)
  local median = measured.median
  local function cpu(report) return report.notify.cpu_us end
  local plain, hooked = median("no hook", "chatty", cpu), median("an empty hook", "chatty", cpu)
  local more = measured.paired({ "no hook", "chatty" }, { "an empty hook", "chatty" }, cpu, difference)
  if more then
    findings[#findings + 1] = { what = "CPU that an empty notify hook adds to a notify", goal = "<= 1 us",
      measured = ("%.2f us: %.1f and %.1f us"):format(more, plain, hooked), reached = more <= 1 }
  end
  local route = median("a Lua route", "chatty", cpu)
  if not route then return end
  findings[#findings + 1] = { what = "CPU per request of a plugin's route that answers a table as JSON", goal = "",
    measured = ("%.1f us, %.0f requests/s"):format(route,
      median("a Lua route", "chatty", function(report) return report.notify.per_second end)) }
end

local function add_slow_readers(findings, measured)
  local median = measured.median
  local function latency(report) return report.latency_us.p99 end
  local function sessions(report) return report.sessions end
  local function slow(report) return report.slow.count end
  local all, count = median("slow readers", "chatty", sessions), median("slow readers", "chatty", slow)
  if not (all and count) then return end
  local what = ("latency p99 of the others, with %.0f slow readers among %.0f against none"):format(count, all)
  findings[#findings + 1] = ratio_of(measured, what, { "no slow reader", "chatty" }, { "slow readers", "chatty" },
    latency, 1.5, "us")
  local cut = median("slow readers", "chatty", function(report) return report.slow.cut end)
  local function peak(report) return report.memory.peak_bytes end
  local without, with = median("no slow reader", "chatty", peak), median("slow readers", "chatty", peak)
  if not (without and with) then return end
  findings[#findings + 1] = { what = "the most memory of the process with them, over that without them",
    goal = "<= QUEUES_MAX (32 MB)", reached = with - without <= 32 * 1024 * 1024,
    measured = ("%.1f MB: %.1f and %.1f MB; %.0f of them were closed"):format((with - without) / 1e6, without / 1e6,
      with / 1e6, cut) }
end

--- What is compared with itself, or has no peer.
---@param measured bench.Measured
---@return bench.Finding[]
function goals.findings(measured)
  local findings = {}
  add_subscriptions(findings, measured)
  add_growth(findings, measured)
  add_idle(findings, measured)
  add_workers(findings, measured)
  add_cores(findings, measured)
  add_latency(findings, measured)
  add_transports(findings, measured)
  add_peak(findings, measured)
  add_history(findings, measured)
  add_handlers(findings, measured)
  add_slow_readers(findings, measured)
  return findings
end

return goals
