local cli_context = require "spec.support.cli_context"
local fake_core = require "spec.support.fake_core"

describe("chatty user", function()
  local core, user, users

  before_each(function()
    core = fake_core.install()
    user = require "cli.user"
    users = require "identity.users"
  end)

  local function run(args, secret, environment)
    local context = cli_context.make { args = args, secret = secret, input = { environment = environment or {} } }
    return user.run(context), context
  end

  it("adds a user with the password that it asks for, and roles", function()
    local code, context = run({ "add", "Ann Smith", role = { "editor", "control" } }, "open sesame")
    assert.same({ 0, "Password", {}, {} }, { code, context.question, context.out, context.err })
    assert.same({ "editor", "control" }, users.find("Ann Smith").roles)
    assert.is_table(users.verify("Ann Smith", "open sesame"))
  end)

  it("does not ask with --password-stdin", function()
    local code, context = run({ "add", "ann", ["password-stdin"] = true }, "open sesame")
    assert.same({ 0, nil }, { code, context.question })
  end)

  it("adds one with a hash of an earlier server", function()
    local hash = "$2b$10$" .. ("a"):rep(53)
    assert.equal(0, run({ "add", "ann", ["hash-stdin"] = true }, hash))
    assert.equal(hash, users.find("ann").hash)
    local code, context = run({ "add", "bob", ["hash-stdin"] = true }, "open sesame")
    assert.same({ 1, { "what came on standard input is no hash of bcrypt or Argon2id" } }, { code, context.err })
  end)

  it("changes a password and removes a user", function()
    run({ "add", "ann" }, "open sesame")
    assert.equal(0, run({ "passwd", "ann" }, "another one"))
    assert.is_table(users.verify("ann", "another one"))
    assert.equal(0, run({ "remove", "ann" }))
    assert.is_false(users.exists("ann"))
  end)

  it("lists users with roles and age", function()
    run({ "add", "bob", role = { "editor" } }, "open sesame")
    run({ "add", "ann" }, "open sesame")
    local _, context = run({ "list" })
    assert.same({
      "NAME  ROLES   SINCE", "ann           2023-11-14T22:13:20Z", "bob   editor  2023-11-14T22:13:20Z",
    }, context.out)
  end)

  it("fails with one line", function()
    run({ "add", "ann" }, "open sesame")
    for line, call in pairs({
      ["the name is taken"] = { { "add", "ann" }, "open sesame" },
      ["the password has fewer than 8 bytes"] = { { "add", "bob" }, "short" },
      ["no password came on standard input"] = { { "add", "bob" } },
      ["there is no such user"] = { { "passwd", "bob" }, "open sesame" },
      ["STORE is memory, which only the server sees: use POST /auth/register"] =
        { { "list" }, nil, { STORE = "memory" } },
    }) do
      local code, context = run(table.unpack(call, 1, 3))
      assert.same({ 1, { line } }, { code, context.err })
    end
    assert.equal(1, run({ "remove", "bob" }))
    core.store.failure = "UNAVAILABLE"
    assert.equal(1, run({ "list" }))
  end)

  it("refuses wrong usage", function()
    for line, args in pairs({
      ["say add, passwd, list or remove"] = {},
      ["whom to add is missing"] = { "add" },
      ["list takes no name"] = { "list", "ann" },
      ["the name has control characters"] = { "add", "a\nb" },
      ["--role and --hash-stdin are for add"] = { "passwd", "ann", role = { "x" } },
    }) do
      local code, context = run(args, "open sesame")
      assert.same({ 2, { line .. " (chatty help user)" } }, { code, context.err })
    end
  end)
end)
