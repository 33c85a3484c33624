-- Cookies: read from a request, written into an answer (RFC 6265).

local argument = require "argument"

local cookie = {}

---@class cookie.spec
---@field value string
---@field max_age? integer     seconds; 0 takes the cookie away
---@field path? string         default "/"
---@field domain? string
---@field secure? boolean      default true
---@field http_only? boolean   default true
---@field same_site? "Strict"|"Lax"|"None"  default "Lax"

local FIELDS = { value = 1, max_age = 1, path = 1, domain = 1, secure = 1, http_only = 1, same_site = 1 }
local SAME_SITE = { Strict = true, Lax = true, None = true }

--- The value of one cookie of the header Cookie.
---@param header string|nil
---@param name string
---@return string|nil
function cookie.find(header, name)
  for pair in (header or ""):gmatch("[^;]+") do
    local key, value = pair:match("^%s*([^=%s]+)%s*=%s*(%S*)")
    if key == name then return value:match('^"(.*)"$') or value end
  end
end

local function check(name, spec)
  local what = ("cookie '%s'"):format(name)
  argument.keys(spec, FIELDS, what, 3)
  if not name:find("^[%w!#$%%&'*+.^_`|~-]+$") then error(what .. " has no allowed name", 3) end
  for _, text in ipairs({ spec.value or "", spec.path or "/", spec.domain or "" }) do
    if text:find('[%c%s;,"\\]') then error(what .. ": blanks and ; , \" \\ are not allowed", 3) end
  end
  if spec.same_site and not SAME_SITE[spec.same_site] then
    error(what .. ": same_site must be Strict, Lax or None", 3)
  end
end

--- The value of a header Set-Cookie. Unless it says otherwise the cookie is for the whole site, hidden
--- from scripts, sent over TLS only, and not sent along by other sites.
---@param name string
---@param spec string|cookie.spec
---@return string
function cookie.encode(name, spec)
  if type(spec) == "string" then spec = { value = spec } end
  check(name, spec)
  local parts = { ("%s=%s"):format(name, spec.value or ""), "Path=" .. (spec.path or "/") }
  if spec.domain then parts[#parts + 1] = "Domain=" .. spec.domain end
  if spec.max_age then parts[#parts + 1] = ("Max-Age=%d"):format(spec.max_age) end
  if spec.http_only ~= false then parts[#parts + 1] = "HttpOnly" end
  if spec.secure ~= false then parts[#parts + 1] = "Secure" end
  parts[#parts + 1] = "SameSite=" .. (spec.same_site or "Lax")
  return table.concat(parts, "; ")
end

return cookie
