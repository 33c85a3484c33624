-- chatty routes: every route with its plugin and its guard, and what plugins say of channels.

local columns = require "cli.columns"

local routes = {}

local CHANNEL <const> = "CHANNEL" -- in the column of the methods
local HEAD = { "METHOD", "PATH", "PLUGIN", "GUARD", "MEANING" }

local function print_text(context)
  local rows = { HEAD }
  for _, route in ipairs(context.routes) do
    rows[#rows + 1] = { route.method, route.path, route.plugin, route.guard, route.doc or "" }
  end
  for _, channel in ipairs(context.channels or {}) do
    rows[#rows + 1] = { CHANNEL, channel.pattern, channel.plugin, "", channel.settings }
  end
  for _, line in ipairs(columns.align(rows)) do context.print(line) end
end

local function print_json(context)
  local items = {}
  for i, route in ipairs(context.routes) do
    items[i] = { method = route.method, path = route.path, plugin = route.plugin, guard = route.guard, doc = route.doc }
  end
  for _, channel in ipairs(context.channels or {}) do
    items[#items + 1] = { channel = channel.pattern, plugin = channel.plugin, settings = channel.settings }
  end
  context.print("[")
  for i, item in ipairs(items) do
    context.print(("  %s%s"):format(context.json.encode(item), i < #items and "," or ""))
  end
  context.print("]")
end

--- Prints the routes in the order they come.
---@param context cli.context  routes = {method, path, plugin, guard, doc?}[]
---@return integer exit_code
function routes.run(context)
  if context.args.json then print_json(context) else print_text(context) end
  return 0
end

return routes
