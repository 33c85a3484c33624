-- What only time shows of idempotency keys; the rest is in spec/server/idempotency_spec.lua.
local fake_core = require "spec.support.fake_core"

describe("an idempotency key whose first request does not come back", function()
  it("is given up after ten seconds, however long a pause takes", function()
    local core = fake_core.install()
    local idempotency = require "notify.idempotency"
    local began = core.time.clock
    core.task.on_sleep = function() core.time.clock = core.time.clock + 0.02 end
    local answer, refused
    idempotency.run("key", function() answer, refused = idempotency.run("key", error) end)
    assert.same({ nil, "idempotency-busy" }, { answer, refused.code })
    assert.near(10, core.time.clock - began, 0.1)
  end)
end)
