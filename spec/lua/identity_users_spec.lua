local fake_core = require "spec.support.fake_core"

describe("users", function()
  local core, users

  before_each(function()
    core = fake_core.install()
    users = require "identity.users"
  end)

  it("are added with a hash, never with the password", function()
    assert.is_true(users.add("ann", "open sesame", { "control" }))
    local text = core.store.spaces.user.ann.value
    assert.same({ hash = "argon:open sesame", roles = { "control" }, since = core.time.clock },
      core.json.decode(text))
    assert.is_true(users.exists("ann"))
    assert.is_false(users.exists("bob"))
  end)

  it("have names of their own, and a taken name is not hashed for", function()
    users.add("ann", "open sesame")
    local _, _, code = users.add("ann", "another one")
    assert.same({ "EXISTS", 1 }, { code, #core.password.hashed })
  end)

  it("are not added twice at one time", function()
    core.password.hash = function(text)
      if text == "late" then users.add("ann", "early") end
      return "argon:" .. text
    end
    local _, _, code = users.add("ann", "late")
    assert.equal("EXISTS", code)
    assert.is_table(users.verify("ann", "early"))
  end)

  it("are known by their password", function()
    users.add("ann", "open sesame")
    assert.equal("argon:open sesame", users.verify("ann", "open sesame").hash)
    assert.is_false(users.verify("ann", "Open sesame"))
    assert.is_false(users.verify("bob", "open sesame"))
  end)

  it("cost one verification each, there or not, after one hash that nobody has", function()
    users.add("ann", "open sesame")
    for _, name in ipairs({ "bob", "ann", "carl" }) do users.verify(name, "wrong") end
    assert.same({ 3, 2 }, { #core.password.verified, #core.password.hashed })
    assert.equal(core.password.verified[1], core.password.verified[3])
    assert.equal("argon:open sesame", core.password.verified[2])
  end)

  it("get a hash of today in place of an old one when they log in, and not when they fail", function()
    users.add_hash("ann", "$2b$open sesame", { "editor" })
    assert.is_false(users.verify("ann", "wrong"))
    assert.equal("$2b$open sesame", users.find("ann").hash)
    assert.is_table(users.verify("ann", "open sesame"))
    local record = users.find("ann")
    assert.same({ "argon:open sesame", { "editor" } }, { record.hash, record.roles })
    assert.is_table(users.verify("ann", "open sesame"))
  end)

  it("log in with an old hash that cannot be replaced now", function()
    users.add_hash("ann", "$2b$open sesame")
    users.verify("nobody", "x") -- so that the other hash is there
    core.password.failure = "LIMIT"
    assert.is_table(users.verify("ann", "open sesame"))
    assert.equal("warn", core.log.lines[1].level)
  end)

  it("get another password, and their tokens end", function()
    users.add("ann", "open sesame")
    assert.is_true(users.set_password("ann", "another one"))
    assert.is_false(users.verify("ann", "open sesame"))
    assert.is_table(users.verify("ann", "another one"))
    assert.equal("1700000001", core.token.revoked["tokens-from ann"])
    assert.equal("NOT_FOUND", select(3, users.set_password("bob", "another one")))
  end)

  it("are removed, while the store remembers that their tokens ended", function()
    users.add("ann", "open sesame")
    assert.is_true(users.remove("ann"))
    assert.is_false(users.exists("ann"))
    assert.is_false(users.verify("ann", "open sesame"))
    assert.is_nil(users.find("ann"))
    assert.equal("NOT_FOUND", select(3, users.remove("ann")))
    assert.is_true(users.add("ann", "a new one"))
    assert.equal("1700000001", core.store.spaces["tokens-from"].ann.value)
  end)

  it("that are not there lose no tokens", function()
    users.set_password("bob", "another one")
    users.remove("bob")
    assert.is_nil(core.store.spaces["tokens-from"])
  end)

  it("are listed by name", function()
    for _, name in ipairs({ "carl", "ann", "bob" }) do users.add(name, "open sesame") end
    local names = {}
    assert.is_true(users.each(function(name) names[#names + 1] = name end))
    assert.same({ "ann", "bob", "carl" }, names)
  end)

  it("pass on that the store or the hashing fails", function()
    core.password.failure = "LIMIT"
    assert.equal("LIMIT", select(3, users.add("ann", "open sesame")))
    assert.equal("LIMIT", select(3, users.verify("ann", "open sesame")))
    core.password.failure, core.store.failure = nil, "UNAVAILABLE"
    assert.equal("UNAVAILABLE", select(3, users.verify("ann", "open sesame")))
    assert.equal("UNAVAILABLE", select(3, users.add("ann", "open sesame")))
    assert.equal("UNAVAILABLE", select(3, users.set_password("ann", "another one")))
    assert.equal("UNAVAILABLE", select(3, users.remove("ann")))
    assert.equal("UNAVAILABLE", select(3, users.each(print)))
  end)

  it("say nothing of a record that is damaged", function()
    core.store.spaces.user = { ann = { value = '{"hash":' } }
    local _, message, code = users.find("ann")
    assert.same({ "the record of the user is damaged", "INTERNAL" }, { message, code })
  end)

  it("have passwords of 8 to 1024 bytes", function()
    for text, fault in pairs({
      ["1234567"] = "has fewer than 8 bytes", [("x"):rep(1025)] = "has more than 1024 bytes",
      ["1234\0.5678"] = "has a zero byte", [12345678] = "is not a string",
    }) do
      assert.same({ nil, fault }, { users.check_password(text) })
    end
    for _, text in ipairs({ "12345678", "        ", "éèàü", ("x"):rep(1024) }) do
      assert.is_true(users.check_password(text))
    end
  end)
end)
