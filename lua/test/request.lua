-- One HTTP request of a test, from its table to bytes, and the way to its response.

local argument = require "argument"
local json = require "core.json"
local wire = require "test.wire"

local request = {}

local FIELDS = {
  method = 1, path = 1, query = 1, headers = 1, body = 1, json = 1, document = 1, user = 1, claims = 1, token = 1,
  control = 1,
}
local JSON <const>, DOCUMENT <const> = "application/json", "application/vnd.api+json"

local Pending = {}
Pending.__index = Pending

local function escape(text)
  return (tostring(text):gsub("[^%w%-._~:,]", function(c) return ("%%%02X"):format(c:byte()) end))
end

-- The target: a path may bring its query; a table of one is added.
local function target_of(spec)
  local pairs_of = {}
  for name, value in pairs(spec.query or {}) do pairs_of[#pairs_of + 1] = escape(name) .. "=" .. escape(value) end
  table.sort(pairs_of)
  if not pairs_of[1] then return spec.path end
  return spec.path .. (spec.path:find("?", 1, true) and "&" or "?") .. table.concat(pairs_of, "&")
end

local function body_of(spec)
  if spec.json ~= nil then return json.encode(spec.json), JSON end
  if spec.document ~= nil then return json.encode(spec.document), DOCUMENT end
  return spec.body
end

local function headers_of(spec, server, body, content_type)
  local headers = { Host = "localhost", ["Content-Type"] = content_type }
  if body or (spec.method ~= "GET" and spec.method ~= "HEAD") then headers["Content-Length"] = #(body or "") end
  local token = spec.token or (spec.user and server:token(spec.user, spec.claims))
  if spec.control then token = server.control_key end
  if token then headers.Authorization = "Bearer " .. token end
  for name, value in pairs(spec.headers or {}) do headers[name] = value end
  return headers
end

--- The bytes of a request.
---@param spec test.request
---@param server test.server
---@return string
function request.encode(spec, server)
  argument.keys(spec, FIELDS, "a request", 3)
  local body, content_type = body_of(spec)
  local lines = { ("%s %s HTTP/1.1"):format(spec.method, target_of(spec)) }
  for name, value in pairs(headers_of(spec, server, body, content_type)) do
    lines[#lines + 1] = ("%s: %s"):format(name, value)
  end
  return table.concat(lines, "\r\n") .. "\r\n\r\n" .. (body or "")
end

--- Sends a request; its response comes while the server is turned.
---@param server test.server
---@param pipe core.trial.pipe
---@param spec test.request
---@return test.pending
function request.send(server, pipe, spec)
  local self = setmetatable({ wire = wire.new(pipe), has_body = spec.method ~= "HEAD" }, Pending)
  self.wire:send(request.encode(spec, server))
  return self
end

function Pending:pump()
  local has_moved = self.wire:move()
  self.answer = self.answer or self.wire:take_response(self.has_body)
  if self.answer then self.wire:close() end
  return has_moved
end

function Pending:is_over()
  return self.wire.is_over
end

--- The response; nil while the handler waits.
---@return test.response|nil
function Pending:response()
  return self.answer
end

return request
