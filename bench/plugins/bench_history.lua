-- The channels of the load tool keep events.
local bench_history = { api = 1, doc = "Keeps events of the load tool's channels." }

function bench_history.setup(app)
  app:channel("bench-*", { history = { size = 1000, ttl = 300 } })
end

return bench_history
