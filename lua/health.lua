-- How the server is, for those who watch it: GET /healthz, /readyz, /metrics.

local json = require "core.json"
local metrics = require "core.metrics"
local parking = require "plugin.parking"
local refusal = require "refusal"

local health = {}

local is_ready = false
local METRICS_TYPE <const> = "text/plain; version=0.0.4; charset=utf-8"

--- Says whether this worker takes part: between start and stop.
---@param ready boolean
function health.set_ready(ready)
  is_ready = ready
end

---@return boolean
function health.is_ready()
  return is_ready
end

local function ask_ready()
  if not is_ready then return refusal.of("not-ready", "The server is starting or stopping; ask again.") end
  local parked = parking.names()
  return { json = { status = "ready", parked = parked[1] and json.array(parked) } }
end

---@param app app
function health.setup(app)
  app:get("/healthz", { auth = "none", doc = "Whether the process answers." }, function()
    return { json = { status = "ok" } }
  end)
  app:get("/readyz", { auth = "none", doc = "Whether it wants requests." }, ask_ready)
  app:get("/metrics", { auth = "none", doc = "Counts, for Prometheus." }, function()
    return { text = metrics.encode(), headers = { ["Content-Type"] = METRICS_TYPE } }
  end)
end

return health
