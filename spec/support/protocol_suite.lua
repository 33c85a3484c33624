--- The plugin and the settings that the official test suites of Engine.IO v4 and Socket.IO v5 want: an echo on
--- /engine.io/; on the namespaces / and /custom, which everybody may use, an event auth with what came with
--- CONNECT, message-back for message, and the arguments of message-with-ack as its acknowledgement.
local server = require "spec.support.server"

local protocol_suite = {}

protocol_suite.PLUGIN = [[
  local plugin = { api = 1 }

  function plugin.setup(app)
    app:engineio("/engine.io/", { auth = "none" }, {
      message = function(socket, data, is_binary) socket:send(data, is_binary) end,
    })
    app:namespace("/", { auth = "none" })
    app:namespace("/custom", { auth = "none" })
    app:on("connect", function(session) session:send("auth", session.auth) end)
    app:on("message", function(session, event)
      if event.name == "message-with-ack" then return event end
      if event.name ~= "message" then return end
      event.name = "message-back"
      session:send(event)
    end)
  end

  return plugin
]]

--- Starts a server as the suites want it, but for a second in place of the 200 ms that they give for a pong: a busy
--- machine takes longer. Its requests are accepted by any of several workers.
---@param settings? table<string, any>
function protocol_suite.start(settings)
  local all = { PING_INTERVAL = "300ms", PING_TIMEOUT = "1s", AUTH_TIMEOUT = "2s", WORKERS = 4 }
  for name, value in pairs(settings or {}) do all[name] = value end
  return server.start{ settings = all, plugins = { suite = protocol_suite.PLUGIN } }
end

return protocol_suite
