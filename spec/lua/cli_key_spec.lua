local cli_context = require "spec.support.cli_context"
local fake_core = require "spec.support.fake_core"

describe("chatty key", function()
  local control_keys, key

  before_each(function()
    fake_core.install()
    key = require "cli.key"
    control_keys = require "identity.control_keys"
  end)

  local function run(args, environment)
    local context = cli_context.make { args = args, input = { environment = environment or {} } }
    return key.run(context), context
  end

  it("makes a key and prints it, this once", function()
    local code, context = run { "add", "shop", scope = "notify, search,notify" }
    assert.same({ 0, 1, {} }, { code, #context.out, context.err })
    local found = control_keys.find(context.out[1])
    assert.same({ notify = true, search = true }, found.scopes)
    local _, listed = run { "list" }
    assert.same({ "NAME  SCOPES         SINCE", "shop  notify,search  2023-11-14T22:13:20Z" }, listed.out)
  end)

  it("makes one for everything when no scope is said", function()
    local _, context = run { "add", "shop" }
    assert.same({ admin = true }, control_keys.find(context.out[1]).scopes)
  end)

  it("revokes a key", function()
    run { "add", "shop" }
    assert.equal(0, run { "revoke", "shop" })
    assert.same({}, control_keys.list())
    local code, context = run { "revoke", "shop" }
    assert.same({ 1, { "there is no key of this name" } }, { code, context.err })
  end)

  it("fails with one line", function()
    run { "add", "shop" }
    local code, context = run { "add", "shop" }
    assert.same({ 1, { "there is a key of this name" }, {} }, { code, context.err, context.out })
    code, context = run({ "list" }, { STORE = "memory" })
    assert.same({ 1, { "STORE is memory, which only the server sees: use CONTROL_KEY" } }, { code, context.err })
  end)

  it("refuses wrong usage", function()
    local names = "a key's name may have letters, digits, _ . and -, at most 64"
    for line, list in pairs({
      ["say add, list or revoke"] = { {}, { "remove", "x" } },
      ["which key to revoke is missing"] = { { "revoke" } },
      ["list takes no name"] = { { "list", "x" } },
      [names] = { { "add", "a b" }, { "add", ("x"):rep(65) } },
      ["--scope is for add"] = { { "list", scope = "notify" } },
      ['--scope has "notfy": allowed are notify, subscribe, search, disconnect, auth, admin'] =
        { { "add", "x", scope = "search,notfy" } },
    }) do
      for _, args in ipairs(list) do
        local code, context = run(args)
        assert.same({ 2, { line .. " (chatty help key)" } }, { code, context.err })
      end
    end
  end)
end)
