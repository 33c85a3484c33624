-- chatty test: runs the specs of plugins.

local main = require "test.main"
local specs = require "test.specs"

local test = {}

local DEFAULT <const> = "plugins"

--- Runs the specs that are meant: exit code 0 when all passed, 1 when not, 2 when there are none.
---@param context cli.context
---@return integer exit_code
function test.run(context)
  local paths = context.args[1] and context.args or { DEFAULT }
  local found, line = specs.find(paths)
  if found and not found[1] then line = ("there is no *_spec.lua in %s"):format(table.concat(paths, ", ")) end
  if line then
    context.error(line)
    return 2
  end
  if not main.run(found, context.args.filter, context.write) then return 1 end
  return 0
end

return test
