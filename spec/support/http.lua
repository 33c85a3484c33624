--- HTTP/1.1 over a raw connection: one request out, one response in. `client.request` does both on a
--- connection of its own; specs of keep-alive and pipelining use these.
local cjson = require "cjson"

---@class spec.Response
---@field status integer
---@field reason string
---@field headers table<string, string>  names in lower case; repeated ones joined with ", "
---@field head string                    status line and headers as they came
---@field body string
---@field json fun(): any                the body, decoded; raises when it is no JSON
local http = {}

---@class spec.Request
---@field method? string    default GET, or POST with a body
---@field path? string      as it goes out, with its query; default "/"
---@field headers? table<string, string>
---@field body? string
---@field json? any         encoded as the body

--- The bytes of a request, with Host and, for a body, Content-Length (unless the spec gives them).
---@param request spec.Request
---@param host string
---@return string
function http.encode(request, host)
  local body = request.json ~= nil and cjson.encode(request.json) or request.body
  local method = request.method or (body and "POST" or "GET")
  local lines, given = { ("%s %s HTTP/1.1"):format(method, request.path or "/") }, {}
  for name, value in pairs(request.headers or {}) do
    lines[#lines + 1] = name .. ": " .. value
    given[name:lower()] = true
  end
  local function add(name, value)
    if not given[name:lower()] then lines[#lines + 1] = name .. ": " .. value end
  end
  add("Host", host)
  if body then
    add("Content-Length", #body)
    add("Content-Type", "application/json")
  end
  return table.concat(lines, "\r\n") .. "\r\n\r\n" .. (body or "")
end

local function read_head(connection, seconds)
  local head, fault = connection:read_until("\r\n\r\n", seconds)
  if not head then return nil, fault end
  local status, reason = head:match("^HTTP/1%.1 (%d%d%d) ([^\r\n]*)\r\n")
  if not status then return nil, "no HTTP/1.1 status line: " .. head:sub(1, 80) end
  local headers = {}
  for name, value in head:gmatch("\r\n([^:\r\n]+):[ \t]*([^\r\n]*)") do
    name = name:lower()
    headers[name] = headers[name] and headers[name] .. ", " .. value or value
  end
  return { status = tonumber(status), reason = reason, headers = headers, head = head }
end

local function read_chunks(connection, seconds)
  local parts = {}
  repeat
    local line, fault = connection:read_until("\r\n", seconds)
    local size = line and tonumber(line:match("^%x+"), 16)
    if not size then return nil, fault or "no chunk size: " .. line end
    local chunk
    chunk, fault = connection:read(size + 2, seconds)
    if not chunk then return nil, fault end
    parts[#parts + 1] = chunk:sub(1, -3)
  until size == 0
  return table.concat(parts)
end

local function read_body(connection, method, response, seconds)
  local status, headers = response.status, response.headers
  if method == "HEAD" or status < 200 or status == 204 or status == 304 then return "" end
  if headers["transfer-encoding"] == "chunked" then return read_chunks(connection, seconds) end
  local size = headers["content-length"]
  if size then return connection:read(tonumber(size), seconds) end
  return connection:read_all(seconds)
end

--- Waits for one response. Interim ones (100 Continue) are left out, but 101 is a response.
---@param connection spec.Connection
---@param method? string   that was asked with: a response to HEAD has no body
---@param seconds? number
---@return spec.Response|nil, string? reason
function http.read(connection, method, seconds)
  local response, fault
  repeat
    response, fault = read_head(connection, seconds)
    if not response then return nil, fault end
  until response.status >= 200 or response.status == 101
  response.body, fault = read_body(connection, method, response, seconds)
  if not response.body then return nil, fault end
  function response.json() return cjson.decode(response.body) end
  return response
end

return http
