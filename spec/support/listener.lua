--- A user's session that tells what it heard. Since what is notified later arrives later, a mark shows that
--- nothing else came, and nobody waits for silence.
local cjson = require "cjson"

---@class spec.Listener
---@field user string
---@field session spec.WebSocket
---@field channels string[]  as chatty:connected named them
local Listener = {}
Listener.__index = Listener

local listener = {}

local last_mark = 0

--- `users:["ann"]`: a selector that takes any name as it is.
---@param kind string
---@param names string[]
---@return string
function listener.selector(kind, names)
  return kind .. ":" .. cjson.encode(names)
end

--- A live session of a user, who is subscribed to channels before (they are named type-id).
---@param chatty spec.Server
---@param user string
---@param channels? string[]
---@return spec.Listener
function listener.open(chatty, user, channels)
  if channels then
    local response = chatty:subscribe(listener.selector("users", { user }), channels)
    if response.status ~= 200 then error("not subscribed: " .. response.body, 2) end
  end
  local self = setmetatable({ chatty = chatty, user = user, session = chatty:connect(user) }, Listener)
  local connected = self.session:next()
  if not connected then error("not connected: " .. tostring(self.session.fault), 2) end
  self.channels = connected.attributes.channels
  return self
end

--- All events that came since the last call, as they came.
---@return string[]
function Listener:heard()
  last_mark = last_mark + 1
  self.chatty:notify(listener.selector("users", { self.user }), "mark", tostring(last_mark))
  local own, heard = ('{"event":"mark","attributes":%d}'):format(last_mark), {}
  while true do
    local text, reason = self.session:next_raw()
    if not text then error("the session ended: " .. tostring(reason), 2) end
    if text == own then return heard end
    if not text:find('^{"event":"mark"') then heard[#heard + 1] = text end
  end
end

--- The names of these events.
---@return string[]
function Listener:heard_names()
  local names = {}
  for i, text in ipairs(self:heard()) do names[i] = cjson.decode(text).event end
  return names
end

--- The attributes of these events, as they came.
---@return string[]
function Listener:heard_attributes()
  local attributes = {}
  for i, text in ipairs(self:heard()) do attributes[i] = text:match('^{"event":".-","attributes":(.*)}$') end
  return attributes
end

function Listener:close()
  self.session:abort()
end

return listener
