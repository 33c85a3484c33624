-- Answers: from the response table that a handler returns to status, headers and body on the wire.

local argument = require "argument"
local cookie = require "http.cookie"
local cors = require "http.cors"
local errors = require "errors"
local json = require "core.json"
local metrics = require "core.metrics"
local negotiate = require "http.negotiate"
local refusal = require "refusal"
local requests = require "http.request"
local static = require "http.static"

local reply = {}

--- What a handler returns when it has answered by itself, by an upgrade to WebSocket.
reply.TAKEN = {}

local core_of, route_of = requests.core, requests.route
local FIELDS = {
  status = 1, headers = 1, cookies = 1, json = 1, raw_json = 1, text = 1, html = 1, file = 1, document = 1,
}
local JSON <const>, DOCUMENT <const> = negotiate.JSON, negotiate.DOCUMENT
local TEXT <const>, HTML <const> = "text/plain; charset=utf-8", "text/html; charset=utf-8"

-- The headers of most answers, as they go out: by content type, without and with negotiation.
local PLAIN, NEGOTIATED = {}, {}
for _, type in ipairs({ JSON, DOCUMENT }) do
  PLAIN[type] = ("Content-Type: %s\r\n"):format(type)
  NEGOTIATED[type] = PLAIN[type] .. "Vary: Accept\r\n"
end

-- Where an answer ends hangs on these, so nobody else may say them.
local OWN = { connection = true, ["content-length"] = true, date = true, ["transfer-encoding"] = true }

local function check_header(name, value)
  if type(name) ~= "string" or not name:find("^[%w!#$%%&'*+.^_`|~-]+$") then
    error(("'%s' is no name of a header"):format(tostring(name)), 0)
  end
  if OWN[name:lower()] then error(("the header %s is the server's own"):format(name), 0) end
  if value:find("[\r\n%z]") then error(("the header %s has a line break"):format(name), 0) end
end

local function add(headers, name, value)
  headers[#headers + 1], headers[#headers + 2] = name, value
end

-- A plugin's headers: a name with a text, or with a list of texts for one that comes several times.
local function add_own(headers, own, vary)
  for name, value in pairs(own) do
    for _, text in ipairs(type(value) == "table" and value or { value }) do
      text = tostring(text)
      check_header(name, text)
      if name:lower() == "vary" then vary[#vary + 1] = text else add(headers, name, text) end
    end
  end
end

local function has(headers, name)
  for own in pairs(headers) do
    if own:lower() == name then return true end
  end
  return false
end

local function build_headers(self, response, content_type, extra, is_negotiated)
  local core = core_of(self)
  local headers, vary = table.move(extra or {}, 1, extra and #extra or 0, 1, {}), {}
  if content_type and not (response.headers and has(response.headers, "content-type")) then
    add(headers, "Content-Type", content_type)
  end
  if is_negotiated then vary[1] = "Accept" end
  if response.headers then add_own(headers, response.headers, vary) end
  for name, spec in pairs(response.cookies or {}) do add(headers, "Set-Cookie", cookie.encode(name, spec)) end
  local origin = core:header("origin")
  if origin and cors.add_headers(headers, origin, core:header("host")) then vary[#vary + 1] = "Origin" end
  if #vary > 0 then add(headers, "Vary", table.concat(vary, ", ")) end
  return headers
end

local function headers_of(self, response, content_type, extra)
  local route = route_of(self)
  local has_both = response.document ~= nil and response.json ~= nil
  local is_negotiated = has_both or (route and route.is_jsonapi)
  local is_common = not (extra or response.headers or response.cookies)
  local made = is_common and (is_negotiated and NEGOTIATED or PLAIN)[content_type]
  if made and not core_of(self):header("origin") then return made end
  return build_headers(self, response, content_type, extra, is_negotiated)
end

-- The body and its content type, and for a file what else it brings.
local function render(self, response)
  if response.raw_json then return response.raw_json, JSON end
  if response.document ~= nil and (self.wants_document or response.json == nil) then
    return json.encode(response.document), DOCUMENT
  end
  if response.json ~= nil then return json.encode(response.json), JSON end
  if response.html then return response.html, HTML end
  if response.text then return response.text, TEXT end
end

local function send_file(self, response)
  local path, route = response.file, route_of(self)
  if path:sub(1, 1) ~= "/" and route then path = route.folder .. "/" .. path end
  local status, body, extra = static.read(core_of(self), path)
  local headers = headers_of(self, response, static.content_type(path), extra)
  return core_of(self):reply(response.status or status, headers, body)
end

--- Raises unless it is a response.
---@param response any
function reply.check(response)
  if type(response) ~= "table" then
    error(("the handler returned a %s: return a table such as { json = ... }, or nothing")
      :format(type(response)), 0)
  end
  argument.keys(response, FIELDS, "a response", argument.BLAME_NOBODY)
end

--- Answers the request.
---@param self request
---@param response table
---@return boolean sent
function reply.send(self, response)
  if response.file then return send_file(self, response) end
  local body, content_type = render(self, response)
  local headers = headers_of(self, response, content_type)
  return core_of(self):reply(response.status or (body and 200 or 204), headers, body)
end

--- Answers a request that asks for nothing but JSON, and that no filter sees.
---@param core core.request
---@param raw_json string
---@param is_negotiated boolean|nil
function reply.send_raw(core, raw_json, is_negotiated)
  core:reply(200, (is_negotiated and NEGOTIATED or PLAIN)[JSON], raw_json)
end

--- The response that a refusal becomes.
---@param refused refusal
---@return table
function reply.of_refusal(refused)
  local known = errors.codes[refused.code]
  if known and known.is_limit then metrics.add("limit_hits_total") end
  local document = { errors = json.array({ refusal.object(refused) }) }
  local headers = {}
  for i = 1, #(refused.headers or headers), 2 do headers[refused.headers[i]] = refused.headers[i + 1] end
  return { status = refused.status, json = document, document = document, headers = headers }
end

return reply
