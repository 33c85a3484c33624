-- GET /control/plugins: the plugins that are loaded, in the order in which they were, and how they are.

local json = require "core.json"
local parking = require "plugin.parking"
local plugins = require "plugins"
local time = require "core.time"

local listing = {}

local function describe(plugin)
  local parked = parking.of(plugin.name)
  return {
    name = plugin.name, file = plugin.file, priority = plugin.priority, doc = plugin.doc, version = plugin.version,
    state = parked and "parked" or "running",
    since = parked and time.rfc3339(parked.since), reason = parked and parked.reason,
  }
end

local function resource(fields)
  local id = fields.name
  fields.name = nil
  return { type = "plugins", id = id, attributes = fields }
end

local function handle(request)
  local list = json.array({})
  for i, plugin in ipairs(plugins.loaded()) do
    local fields = describe(plugin)
    list[i] = request.wants_document and resource(fields) or fields
  end
  return request.wants_document and { document = { data = list } } or { json = list }
end

---@param app app
function listing.setup(app)
  app:get("/control/plugins", {
    auth = "control:admin", jsonapi = true, query = {}, doc = "The plugins, and which of them are parked.",
  }, handle)
end

return listing
