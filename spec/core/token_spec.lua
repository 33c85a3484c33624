-- Tokens are made here by luaossl, without libjwt; the key pairs come from the openssl program.
local digest = require "openssl.digest"
local hmac = require "openssl.hmac"
local mime = require "mime"
local pkey = require "openssl.pkey"
local tokens = require "spec.support.token"

local base64 = require("core.test").base64
local token = require("core.test").token

local NOW = 1700000000
local SECRET = "a secret of thirty-two characters"
local MAKE_KEYS = [[
  umask 077 && mkdir %s && cd %s || exit
  openssl genrsa -out rsa.key 2048 && openssl rsa -in rsa.key -pubout -out rsa.pem
  openssl genrsa -out other.key 2048
  openssl ecparam -name prime256v1 -genkey -noout -out ec.key && openssl ec -in ec.key -pubout -out ec.pem
]]

local keys = {}

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read("a")
end

local function base64url(bytes)
  return ((mime.b64(bytes) or ""):gsub("[+/=]", { ["+"] = "-", ["/"] = "_", ["="] = "" }))
end

local function hs256(text, secret)
  return hmac.new(secret or SECRET, "sha256"):final(text)
end

local function rs256(text)
  return pkey.new(keys["rsa.key"]):sign(digest.new("sha256"):update(text))
end

-- A token of any header and payload, as text.
local function raw(header, payload, sign)
  local text = base64url(header) .. "." .. base64url(payload)
  return text .. "." .. base64url((sign or hs256)(text))
end

-- A token of claims as JSON text, with the plain header.
local function signed(claims)
  return raw([[{"alg":"HS256","typ":"JWT"}]], claims)
end

local function hs_policy(more)
  local settings = { algorithm = "HS256", secret = SECRET }
  for name, value in pairs(more or {}) do settings[name] = value end
  return assert(token.policy(settings))
end

local function pair_policy(algorithm, pair)
  local public, private = keys[pair .. ".pem"], keys[pair .. ".key"]
  return assert(token.policy{ algorithm = algorithm, public_key = public, private_key = private })
end

local function rs_policy()
  return pair_policy("RS256", "rsa")
end

local function es_policy()
  return pair_policy("ES256", "ec")
end

-- The user, or the error's name.
local function verdict(policy, text, now)
  local found, err = policy:verify(text, now or NOW)
  return found and "user " .. found.user or err
end

setup(function()
  local folder = os.tmpname()
  os.remove(folder)
  -- The libraries of the sanitizers are for this process, not for its children.
  local command = "unset LD_PRELOAD; (" .. MAKE_KEYS:format(folder, folder) .. ") >/dev/null 2>&1"
  assert(os.execute(command), "openssl made no keys")
  for _, name in ipairs{ "rsa.key", "rsa.pem", "other.key", "ec.key", "ec.pem" } do
    keys[name] = read(folder .. "/" .. name)
  end
  os.execute("rm -r " .. folder)
end)

describe("a token", function()
  it("gives its user, its claims and its end", function()
    local claims = [[{"sub":"user-1","exp":1700000100,"role":"control"}]]
    local expected = { user = "user-1", claims = claims, expires = 1700000100 }
    assert.same(expected, hs_policy():verify(signed(claims), NOW))
    claims = [[{"sub":"user-1"}]]
    expected = { user = "user-1", claims = claims, expires = 0 }
    assert.same(expected, hs_policy():verify(signed(claims), NOW))
  end)

  it("of another library is good, for each algorithm", function()
    for size, name in pairs{ [256] = "HS256", [384] = "HS384", [512] = "HS512" } do
      local policy = token.policy{ algorithm = name, secret = SECRET }
      local text = tokens.encode({ sub = "u" }, SECRET, { alg = name })
      assert.equal("user u", verdict(policy, text), size)
    end
    local rsa, ec = pkey.new(keys["rsa.key"]), pkey.new(keys["ec.key"])
    assert.equal("user u", verdict(rs_policy(), tokens.encode({ sub = "u" }, rsa, { alg = "RS256" })))
    for _ = 1, 20 do -- the two numbers of a signature may be short
      assert.equal("user u", verdict(es_policy(), tokens.encode({ sub = "u" }, ec, { alg = "ES256" })))
    end
  end)

  it("may have blanks, escapes and any order in its JSON", function()
    local header = '\n{ "typ" : "JWT", "kid":"1", "\\u0061lg" : "HS\\u0032\\u0035\\u0036" }'
    local claims = ' {"a":[] , "\\u0073ub" : "\\u0075\\u00e9😀"}'
    assert.equal("user ué😀", verdict(hs_policy(), raw(header, claims)))
  end)

  it("keeps its claims as they were written", function()
    local claims = [[{"sub":"u","id":9223372036854775807,"n":-9007199254740993,"x":1.0,"list":[],"map":{},]]
      .. [["s":"\u00e9","sub2":"u" }]]
    assert.equal(claims, hs_policy():verify(signed(claims), NOW).claims)
  end)
end)

