-- The channels of the load tool keep events.
local bench_history = { api = 1, doc = "Keeps events of the load tool's channels." }

bench_history.options = { durable = { type = "boolean", default = false, doc = "In the store, too." } }

function bench_history.setup(app, options)
  app:channel("bench-*", { history = { size = 1000, ttl = 300, durable = options.durable } })
end

return bench_history
