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

local function sorted_values(reports, value)
  local values = {}
  for i, report in ipairs(reports) do values[i] = value(report) end
  table.sort(values)
  return values
end

---@param all bench.Results
---@return number|nil
local function median(all, case, server, value)
  local reports = all.reports[case] and all.reports[case][server]
  if not (reports and reports[1]) then return nil end
  local values = sorted_values(reports, value)
  return (values[(#values + 1) // 2] + values[#values // 2 + 1]) / 2
end

-- User time is sampled, so its mean tells more than its median.
local function mean(all, case, server, value)
  local reports = all.reports[case] and all.reports[case][server]
  if not (reports and reports[1]) then return nil end
  local sum = 0
  for _, report in ipairs(reports) do sum = sum + value(report) end
  return sum / #reports
end

local function cell(all, row, server)
  local value = median(all, row.case, server, row.value)
  if not value then return "-" end
  local text = row.format:format(value)
  if not row.beside then return text end
  return ("%s (%s)"):format(text, row.beside_format:format(mean(all, row.case, server, row.beside)))
end

-- "yes", or what of the goal is missed and by how much.
local function verdict(all, row)
  local value, floor = median(all, row.case, "chatty", row.value), median(all, row.case, "floor", row.value)
  if not value or row.ratio_max and not floor then return "-" end
  local beside = row.beside and mean(all, row.case, "chatty", row.beside)
  local missed = {}
  local function miss(is_missed, format, ...)
    if is_missed then missed[#missed + 1] = format:format(...) end
  end
  if row.ratio_max then miss(value > row.ratio_max * floor, "%.2f x floor", value / floor) end
  if row.value_max then miss(value > row.value_max, "%.2f x goal", value / row.value_max) end
  if row.value_min then miss(value < row.value_min, "%.2f x goal", value / row.value_min) end
  if row.beside_max then miss(beside > row.beside_max, "user %.2f", beside) end
  if row.beside_min then miss(beside < row.beside_min, "%.2f x goal of requests/s", beside / row.beside_min) end
  return missed[1] and "no: " .. table.concat(missed, ", ") or "yes"
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
  local findings = goals.findings(function(...) return median(all, ...) end)
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