describe("the algorithm of a token", function()
  it("may not be none, however it is written", function()
    for _, alg in ipairs{ "none", "None", "NONE", "" } do
      for _, policy in ipairs{ hs_policy(), rs_policy() } do
        local header = ([[{"alg":"%s"}]]):format(alg)
        local unsigned = base64url(header) .. "." .. base64url([[{"sub":"u"}]])
        assert.equal("INVALID", verdict(policy, unsigned .. "."))
        assert.equal("INVALID", verdict(policy, unsigned))
        assert.equal("INVALID", verdict(policy, unsigned .. ".AAAA"))
        assert.equal("INVALID", verdict(policy, raw(header, [[{"sub":"u"}]])))
      end
    end
  end)

  it("may not be HS256 where RS256 is configured, with the public key for a secret", function()
    local pem = keys["rsa.pem"]
    for _, key in ipairs{ pem, pem:sub(1, -2), pem .. "\0" } do
      for _, alg in ipairs{ "HS256", "RS256" } do
        local text = tokens.encode({ sub = "u" }, key, { alg = alg, sign_as = "HS256" })
        assert.equal("INVALID", verdict(rs_policy(), text))
      end
    end
  end)

  it("must be the configured one, though the signature is right", function()
    local rsa = pkey.new(keys["rsa.key"])
    assert.equal("INVALID", verdict(hs_policy(), tokens.encode({ sub = "u" }, SECRET, { alg = "HS512" })))
    assert.equal("INVALID", verdict(hs_policy(), tokens.encode({ sub = "u" }, rsa, { alg = "RS256" })))
    assert.equal("INVALID", verdict(hs_policy(), raw([[{"alg":"hs256"}]], [[{"sub":"u"}]])))
    assert.equal("INVALID", verdict(hs_policy(), raw([[{"alg":["HS256"]}]], [[{"sub":"u"}]])))
    assert.equal("INVALID", verdict(hs_policy(), raw([[{"typ":"JWT"}]], [[{"sub":"u"}]])))
  end)

  it("must be the configured one in a header that names two", function()
    for _, header in ipairs{ [[{"alg":"RS256","alg":"HS256"}]], [[{"alg":"HS256","alg":"RS256"}]] } do
      local function by_public_key(text) return hs256(text, keys["rsa.pem"]) end
      assert.equal("INVALID", verdict(rs_policy(), raw(header, [[{"sub":"u"}]], by_public_key)))
    end
    assert.equal("INVALID", verdict(hs_policy(), raw([[{"alg":"HS256","alg":"none"}]], [[{"sub":"u"}]])))
  end)
end)

describe("the header of a token", function()
  it("may ask for nothing that must be understood (crit)", function()
    for _, crit in ipairs{ [=[["exp"]]=], [=[["b64"],"b64":false]=], "[]", "null", "1" } do
      local header = ([[{"alg":"HS256","crit":%s}]]):format(crit)
      assert.equal("INVALID", verdict(hs_policy(), raw(header, [[{"sub":"u"}]])))
    end
  end)

  it("must be a JSON object", function()
    local headers = { "", "{", "[]", "null", '"HS256"', '["HS256"]', [[{"alg":"HS256"}{}]], "\0" }
    for _, header in ipairs(headers) do
      assert.equal("INVALID", verdict(hs_policy(), raw(header, [[{"sub":"u"}]])))
    end
  end)
end)

