-- For the specs of plugins that look at changes: refuses each that names the user "refused", behind all others.
local chatty = require "chatty"

local refuser = { api = 1, priority = -1000 }

function refuser.setup(app)
  app:on("subscribe", function(change)
    for _, user in ipairs(change.users or {}) do
      if user == "refused" then return chatty.refuse(403, "refused", "No.") end
    end
  end)
end

return refuser
