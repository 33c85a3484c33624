-- What can only be judged of several settings together. Gets typed values, as options.parse gives them.

local option_types = require "settings.types"

local settings_check = {}

local SECRET_BYTES_MIN = 16
-- Making a token takes both: a new one is checked, to see that the keys are a pair.
local KEY_FILES = {
  verify = { "JWT_PUBLIC_KEY_FILE" }, sign = { "JWT_PRIVATE_KEY_FILE", "JWT_PUBLIC_KEY_FILE" },
}
local PLACEHOLDERS = { "^%[.*%]$", "^<.*>$", "your.jwt.secret", "your.secret", "change.?me" }

local function is_loopback(host)
  if not host then return false end
  host = host:lower()
  return host == "localhost" or host == "::1" or host:find("^127%.%d+%.%d+%.%d+$") ~= nil
end

local function is_placeholder(secret)
  for _, pattern in ipairs(PLACEHOLDERS) do
    if secret:lower():find(pattern) then return true end
  end
  return false
end

--- Whether there is what tokens are checked with ("verify") or made with ("sign").
---@param values table<string, any>
---@param purpose "verify"|"sign"
---@return true|nil, string? line
function settings_check.require_secret(values, purpose)
  local algorithm = values.JWT_ALGORITHM
  if algorithm:find("^HS") then
    if values.JWT_SECRET then return true end
    return nil, "JWT_SECRET is not set: put JWT_SECRET=... into .env "
      .. "(run `chatty init` to make one, or: openssl rand -hex 32)"
  end
  for _, name in ipairs(KEY_FILES[purpose]) do
    if not values[name] then
      return nil, ("%s is not set: JWT_ALGORITHM=%s needs it to %s tokens, put the path of a PEM file there")
        :format(name, algorithm, purpose == "sign" and "make" or "check")
    end
  end
  return true
end

-- With a public key as HMAC secret everybody who has the public key could make tokens.
local function check_secret(values, warnings)
  local secret = values.JWT_SECRET
  if not secret or not values.JWT_ALGORITHM:find("^HS") then return true end
  if secret:find("-----BEGIN", 1, true) then
    return nil, ("JWT_SECRET holds a PEM key, which is no secret for %s: set JWT_ALGORITHM to the key's own, "
      .. "and JWT_PUBLIC_KEY_FILE to its file"):format(values.JWT_ALGORITHM)
  end
  if is_placeholder(secret) then
    warnings[#warnings + 1] = "JWT_SECRET is an example's placeholder, which everybody knows: make one with "
      .. "openssl rand -hex 32"
  elseif #secret < SECRET_BYTES_MIN then
    warnings[#warnings + 1] = ("JWT_SECRET has only %d bytes and can be guessed: use at least %d, from "
      .. "openssl rand -hex 32"):format(#secret, SECRET_BYTES_MIN)
  end
  return true
end

local function check_open_control(values, warnings)
  local host = values.APP_HOST
  if not is_loopback(host) and not values.CONTROL_AUTH_NONE_ANYWHERE then
    return nil, ("CONTROL_AUTH is \"none\" while APP_HOST is %s: allowed is none with APP_HOST=127.0.0.1, "
      .. "or with CONTROL_AUTH_NONE_ANYWHERE=true if nobody else can reach this server")
      :format(host and ('"%s"'):format(host) or "not set (all interfaces)")
  end
  warnings[#warnings + 1] = "CONTROL_AUTH is none: everybody who reaches this server controls it"
  return true
end

local function check_keys(values, warnings)
  if #values.CONTROL_KEY == 0 then
    warnings[#warnings + 1] = "CONTROL_KEY is not set: only tokens with the role control give control rights"
  end
  for _, key in ipairs(values.CONTROL_KEY) do
    if #key < SECRET_BYTES_MIN then
      warnings[#warnings + 1] = ("CONTROL_KEY has a key of only %d bytes, which can be guessed: "
        .. "use at least %d"):format(#key, SECRET_BYTES_MIN)
    end
  end
end

--- Asked before the server starts.
---@param values table<string, any>
---@return string[]|nil warnings, string? line
function settings_check.check(values)
  local warnings = {}
  local ok, line = settings_check.require_secret(values, "verify")
  if ok then ok, line = check_secret(values, warnings) end
  if ok and values.CONTROL_AUTH == "none" then
    ok, line = check_open_control(values, warnings)
  elseif ok then
    check_keys(values, warnings)
  end
  if not ok then return nil, line end
  local memory, body = values.REQUEST_MEMORY_MAX, values.MAX_REQ_SIZE
  if memory < body then
    local show = option_types.types.size.show
    return nil, ("REQUEST_MEMORY_MAX is %s: allowed is at least MAX_REQ_SIZE, %s")
      :format(show(memory), show(body))
  end
  if body > values.SESSION_QUEUE_MAX then
    warnings[#warnings + 1] = "MAX_REQ_SIZE is larger than SESSION_QUEUE_MAX: sessions that are slow to take one "
      .. "large event are closed at the next (4002)"
  end
  return warnings
end

return settings_check
