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
---@field recognize? fun(core: core.request): guard.identity|nil  the guard's, beside it

--- A handler's straight way, for requests that the route's guard recognizes and that ask for nothing but JSON. Gives
--- what is answered with 200, as raw JSON; or nil and a response.
---@alias lines.straight fun(core: core.request, made: any, identity: guard.identity): string|nil, table?

local before, after = filters.registered.before, filters.registered.after

--- What a line says.
---@param core core.request
---@return lines.line
function lines.read(core)
  local method, path = core:method(), core:path()
  local route, params = router.find(method, path)
  return { method = method, path = path, route = route, params = params, is_known = false,
    made = nil, straight = nil, recognize = nil } -- room for what lines.learn sets
end

--- Keeps a line for requests to come.
---@param line lines.line
---@param core core.request  one with this line
function lines.keep(line, core)
  line.is_known = true
  core:remember(line)
end

--- Notes what the handler of ours has made of a line, and the straight way, if there is one. It is not gone where
--- filters want to see a request, or the route has a limit for bodies of its own.
---@param line lines.line
---@param made any
---@param straight? lines.straight
function lines.learn(line, made, straight)
  local route = line.route
  line.made = made
  if before[1] or after[1] or route.body_max or not (straight and route.recognize) then return end
  line.straight, line.recognize = straight, route.recognize
end

return lines
