-- For the specs of what a test can do: a little of everything that a plugin does.
local chatty = require "chatty"

local lobby = { api = 1 }

local messages = chatty.metrics.counter("lobby_messages_total", "Messages.", { "name" })
local lengths = chatty.metrics.histogram("lobby_lengths", "Of names.", {}, { 3, 10 })

local function message(session, event)
  messages:add(1, { name = event.name })
  lengths:observe(#event.name)
  if event.name == "refused" then return chatty.refuse(403, "not-yours", "This is somebody else's.") end
  if event.name == "fault" then error("a fault of the plugin") end
  if event.name == "leave" then return session:close(4900, "as you wish") end
  if event.name == "sleep" then return chatty.sleep(1) end
  chatty.notify { channels = { "lobby" }, event = event, except = { session.user } }
  return { said = event.name }
end

function lobby.setup(app)
  app:get("/hello/:name", { auth = "jwt" }, function(request)
    return { json = { to = request.params.name, from = request.user, claims = request.claims, query = request.query } }
  end)
  app:post("/echo", { auth = "none" }, function(request)
    return { text = request.body, headers = { ["X-Kind"] = request:header("content-type") or "none" } }
  end)
  app:delete("/all", { auth = "control" }, function() end)
  app:get("/fault", { auth = "none" }, function(request) return request.params.no.field end)
  app:get("/twice", { auth = "none" }, function() return { text = "", cookies = { a = "1", b = "2" } } end)
  app:channel("kept-*", { history = { size = 10, ttl = 60, durable = true } })
  app:websocket("/raw", { auth = "none" }, {
    open = function(socket) socket:send("welcome") end,
    message = function(socket, data, is_binary) socket:send(data, is_binary) end,
  })
  app:on("connect", function(session)
    if session.claims.banned then return chatty.refuse(403, "banned", "You are not welcome.") end
    session:send("greeting", { to = session.user })
  end)
  app:on("message", message)
  app:on("unreached", function(event, users)
    chatty.log.info("unreached by " .. event.name, { users = table.concat(users, ",") })
  end)
  app:on("stop", function() chatty.log.info("stopping") end)
  app:on("subscribe", function(change) chatty.log.info("subscribe by " .. change.by.kind) end)
  app:on("disconnect", function(session, reason, code)
    chatty.log.warn("gone", { user = session.user, reason = reason, code = code })
  end)
end

return lobby
