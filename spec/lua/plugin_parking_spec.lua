local fake_core = require "spec.support.fake_core"

describe("parking", function()
  local core, parking

  before_each(function()
    core = fake_core.install({ OVERRUNS_MAX = 3, OVERRUNS_WINDOW = 60 })
    parking = require "plugin.parking"
  end)

  local function count(times, seconds_between)
    for i = 1, times do
      if i > 1 then core.time.clock = core.time.clock + seconds_between end
      parking.count("shop", "time")
    end
  end

  it("parks a plugin that was stopped too often within the window, on all workers", function()
    count(2, 1)
    assert.is_false(parking.has("shop"))
    count(1, 1)
    assert.is_true(parking.has("shop"))
    assert.same({ { name = "park", "shop", "time" } }, core.bus.calls)
    assert.same({ script_overruns_total = 3, plugins_parked_total = 1 }, core.metrics.counts)
    assert.matches("^plugin shop is parked: it was stopped 3 times", core.log.lines[1].message)
  end)

  it("forgets what was long ago", function()
    count(10, 31)
    assert.is_false(parking.has("shop"))
    assert.is_nil(parking.of("shop"))
  end)

  it("never parks when OVERRUNS_MAX is 0", function()
    core.settings.OVERRUNS_MAX = 0
    count(100, 0)
    assert.is_false(parking.has("shop"))
  end)

  it("says so once", function()
    count(8, 0)
    assert.equal(1, #core.log.lines)
    assert.equal(1, #core.bus.calls)
  end)

  it("believes other workers", function()
    parking.park("shop", "memory")
    assert.is_true(parking.has("shop"))
    assert.same({}, core.bus.calls)
    assert.same({ since = core.time.clock, reason = "memory" }, parking.of("shop"))
    assert.same({ "shop" }, parking.names())
    local refused = parking.refuse("shop")
    assert.same({ 503, "plugin-parked" }, { refused.status, refused.code })
  end)

  it("leaves other plugins alone", function()
    count(3, 0)
    assert.is_false(parking.has("other"))
    assert.is_nil(parking.of("other"))
  end)
end)
