-- chatty.metrics: what plugins count on all workers, in /metrics.
local plugin_source = require "spec.support.plugin_source"
local server = require "spec.support.server"

local COUNTER = plugin_source [[
  local hits = chatty.metrics.counter("hits_total", "Requests.", { "way" })
  local last = chatty.metrics.gauge("last", "The last number.")
  local sizes = chatty.metrics.histogram("size", "Sizes.", {}, { 10, 100 })
  app:get("/hit/:way/:number", { auth = "none" }, function(request)
    hits:add(1, { way = request.params.way })
    last:set(tonumber(request.params.number))
    sizes:observe(tonumber(request.params.number))
    return { json = { worker = chatty.node.worker } }
  end)
]]

describe("chatty.metrics", function()
  it("adds up what all workers count", function()
    local chatty = server.start{ settings = { WORKERS = 4, METRIC_SERIES_MAX = 4 }, plugins = { counter = COUNTER } }
    local workers = {}
    for i = 1, 40 do
      local way = i % 2 == 0 and "even" or "odd"
      workers[chatty:request{ path = ("/hit/%s/%d"):format(way, i) }.json().worker] = true
    end
    assert.truthy(next(workers, (next(workers))), "all requests came to one worker")
    assert.equal(20, chatty:metric 'plugin_hits_total{plugin="counter",way="even"}')
    assert.equal(20, chatty:metric 'plugin_hits_total{plugin="counter",way="odd"}')
    assert.equal(40, chatty:metric 'plugin_last{plugin="counter"}')
    assert.equal(10, chatty:metric 'plugin_size_bucket{plugin="counter",le="10"}')
    assert.equal(40, chatty:metric 'plugin_size_bucket{plugin="counter",le="+Inf"}')
    assert.equal(820, chatty:metric 'plugin_size_sum{plugin="counter"}')
    assert.equal(40, chatty:metric 'plugin_size_count{plugin="counter"}')
    assert.equal(4, chatty:metric "plugin_series")
    chatty:request{ path = "/hit/more/1" }
    assert.is_nil(chatty:metric 'plugin_hits_total{plugin="counter",way="more"}')
    assert.truthy(chatty:wait_log("METRIC_SERIES_MAX is reached"))
  end)
end)
