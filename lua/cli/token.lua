-- chatty token: makes a token as the settings say, or checks one.

local option_types = require "settings.types"
local options = require "settings.options"
local outcome = require "cli.outcome"

local token = {}

local TTL = { name = "--ttl", type = "duration", min = "1s", max = "87600h", default = "1h" }
local YEAR_10000 = 253402300800
-- Claims that have a flag of their own, or that the signing sets.
local RESERVED = { sub = "--sub", exp = "--ttl", iat = "the time of making it" }

-- Adds the claim of "NAME=VALUE"; nil, line when it cannot be one.
local function add_claim(context, claims, text)
  local name, value = text:match("^([^=]+)=(.*)$")
  if not name then return nil, ('--claim is "%s": allowed is NAME=VALUE'):format((text:gsub("%c", "?"))) end
  if RESERVED[name] then return nil, ("--claim cannot set %s: %s does"):format(name, RESERVED[name]) end
  if claims[name] ~= nil then return nil, ("the claim %s is given twice"):format((name:gsub("%c", "?"))) end
  local decoded = context.json.decode(value)
  if decoded == nil then decoded = value end
  claims[name] = decoded
  return true
end

-- The issuer and audience that this server asks for stand in its own tokens unless said otherwise.
local function build_claims(context, values)
  local args = context.args
  local claims = { sub = args.sub, role = args.role }
  for _, text in ipairs(args.claim or {}) do
    local ok, line = add_claim(context, claims, text)
    if not ok then return nil, line end
  end
  if claims.iss == nil then claims.iss = values.JWT_ISSUER end
  if claims.aud == nil then claims.aud = values.JWT_AUDIENCE end
  return claims
end

local function make(context)
  local args = context.args
  local ttl = option_types.parse(TTL, args.ttl or TTL.default)
  if not ttl then
    local shown = args.ttl:gsub("%c", "?")
    return outcome.usage(context, "token", ('--ttl is "%s": allowed is %s'):format(shown, option_types.allowed(TTL)))
  end
  local claims, line = build_claims(context, options.parse(context.settings))
  if not claims then return outcome.usage(context, "token", line) end
  local ok, missing = options.require_secret(context.settings, "sign")
  if not ok then
    return outcome.fail(context, missing)
  end
  local text, message = context.make_token(claims, ttl)
  if not text then
    return outcome.fail(context, "the token cannot be made: " .. message)
  end
  context.print(text)
  return 0
end

local function until_when(expires)
  if not expires then return "does not expire" end
  if expires >= YEAR_10000 then return "expires after the year 9999" end
  return "expires " .. os.date("!%Y-%m-%dT%H:%M:%SZ", math.floor(expires))
end

local function check(context)
  local ok, missing = options.require_secret(context.settings, "verify")
  if not ok then
    return outcome.fail(context, missing)
  end
  local found, message = context.check_token(context.args.check)
  if not found then
    return outcome.fail(context, "the token is not valid: " .. message)
  end
  context.print(("valid: user %s, %s"):format(found.user:gsub("%c", "?"), until_when(found.expires)))
  context.print(found.claims)
  return 0
end

--- Prints a token, or what is in one.
---@param context cli.context
---@return integer exit_code
function token.run(context)
  local args = context.args
  local is_making = args.sub or args.ttl or args.role or args.claim
  if args.check and is_making then return outcome.usage(context, "token", "--check stands alone") end
  if args.check then return check(context) end
  if not args.sub then return outcome.usage(context, "token", "say whom it is for: --sub USER") end
  return make(context)
end

return token
