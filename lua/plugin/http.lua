-- chatty.http of one plugin: requests to other servers. It may ask the hosts that it said it needs, and no other,
-- not by a redirect either. Addresses of this machine and of private networks are for hosts that it names.

local argument = require "argument"
local hooks = require "hooks"
local http = require "core.http"
local http_headers = require "plugin.http_headers"
local http_hosts = require "plugin.http_hosts"
local json = require "core.json"
local node = require "core.node"
local settings = require "settings"
local time = require "core.time"

local plugin_http = {}

local OPTIONS = { method = 1, headers = 1, body = 1, json = 1, timeout = 1, body_max = 1, redirects = 1 }
local REDIRECTS_MAX <const>, TIMEOUT_MAX <const> = 10, 600
local REDIRECTS = { [301] = true, [302] = true, [303] = true, [307] = true, [308] = true }
local SAFE = { GET = true, HEAD = true, OPTIONS = true }
local AGENT <const> = "chatty/" .. node.version

local granted = {} -- the rules of each plugin that may ask somebody

local function add(owner, rules)
  if not rules[1] then return end
  granted[owner] = table.move(rules, 1, #rules, #(granted[owner] or {}) + 1, granted[owner] or {})
end

--- Lets a plugin ask these hosts. nil and one line if they are none.
---@param owner string
---@param hosts any
---@return true|nil, string? line
function plugin_http.grant(owner, hosts)
  local rules, line = http_hosts.compile(hosts)
  if not rules then return nil, line end
  add(owner, rules)
  return true
end

--- Lets a plugin ask the hosts of the URLs that its options say: whoever runs the server has named them.
---@param owner string
---@param values table<string, any>
function plugin_http.grant_options(owner, values)
  add(owner, http_hosts.of_options(values))
end

-- Decoded when first asked for; nil when it is no JSON.
local Answer = {
  __index = function(self, key)
    if key ~= "json" then return nil end
    local value = json.decode(self.body)
    rawset(self, "json", value)
    return value
  end,
}

local function check_number(value, what, least, most, level)
  if value == nil then return end
  if type(value) ~= "number" or not (value >= least and value <= most) then
    error(("%s must be from %s to %s"):format(what, least, most), level + 1)
  end
end

local function check(options, what, level)
  argument.type(options, "table", what .. ": the options", level + 1)
  argument.keys(options, OPTIONS, what, level + 1)
  argument.type(options.method, "string?", what .. ": method", level + 1)
  argument.type(options.body, "string?", what .. ": body", level + 1)
  argument.type(options.headers, "table?", what .. ": headers", level + 1)
  if options.method and not options.method:find("^%u+$") then
    error(what .. ": method must be a word such as 'PUT'", level + 1)
  end
  if options.body ~= nil and options.json ~= nil then error(what .. ": say either body or json", level + 1) end
  check_number(options.timeout, what .. ": timeout", 0.001, TIMEOUT_MAX, level + 1)
  check_number(options.body_max, what .. ": body_max", 0, math.huge, level + 1)
  check_number(options.redirects, what .. ": redirects", 0, REDIRECTS_MAX, level + 1)
end

-- What is to be sent; changes with each redirect.
local function query_of(options, what, level)
  local body = options.json ~= nil and json.encode(options.json) or options.body
  local defaults = { ["user-agent"] = AGENT, ["content-type"] = options.json ~= nil and "application/json" or nil }
  return {
    method = options.method or (body and "POST" or "GET"), body = body,
    headers = http_headers.list(options.headers, defaults, what, level + 1),
    body_max = options.body_max,
  }
end

local function find_place(rules, url, base)
  local place, message, code = http.parse(url, base)
  if not place then return nil, ("this cannot be asked: %s"):format(message), code end
  local permit = http_hosts.permit(rules, place.host, place.port)
  if not permit then
    return nil, ("the plugin may not ask %s: neither needs.http nor an option names it"):format(place.host), "DENIED"
  end
  place.is_public_only = permit == "any" and not settings.HTTP_PRIVATE
  return place
end

local function is_same_origin(a, b)
  return a.scheme == b.scheme and a.host == b.host and a.port == b.port
end

-- Changes the query to what the redirect asks for.
local function turn(query, status, from, to)
  local becomes_get = status == 303 or (query.method == "POST" and (status == 301 or status == 302))
  if becomes_get and query.method ~= "HEAD" then
    query.method, query.body = "GET", nil
  end
  if not is_same_origin(from, to) then query.headers = http_headers.without_secrets(query.headers) end
end

local function answer_of(status, headers, body)
  return setmetatable({ status = status, headers = headers, body = body }, Answer)
end

local function next_place(rules, place, location)
  local target, message, code = find_place(rules, location, place.url)
  if not target then return nil, "redirected, and " .. message, code end
  if place.scheme == "https" and target.scheme == "http" then
    return nil, "redirected from https to http", "DENIED"
  end
  return target
end

-- Sends the query and follows redirects; the deadline is for all together.
local function send(rules, place, query, deadline, redirects)
  for left = redirects, 0, -1 do
    query.url, query.public_only, query.timeout = place.url, place.is_public_only, deadline - time.monotonic()
    if query.timeout <= 0 then return nil, "the server took too long", "TIMEOUT" end
    local status, headers, body = http.call(query)
    if not status then return nil, headers, body end
    headers = http_headers.by_name(headers)
    if redirects == 0 or not REDIRECTS[status] or not headers.location then
      return answer_of(status, headers, body)
    end
    if left == 0 then return nil, "too many redirects", "LIMIT" end
    local target, message, code = next_place(rules, place, headers.location)
    if not target then return nil, message, code end
    turn(query, status, place, target)
    place = target
  end
end

local function request(owner, what, url, options)
  argument.type(url, "string", what .. ": the URL", 3)
  check(options, what, 3)
  local rules = granted[owner]
  if not rules then
    error(what .. ': say plugin.needs = { http = { "the host" } }, or have an option that is a URL', 3)
  end
  local query = query_of(options, what, 3)
  if hooks.is_dry() and not SAFE[query.method] then return nil, "nothing is sent for a dry run", "CANCELED" end
  local place, message, code = find_place(rules, url)
  if not place then return nil, message, code end
  local deadline = time.monotonic() + (options.timeout or settings.HTTP_TIMEOUT)
  return send(rules, place, query, deadline, options.redirects or 0)
end

local function with_method(options, method, what)
  local all = { method = method }
  argument.type(options, "table?", what .. ": the options", 3)
  for name, value in pairs(options or {}) do
    if name == "method" then error(what .. ": the method is said already", 3) end
    all[name] = value
  end
  return all
end

--- The table for one plugin.
---@param owner string
---@return table
function plugin_http.of(owner)
  local own = {}

  function own.get(url, options)
    local answer, message, code = request(owner, "chatty.http.get", url, with_method(options, "GET", "chatty.http.get"))
    return answer, message, code
  end

  function own.post(url, options)
    local all = with_method(options, "POST", "chatty.http.post")
    local answer, message, code = request(owner, "chatty.http.post", url, all)
    return answer, message, code
  end

  function own.request(url, options)
    local answer, message, code = request(owner, "chatty.http.request", url, options or {})
    return answer, message, code
  end

  return own
end

return plugin_http
