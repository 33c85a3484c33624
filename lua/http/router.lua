-- The routes: which handler a method and path belong to. Paths without parameters are found by one look-up;
-- the others in a tree, where a plain segment goes before ":name" and that before "*rest".

local router = {}

---@class router.route
---@field method string
---@field path string            "/orders/:id"
---@field handler function
---@field plugin string          its name
---@field where string           "plugins/shop.lua:12"
---@field answer_label string    for what is wrong with an answer
---@field folder string          of the plugin, for files
---@field guard function         who may (guard.lua)
---@field guard_name string
---@field recognize? fun(core: core.request): guard.identity|nil  who it is, for those whom the guard knows at a glance
---@field query? query.spec
---@field body? string           what the body must be: json, event, document
---@field body_max? integer
---@field is_jsonapi? boolean    answers are negotiated
---@field doc? string
---@field label string           "GET /orders/:id"
---@field names? string[]        of the parameters, in order

local exact = {} -- path -> method -> route
local root = {}  -- segment tree; a node has literal, parameter, rest (nodes) and routes
local list = {}

-- A "/" at the end makes an empty last segment.
local function split(path)
  local segments = {}
  for segment in (path:sub(2) .. "/"):gmatch("([^/]*)/") do segments[#segments + 1] = segment end
  return segments
end

local function fault_of(path, segments)
  if path:sub(1, 1) ~= "/" then return "must begin with /" end
  local seen = {}
  for i, segment in ipairs(segments) do
    local mark, name = segment:match("^([:*])(.*)$")
    if mark and not name:find("^[%a_][%w_]*$") then return "needs a name behind " .. mark end
    if mark and seen[name] then return "has two parameters named " .. name end
    if mark == "*" and i < #segments then return "may have *rest only at its end" end
    if not mark and segment:find("[:*]") then return "may have : and * only at the beginning of a segment" end
    if name then seen[name] = true end
  end
end

-- The node of a pattern, made if need be, and the names of its parameters.
local function grow(segments)
  local node, names = root, {}
  for _, segment in ipairs(segments) do
    local mark, name = segment:match("^([:*])(.*)$")
    if mark then names[#names + 1] = name end
    if mark == ":" then
      node.parameter = node.parameter or {}
      node = node.parameter
    elseif mark == "*" then
      node.rest = node.rest or {}
      node = node.rest
    else
      node.literal = node.literal or {}
      node.literal[segment] = node.literal[segment] or {}
      node = node.literal[segment]
    end
  end
  return node, names
end

local function place_of(path, segments)
  if not path:find("[:*]") then
    exact[path] = exact[path] or {}
    return exact[path]
  end
  local node, names = grow(segments)
  node.routes = node.routes or {}
  return node.routes, names
end

--- Adds a route. nil and a line if its path is none, or if there is one like it.
---@param route router.route
---@return true|nil, string? line
function router.add(route)
  local segments = split(route.path)
  local fault = fault_of(route.path, segments)
  if fault then return nil, ("the path '%s' %s"):format(route.path, fault) end
  local routes, names = place_of(route.path, segments)
  local other = routes[route.method]
  if other then
    return nil, ("%s is there already, as %s of plugin %s (%s)"):format(route.label, other.label,
      other.plugin, other.where)
  end
  route.names = names
  routes[route.method] = route
  list[#list + 1] = route
  return true
end

local function add_match(found, node, values, last)
  if not node.routes then return end
  local own = table.move(values, 1, #values, 1, {})
  own[#own + 1] = last
  found[#found + 1] = { routes = node.routes, values = own }
end

-- Appends the route tables that match the segments from i on, the most specific first; `values` are those
-- of the parameters on the way.
local function search(node, segments, i, values, found)
  local segment = segments[i]
  if segment == nil then return add_match(found, node, values) end
  local child = node.literal and node.literal[segment]
  if child then search(child, segments, i + 1, values, found) end
  if node.parameter and segment ~= "" then
    values[#values + 1] = segment
    search(node.parameter, segments, i + 1, values, found)
    values[#values] = nil
  end
  if node.rest then add_match(found, node.rest, values, table.concat(segments, "/", i)) end
end

-- All that match the path, whatever the method.
local function matches(path)
  local found = {}
  if exact[path] then found[1] = { routes = exact[path], values = {} } end
  search(root, split(path), 1, {}, found)
  return found
end

local function pick(routes, method)
  return routes[method] or (method == "HEAD" and routes.GET) or nil
end

local function parameters(route, values)
  if not route.names then return nil end
  local params = {}
  for i, name in ipairs(route.names) do params[name] = values[i] end
  return params
end

--- The route for a method and a path, and its path parameters. HEAD is answered by GET's.
---@param method string
---@param path string
---@return router.route|nil, table<string, string>|nil params
function router.find(method, path)
  local routes = exact[path]
  local route = routes and (routes[method] or pick(routes, method))
  if route then return route end
  for _, match in ipairs(matches(path)) do
    route = pick(match.routes, method)
    if route then return route, parameters(route, match.values) end
  end
end

--- The methods that the path knows, sorted; nil when there is nothing at this path. "*" is the server as a
--- whole (RFC 9110 9.3.7).
---@param path string
---@return string[]|nil
function router.methods(path)
  local seen, methods = {}, {}
  for _, route in ipairs(path == "*" and list or {}) do seen[route.method] = true end
  for _, match in ipairs(matches(path)) do
    for method in pairs(match.routes) do seen[method] = true end
  end
  if next(seen) == nil then return nil end
  if seen.GET then seen.HEAD = true end
  seen.OPTIONS = true
  for method in pairs(seen) do methods[#methods + 1] = method end
  table.sort(methods)
  return methods
end

--- All routes, for people: sorted by path and method.
---@return {method: string, path: string, plugin: string, guard: string, doc?: string}[]
function router.list()
  local shown = {}
  for i, route in ipairs(list) do
    shown[i] = {
      method = route.method, path = route.path, plugin = route.plugin, guard = route.guard_name,
      doc = route.doc,
    }
  end
  table.sort(shown, function(a, b)
    if a.path ~= b.path then return a.path < b.path end
    return a.method < b.method
  end)
  return shown
end

return router
