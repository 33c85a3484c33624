-- For clock_spec: what waits, and says what time it is when it is over.
local chatty = require "chatty"

local clockwork = { api = 1 }

local function note(user, text)
  chatty.notify { users = { user }, event = "note", attributes = { text = text, at = chatty.time.now() } }
end

local function sleep(session, event)
  local seconds = event:get("seconds")
  chatty.spawn(function()
    chatty.sleep(seconds)
    note(session.user, "slept " .. seconds)
  end)
end

local function storm() chatty.spawn(storm) end

local function now()
  return { json = {
    now = chatty.time.now(), monotonic = chatty.time.monotonic(), os = os.time(), date = os.date("!%H:%M:%S"),
  } }
end

function clockwork.setup(app)
  app:get("/now", { auth = "none" }, now)
  app:get("/slow/:seconds", { auth = "none" }, function(request)
    chatty.sleep(tonumber(request.params.seconds))
    return { text = "awake" }
  end)
  app:on("message", function(session, event)
    if event.name == "sleep" then return sleep(session, event) end
    if event.name == "storm" then return storm() end
    if event.name == "restless" then chatty.spawn(function() while true do chatty.sleep(0) end end) end
  end)
  app:every(60, function() chatty.log.info("beat") end)
  app:once(90, function() chatty.log.info("once") end)
  app:on("online", function(user) chatty.log.info(user .. " is online") end)
  app:on("offline", function(user) chatty.log.info(user .. " is offline") end)
end

return clockwork
