local fake_core = require "spec.support.fake_core"

describe("tokens that the server gives out", function()
  local core, mint, revocations

  before_each(function()
    core = fake_core.install()
    mint = require "identity.mint"
    revocations = require "identity.revocations"
  end)

  it("count behind a log out everywhere, also when the sleep until the next second ends early", function()
    revocations.add_all("ann")
    local slept = 0
    core.task.on_sleep = function(seconds)
      slept = slept + 1
      core.time.clock = core.time.clock + (slept == 1 and seconds - 0.004 or seconds)
    end
    local start = math.floor(core.time.clock) + 1
    assert.equal("token-of-ann", (mint.token({ sub = "ann" }, 60)))
    assert.is_true(core.time.clock >= start)
    assert.equal(2, slept)
  end)

  it("are not waited for longer than three seconds, whatever the clock does", function()
    revocations.add_all("ann")
    local slept = 0
    core.time.clock = core.time.clock - 3600
    core.task.on_sleep = function(seconds)
      slept, core.time.clock = slept + seconds, core.time.clock + seconds
    end
    mint.token({ sub = "ann" }, 60)
    assert.equal(3, slept)
  end)

  it("wait for nothing else", function()
    mint.token({ sub = "ann" }, 60)
    assert.is_nil(core.task.slept)
  end)
end)
