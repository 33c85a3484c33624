local fake_core = require "spec.support.fake_core"

describe("tokens that the server gives out", function()
  local core, mint, revocations

  before_each(function()
    core = fake_core.install()
    mint = require "identity.mint"
    revocations = require "identity.revocations"
  end)

  it("count behind a log out everywhere: they wait for the next second", function()
    core.time.clock = 1764150000.25
    revocations.add_all("ann")
    assert.equal("token-of-ann", (mint.token({ sub = "ann" }, 60)))
    assert.equal(0.75, core.task.slept)
  end)

  it("are not waited for longer than two seconds, whatever the clock does", function()
    revocations.add_all("ann")
    core.time.clock = core.time.clock - 3600
    mint.token({ sub = "ann" }, 60)
    assert.equal(2, core.task.slept)
  end)

  it("wait for nothing else", function()
    mint.token({ sub = "ann" }, 60)
    assert.is_nil(core.task.slept)
  end)
end)
