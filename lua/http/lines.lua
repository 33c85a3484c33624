-- What is known of request lines ("POST /control/notify?method=users:ann"), for clients send the same again and again.
-- One is known once a request with it was let in and its query was found good. Routes, guards and filters are fixed
-- when the first request comes, so what follows from a line stays true.

local filters = require "http.filters"
local router = require "http.router"

local lines = {}

---@class lines.line
---@field method string
---@field path string                      percent-decoded
---@field route? router.route              nil when there is none
---@field params? table<string, string>    of the path
---@field is_known boolean
---@field made? any                        what the handler has made of it for the next time: nothing of a plugin's
---@field straight? lines.straight
---@field recognize? fun(core: core.request): guard.identity|nil  the guard's, beside `straight`

--- A handler's straight way, for requests that ask for nothing but JSON. Gives what is answered with 200, as raw JSON;
--- or nil and a response. The query is nil when something was made of the line before.
---@alias lines.straight fun(core: core.request, line: lines.line, by: guard.identity, query?: table): string?, table?

local before, after = filters.registered.before, filters.registered.after
local ways = {} -- by handler

--- Gives a handler of ours a straight way.
---@param handler function
---@param straight lines.straight
function lines.straighten(handler, straight)
  ways[handler] = straight
end

-- None where filters want to see the request, or the route has a limit for bodies of its own.
local function way_of(route)
  if before[1] or after[1] or not route or route.body_max or not route.recognize then return nil end
  return ways[route.handler]
end

--- What a line says.
---@param method string
---@param path string
---@return lines.line
function lines.read(method, path)
  local route, params = router.find(method, path)
  local straight = way_of(route)
  return {
    method = method, path = path, route = route, params = params, is_known = false, straight = straight,
    recognize = straight and route.recognize, made = nil,
  }
end

--- Keeps a line for requests to come. Not with a query that the route leaves to its handler: it may be another each
--- time, or hold a token.
---@param line lines.line
---@param core core.request  one with this line
function lines.keep(line, core)
  if line.is_known or not (line.route.query or core:query() == "") then return end
  line.is_known = true
  core:remember(line)
end

return lines
