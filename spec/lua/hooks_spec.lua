local fake_core = require "spec.support.fake_core"

describe("hooks", function()
  local core, hooks, refusal, calls

  before_each(function()
    core = fake_core.install()
    hooks = require "hooks"
    refusal = require "refusal"
    calls = {}
  end)

  local function on(name, f, options, plugin)
    hooks.add(name, f, options or {}, plugin or { name = "shop", priority = 100 }, 1)
  end

  local function note(word)
    return function() calls[#calls + 1] = word end
  end

  it("run by priority, the higher first, then by the plugin's name, then as they came", function()
    on("connect", note("b"), nil, { name = "b", priority = 100 })
    on("connect", note("late"), nil, { name = "a", priority = 1 })
    on("connect", note("a1"), nil, { name = "a", priority = 100 })
    on("connect", note("a2"), nil, { name = "a", priority = 100 })
    on("connect", note("early"), nil, { name = "z", priority = 1000 })
    hooks.run("connect", {})
    assert.same({ "early", "a1", "a2", "b", "late" }, calls)
  end)

  it("get what they are about", function()
    local got
    on("disconnect", function(...) got = { ... } end)
    hooks.run("disconnect", { id = 1 }, "gone", 1001)
    assert.same({ { id = 1 }, "gone", 1001 }, got)
  end)

  it("stop at the first refusal, returned or raised", function()
    for _, refuse in ipairs({
      function() return refusal.new(403, "no", "No.") end,
      function() error(refusal.new(403, "no", "No.")) end,
    }) do
      core = fake_core.install()
      hooks, refusal = require "hooks", require "refusal"
      on("notify", refuse)
      on("notify", note("never"))
      assert.equal("no", hooks.run("notify", {}).code)
    end
    assert.same({}, calls)
    assert.same({}, core.log.lines)
  end)

  it("go on behind an error, which is logged with plugin, file and line", function()
    on("connect", function() error("boom") end)
    on("connect", note("next"))
    assert.is_nil(hooks.run("connect", {}))
    assert.same({ "next" }, calls)
    assert.matches("^plugin shop, hook connect: .*hooks_spec.lua:%d+: boom$", core.log.lines[1].message)
    assert.equal(1, core.metrics.counts.script_errors_total)
  end)

  it("refuse by an error when they are closed", function()
    on("connect", function() error("boom") end, { on_error = "closed" })
    local refused = hooks.run("connect", {})
    assert.same({ 500, "hook-failed" }, { refused.status, refused.code })
  end)

  it("warn when they return false, which refuses nothing", function()
    on("connect", function() return false end)
    assert.is_nil(hooks.run("connect", {}))
    assert.matches("returned false", core.log.lines[1].message)
  end)

  it("do not pass on what they have broken", function()
    on("notify", note("harmless"))
    on("notify", function(event) event.channels = 7 end)
    on("notify", note("never"))
    local check = { is_untouched = function(event) return event.channels == nil end, run = function(event)
      if type(event.channels) ~= "table" then error("channels must be a list", 0) end
    end }
    local refused = hooks.run("notify", {}, nil, nil, check)
    assert.equal("internal", refused.code)
    assert.equal("plugin shop, hook notify: channels must be a list", core.log.lines[1].message)
    assert.same({ "harmless" }, calls)
  end)

  it("may cause each other only so deep", function()
    local depth, refused = 0, nil
    on("notify", function()
      depth = depth + 1
      refused = hooks.run("notify", {}) or refused
    end)
    assert.is_nil(hooks.run("notify", {}))
    assert.equal(8, depth)
    assert.equal("hook-depth", refused.code)
    depth = 0
    hooks.run("notify", {})
    assert.equal(8, depth)
  end)

  it("tell whether an operation only pretends, also from within others", function()
    local seen = {}
    on("notify", function() seen[#seen + 1] = hooks.is_dry() end)
    on("subscribe", function() hooks.run("notify", {}) end)
    hooks.run("subscribe", { dry_run = true })
    hooks.run("subscribe", {})
    assert.same({ true, false }, seen)
    assert.is_false(hooks.is_dry())
  end)

  it("keep depth and pretence in a coroutine of a plugin's own", function()
    local depth, seen, refused = 0, {}, nil
    on("notify", function()
      depth = depth + 1
      seen[depth] = hooks.is_dry()
      coroutine.wrap(function() refused = hooks.run("notify", {}) or refused end)()
    end)
    hooks.run("notify", { dry_run = true })
    assert.equal("hook-depth", refused.code)
    assert.same({ true, true, true, true, true, true, true, true }, seen)
    assert.is_false(hooks.is_dry())
  end)

  it("keep them from other handlers that run meanwhile", function()
    local seen
    on("notify", function()
      core.task.id = 2
      seen = hooks.is_dry()
      core.task.id = 1
    end)
    hooks.run("notify", { dry_run = true })
    assert.is_false(seen)
  end)

  it("run outside of handlers, too", function()
    core.task.id = nil
    local seen
    on("notify", function() seen = hooks.is_dry() end)
    assert.is_nil(hooks.run("notify", { dry_run = true }))
    assert.is_true(seen)
  end)

  it("answer with the first value that one returns", function()
    on("message", note("first"))
    on("message", function() return { ok = true } end)
    on("message", note("never"))
    assert.same({ ok = true }, (hooks.ask("message", {}, {})))
    assert.same({ "first" }, calls)
  end)

  it("answer with a failure when one failed and none had a value", function()
    on("message", function() error("boom") end)
    local value, refused = hooks.ask("message", {}, {})
    assert.is_nil(value)
    assert.equal("hook-failed", refused.code)
  end)

  it("start once per node, or on every worker", function()
    on("start", note("node"))
    on("start", note("worker"), { per = "worker" })
    core.node.worker = 1
    hooks.run_lifecycle("start")
    assert.same({ "worker" }, calls)
    core.node.worker = 0
    hooks.run_lifecycle("start")
    assert.same({ "worker", "node", "worker" }, calls)
  end)

  it("are refused when their name or options are wrong", function()
    local function line(...)
      local _, message = pcall(hooks.add, ...)
      return message
    end
    local plugin = { name = "shop", priority = 1 }
    assert.matches("'conect', did you mean 'connect'%?", line("conect", print, {}, plugin, 1))
    assert.matches("on_error must be", line("connect", print, { on_error = "shut" }, plugin, 1))
    assert.matches("per is for the hooks start and stop", line("connect", print, { per = "node" }, plugin, 1))
    assert.matches("does not know 'onerror'", line("connect", print, { onerror = "open" }, plugin, 1))
    assert.matches("must be a function", line("connect", 7, {}, plugin, 1))
  end)
end)
