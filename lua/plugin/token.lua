-- chatty.token and chatty.password: what plugins do with tokens and passwords.

local argument = require "argument"
local hooks = require "hooks"
local json = require "core.json"
local password = require "core.password"
local revocations = require "identity.revocations"
local secret = require "core.secret"
local settings = require "settings"
local token = require "core.token"

local plugin_token = {}

local ID_BYTES <const> = 15
local PASSWORD_MAX <const> = 1024

-- As the server asks for them, unless the plugin says otherwise; each can be revoked.
local function make(claims, ttl)
  argument.type(claims, "table", "chatty.token.make: the claims", 2)
  local all = { iss = settings.JWT_ISSUER, aud = settings.JWT_AUDIENCE, jti = secret.random(ID_BYTES) }
  for name, value in pairs(claims) do all[name] = value end
  return token.make(all, ttl)
end

local function verify(text)
  argument.type(text, "string", "chatty.token.verify: the token", 2)
  local found, message, code = token.verify(text)
  if not found then return nil, message, code end
  return { user = found.user, expires = found.expires, claims = json.decode(found.claims) }
end

local function revoke(given)
  local found = given
  if type(given) == "string" then
    local message, code
    found, message, code = verify(given)
    if not found then return nil, message, code end
  end
  if type(found) ~= "table" or type(found.user) ~= "string" or type(found.claims) ~= "table" then
    error("chatty.token.revoke: it takes a token, or what chatty.token.verify gave", 2)
  end
  if hooks.is_dry() then return found.claims.jti ~= nil end
  return revocations.add({ user = found.user, expires = found.expires, claims = json.encode(found.claims) })
end

local function revoke_all(user)
  argument.type(user, "string", "chatty.token.revoke_all: the user", 2)
  if hooks.is_dry() then return true end
  return revocations.add_all(user)
end

local function check_password(text, what, level)
  argument.type(text, "string", what .. ": the password", level + 1)
  if #text > PASSWORD_MAX then return nil, ("a password has at most %d bytes"):format(PASSWORD_MAX), "LIMIT" end
  return true
end

local function hash(text)
  local ok, message, code = check_password(text, "chatty.password.hash", 2)
  if not ok then return nil, message, code end
  return password.hash(text)
end

local function verify_password(text, hashed)
  argument.type(hashed, "string", "chatty.password.verify: the hash", 2)
  if not check_password(text, "chatty.password.verify", 2) then return false end
  return password.verify(text, hashed)
end

--- chatty.token of one plugin.
---@return table
function plugin_token.tokens()
  return { make = make, verify = verify, revoke = revoke, revoke_all = revoke_all }
end

--- chatty.password of one plugin.
---@return table
function plugin_token.passwords()
  return { hash = hash, verify = verify_password }
end

return plugin_token
