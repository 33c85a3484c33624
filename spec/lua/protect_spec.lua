local fake_core = require "spec.support.fake_core"

describe("protect", function()
  local core, protect

  before_each(function()
    core = fake_core.install()
    protect = require "protect"
  end)

  it("gives the results of what went well", function()
    local function echo(...) return ... end
    assert.same({ true, 1, nil, 3 }, { protect.call("shop", "here", echo, 1, nil, 3) })
  end)

  it("gives a raised refusal as it is, and logs nothing", function()
    local refused = require("refusal").of("not-found")
    local ok, raised, is_bug = protect.call("shop", "here", error, refused)
    assert.same({ false, refused }, { ok, raised })
    assert.is_nil(is_bug)
    assert.same({}, core.log.lines)
  end)

  it("logs a bug once, with plugin, place, line and traceback, and counts it", function()
    local ok, raised, is_bug = protect.call("shop", "hook connect", function() error("boom") end)
    assert.same({ false, "internal", true }, { ok, raised.code, is_bug })
    assert.equal(1, #core.log.lines)
    local line = core.log.lines[1]
    assert.matches("^plugin shop, hook connect: .*protect_spec.lua:%d+: boom$", line.message)
    assert.matches("the plugin's", line.fields.traceback)
    assert.equal(1, core.metrics.counts.script_errors_total)
  end)

  it("of our own functions logs the same, without a cage", function()
    core.cage.call = nil
    local ok, raised = protect.call("chatty", "session", function() error("boom") end)
    assert.same({ false, "internal" }, { ok, raised.code })
    assert.matches("protect_spec.lua:%d+: boom$", core.log.lines[1].message)
    assert.matches("protect_spec.lua", core.log.lines[1].fields.traceback)
  end)

  it("says what stopped a function, and where", function()
    local texts = {
      time = "plugins/shop%.lua:7: it ran for more than 0%.25 s without waiting %(SCRIPT_BUDGET%)",
      memory = "plugins/shop%.lua:7: it took too much memory: .*128 MB.*SCRIPT_MEMORY_MAX",
      full = "plugins/shop%.lua:7: no memory is left: .*128 MB.*SCRIPT_MEMORY_MAX",
      value = "plugins/shop%.lua:7: not enough memory: .*16 MB.*SCRIPT_VALUE_MAX.*128 MB.*SCRIPT_MEMORY_MAX",
      yield = "plugins/shop%.lua:7: it yielded without waiting for anything: use chatty%.sleep",
    }
    for kind, text in pairs(texts) do
      core.cage.kind = kind
      local ok, raised, is_bug = protect.call("shop", "hook connect", print)
      assert.same({ false, "internal", true }, { ok, raised.code, is_bug })
      assert.matches("^plugin shop, hook connect: " .. text, core.log.lines[#core.log.lines].message)
    end
  end)

  it("parks whom it stopped too often", function()
    for _ = 1, 3 do
      core.cage.kind = "time"
      assert.equal("internal", select(2, protect.call("shop", "here", print)).code)
    end
    local ok, raised, is_bug = protect.call("shop", "here", error, "not called")
    assert.same({ false, "plugin-parked", true }, { ok, raised.code, is_bug })
    assert.is_true((protect.call("other", "here", type, 1)))
  end)

  it("takes whatever is raised", function()
    for _, raised in ipairs({ {}, 7, false }) do
      assert.is_false((protect.call("shop", "here", error, raised)))
    end
    assert.is_false((protect.call("shop", "here", error, nil)))
  end)

  it("lets what it calls wait", function()
    local thread = coroutine.wrap(function()
      return protect.call("shop", "here", function() return coroutine.yield("waiting") end)
    end)
    assert.equal("waiting", thread())
    assert.same({ true, "answer" }, { thread("answer") })
  end)
end)
