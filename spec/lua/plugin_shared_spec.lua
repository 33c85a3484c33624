local fake_core = require "spec.support.fake_core"

describe("chatty.shared", function()
  local core, shared

  before_each(function()
    core = fake_core.install()
    shared = require("plugin.shared").of("shop")
  end)

  it("gives the values that were set, in a space of the plugin's own", function()
    assert.is_true(shared.set("a", { n = 1 }))
    assert.same({ n = 1 }, shared.get("a"))
    assert.equal('{"n":1}', core.shared.get("plugin:shop", "a"))
    assert.is_nil(require("plugin.shared").of("other").get("a"))
  end)

  it("forgets after a ttl", function()
    shared.set("a", 1, { ttl = 5 })
    core.time.clock = core.time.clock + 5
    assert.is_nil(shared.get("a"))
  end)

  it("tells whether there was one to delete", function()
    shared.set("a", 1)
    assert.is_true(shared.delete("a"))
    assert.is_false(shared.delete("a"))
  end)

  it("sets by comparison", function()
    assert.is_true(shared.compare_and_set("a", nil, { x = 1, y = 2 }))
    assert.is_false(shared.compare_and_set("a", nil, 5))
    assert.is_false(shared.compare_and_set("a", 4, 5))
    assert.is_true(shared.compare_and_set("a", { y = 2, x = 1 }, 5, { ttl = 10 }))
    core.time.clock = core.time.clock + 10
    assert.is_nil(shared.get("a"))
  end)

  it("counts, and tells how long the count still lasts", function()
    assert.same({ 1 }, { shared.increment("n") })
    assert.same({ 6 }, { shared.increment("n", 5) })
    assert.same({ 1, 60 }, { shared.increment("m", 1, { ttl = 60 }) })
    core.time.clock = core.time.clock + 20
    assert.same({ 2, 40 }, { shared.increment("m", 1, { ttl = 60 }) })
    assert.equal(2, shared.get("m"))
    shared.set("text", "x")
    assert.equal("INVALID", select(3, shared.increment("text")))
  end)

  it("hands on that nothing more fits", function()
    core.shared.failure = "LIMIT"
    assert.equal("LIMIT", select(3, shared.set("a", 1)))
    assert.equal("LIMIT", select(3, shared.compare_and_set("a", nil, 1)))
    assert.equal("LIMIT", select(3, shared.increment("a")))
  end)

  it("changes nothing in a hook of a dry run", function()
    local hooks, results = require "hooks", nil
    shared.set("n", 4)
    hooks.add("notify", function()
      results = { shared.set("a", 1), shared.delete("n"), shared.compare_and_set("n", 4, 5), shared.increment("n"),
        shared.increment("m", 3) }
    end, {}, { name = "shop", priority = 1 }, 1)
    hooks.run("notify", { dry_run = true })
    assert.same({ true, true, true, 5, 3 }, results)
    assert.same({ nil, 4, nil }, { shared.get("a"), shared.get("n"), shared.get("m") })
  end)

  it("blames the author's line for a mistake", function()
    local mistakes = {
      ["get: the key must be a string"] = function() shared.get(1) end,
      ["set does not know 'tll'"] = function() shared.set("a", 1, { tll = 1 }) end,
      ["delete: the key"] = function() shared.delete() end,
      ["compare_and_set does not know 'x'"] = function() shared.compare_and_set("a", 1, 2, { x = 1 }) end,
      ["increment: the amount must be a whole number"] = function() shared.increment("a", 1.5) end,
      ["increment does not know 'x'"] = function() shared.increment("a", 1, { x = 1 }) end,
    }
    for line, mistake in pairs(mistakes) do
      assert.matches("plugin_shared_spec.lua:%d+: chatty.shared." .. line, select(2, pcall(mistake)))
    end
  end)
end)
