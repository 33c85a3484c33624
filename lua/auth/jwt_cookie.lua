-- The cookie `jwt`, in which browsers carry the token that they logged in with.

local proxy = require "http.proxy"

local jwt_cookie = {}

-- Browsers keep a Secure cookie of plain http only, if at all, when it comes from their own machine.
local function is_secure(request)
  if proxy.is_tls(request) then return true end
  return not proxy.is_own_name(request:header("host") or "")
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
