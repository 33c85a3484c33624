local meters = require("core.test").meters

local function code_of(_, _, code) return code end

describe("the meters", function()
  it("count and are set", function()
    local set = meters.new(10)
    assert.is_true(set:declare("n", "Some.", "counter"))
    assert.is_true(set:declare("g", "Other.", "gauge"))
    local one, two = set:find("n", 'plugin="a"'), set:find("n", 'plugin="b",x="1"')
    meters.increase(one, 1)
    meters.increase(one, 0.5)
    meters.increase(two, 1e15)
    meters.increase(two, 1)
    local gauge = set:find("g", 'plugin="a"')
    meters.set(gauge, 5)
    meters.increase(gauge, -7)
    assert.equal(table.concat({
      "# HELP chatty_plugin_n Some.", "# TYPE chatty_plugin_n counter",
      'chatty_plugin_n{plugin="a"} 1.5', 'chatty_plugin_n{plugin="b",x="1"} 1e+15',
      "# HELP chatty_plugin_g Other.", "# TYPE chatty_plugin_g gauge", 'chatty_plugin_g{plugin="a"} -2', "",
    }, "\n"), set:text())
  end)

  it("give the same series for the same labels", function()
    local set = meters.new(10)
    set:declare("n", "Some.", "counter")
    assert.equal(set:find("n", 'a="1"'), set:find("n", 'a="1"'))
    assert.not_equal(set:find("n", 'a="1"'), set:find("n", 'a="2"'))
    assert.equal("NOT_FOUND", code_of(set:find("other", "")))
  end)

  it("observe into buckets, which add up", function()
    local set = meters.new(10)
    set:declare("h", "Times.", "histogram", { 0.1, 1 })
    local one = set:find("h", 'plugin="a"')
    for _, value in ipairs{ 0.05, 0.1, 0.5, 7 } do meters.observe(one, value) end
    local plain = set:find("h", "")
    meters.observe(plain, 2)
    assert.equal(table.concat({
      "# HELP chatty_plugin_h Times.", "# TYPE chatty_plugin_h histogram",
      'chatty_plugin_h_bucket{plugin="a",le="0.1"} 2', 'chatty_plugin_h_bucket{plugin="a",le="1"} 3',
      'chatty_plugin_h_bucket{plugin="a",le="+Inf"} 4', 'chatty_plugin_h_sum{plugin="a"} 7.65',
      'chatty_plugin_h_count{plugin="a"} 4',
      'chatty_plugin_h_bucket{le="0.1"} 0', 'chatty_plugin_h_bucket{le="1"} 0', 'chatty_plugin_h_bucket{le="+Inf"} 1',
      "chatty_plugin_h_sum{} 2", "chatty_plugin_h_count{} 1", "",
    }, "\n"), set:text())
  end)

  it("show nothing of what has no series", function()
    local set = meters.new(10)
    set:declare("n", "Some.", "counter")
    assert.equal("", set:text())
  end)

  it("have one kind for a name", function()
    local set = meters.new(10)
    set:declare("n", "Some.", "counter")
    assert.is_true(set:declare("n", "Some other text.", "counter"))
    assert.equal("EXISTS", code_of(set:declare("n", "Some.", "gauge")))
    set:declare("h", "Some.", "histogram", { 1, 2 })
    assert.is_true(set:declare("h", "Some.", "histogram", { 1, 2 }))
    assert.equal("EXISTS", code_of(set:declare("h", "Some.", "histogram", { 1, 3 })))
    assert.equal("EXISTS", code_of(set:declare("h", "Some.", "histogram", { 1 })))
  end)

  it("are bounded in series", function()
    local set = meters.new(2)
    set:declare("n", "Some.", "counter")
    set:find("n", 'a="1"')
    local two = set:find("n", 'a="2"')
    assert.equal("LIMIT", code_of(set:find("n", 'a="3"')))
    assert.equal(two, set:find("n", 'a="2"'))
  end)

  it("lose nothing of many threads #threads", function()
    local set = meters.new(10)
    set:declare("n", "Some.", "counter")
    set:declare("h", "Some.", "histogram", { 1 })
    set:race(4, 3000)
    local text = set:text()
    assert.matches('chatty_plugin_n{x="1"} 12000\n', text, 1, true)
    assert.matches('chatty_plugin_h_bucket{le="+Inf"} 12000\nchatty_plugin_h_sum{} 24000\n', text, 1, true)
  end)
end)
