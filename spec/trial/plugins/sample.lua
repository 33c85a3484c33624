-- The plugin that the contract of the public API shows, word for word but for the line breaks.
local chatty = require "chatty"
local plugin = { api = 1, priority = 100, doc = "Greets, and tells the shop who is online." }
plugin.options = { shop_url = { type = "string", required = true, doc = "Where to POST." } }
function plugin.setup(app, options)
  app:get("/hello/:name", { auth = "jwt" }, function(request)
    return { json = { msg = "hi " .. request.params.name } }
  end)
  app:option("add", "server", function(event) event:set("server", chatty.node.name) end)
  app:channel_name(function(resource) return resource.type .. ":" .. resource.id end)
  app:on("connect", function(session) chatty.subscribe({ session.user }, { "lobby" }) end)
  app:on("message", function(session, event)
    chatty.notify{ channels = { "lobby" }, event = event, except = { session.user } }
  end)
  app:every(60, function()
    chatty.http.post(options.shop_url, { json = { online = chatty.users.count() } })
  end)
end
return plugin
