--- JSON Web Tokens made without any code of the server, good ones and forged ones.
local bignum = require "openssl.bignum"
local cjson = require "cjson"
local digest = require "openssl.digest"
local hmac = require "openssl.hmac"
local mime = require "mime"
local pkey = require "openssl.pkey"

local token = {}

local function base64url(bytes)
  return ((mime.b64(bytes) or ""):gsub("[+/=]", { ["+"] = "-", ["/"] = "_", ["="] = "" }))
end

-- An ECDSA signature is two numbers: DER from OpenSSL, 2 x 32 bytes in a token (RFC 7518 3.4).
local function flatten(der)
  local r_size = der:byte(4)
  local r, s = der:sub(5, 4 + r_size), der:sub(7 + r_size)
  local function fit(number)
    number = number:gsub("^%z+", "")
    return ("\0"):rep(32 - #number) .. number
  end
  return fit(r) .. fit(s)
end

local function sign_sha(size)
  return function(text, key) return hmac.new(key, "sha" .. size):final(text) end
end

local signers = {
  none = function() return "" end,
  HS256 = sign_sha(256),
  HS384 = sign_sha(384),
  HS512 = sign_sha(512),
  RS256 = function(text, key) return key:sign(digest.new("sha256"):update(text)) end,
  ES256 = function(text, key) return flatten(key:sign(digest.new("sha256"):update(text))) end,
}

--- A key pair for RS256 or ES256: `key` signs, `public` is its PEM.
---@param algorithm "RS256"|"ES256"
function token.key_pair(algorithm)
  local key = algorithm == "ES256" and pkey.new{ type = "EC", curve = "prime256v1" }
    or pkey.new{ type = "RSA", bits = 2048, exp = bignum.new(65537) }
  return { key = key, public = key:toPEM("public") }
end

--- A token with just these claims.
---@param claims table|string   a string is taken as it is
---@param key any               text for HS256, else the `key` of a pair
---@param header? table         default HS256; `alg` says how it is signed, `sign_as` overrides that
---@return string
function token.encode(claims, key, header)
  header = header or {}
  local alg, sign_as = header.alg or "HS256", header.sign_as
  local fields = { typ = "JWT" }
  for name, value in pairs(header) do fields[name] = value end
  fields.alg, fields.sign_as = alg, nil
  local payload = type(claims) == "string" and claims or cjson.encode(claims)
  local text = base64url(cjson.encode(fields)) .. "." .. base64url(payload)
  return text .. "." .. base64url(signers[sign_as or alg](text, key))
end

--- An ordinary token: `sub` alone may stand for the claims; it dies in `ttl` seconds (default an hour).
---@param claims table|string
---@param key any
---@param ttl? number
---@param header? table
---@return string
function token.make(claims, key, ttl, header)
  local all = { exp = os.time() + (ttl or 3600) // 1 }
  if type(claims) == "string" then claims = { sub = claims } end
  for name, value in pairs(claims) do all[name] = value end
  return token.encode(all, key, header)
end

return token
