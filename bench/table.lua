-- The whole table in one run: every case on each of its servers in turns, medians over the rounds, beside the goals.
-- `bench/run table [--quick] [--rounds N] [--only CASE,...] [--servers NAME,...] [--output FILE]`. The full table goes
-- to bench/RESULTS.md, a part of it to standard output, unless a file is named.
local cases = require "bench.cases"
local peers = require "bench.peers"
local results = require "bench.results"

local ROUNDS = 3
local QUIET = 0.7 -- load before the start, up to which a machine has nothing else to do
local PAGE = "bench/RESULTS.md"

local function fail(line)
  io.stderr:write("bench: ", line, "\n")
  os.exit(2)
end

local function split(list)
  local set = {}
  for name in list:gmatch("[^,]+") do set[name] = true end
  return set
end

local function read_arguments()
  local asked = { rounds = ROUNDS }
  local i = 1
  while arg[i] do
    local name, value = arg[i]:match("^%-%-(%l+)=?(.*)$")
    if name == "quick" then
      asked.quick, asked.rounds = true, 1
    elseif name == "rounds" or name == "only" or name == "servers" or name == "output" then
      if value == "" then i, value = i + 1, arg[i + 1] or fail("--" .. name .. " has no value") end
      asked[name] = value
    else
      fail("unknown flag " .. arg[i])
    end
    i = i + 1
  end
  asked.rounds = math.tointeger(asked.rounds) or fail("--rounds must be a number")
  asked.is_full = not (asked.quick or asked.only or asked.servers)
  return asked
end

local function chosen_cases(asked)
  local only, chosen = asked.only and split(asked.only), {}
  for _, case in ipairs(cases.list(asked.quick)) do
    if not only or only[case.name] then chosen[#chosen + 1] = case end
  end
  if chosen[1] then return chosen end
  local names = {}
  for _, case in ipairs(cases.list()) do names[#names + 1] = case.name end
  fail("there are these cases: " .. table.concat(names, ", "))
end

-- The servers that can be had, by name, and why others cannot.
local function find_servers(asked)
  local chosen, found = asked.servers and split(asked.servers), {}
  local missing = { ["uWebSockets (C++)"] = "neither Debian 12 nor npm has it; bun has it inside" }
  for _, list in ipairs{ peers.NAMES, peers.TRANSPORTS, peers.IDLE } do
    for _, name in ipairs(list) do
      local peer, reason
      if not chosen or chosen[name] then peer, reason = peers.find(name) end
      found[name], missing[name] = peer, reason
    end
  end
  return found, missing
end

local function ask_shell(command)
  local pipe <close> = assert(io.popen(command .. " 2>/dev/null"))
  return (pipe:read "a":gsub("%s+$", ""))
end

-- The server on one core, the load on another, where there are two.
local function cores()
  if tonumber(ask_shell "nproc") < 2 then return {} end
  return { "--server-core=0", "--load-core=1" }
end

local function load_average()
  return ask_shell "cut -d' ' -f1-3 /proc/loadavg"
end

local function facts(asked, began)
  local list = {
    ("made by `./dev bench table%s` on %s, at commit %s%s"):format(arg[1] and " " .. table.concat(arg, " ") or "",
      os.date "!%Y-%m-%d %H:%M UTC", ask_shell "git rev-parse --short HEAD",
      ask_shell "git status --porcelain" == "" and "" or " with changes"),
    ("machine: %s, %s cores, %s, Linux %s"):format(ask_shell "sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1",
      ask_shell "nproc", ask_shell "free -h | awk '/^Mem/ { print $2 }'", ask_shell "uname -r"),
    ("%d round(s) in turns, medians (user time and requests/s: means); %d minutes; load before %s, after %s"):format(
      asked.rounds, math.ceil((os.time() - began.time) / 60), began.load, load_average()),
    "the server on one core, the load on another, over loopback; figures of two runs are not to be compared, "
      .. "those within one are",
  }
  if tonumber(began.load:match "^%S+") > QUIET then
    list[#list + 1] = "**the machine was busy with other things**: times say little, and CPU is more than it need be"
  end
  if asked.quick then
    list[#list + 1] = "a quick look: a tenth of the sessions that the rows name, and less of the rest"
  end
  return list
end

-- The peer as this case wants it.
local function fit(peer, case, name)
  local more = name == "chatty" and case.settings or name == "floor" and case.floor
  if not more then return peer end
  local fitted = {}
  for key, value in pairs(peer) do fitted[key] = value end
  fitted.command = { table.unpack(peer.command) }
  for _, setting in ipairs(more) do
    table.insert(fitted.command, (setting:gsub("{bench}", peers.FOLDER)))
  end
  return fitted
end

local function start(run, case, name)
  local flags = table.move(case.flags, 1, #case.flags, #run.cores + 1, { table.unpack(run.cores) })
  return peers.start(fit(run.found[name], case, name), flags)
end

local function finish(run, case, name, round, running)
  local report, reason = peers.finish(running)
  io.stderr:write(("%s, round %d, %s: %s\n"):format(case.name, round, name, report and "good" or reason))
  local reports = run.reports[case.name] or {}
  run.reports[case.name], reports[name] = reports, reports[name] or {}
  if report then table.insert(reports[name], report) else run.missing[case.name .. ", " .. name] = reason end
end

local function measure_round(run, case, round)
  local running = {}
  for _, name in ipairs(case.servers) do
    if run.found[name] then
      running[name] = start(run, case, name)
      if not case.is_together then finish(run, case, name, round, running[name]) end
    end
  end
  for _, name in ipairs(case.is_together and case.servers or {}) do
    if running[name] then finish(run, case, name, round, running[name]) end
  end
end

local function groups_of(list)
  local groups = {}
  for _, case in ipairs(list) do
    local last = groups[#groups]
    if last and case.group and case.group == last[1].group then
      last[#last + 1] = case
    else
      groups[#groups + 1] = { case }
    end
  end
  return groups
end

local function measure_all(run, asked)
  for _, group in ipairs(groups_of(chosen_cases(asked))) do
    for round = 1, group[1].rounds or asked.rounds * (group[1].times or 1) do
      for _, case in ipairs(group) do measure_round(run, case, round) end
    end
  end
end

local function write(path, text)
  local file <close> = path and assert(io.open(path, "w")) or io.stdout
  file:write(text)
end

local asked = read_arguments()
local began = { time = os.time(), load = load_average() }
local found, missing = find_servers(asked)
local run = { found = found, missing = missing, reports = {}, cores = cores() }
measure_all(run, asked)
local titles = {}
for name, peer in pairs(found) do titles[name] = peer.title end
write(asked.output or asked.is_full and PAGE, results.page {
  reports = run.reports, titles = titles, missing = missing, servers = results.order(found),
  facts = facts(asked, began),
})
