-- The cookie `jwt`, in which browsers carry the token that they logged in with.

local proxy = require "proxy"

local jwt_cookie = {}

local LOCAL <const> = { localhost = true, ["127.0.0.1"] = true, ["[::1]"] = true }

-- Browsers keep a Secure cookie of plain http only, if at all, when it comes from their own machine.
local function is_secure(request)
  if proxy.is_tls(request) then return true end
  local host = (request:header("host") or ""):lower():gsub(":%d*$", "")
  return not LOCAL[host]
end

--- The cookie with this token.
---@param request request
---@param text string      "" takes it away
---@param max_age integer  seconds
---@return cookie.spec
function jwt_cookie.make(request, text, max_age)
  return {
    value = text, max_age = max_age, http_only = true, same_site = "Lax", secure = is_secure(request),
  }
end

return jwt_cookie
