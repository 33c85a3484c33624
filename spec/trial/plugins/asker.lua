-- For transports_spec: tells who came how, asks clients, and opens a namespace to guests.
local chatty = require "chatty"

local asker = { api = 1 }

local function message(session, event)
  if event.name == "refused" then return chatty.refuse(403, "not-yours", "This is somebody else's.") end
  if event.name == "leave" then return session:close(4900, "as you wish") end
  if event.name == "ask-me" then
    chatty.spawn(function()
      local answer, fault, code = session:ask("question", { n = 7 }, { timeout = 5 })
      session:send("heard", { answer = answer, fault = fault, code = code })
    end)
  end
  return { said = event.name, by = session.transport }
end

function asker.setup(app)
  app:namespace("/guests", { auth = "none" })
  app:channel("kept", { history = { size = 10 } })
  app:on("connect", function(session)
    if session.claims.banned then return chatty.refuse(403, "banned", "You are not welcome.") end
    session:send("hello", { transport = session.transport, namespace = session.namespace, auth = session.auth })
  end)
  app:on("message", message)
end

return asker
