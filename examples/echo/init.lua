-- A raw WebSocket endpoint of a plugin: no events, no users, no tokens. Conformance clients are pointed here.

local plugin = { api = 1, doc = "Sends every WebSocket message at /echo back as it came." }

local function echo(socket, data, binary)
  socket:send(data, binary)
end

function plugin.setup(app)
  app:websocket("/echo", { auth = "none" }, { message = echo })
end

return plugin
