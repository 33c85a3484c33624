-- Options of plugins: what the load tool's channels keep is durable.
return { bench_history = { durable = true } }
