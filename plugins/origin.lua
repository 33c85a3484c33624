-- add=origin: the channel through which an event came, as the attribute `origin`.

local plugin = { api = 1, doc = "Adds the channel that an event came through (add=origin)." }

function plugin.setup(app)
  app:option("add", "origin", function(event, context)
    if context.channel then event:set("origin", context.channel) end
  end)
end

return plugin
