-- POST /control/reload: loads the plugins anew, in all workers or in none.

local answer = require "control.answer"
local refusal = require "refusal"
local reloads = require "core.reload"

local reload = {}

-- "plugin shop: plugins/shop.lua:12: ..." names all three; what is wrong with ENABLE or PLUGINS names none.
local function meta_of(message)
  local plugin, file, line = message:match("^plugin ([%w_-]+): (.-%.lua):(%d+): ")
  if not plugin then return nil end
  return { plugin = plugin, file = file, line = math.tointeger(tonumber(line)) }
end

local function refuse(message)
  local refused = refusal.of("reload-failed", message)
  refused.meta = meta_of(message)
  return refused
end

local function handle(request)
  local is_dry = request.query.dryRun
  local generation, message, code = reloads.run(is_dry)
  if code == "INVALID" then return refuse(message) end
  if not generation then return nil, message, code end
  local fields = { msg = is_dry and "Would reload" or "Reloaded.", generation = generation }
  if is_dry then fields.dryRun = true end
  return answer.done(request, fields)
end

---@param app app
function reload.setup(app)
  app:post("/control/reload", {
    auth = "control:admin", jsonapi = true, doc = "Loads the plugins anew, without dropping a connection.",
    query = { dryRun = { type = "boolean", doc = "Only tell whether they can be loaded." } },
  }, handle)
end

return reload
