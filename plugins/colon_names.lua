-- Channels named type:id in place of type-id, for subscribe and unsubscribe.

local plugin = { api = 1, doc = "Names the channel of a resource type:id." }

plugin.options = {
  separator = { type = "string", default = ":", min = 1, max = 8, doc = "What stands between type and id." },
}

function plugin.setup(app, options)
  app:channel_name(function(resource) return resource.type .. options.separator .. resource.id end)
end

return plugin
