-- Whose line an error names. What our own functions refuse is the fault of the plugin that called them, so its
-- line is named and not ours.

local node = require "core.node"

local blame = {}

-- "/usr/share/chatty/lua/plugin/public.lua:224: " at the beginning of a message
local OURS <const> = "^" .. (node.home .. "/lua/"):gsub("%p", "%%%0") .. "[%w_/]+%.lua:%d+: "

-- What our methods raise, which read their object with rawget, when they get another one.
local NO_SELF <const> = "^bad argument #1 to 'raw[gs]et' %(table expected"
local HINT <const> = "this is a method: call it with a colon, as session:send(...)"

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
  local place, text = place_in(traceback), message:sub(last + 1)
  return (place and place .. ": " or "") .. (text:find(NO_SELF) and HINT or text)
end

return blame
