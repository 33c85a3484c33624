--- The source of a plugin with routes that stories of HTTP ask: what comes in goes out, handlers wait
--- until they are told to go on, or fail. For servers with one worker, since it remembers gates and calls.
return [[
local chatty = require "chatty"
local probe = { api = 1, doc = "What the stories of HTTP ask." }

local EVERYBODY = { auth = "none" }
local is_open, calls = {}, {}

local function count(request)
  local name = request.params.name
  calls[name] = (calls[name] or 0) + 1
  return { text = name }
end

local function hold(request)
  local gate = request.params.gate
  calls[gate] = (calls[gate] or 0) + 1
  while not is_open[gate] do chatty.sleep(0.002) end
  return { text = gate }
end

function probe.setup(app)
  -- The body comes back.
  app:post("/echo", EVERYBODY, function(request) return { text = request.body } end)
  -- The word comes back, and is counted.
  app:get("/say/:name", EVERYBODY, count)
  app:post("/say/:name", EVERYBODY, count)
  app:get("/count/:name", EVERYBODY, function(request) return { text = calls[request.params.name] or 0 } end)
  -- Waits until somebody opens the gate.
  app:get("/hold/:gate", EVERYBODY, hold)
  app:post("/hold/:gate", EVERYBODY, hold)
  app:post("/open/:gate", EVERYBODY, function(request) is_open[request.params.gate] = true end)
  app:get("/late/:milliseconds", EVERYBODY, function(request)
    chatty.sleep(request.params.milliseconds / 1000)
    return { text = request.params.milliseconds }
  end)
  app:get("/big/:kilobytes", EVERYBODY, function(request)
    return { text = ("x"):rep(request.params.kilobytes * 1024) }
  end)
  app:post("/small", { auth = "none", body_max = 10 }, function(request) return { text = request.body } end)
  app:get("/fail", EVERYBODY, function() error("the probe fails") end)
  app:get("/headers", EVERYBODY, function(request) return { json = request.headers } end)
end

return probe
]]
