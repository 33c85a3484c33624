-- For server_spec: it does not load.
local broken = { api = 1 }

function broken.setup(app)
  app:on("notfy", function() end)
end

return broken
