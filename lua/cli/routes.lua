-- chatty routes: every route with its plugin and its guard.

local columns = require "cli.columns"

local routes = {}

local HEAD = { "METHOD", "PATH", "PLUGIN", "GUARD", "MEANING" }

local function print_text(context)
  local rows = { HEAD }
  for _, route in ipairs(context.routes) do
    rows[#rows + 1] = { route.method, route.path, route.plugin, route.guard, route.doc or "" }
  end
  for _, line in ipairs(columns.align(rows)) do context.print(line) end
end

local function print_json(context)
  context.print("[")
  for i, route in ipairs(context.routes) do
    local item = { method = route.method, path = route.path, plugin = route.plugin, guard = route.guard,
      doc = route.doc }
    context.print(("  %s%s"):format(context.json.encode(item), i < #context.routes and "," or ""))
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
