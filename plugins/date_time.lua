-- add=date-time: when an event was emitted, as the attribute `date-time`.

local chatty = require "chatty"

local plugin = { api = 1, doc = "Adds the time at which an event was emitted (add=date-time)." }

function plugin.setup(app)
  app:option("add", "date-time", function(event, context)
    event:set("date-time", chatty.time.rfc3339(context.time))
  end)
end

return plugin
