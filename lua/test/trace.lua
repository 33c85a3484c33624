-- Where something went wrong, as the author of a plugin wants to see it: without our own lines.

local node = require "core.node"

local trace = {}

-- Whether a line of a traceback speaks of us, or of Lua's own functions.
local function is_ours(line)
  return line:find(node.home .. "/lua/", 1, true) or line:find("^%s*%[C%]") or line:find("^%s*%(%.%.%.tail calls")
    or line:find("^%s*%[string ") or line:find("^stack traceback")
end

--- The lines of a traceback that are not ours.
---@param traceback string
---@return string[]
function trace.lines(traceback)
  local lines = {}
  for line in traceback:gmatch("[^\n]+") do
    if not is_ours(line) then lines[#lines + 1] = line:match("^%s*(.-)%s*$") end
  end
  return lines
end

--- The first place outside of our own lines: "plugins/hello_spec.lua:12".
---@param traceback string
---@return string|nil
function trace.place(traceback)
  local line = trace.lines(traceback)[1]
  return line and line:match("^(.-:%d+):")
end

return trace
