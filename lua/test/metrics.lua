-- The metrics of plugins, from the text that the server gives out.

local metrics = {}

local function has(text, labels)
  local found = {}
  for name, value in text:gmatch('([%w_]+)="(.-)"') do found[name] = value end
  for name, value in pairs(labels) do
    if found[name] ~= tostring(value) then return false end
  end
  return true
end

--- The sum of all series of this name that have these labels; nil when there is none.
---@param text string
---@param name string   without "chatty_plugin_"
---@param labels? table<string, any>
---@return number|nil
function metrics.sum(text, name, labels)
  local sum
  for line in text:gmatch("[^\n]+") do
    local of, found, value = line:match("^chatty_plugin_([%w_]+){(.*)} (%S+)$")
    if of == name and has(found, labels or {}) then sum = (sum or 0) + tonumber(value) end
  end
  return sum
end

return metrics
