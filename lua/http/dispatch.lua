-- The way of an HTTP request: route, guard, filters, what the route declares, handler, filters, answer.

local cors = require "http.cors"
local filters = require "http.filters"
local lines = require "http.lines"
local negotiate = require "http.negotiate"
local protect = require "protect"
local query = require "http.query"
local refusal = require "refusal"
local reply = require "http.reply"
local requests = require "http.request"
local router = require "http.router"

local dispatch = {}

local check_query, wants_document = requests.check_query, negotiate.wants_document
local before = filters.registered.before
local call_own, send_raw = protect.own, reply.send_raw

-- Reads a body as the route declares it, so that what is wrong is refused before the handler.
local read_body = {
  json = function(request) return request.json end,
  document = function(request) return request.document end,
  event = requests.core_event,
}

local function check_body(request, route, core, is_plain)
  if route.body_max and core:body_size() > route.body_max then
    return refusal.of("body-too-large", ("Send a body of at most %d bytes."):format(route.body_max))
  end
  if not route.body then return nil end
  local refused = not is_plain and core:body_size() > 0
    and negotiate.refuse_content_type(core:header("content-type"))
  if refused then return refused end
  read_body[route.body](request)
end

local function check_accept(request, core)
  local wants = wants_document(core:header("accept"))
  request.wants_document = wants or false
  if wants == nil then return negotiate.refuse_accept() end
end

-- What a handler that returns `nil, message, code` means, as functions do that could not do their work.
local function outcome_of(message, code, refused)
  return refused or refusal.of_failure(tostring(message), code)
end

local function handle(request, line, core, is_plain)
  local route = line.route
  local refused = (not is_plain and route.is_jsonapi and check_accept(request, core))
    or route.guard(request, core)
    or (before[1] and filters.before(request))
    or (route.query and check_query(request, core, route.query))
  if refused then return refused end
  lines.keep(line, core)
  if is_plain and line.straight then
    local raw_json, response = line.straight(core, line, request.identity, not line.made and request.query or nil)
    return response, raw_json
  end
  refused = (route.body or route.body_max) and check_body(request, route, core, is_plain)
  if refused then return refused end
  local response, message, code, why = route.handler(request)
  if response ~= nil or message == nil then return response end
  return outcome_of(message, code, why)
end

local function finish(request, response)
  if response == nil then response = { status = 204 } end
  if refusal.is(response) then response = reply.of_refusal(response) end
  reply.check(response)
  return reply.send(request, filters.after(request, response))
end

-- Answers, and if the answer itself fails, says so instead.
local function answer(request, response, owner, label)
  if response == reply.TAKEN then return end
  if refusal.is(response) then owner = "chatty" end -- nothing in it is the plugin's
  owner = filters.owner(request.path) or owner
  local ok, failed = protect.call(owner, label, finish, request, response)
  if not ok then reply.send(request, reply.of_refusal(failed)) end
end

local function preflight(core, methods)
  local headers = cors.preflight(methods, core:header("access-control-request-headers"))
  if cors.add_headers(headers, core:header("origin"), core:header("host")) then
    table.move({ "Vary", "Origin" }, 1, 2, #headers + 1, headers)
  end
  core:reply(204, headers)
end

-- What has no route of its own: preflights, OPTIONS, 404 and 405.
local function answer_unmatched(core, line)
  local request, method, path = requests.new(core, line), line.method, line.path
  local found = router.methods(path)
  local methods = found and table.concat(found, ", ")
  local response
  if not methods then
    response = refusal.of("not-found", "There is nothing at this path.")
  elseif method ~= "OPTIONS" then
    response = refusal.of("method-not-allowed", ("Use one of %s."):format(methods), nil, { "Allow", methods })
  elseif core:header("origin") and core:header("access-control-request-method") then
    return preflight(core, methods)
  else
    response = { status = 204, headers = { Allow = methods } }
  end
  answer(request, response, "chatty", method .. " without a route")
end

-- The straight way of a line of which nothing was made yet.
local function go_first(core, line, identity)
  local values, refused = query.read(core:query(), line.route.query)
  if not values then return nil, refused end
  lines.keep(line, core)
  return line.straight(core, line, identity, values)
end

local function go_straight(core, line, identity)
  local route = line.route
  local ok, raw_json, response = call_own(route.label, line.made and line.straight or go_first, core, line, identity)
  if ok and raw_json then return send_raw(core, raw_json, route.is_jsonapi) end
  if not ok then response = raw_json end
  answer(requests.new(core, line, true), response, route.plugin, route.answer_label)
end

--- Answers one request.
---@param core core.request
---@param is_plain boolean      JSON in, JSON out, and nothing else is asked for
---@param line lines.line|nil  what is known of its line
---@param method? string        if nothing is
---@param path? string          likewise; percent-decoded
function dispatch.request(core, is_plain, line, method, path)
  line = line or lines.read(method, path)
  local identity = is_plain and line.straight and line.recognize(core)
  if identity then return go_straight(core, line, identity) end
  local route = line.route
  if not route then return answer_unmatched(core, line) end
  local request = requests.new(core, line, is_plain)
  local ok, response, raw_json = protect.one(route.plugin, route.label, handle, request, line, core, is_plain)
  if ok and raw_json then return send_raw(core, raw_json, route.is_jsonapi) end
  answer(request, response, route.plugin, route.answer_label)
end

return dispatch
