local fake_core = require "spec.support.fake_core"

describe("chatty.metrics", function()
  local core, metrics

  before_each(function()
    core = fake_core.install()
    metrics = require("plugin.metrics").of("shop")
  end)

  local function value(key) return core.metrics.values[key].value end

  it("counts, with the plugin as a label", function()
    local orders = metrics.counter("orders_total", "Orders.")
    orders:add()
    orders:add(2)
    assert.equal(3, value 'orders_total{plugin="shop"}')
    assert.same({ help = "Orders.", kind = "counter" }, core.metrics.declared.orders_total)
  end)

  it("has a series for each combination of labels", function()
    local orders = metrics.counter("orders_total", "Orders.", { "state", "kind" })
    orders:add(1, { state = "paid", kind = 7 })
    orders:add(1, { kind = 7, state = "paid" })
    orders:add(1, { state = "open", kind = true })
    assert.equal(2, value 'orders_total{plugin="shop",state="paid",kind="7"}')
    assert.equal(1, value 'orders_total{plugin="shop",state="open",kind="true"}')
  end)

  it("writes labels as Prometheus wants them, and cuts long ones", function()
    local one = metrics.counter("n", "N.", { "x" })
    one:add(1, { x = 'a"b\\c\nd' })
    assert.equal(1, value [[n{plugin="shop",x="a\"b\\c\nd"}]])
    one:add(1, { x = "\255é" })
    assert.equal(1, value 'n{plugin="shop",x="???"}')
    one:add(1, { x = ("x"):rep(500) })
    assert.equal(1, value(('n{plugin="shop",x="%s"}'):format(("x"):rep(128))))
  end)

  it("sets and moves gauges", function()
    local gauge = metrics.gauge("queue", "Queue.")
    gauge:set(5)
    gauge:add(-2)
    gauge:add()
    assert.equal(4, value 'queue{plugin="shop"}')
  end)

  it("observes into the bounds given, or those for seconds", function()
    local took = metrics.histogram("took", "Took.", { "path" }, { 1, 2 })
    took:observe(1.5, { path = "/" })
    assert.same({ 1, 2 }, core.metrics.declared.took.bounds)
    assert.equal(1.5, core.metrics.values['took{plugin="shop",path="/"}'][1])
    metrics.histogram("other", "Other.")
    assert.equal(11, #core.metrics.declared.other.bounds)
  end)

  it("does not count what there is no room for, and says so once", function()
    core.metrics.series_max = 1
    local one = metrics.counter("n", "N.", { "x" })
    one:add(1, { x = 1 })
    one:add(1, { x = 2 })
    one:add(1, { x = 3 })
    one:add(1, { x = 1 })
    assert.equal(2, value 'n{plugin="shop",x="1"}')
    assert.equal(1, #core.log.lines)
    assert.matches("METRIC_SERIES_MAX is reached", core.log.lines[1].message)
  end)

  it("lets several plugins use one name for one kind", function()
    metrics.counter("n", "N.")
    require("plugin.metrics").of("other").counter("n", "N."):add()
    assert.equal(1, value 'n{plugin="other"}')
  end)

  it("blames the author's line for a mistake", function()
    local counter, labelled = metrics.counter("a", "A."), metrics.gauge("b", "B.", { "x" })
    local mistakes = {
      ["counter: the name must be a string"] = function() metrics.counter() end,
      ["counter: the help must be a string"] = function() metrics.counter("n") end,
      ["counter: the name may have"] = function() metrics.counter("N", "N.") end,
      ["gauge: the help must be one line"] = function() metrics.gauge("n", "N\n") end,
      ["gauge: 'le' cannot be a label"] = function() metrics.gauge("n", "N.", { "le" }) end,
      ["gauge: 'plugin' cannot be a label"] = function() metrics.gauge("n", "N.", { "plugin" }) end,
      ["gauge: 'x' cannot be a label"] = function() metrics.gauge("n", "N.", { "x", "x" }) end,
      ["gauge: at most 8 labels"] = function()
        metrics.gauge("n", "N.", { "a", "b", "c", "d", "e", "f", "g", "h", "i" })
      end,
      ["histogram: the bounds must be rising"] = function() metrics.histogram("n", "N.", {}, { 2, 1 }) end,
      ["histogram: 1 to 32 bounds"] = function() metrics.histogram("n", "N.", {}, {}) end,
      ["gauge: there is a metric 'a' already"] = function() metrics.gauge("a", "A.") end,
      ["counter 'a': a counter only grows"] = function() counter:add(-1) end,
      ["counter 'a': it takes a number"] = function() counter:add("1") end,
      ["counter 'a': there is no label 'x'"] = function() counter:add(1, { x = 1 }) end,
      ["gauge 'b': the label 'x' has no value"] = function() labelled:set(1) end,
      ["gauge 'b': it takes a number"] = function() labelled:set(0 / 0, { x = 1 }) end,
      ["gauge 'b': the labels must be a table"] = function() labelled:add(1, "x") end,
    }
    for line, mistake in pairs(mistakes) do
      assert.matches("plugin_metrics_spec.lua:%d+: chatty.metrics." .. line, select(2, pcall(mistake)))
    end
  end)
end)
