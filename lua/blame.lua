-- Whose line an error names. What our own functions refuse is the fault of the plugin that called them, so its
-- line is named and not ours.

local node = require "core.node"

local blame = {}

-- "/usr/share/chatty/lua/public.lua:224: " at the beginning of a message
local OURS <const> = "^" .. (node.home .. "/lua/"):gsub("%p", "%%%0") .. "[%w_/]+%.lua:%d+: "

-- The first line of Lua in a traceback, in which our own are left out already.
local function place_in(traceback)
  return traceback and traceback:match("\n%s*([^\n:]+%.lua:%d+): ")
end

--- The message with the plugin's line, or without any when the plugin was not under way any more.
---@param message string
---@param traceback? string  as core.cage makes it
---@return string
function blame.plugin(message, traceback)
  local _, last = message:find(OURS)
  if not last then return message end
  local place = place_in(traceback)
  return (place and place .. ": " or "") .. message:sub(last + 1)
end

return blame
