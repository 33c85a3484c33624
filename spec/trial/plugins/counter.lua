-- For server_spec: counts for the worker, and for all of them.
local chatty = require "chatty"

local counter = { api = 1 }

local own = 0

function counter.setup(app)
  app:get("/random", { auth = "none" }, function() return { json = { math.random(1000000), math.random() } } end)
  app:get("/count", { auth = "none" }, function()
    own = own + 1
    return { json = { chatty.node.worker, own, chatty.shared.increment("count") } }
  end)
end

return counter
