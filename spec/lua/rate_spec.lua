local fake_core = require "spec.support.fake_core"

describe("a rate", function()
  local core, rate

  before_each(function()
    core = fake_core.install()
    core.time.clock = 1700000040 -- where a window of 60 seconds begins
    rate = require "rate"
  end)

  local function pass(seconds) core.time.clock = core.time.clock + seconds end

  local function take(limit, times, key)
    for _ = 1, times do assert.is_true(limit:take(key or "a")) end
  end

  it("lets so many through and says when the next one may come", function()
    local limit = rate.new("spec", 3, 60)
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
    local limit = rate.new("spec", 1, 60)
    take(limit, 1, "a")
    take(limit, 1, "b")
    assert.is_nil((limit:take("a")))
  end)

  it("slides: what was late in one window counts in the next", function()
    local limit = rate.new("spec", 4, 60)
    pass(59)
    take(limit, 4)
    pass(2)
    assert.is_nil((limit:take("a")))
    pass(30)
    take(limit, 2)
    assert.is_nil((limit:take("a")))
  end)

  it("forgets after two windows", function()
    local limit = rate.new("spec", 2, 60)
    take(limit, 2)
    pass(1000)
    take(limit, 2)
    assert.is_nil((limit:take("a")))
  end)

  it("takes back what turned out good", function()
    local limit = rate.new("spec", 1, 60)
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

  it("keeps nothing of what was taken back", function()
    local limit = rate.new("spec", 1, 60)
    take(limit, 1)
    limit:give_back("a")
    pass(1)
    local index = math.floor(core.time.clock / 60)
    assert.is_nil(core.shared.get("rate:spec", index .. ":a"))
  end)

  it("does not count what it refuses", function()
    local limit = rate.new("spec", 2, 60)
    take(limit, 2)
    for _ = 1, 10 do limit:take("a") end
    limit:give_back("a")
    take(limit, 1)
  end)

  it("is one for all who name it alike", function()
    take(rate.new("spec", 2, 60), 1)
    take(rate.new("spec", 2, 60), 1)
    assert.is_nil((rate.new("spec", 2, 60):take("a")))
    take(rate.new("other", 2, 60), 1)
  end)

  it("says so when it cannot count", function()
    core.shared.failure = "LIMIT"
    local ok, seconds, message, code = rate.new("spec", 2, 60):take("a")
    assert.is_nil(ok or seconds)
    assert.same({ "the shared dictionary is full", "LIMIT" }, { message, code })
  end)
end)
