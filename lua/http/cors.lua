-- Origins: which pages of browsers may use what (CORS), and with cookies. Bearer tokens and keys may come
-- from any page, since a page cannot send one that it was not given; cookies are sent by themselves, so
-- they count only from ALLOWED_ORIGINS and from our own pages.

local settings = require "settings"

local cors = {}

local MAX_AGE <const> = "600"
local DEFAULT_HEADERS <const> = "Authorization, Content-Type, X-API-Key"
local EXPOSED_HEADERS <const> = "Link, Location, Retry-After, WWW-Authenticate"
local DEFAULT_PORTS = { http = ":80", https = ":443" }

local allowed = {}
for _, origin in ipairs(settings.ALLOWED_ORIGINS) do allowed[origin] = true end

local function is_same(origin, host)
  local scheme, authority = origin:match("^(%a+)://(.+)$")
  if not scheme or not host then return false end
  local port = DEFAULT_PORTS[scheme]
  host = host:lower()
  return authority == host or (port ~= nil and authority .. port == host)
end

--- Whether pages of this origin may use cookies here: it is listed, or our own.
---@param origin string        the header Origin
---@param host string|nil      the header Host
---@return boolean
function cors.is_allowed(origin, host)
  return allowed[origin] or is_same(origin:lower(), host)
end

--- Appends the headers that an answer to a page of this origin needs.
---@param headers string[]  name, value, name, value ...
---@param origin string
---@param host string|nil
---@return boolean varies  whether the answer depends on the origin
function cors.add_headers(headers, origin, host)
  local n = #headers
  headers[n + 1], headers[n + 2] = "Access-Control-Expose-Headers", EXPOSED_HEADERS
  if not cors.is_allowed(origin, host) then
    headers[n + 3], headers[n + 4] = "Access-Control-Allow-Origin", "*"
    return false
  end
  headers[n + 3], headers[n + 4] = "Access-Control-Allow-Origin", origin
  headers[n + 5], headers[n + 6] = "Access-Control-Allow-Credentials", "true"
  return true
end

-- What was asked for comes back, but nothing that is no header name.
local function allowed_headers(asked)
  local list = {}
  for name in (asked or ""):gmatch("[^,%s]+") do
    if name:find("^[%w!#$%%&'*+.^_`|~-]+$") then list[#list + 1] = name end
  end
  return #list > 0 and table.concat(list, ", ") or DEFAULT_HEADERS
end

--- The headers, apart from those of every answer, that answer a preflight.
---@param methods string         "GET, HEAD, POST"
---@param asked_headers string|nil  Access-Control-Request-Headers
---@return string[]
function cors.preflight(methods, asked_headers)
  return {
    "Access-Control-Allow-Methods", methods,
    "Access-Control-Allow-Headers", allowed_headers(asked_headers),
    "Access-Control-Max-Age", MAX_AGE,
  }
end

return cors
