-- What a plugin's handlers cost: a route that only answers, and a hook of notify that does nothing.
local bench_handlers = { api = 1, doc = "Handlers that do as good as nothing, to be measured." }

function bench_handlers.setup(app)
  app:post("/bench/answer", { auth = "none" }, function() return { json = { msg = "Answered." } } end)
  app:on("notify", function() end)
end

return bench_handlers
