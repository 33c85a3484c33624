-- Makes the page of results: medians of what was measured, beside the goals.
local goals = require "bench.goals"
local peers = require "bench.peers"

local results = {}

---@class bench.Results
---@field reports table<string, table<string, table[]>>   by case and server, one a round
---@field titles table<string, string>    of the servers that were measured, by name
---@field missing table<string, string>   servers that were not, and why
---@field servers string[]                in the order of the columns
---@field facts string[]                  about machine and command

local function middle(values)
  table.sort(values)
  return (values[(#values + 1) // 2] + values[#values // 2 + 1]) / 2
end

-- What each round gave; nil when there was none.
local function values_of(all, case, server, value)
  local reports = all.reports[case] and all.reports[case][server]
  if not (reports and reports[1]) then return nil end
  local values = {}
  for i, report in ipairs(reports) do values[i] = value(report) end
  return values
end

---@param all bench.Results
---@return number|nil
local function median(all, case, server, value)
  local values = values_of(all, case, server, value)
  return values and middle(values)
end

---@alias bench.Of string[]  a case and a server

-- The median of what each round's two values make together: machines change from one round to the next, but less
-- from one measurement to the one behind it.
---@param all bench.Results
---@param base bench.Of
---@param other bench.Of
---@param value fun(report: table): number
---@param combine fun(base: number, other: number): number
---@return number|nil
local function paired(all, base, other, value, combine)
  local bases, others = values_of(all, base[1], base[2], value), values_of(all, other[1], other[2], value)
  if not (bases and others) then return nil end
  if #bases ~= #others then return combine(middle(bases), middle(others)) end
  for i, one in ipairs(bases) do others[i] = combine(one, others[i]) end
  return middle(others)
end

local function quotient(base, other)
  return other / base
end

local function multiple_of_floor(all, row)
  return paired(all, { row.case, "floor" }, { row.case, "chatty" }, row.value, quotient)
end

local function average(values)
  local sum = 0
  for _, one in ipairs(values) do sum = sum + one end
  return sum / #values
end

-- User time is sampled, so its mean tells more than its median.
local function mean(all, case, server, value)
  local values = values_of(all, case, server, value)
  return values and average(values)
end

local function cell(all, row, server)
  local value = median(all, row.case, server, row.value)
  if not value then return "-" end
  local text = row.format:format(value)
  if not row.beside then return text end
  return ("%s (%s)"):format(text, row.beside_format:format(mean(all, row.case, server, row.beside)))
end

-- By how much this machine was slower in each round than the one on which a goal in microseconds was set, as the
-- floor tells; 1 when it was not. Empty when that is not known.
local function slowness(all, row)
  local floors = row.floor_then and values_of(all, row.case, row.floor or "floor", row.value) or {}
  for i, floor in ipairs(floors) do
    floors[i] = math.max(1, row.value_min and row.floor_then / floor or floor / row.floor_then)
  end
  return floors
end

-- What chatty would have needed in each round, or done, on the machine of the goals.
local function fair_values(all, row, value, slower, is_rate)
  local values = values_of(all, row.case, "chatty", value)
  for i, one in ipairs(values) do
    local factor = slower[i] or 1
    values[i] = is_rate and one * factor or one / factor
  end
  return values
end

-- What of the goal is missed, and by how much.
local function misses(all, row, slower)
  local missed = {}
  local function look(value, max, format)
    if value > max then missed[#missed + 1] = format:format(value / max) end
  end
  if row.ratio_max then look(multiple_of_floor(all, row) / row.ratio_max, 1, "%.2f x goal") end
  local value = middle(fair_values(all, row, row.value, slower, row.value_min ~= nil))
  if row.value_max then look(value, row.value_max, "%.2f x goal") end
  if row.value_min then look(row.value_min, value, "%.2f x too slow") end
  if not row.beside then return missed end
  local beside = average(fair_values(all, row, row.beside, slower, row.beside_min ~= nil))
  if row.beside_max then look(beside, row.beside_max, "user %.2f x goal") end
  if row.beside_min then look(row.beside_min, beside, "requests %.2f x too slow") end
  return missed
end

-- "yes" or "no", and what there is to say.
local function verdict(all, row)
  local multiple = multiple_of_floor(all, row)
  if not median(all, row.case, "chatty", row.value) or row.ratio_max and not multiple then return "-" end
  local slower = slowness(all, row)
  local missed = misses(all, row, slower)
  local words = { (missed[1] and "no: " or "yes") .. table.concat(missed, ", ") }
  if row.ratio_max then words[#words + 1] = ("%.2f x floor"):format(multiple) end
  if slower[1] and middle(slower) > 1 then
    words[#words + 1] = ("machine %.2f x slower"):format(middle(slower))
  end
  return table.concat(words, "; ")
end

local function add_row(lines, cells)
  lines[#lines + 1] = "| " .. table.concat(cells, " | ") .. " |"
end

local function add_head(lines, title, names)
  lines[#lines + 1] = ""
  lines[#lines + 1] = "## " .. title
  lines[#lines + 1] = ""
  add_row(lines, names)
  lines[#lines + 1] = "|" .. ("---|"):rep(#names)
end

local function rows_of(all, section)
  local rows = {}
  for _, row in ipairs(section.rows) do
    if all.reports[row.case] then rows[#rows + 1] = row end
  end
  return rows
end

local function add_section(all, lines, section)
  local rows = rows_of(all, section)
  if not rows[1] then return end
  local names = { "work" }
  for _, server in ipairs(all.servers) do names[#names + 1] = all.titles[server] end
  add_head(lines, section.title, table.move({ "goal", "reached" }, 1, 2, #names + 1, names))
  for _, row in ipairs(rows) do
    local cells = { row.work }
    for _, server in ipairs(all.servers) do cells[#cells + 1] = cell(all, row, server) end
    add_row(lines, table.move({ row.goal, verdict(all, row) }, 1, 2, #cells + 1, cells))
  end
end

local function verdict_of(finding)
  if finding.reached == nil then return "" end
  return finding.reached and "yes" or "no"
end

local function add_findings(all, lines)
  local findings = goals.findings{
    median = function(...) return median(all, ...) end,
    paired = function(...) return paired(all, ...) end,
  }
  if not findings[1] then return end
  add_head(lines, "Subscriptions, growth, latency, transports and history", { "what", "measured", "goal", "reached" })
  for _, one in ipairs(findings) do
    add_row(lines, { one.what, one.measured, one.goal, verdict_of(one) })
  end
end

local function add_missing(all, lines)
  local names = {}
  for name in pairs(all.missing) do names[#names + 1] = name end
  if not names[1] then return end
  table.sort(names)
  add_head(lines, "Not measured", { "server", "why" })
  for _, name in ipairs(names) do add_row(lines, { name, all.missing[name] }) end
end

--- The page, in Markdown.
---@param all bench.Results
---@return string
function results.page(all)
  local lines = { "# Results", "" }
  for _, fact in ipairs(all.facts) do lines[#lines + 1] = "- " .. fact end
  for _, section in ipairs(goals.BESIDE) do add_section(all, lines, section) end
  add_findings(all, lines)
  add_missing(all, lines)
  return table.concat(lines, "\n") .. "\n"
end

--- In the order of the columns, those that are among the named ones.
---@param names table<string, any>
---@return string[]
function results.order(names)
  local servers = {}
  for _, name in ipairs(peers.NAMES) do
    if names[name] then servers[#servers + 1] = name end
  end
  return servers
end

return results
