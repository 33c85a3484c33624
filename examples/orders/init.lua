-- The part of the sample with orders that chatty has: what happens to an order is kept for an hour, in the store, so
-- that a page which lost its connection gets what it missed.

local plugin = { api = 1, doc = "A sample of an app server with orders: keeps the events of order-*." }

function plugin.setup(app)
  app:channel("order-*", { history = { size = 50, ttl = 3600, durable = true } })
end

return plugin
