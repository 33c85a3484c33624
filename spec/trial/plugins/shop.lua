-- For http_spec: asks another server.
local chatty = require "chatty"

local shop = { api = 1, needs = { http = { "shop.test" } } }

function shop.setup(app)
  app:get("/stock/:id", { auth = "none" }, function(request)
    local answer, message, code = chatty.http.get("http://shop.test/stock/" .. request.params.id, { timeout = 5 })
    if not answer then return nil, message, code end
    return { json = { status = answer.status, stock = answer.json, kind = answer.headers["content-type"] } }
  end)
  app:on("start", function() chatty.http.post("http://shop.test/hello", { json = { node = "here" } }) end)
end

return shop
