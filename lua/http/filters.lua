-- Filters: functions before and after the handlers of all routes below a path. Those of plugins with higher
-- priority run first, before and after.

local argument = require "argument"
local protect = require "protect"
local refusal = require "refusal"
local reply = require "http.reply"

local filters = {}

---@class filters.filter
---@field f function
---@field owner string
---@field priority number
---@field path? string    exactly this path, or:
---@field prefix? string  all paths that begin so

--- Those before and those behind the handlers; others look only whether there are any.
---@type table<"before"|"after", filters.filter[]>
filters.registered = { before = {}, after = {} }

local registered = filters.registered

local function comes_before(a, b)
  if a.priority ~= b.priority then return a.priority > b.priority end
  if a.owner ~= b.owner then return a.owner < b.owner end
  return a.index < b.index
end

--- Adds a filter. `pattern` is a path, or ends with "/*" and means all paths below.
---@param kind "before"|"after"
---@param pattern string
---@param f function
---@param plugin {name: string, priority: number}
---@param level integer
function filters.add(kind, pattern, f, plugin, level)
  local what = "app:" .. kind
  argument.type(pattern, "string", what .. ": the path", level + 1)
  argument.type(f, "function", what .. ": the filter", level + 1)
  local prefix = pattern:match("^(/.*)%*$")
  if pattern:sub(1, 1) ~= "/" or (prefix or pattern):find("[*:]") or (prefix and prefix:sub(-1) ~= "/") then
    error(("%s: '%s' must be a path such as /a, or end with /* as in /a/*"):format(what, pattern), level + 1)
  end
  local list = registered[kind]
  list[#list + 1] = {
    f = f, owner = plugin.name, label = ("filter %s %s"):format(kind, pattern),
    priority = plugin.priority, index = #list,
    path = not prefix and pattern or nil, prefix = prefix,
  }
  table.sort(list, comes_before)
end

-- Whoever watches the server asks these: a plugin that fails on all paths must not take it out of service. Only a
-- filter that names the path has it.
local WATCHED <const> = { ["/healthz"] = true, ["/readyz"] = true }

local function applies(filter, path)
  if filter.path then return filter.path == path end
  if WATCHED[path] then return false end
  return path:sub(1, #filter.prefix) == filter.prefix
end

--- Runs what stands before the handler; a refusal ends it.
---@param request request
---@return refusal|nil
function filters.before(request)
  local list = registered.before
  for i = 1, #list do
    if applies(list[i], request.path) then
      local ok, result = protect.call(list[i].owner, list[i].label, list[i].f, request)
      if not ok or refusal.is(result) then return result end
    end
  end
end

--- The plugin of the last filter behind the handlers of this path, whose tables an answer may have; nil without.
---@param path string
---@return string|nil
function filters.owner(path)
  local list = registered.after
  for i = #list, 1, -1 do
    if applies(list[i], path) then return list[i].owner end
  end
end

local function copy(response)
  local own = {}
  for key, value in pairs(response) do own[key] = value end
  own.headers = {}
  for name, value in pairs(response.headers or {}) do own.headers[name] = value end
  return own
end

--- Runs what stands behind the handler, also when it refused. The filters may change the response, of which
--- they get a copy.
---@param request request
---@param response table
---@return table response
function filters.after(request, response)
  if not registered.after[1] then return response end
  response = copy(response)
  for _, filter in ipairs(registered.after) do
    if applies(filter, request.path) then
      local ok, result = protect.call(filter.owner, filter.label, filter.f, request, response)
      if not ok then return reply.of_refusal(result) end
    end
  end
  return response
end

return filters
