local password = require("core.test").password

local TEXT_MAX = 1024

-- Openwall's vectors of bcrypt, and one of libsodium's of Argon2id, which asks for 256 KiB only.
local BCRYPT = { "U*U*U", "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a" }
local BCRYPT_72 = { "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
  "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui" }
local WEAK = { "password",
  "$argon2id$v=19$m=256,t=3,p=1$MDEyMzQ1Njc$G5ajKFCoUzaXRLdz7UJb5wGkb2Xt+X5/GQjUYtS2+TE" }

local function replace(hash, from, to)
  local start, stop = hash:find(from, 1, true)
  return hash:sub(1, start - 1) .. to .. hash:sub(stop + 1)
end

describe("a password", function()
  it("matches its own hash and no other password does", function()
    local hash = password.hash("correct horse")
    assert.truthy(hash:find("^%$argon2id%$v=19%$m=65536,t=2,p=1%$"))
    assert.is_true(password.verify("correct horse", hash))
    for _, text in ipairs{ "", "correct hors", "correct horse ", "Correct horse", "correct horse\0" } do
      assert.is_false(password.verify(text, hash))
    end
  end)

  it("has another hash each time", function()
    assert.not_equal(password.hash("same"), password.hash("same"))
  end)

  it("is any bytes, from none to 1024", function()
    for _, text in ipairs{ "", "a\0b", "pässwörd", "\xFF\xFE", ("x"):rep(TEXT_MAX) } do
      local hash = password.hash(text)
      assert.is_true(password.verify(text, hash))
      assert.is_false(password.verify(text:sub(1, -2) .. "?", hash))
    end
  end)

  it("is refused when it is longer", function()
    local text = ("x"):rep(TEXT_MAX + 1)
    assert.same({ nil, "INVALID" }, { password.hash(text) })
    for _, known in ipairs{ BCRYPT, WEAK } do
      assert.same({ nil, "INVALID" }, { password.verify(text, known[2]) })
    end
  end)
end)

describe("a hash of bcrypt", function()
  it("is matched by its password, under each of its names", function()
    for _, name in ipairs{ "$2a$", "$2b$", "$2y$" } do
      local hash = replace(BCRYPT[2], "$2a$", name)
      assert.is_true(password.verify(BCRYPT[1], hash))
      for _, text in ipairs{ "", "U*U*", "U*U*V", "U*U*U " } do
        assert.is_false(password.verify(text, hash))
      end
    end
  end)

  it("stands for the first 72 bytes of a password", function()
    local text, hash = BCRYPT_72[1], BCRYPT_72[2]
    assert.is_true(password.verify(text .. "chars after 72 are ignored", hash))
    assert.is_true(password.verify(text .. ("x"):rep(TEXT_MAX - #text), hash))
    assert.is_false(password.verify(text:sub(1, 71), hash))
  end)

  it("is not matched by a password that goes on behind a NUL", function()
    assert.is_false(password.verify(BCRYPT[1] .. "\0", BCRYPT[2]))
    assert.is_false(password.verify(BCRYPT[1] .. "\0more", BCRYPT[2]))
  end)
end)

describe("a hash that is none", function()
  it("is told from a wrong password", function()
    local bcrypt, argon2 = BCRYPT[2], WEAK[2]
    local bad = {
      "", "x", "\0", "U*U*U", "$1$salt$5s0FOPBpGXeTzVw3nPKKz.", "$2a$", "$argon2id$", bcrypt .. "x", bcrypt .. "\0",
      bcrypt:sub(1, -2), replace(bcrypt, "$2a$", "$2x$"), replace(bcrypt, "$05$", "$5$x"),
      replace(bcrypt, "$05$", "$03$"), replace(bcrypt, "$05$", "$xy$"), replace(bcrypt, "XXX", "X:X"),
      argon2 .. "\0", argon2 .. "!", argon2:sub(1, 40), replace(argon2, "v=19", "v=x"), replace(argon2, "id", "x"),
      argon2 .. ("A"):rep(200),
    }
    for _, hash in ipairs(bad) do
      assert.same({ nil, "INVALID" }, { password.verify(BCRYPT[1], hash) }, hash)
      assert.is_true(password.is_outdated(hash), hash)
    end
  end)

  it("is also one that asks for hours or for all memory", function()
    local greedy = {
      replace(BCRYPT[2], "$05$", "$31$"), replace(WEAK[2], "m=256", "m=4000000"), replace(WEAK[2], "t=3", "t=400000"),
    }
    for _, hash in ipairs(greedy) do assert.same({ nil, "INVALID" }, { password.verify("x", hash) }) end
  end)
end)

describe("an outdated hash", function()
  it("is one of bcrypt or of other strength", function()
    assert.is_false(password.is_outdated(password.hash("x")))
    for _, known in ipairs{ BCRYPT, BCRYPT_72, WEAK } do
      assert.is_true(password.verify(known[1], known[2]))
      assert.is_true(password.is_outdated(known[2]))
    end
  end)
end)

local HASH_AND_VERIFY = [[
  local password = require "core.password"
  local hash = password.hash("secret")
  note(password.verify("secret", hash), password.verify("other", hash), password.is_outdated(hash))
]]
local HASH = [[ note(require("core.password").hash("secret")) ]]

describe("core.password", function()
  it("works at once in a command line tool", function()
    local tool = password.tool()
    tool:run(HASH_AND_VERIFY)
    assert.same({ "true / false / false" }, tool:notes())
  end)

  it("waits for its job in a worker #threads", function()
    local worker = password.worker(2, 10)
    worker:run(HASH_AND_VERIFY)
    assert.same({}, worker:notes())
    for asked = 1, 3 do
      assert.equal(1, worker:asks(), asked)
      worker:wait()
    end
    assert.same({ 0, { "true / false / false" } }, { worker:asks(), worker:notes() })
  end)

  it("tells what it cannot take without waiting", function()
    local worker = password.worker(0, 10)
    worker:run([[
      local password = require "core.password"
      local long = ("x"):rep(1025)
      note(password.hash(long))
      note(password.verify(long, "x"))
      note(password.verify("x", long))
      note((pcall(password.hash)))
    ]])
    assert.same({
      "nil / a password has at most 1024 bytes / INVALID",
      "nil / a password has at most 1024 bytes / INVALID",
      "nil / the value is not valid / INVALID",
      "false",
    }, worker:notes())
    assert.equal(0, worker:asks())
  end)

  it("has no more jobs than allowed, and cancels those that wait when the pool stops #threads", function()
    local worker = password.worker(0, 2)
    for _ = 1, 3 do worker:run(HASH) end
    assert.same({ "nil / a limit was reached / LIMIT" }, worker:notes())
    assert.equal(2, worker:asks())
    worker:stop()
    worker:wait()
    local canceled = "nil / the operation was cancelled / CANCELED"
    assert.same({ 0, { canceled, canceled } }, { worker:asks(), worker:notes() })
    worker:run(HASH)
    assert.same({ canceled }, worker:notes())
  end)

  it("finishes the jobs that run when the pool stops #threads", function()
    local worker = password.worker(2, 10)
    for _ = 1, 10 do worker:run(HASH) end
    worker:wait()
    worker:stop()
    while worker:asks() > 0 do worker:wait() end
    local hashes, canceled = 0, 0
    for _, note in ipairs(worker:notes()) do
      if note:find("^%$argon2id%$") then hashes = hashes + 1 else canceled = canceled + 1 end
    end
    assert.is_true(hashes >= 1)
    assert.equal(10, hashes + canceled)
  end)
end)
