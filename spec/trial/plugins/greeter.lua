-- For the specs of a test's options.
local greeter = { api = 1 }

greeter.options = {
  greeting = { type = "string", required = true },
  rooms = { type = "list", default = { "lobby" } },
  count = { type = "integer", default = 3 },
}

function greeter.setup(app, options)
  app:get("/greeter", { auth = "none" }, function() return { json = options } end)
end

return greeter
