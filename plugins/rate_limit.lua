-- How many messages a user may send, and how often he may connect, on all workers together. A window begins with the
-- first of them, and all are counted anew when it is over.

local chatty = require "chatty"

local plugin = { api = 1, priority = 900, doc = "Limits how much a user sends, and how often he connects." }

plugin.options = {
  messages = { type = "integer", default = 100, min = 0, doc = "Messages of a user within the window; 0: any." },
  connects = { type = "integer", default = 30, min = 0, doc = "Connects of a user within the window; 0: any." },
  window = { type = "number", default = 10, min = 0.1, max = 86400, doc = "Seconds." },
}

local refused = chatty.metrics.counter("rate_limit_refused_total", "Messages and connects refused.", { "what" })

-- A limiter for one kind. When the shared dictionary is full all are let through.
local function limiter(what, max, window)
  return function(session)
    local count, left = chatty.shared.increment(what .. "/" .. session.user, 1, { ttl = window })
    if not count or count <= max then return end
    refused:add(1, { what = what })
    return chatty.refuse(429, "rate-limited", ("Too many %ss: try again in %d s."):format(what, math.ceil(left)))
  end
end

function plugin.setup(app, options)
  if options.messages > 0 then app:on("message", limiter("message", options.messages, options.window)) end
  if options.connects > 0 then app:on("connect", limiter("connect", options.connects, options.window)) end
end

return plugin