describe("the signature of a token", function()
  it("is broken by another secret, and by a prefix of it", function()
    local text = signed([[{"sub":"u"}]])
    assert.equal("user u", verdict(hs_policy(), text))
    for _, secret in ipairs{ "x", SECRET .. "x", SECRET:sub(1, -2), SECRET:upper() } do
      assert.equal("INVALID", verdict(hs_policy{ secret = secret }, text))
    end
  end)

  it("is broken by any change of any character", function()
    local policies = { [hs_policy()] = signed([[{"sub":"u"}]]) }
    policies[rs_policy()] = raw([[{"alg":"RS256"}]], [[{"sub":"u"}]], rs256)
    policies[es_policy()] = tokens.encode([[{"sub":"u"}]], pkey.new(keys["ec.key"]), { alg = "ES256" })
    for policy, text in pairs(policies) do
      assert.equal("user u", verdict(policy, text))
      for at = 1, #text do
        for _, other in ipairs{ "A", "b", "-", "=", "." } do
          local changed = text:sub(1, at - 1) .. other .. text:sub(at + 1)
          if changed ~= text then assert(verdict(policy, changed) == "INVALID", changed) end
        end
      end
    end
  end)

  it("is looked at behind each of two headers, whichever came before", function()
    local policy, claims = hs_policy(), [[{"sub":"ann"}]]
    local heads = { [[{"alg":"HS256","typ":"JWT"}]], [[{"typ":"JWT","alg":"HS256"}]], [[{"alg":"none"}]] }
    local users = {}
    for i, head in ipairs({ heads[1], heads[1], heads[2], heads[3], heads[3], heads[2], heads[1] }) do
      local found = policy:verify(raw(head, claims), NOW)
      users[i] = found and found.user or false
    end
    assert.same({ "ann", "ann", "ann", false, false, "ann", "ann" }, users)
    assert.is_nil((policy:verify(raw(heads[1], claims, function(text) return hs256(text, "another") end), NOW)))
  end)

  it("is broken by a payload of another token", function()
    local parts, others = {}, {}
    for part in signed([[{"sub":"u"}]]):gmatch("[^.]+") do parts[#parts + 1] = part end
    for part in signed([[{"sub":"admin"}]]):gmatch("[^.]+") do others[#others + 1] = part end
    assert.equal("INVALID", verdict(hs_policy(), table.concat({ parts[1], others[2], parts[3] }, ".")))
  end)

  it("has one form: nothing may stand before it or behind it", function()
    local texts = { [hs_policy()] = signed([[{"sub":"u"}]]) }
    texts[rs_policy()] = raw([[{"alg":"RS256"}]], [[{"sub":"u"}]], rs256)
    texts[es_policy()] = tokens.encode([[{"sub":"u"}]], pkey.new(keys["ec.key"]), { alg = "ES256" })
    for policy, text in pairs(texts) do
      for _, more in ipairs{ "=", "==", ".", ".x", "A", "AAAA", " ", "\n", "\0", "!", "." .. text } do
        assert(verdict(policy, text .. more) == "INVALID", "accepted with " .. more)
      end
      for _, more in ipairs{ " ", ".", "\n", "=" } do
        assert.equal("INVALID", verdict(policy, more .. text))
      end
      local other_alphabet = text:gsub("[-_]", { ["-"] = "+", ["_"] = "/" })
      if other_alphabet ~= text then assert.equal("INVALID", verdict(policy, other_alphabet)) end
    end
  end)

  it("is missed in every beginning of a token", function()
    local text = signed([[{"sub":"u"}]])
    for len = 0, #text - 1 do assert(verdict(hs_policy(), text:sub(1, len)) == "INVALID") end
  end)
end)

describe("a text that is no token", function()
  it("is refused, whatever it is", function()
    local good = base64url([[{"alg":"HS256"}]])
    local texts = { "", ".", "..", "...", "a.b.c", "null", "\0", "é.é.é", good, good .. ".", good .. ".." }
    texts[#texts + 1] = "." .. signed([[{"sub":"u"}]]):match("%.(.*)")
    texts[#texts + 1] = good .. ".." .. base64url(hs256(good .. "."))
    for _, text in ipairs(texts) do assert.equal("INVALID", verdict(hs_policy(), text)) end
  end)

  it("is refused when it is too long, before it is looked into", function()
    local name = ("x"):rep(100000)
    assert.equal("INVALID", verdict(hs_policy(), signed(([[{"sub":"u","x":"%s"}]]):format(name))))
    assert.equal("INVALID", verdict(hs_policy(), ("."):rep(100000)))
    assert.equal("INVALID", verdict(hs_policy(), ("a"):rep(100000)))
  end)

  it("is a token up to 8 KiB", function()
    local function filled(size) return signed(([[{"sub":"u","x":"%s"}]]):format(("x"):rep(size))) end
    local size = 5900
    while #filled(size + 1) <= 8192 do size = size + 1 end
    local longest, longer = filled(size), filled(size + 1)
    assert(#longest >= 8190)
    assert.equal("user u", verdict(hs_policy(), longest))
    assert.equal("INVALID", verdict(hs_policy(), longer))
  end)

  it("is refused with a payload that is no JSON object", function()
    local payloads = {
      "", "{", "[]", "null", '"u"', '[{"sub":"u"}]', '{"sub":"u"}}', '{"sub":"u",}', '{"sub":"\xFF"}',
      '{"sub":"u"}\0', '\u{FEFF}{"sub":"u"}', '{"sub":"u","x":' .. ("["):rep(3000),
    }
    for _, payload in ipairs(payloads) do assert.equal("INVALID", verdict(hs_policy(), signed(payload))) end
  end)
end)

describe("the end of a token", function()
  local function at(exp, now, leeway)
    return verdict(hs_policy{ leeway = leeway }, signed(([[{"sub":"u","exp":%s}]]):format(exp)), now)
  end

  it("is the second named in exp", function()
    assert.equal("user u", at(NOW + 1))
    assert.equal("EXPIRED", at(NOW))
    assert.equal("EXPIRED", at(NOW - 1))
    assert.equal("EXPIRED", at(0))
  end)

  it("comes later by the leeway", function()
    assert.equal("user u", at(NOW - 4, NOW, 5))
    assert.equal("EXPIRED", at(NOW - 5, NOW, 5))
  end)

  it("may have a fraction, which is cut off", function()
    assert.equal("user u", at(NOW + 1 .. ".999"))
    assert.equal("EXPIRED", at(NOW .. ".999"))
  end)

  it("must be a number that is a date", function()
    for _, exp in ipairs{ "null", '"1800000000"', "-1", "1e10", "true", "[1800000000]", "1.8e9", "{}" } do
      assert.equal("INVALID", at(exp))
    end
  end)

  it("may be very far away", function()
    assert.equal("user u", at("9223372036854775807"))
    assert.equal("user u", at("9223372036854775807", NOW, 300))
  end)
end)

describe("the beginning of a token", function()
  local function at(nbf, leeway)
    return verdict(hs_policy{ leeway = leeway }, signed(([[{"sub":"u","nbf":%s}]]):format(nbf)))
  end

  it("is the second named in nbf", function()
    assert.equal("user u", at(NOW - 1))
    assert.equal("user u", at(NOW))
    assert.equal("UNAVAILABLE", at(NOW + 1))
    assert.equal("UNAVAILABLE", at("9223372036854775807"))
  end)

  it("comes earlier by the leeway", function()
    assert.equal("user u", at(NOW + 5, 5))
    assert.equal("UNAVAILABLE", at(NOW + 6, 5))
  end)

  it("must be a number that is a date", function()
    for _, nbf in ipairs{ "null", '"1"', "-1", "1e3", "{}" } do assert.equal("INVALID", at(nbf)) end
  end)
end)

describe("the issuer of a token", function()
  it("is looked at only when one is configured, and must be that one", function()
    local policy = hs_policy{ issuer = "https://id.example" }
    assert.equal("user u", verdict(policy, signed([[{"sub":"u","iss":"https:\/\/id.example"}]])))
    local others = {
      '"https://id.example/"', '"https://id.exampl"', '""', "null", '["https://id.example"]', "1",
    }
    for _, iss in ipairs(others) do
      assert.equal("INVALID", verdict(policy, signed(([[{"sub":"u","iss":%s}]]):format(iss))))
    end
    assert.equal("INVALID", verdict(policy, signed([[{"sub":"u"}]])))
    assert.equal("user u", verdict(hs_policy(), signed([[{"sub":"u","iss":"anyone"}]])))
  end)
end)

describe("the audience of a token", function()
  local function with(aud)
    return verdict(hs_policy{ audience = "chat" }, signed(([[{"sub":"u","aud":%s}]]):format(aud)))
  end

  it("is looked at only when one is configured, and must be or contain that one", function()
    for _, aud in ipairs{ '"chat"', '["chat"]', '["shop","chat"]', '[1,null,["x"],"ch\\u0061t"]' } do
      assert.equal("user u", with(aud))
    end
    local others = {
      '"shop"', '"chat "', '"Chat"', "[]", '["shop"]', '[["chat"]]', '{"chat":"chat"}', "null", "1",
    }
    for _, aud in ipairs(others) do assert.equal("INVALID", with(aud)) end
    assert.equal("INVALID", verdict(hs_policy{ audience = "chat" }, signed([[{"sub":"u"}]])))
    assert.equal("user u", verdict(hs_policy(), signed([[{"sub":"u","aud":"shop"}]])))
  end)
end)

describe("the subject of a token", function()
  local function of(sub)
    return verdict(hs_policy(), signed(([[{"sub":%s}]]):format(sub)))
  end

  it("is any text", function()
    for _, sub in ipairs{ "u", " ", "a b", "user,1", "__proto__", "é😀", ("x"):rep(1000) } do
      assert.equal("user " .. sub, of('"' .. sub .. '"'))
    end
  end)

  it("must be there, and a string that is not empty", function()
    for _, sub in ipairs{ '""', "1", "null", "true", '["u"]', '{"u":"u"}' } do
      assert.equal("INVALID", of(sub))
    end
    assert.equal("INVALID", verdict(hs_policy(), signed("{}")))
    assert.equal("INVALID", verdict(hs_policy(), signed([[{"Sub":"u"}]])))
  end)

  it("may not have control characters", function()
    for byte = 0, 31 do assert.equal("INVALID", of(([["u\u%04x"]]):format(byte))) end
    assert.equal("INVALID", of([["\u007fu"]]))
    assert.equal("INVALID", of('"u\x7F"'))
    assert.equal("INVALID", of([["a\nb"]]))
  end)

  it("is the last one where there are two", function()
    assert.equal("user v", verdict(hs_policy(), signed([[{"sub":"u","sub":"v"}]])))
  end)
end)

describe("a token that is refused", function()
  it("says why, and nothing of what stood in it", function()
    local text = signed([[{"sub":"u","iss":"evil-secret-thing","exp":1}]])
    local _, err, reason = hs_policy():verify(text, NOW)
    assert.same({ "EXPIRED", "it has expired" }, { err, reason })
    _, err, reason = hs_policy{ issuer = "x" }:verify(signed([[{"sub":"u","iss":"evil"}]]), NOW)
    assert.same({ "INVALID", "its issuer (iss) is not the configured one" }, { err, reason })
  end)
end)

describe("a policy", function()
  it("makes tokens that it accepts, with all their claims", function()
    for _, policy in ipairs{ hs_policy(), rs_policy(), es_policy() } do
      local text = policy:make([[{"sub":"ué😀","n":9007199254740993,"list":[],"map":{},"exp":1700000100}]])
      local found = policy:verify(text, NOW)
      assert.equal("ué😀", found.user)
      assert.equal(1700000100, found.expires)
      for _, member in ipairs{ [["n":9007199254740993]], '"list":[]', [["map":{}]] } do
        assert.truthy(found.claims:find(member, 1, true), member)
      end
    end
  end)

  it("makes tokens that another library accepts", function()
    local text = hs_policy():make([[{"sub":"u"}]])
    local body, signature = text:match("^(.*)%.([^.]*)$")
    assert.equal(base64url(hs256(body)), signature)
    assert.equal([[{"sub":"u"}]], base64.decode("url", body:match("%.(.*)$")))
  end)

  it("makes none without a key to sign with, nor of what is no object", function()
    local blind = token.policy{ algorithm = "RS256", public_key = keys["rsa.pem"] }
    assert.same({ nil, "UNAVAILABLE" }, { blind:make([[{"sub":"u"}]]) })
    for _, claims in ipairs{ "", "[]", "null", "{", [["u"]] } do
      assert.same({ nil, "INVALID" }, { hs_policy():make(claims) })
    end
  end)

  it("is not made of an unknown algorithm, or of keys that do not fit", function()
    local rsa, ec = keys["rsa.pem"], keys["ec.pem"]
    local wrong = {
      { algorithm = "none", secret = SECRET }, { algorithm = "", secret = SECRET }, { secret = SECRET },
      { algorithm = "hs256", secret = SECRET }, { algorithm = "PS256", public_key = rsa },
      { algorithm = "HS256" }, { algorithm = "HS256", public_key = rsa },
      { algorithm = "RS256" }, { algorithm = "RS256", secret = SECRET },
      { algorithm = "RS256", public_key = SECRET },
      { algorithm = "RS256", public_key = keys["rsa.key"] },
      { algorithm = "RS256", public_key = rsa, private_key = "x" },
      { algorithm = "RS256", public_key = rsa, private_key = rsa },
      { algorithm = "RS256", public_key = rsa, private_key = keys["other.key"] },
      { algorithm = "RS256", public_key = ec, private_key = keys["ec.key"] },
      { algorithm = "ES256", public_key = rsa, private_key = keys["rsa.key"] },
    }
    for i, settings in ipairs(wrong) do assert.same({ nil, "INVALID" }, { token.policy(settings) }, i) end
  end)
end)
