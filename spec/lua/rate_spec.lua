local fake_core = require "spec.support.fake_core"

describe("a rate", function()
  local core, rate

  before_each(function()
    core = fake_core.install()
    rate = require "rate"
  end)

  local function pass(seconds) core.time.clock = core.time.clock + seconds end

  local function take(limit, times, key)
    for _ = 1, times do assert.is_true(limit:take(key or "a")) end
  end

  it("lets so many through and says when the next one may come", function()
    local limit = rate.new(3, 60, 100)
    take(limit, 3)
    local ok, seconds = limit:take("a")
    assert.is_nil(ok)
    pass(seconds - 1)
    assert.is_nil((limit:take("a")))
    pass(1)
    take(limit, 1)
    assert.is_nil((limit:take("a")))
  end)

  it("counts each key for itself", function()
    local limit = rate.new(1, 60, 100)
    take(limit, 1, "a")
    take(limit, 1, "b")
    assert.is_nil((limit:take("a")))
  end)

  it("slides: what was late in one window counts in the next", function()
    local limit = rate.new(4, 60, 100)
    pass(59)
    take(limit, 4)
    pass(2)
    assert.is_nil((limit:take("a")))
    pass(30)
    take(limit, 2)
    assert.is_nil((limit:take("a")))
  end)

  it("forgets after two windows", function()
    local limit = rate.new(2, 60, 100)
    take(limit, 2)
    pass(1000)
    take(limit, 2)
    assert.is_nil((limit:take("a")))
  end)

  it("takes back what turned out good", function()
    local limit = rate.new(1, 60, 100)
    for _ = 1, 5 do
      take(limit, 1)
      limit:give_back("a")
    end
    limit:give_back("never seen")
    take(limit, 1)
    pass(60)
    limit:give_back("a")
    take(limit, 1)
  end)

  it("keeps a bounded number of keys", function()
    local limit = rate.new(1, 60, 10)
    for i = 1, 1000 do limit:take("key " .. i) end
    local count = 0
    for _, keys in ipairs({ limit.now, limit.before }) do
      for _ in pairs(keys) do count = count + 1 end
    end
    assert.is_true(count <= 20)
    assert.is_nil((limit:take("key 1000")))
  end)
end)
