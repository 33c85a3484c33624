-- For the specs of plugins that subscribe: refuses the room of the staff to users.
local chatty = require "chatty"

local bouncer = { api = 1 }

function bouncer.setup(app)
  app:on("subscribe", function(change)
    if change.by.kind == "user" and change.channels[1] == "room-staff" then
      return chatty.refuse(403, "staff-only", "This room is for the staff.")
    end
  end)
end

return bouncer
