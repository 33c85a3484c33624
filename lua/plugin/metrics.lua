-- chatty.metrics of one plugin: counters, gauges and histograms of all workers together, in /metrics. The same name may
-- be used by several plugins, for the same kind; the label `plugin` tells them apart.

local argument = require "argument"
local log = require "core.log"
local metrics = require "core.metrics"

local plugin_metrics = {}

local NAME <const>, LABEL <const> = "^[a-z][a-z0-9_]*$", "^[a-z][a-z0-9_]*$"
local NAME_MAX <const>, LABELS_MAX <const>, VALUE_MAX <const> = 64, 8, 128
local RESERVED = { plugin = true, le = true }
local BOUNDS = { 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10 } -- seconds
local BOUNDS_MAX <const> = 32
local ESCAPES = { ["\\"] = "\\\\", ['"'] = '\\"', ["\n"] = "\\n" }

local function check_labels(labels, what, level)
  argument.type(labels, "table?", what .. ": the labels", level + 1)
  local seen = {}
  for i, label in ipairs(labels or {}) do
    if type(label) ~= "string" or not label:find(LABEL) or RESERVED[label] or seen[label] then
      error(("%s: '%s' cannot be a label"):format(what, tostring(label)), level + 1)
    end
    seen[label] = true
    if i > LABELS_MAX then error(("%s: at most %d labels"):format(what, LABELS_MAX), level + 1) end
  end
  return table.move(labels or {}, 1, #(labels or {}), 1, {})
end

local function check(name, help, what, level)
  argument.type(name, "string", what .. ": the name", level + 1)
  argument.type(help, "string", what .. ": the help", level + 1)
  if #name > NAME_MAX or not name:find(NAME) then
    error(("%s: the name may have a-z, 0-9 and _, at most %d"):format(what, NAME_MAX), level + 1)
  end
  if help:find("[\r\n]") or help:find("\\", 1, true) then
    error(what .. ": the help must be one line without \\", level + 1)
  end
end

local function check_bounds(bounds, what, level)
  if bounds == nil then return BOUNDS end
  argument.type(bounds, "table", what .. ": the bounds", level + 1)
  local last = -math.huge
  for _, bound in ipairs(bounds) do
    if type(bound) ~= "number" or not (bound > last and bound < math.huge) then
      error(what .. ": the bounds must be rising numbers", level + 1)
    end
    last = bound
  end
  if #bounds == 0 or #bounds > BOUNDS_MAX then
    error(("%s: 1 to %d bounds"):format(what, BOUNDS_MAX), level + 1)
  end
  return table.move(bounds, 1, #bounds, 1, {})
end

-- The text of a label's value, which must be UTF-8 and not too long.
local function text_of(value)
  local text = tostring(value)
  if #text > VALUE_MAX then text = text:sub(1, VALUE_MAX) end
  if not utf8.len(text) then text = text:gsub("[\128-\255]", "?") end
  return (text:gsub('[\\"\n]', ESCAPES))
end

local function labels_text(self, values)
  local parts = { ('plugin="%s"'):format(self.owner) }
  for i, label in ipairs(self.labels) do
    parts[i + 1] = ('%s="%s"'):format(label, text_of(values[label]))
  end
  return table.concat(parts, ",")
end

local function check_values(self, values, level)
  argument.type(values, "table?", self.what .. ": the labels", level + 1)
  for _, label in ipairs(self.labels) do
    if values == nil or values[label] == nil then
      error(("%s: the label '%s' has no value"):format(self.what, label), level + 1)
    end
  end
  for label in next, values or {} do
    if not self.known[label] then
      error(("%s: there is no label '%s'"):format(self.what, tostring(label)), level + 1)
    end
  end
end

-- nil when there are too many series already, which is logged once.
local function find(self, text)
  local series = metrics.series(self.name, text)
  if not series and not self.is_full then
    self.is_full = true
    log.write("warn", ("plugin %s: METRIC_SERIES_MAX is reached, %s is not counted with new labels")
      :format(self.owner, self.name), { plugin = self.owner })
  end
  return series
end

local function series_of(self, values, level)
  check_values(self, values, level + 1)
  local text = self.labels[1] and labels_text(self, values) or self.plain
  local series = self.series[text]
  if not series then
    series = find(self, text)
    self.series[text] = series
  end
  return series
end

local function check_number(self, value, level)
  if type(value) ~= "number" or value ~= value or value == math.huge or value == -math.huge then
    error(self.what .. ": it takes a number", level + 1)
  end
end

-- The objects keep what they are in a closure, so that plugins cannot change it.
local makers = {}

local function adder(self, is_rising)
  return function(_, amount, values)
    amount = amount == nil and 1 or amount
    check_number(self, amount, 2)
    if is_rising and amount < 0 then error(self.what .. ": a counter only grows", 2) end
    local series = series_of(self, values, 2)
    if series then metrics.increase(series, amount) end
  end
end

function makers.counter(self)
  return { add = adder(self, true) }
end

function makers.gauge(self)
  local function set(_, value, values)
    check_number(self, value, 2)
    local series = series_of(self, values, 2)
    if series then metrics.set(series, value) end
  end
  return { add = adder(self, false), set = set }
end

function makers.histogram(self)
  local function observe(_, value, values)
    check_number(self, value, 2)
    local series = series_of(self, values, 2)
    if series then metrics.observe(series, value) end
  end
  return { observe = observe }
end

local function declare(kind, owner, name, help, labels, bounds)
  local what = "chatty.metrics." .. kind
  check(name, help, what, 3)
  local self = {
    owner = owner, name = name, what = ("%s '%s'"):format(what, name), labels = check_labels(labels, what, 3),
    known = {}, series = {}, plain = ('plugin="%s"'):format(owner),
  }
  for _, label in ipairs(self.labels) do self.known[label] = true end
  local bounds_of = kind == "histogram" and check_bounds(bounds, what, 3) or nil
  if not metrics.declare(name, help, kind, bounds_of) then
    error(("%s: there is a metric '%s' already, of another kind or with other bounds"):format(what, name), 3)
  end
  return makers[kind](self)
end

--- The table for one plugin.
---@param owner string
---@return table
function plugin_metrics.of(owner)
  local own = {}

  function own.counter(name, help, labels)
    local made = declare("counter", owner, name, help, labels)
    return made
  end

  function own.gauge(name, help, labels)
    local made = declare("gauge", owner, name, help, labels)
    return made
  end

  function own.histogram(name, help, labels, bounds)
    local made = declare("histogram", owner, name, help, labels, bounds)
    return made
  end

  return own
end

return plugin_metrics
