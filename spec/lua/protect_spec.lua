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
    assert.matches("protect_spec.lua", line.fields.traceback)
    assert.equal(1, core.metrics.counts.script_errors_total)
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
