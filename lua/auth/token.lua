-- POST /auth/token: makes a token for a user, for app servers without a JWT library.

local form = require "auth.form"
local guard = require "http.guard"
local json = require "core.json"
local mint = require "identity.mint"
local refusal = require "refusal"
local time = require "core.time"
local users = require "identity.users"

local token = {}

local TTL_DEFAULT <const> = 3600
local RESERVED <const> = { "sub", "exp", "iat", "jti" }

-- Seconds; nil when it may not be that.
local function read_ttl(body)
  if body.ttl == nil then return TTL_DEFAULT end
  local is_fine = type(body.ttl) == "number" and body.ttl >= 1 and body.ttl <= users.TOKEN_TTL_MAX
  return is_fine and math.floor(body.ttl) or nil
end

-- The claims of the body; nil and what is wrong with them.
local function read_claims(body)
  local claims = body.claims
  if claims == nil then return {} end
  if type(claims) ~= "table" or json.is_array(claims) then return nil, "is not an object" end
  for _, name in ipairs(RESERVED) do
    if claims[name] ~= nil then return nil, ("may not have %s, which the server sets"):format(name) end
  end
  return claims
end

local function read(request)
  local body, refused = form.object(request, "sub, ttl and claims")
  if not body then return nil, refused end
  local sub
  sub, refused = form.name(body, "sub", "name-invalid")
  if not sub then return nil, refused end
  local ttl = read_ttl(body)
  if not ttl then
    return nil, form.refuse("ttl-invalid", "ttl",
      ("must be a number of seconds from 1 to %d"):format(users.TOKEN_TTL_MAX))
  end
  local claims, fault = read_claims(body)
  if not claims then return nil, form.refuse("claims-invalid", "claims", fault) end
  claims.sub = sub
  return claims, ttl
end

local function handle(request)
  local claims, ttl = read(request)
  if not claims then return ttl end
  -- Or whoever may only make tokens could make himself one that may do everything.
  if request.identity.is_limited and guard.gives_control(claims) then
    return refusal.of("control-required", "A token with control rights needs a key or token with all of them.",
      { pointer = "/claims" })
  end
  local text, expires, code = mint.token(claims, ttl)
  if not text then return nil, expires, code end
  return {
    json = { token = text, expires = time.rfc3339(expires) }, headers = { ["Cache-Control"] = "no-store" },
  }
end

---@param app app
function token.setup(app)
  app:post("/auth/token", { auth = "control:auth", body = "json", doc = "Makes a token for a user." }, handle)
end

return token
