--- Clients of delivery_spec over each transport: one comes, is cut, and comes back with what it remembers.
local cjson = require "cjson"
local event_stream = require "spec.support.event_stream"
local websocket = require "spec.support.websocket"

---@class spec.DeliveryTab
---@field user string
---@field kind "ws"|"sse"|"sio"
---@field id string|nil       of the last event that had one
---@field asked string|nil    the id that it came back with
---@field session string|nil  as it was told last
---@field pid string|nil      of Socket.IO
local Tab = {}
Tab.__index = Tab

local delivery_tab = {}

local kinds = { ws = {}, sse = {}, sio = {} }

function delivery_tab.new(kind, user, name)
  return setmetatable({ kind = kind, user = user, name = name }, Tab)
end

local function query_of(tab)
  if not tab.id then return "" end
  return ("?after=%s&session=%s"):format(tab.id, tab.session)
end

-- The handshake is under way when it returns.
function kinds.ws.connect(tab, chatty)
  tab.socket = websocket.start{ port = chatty.port, token = chatty:token(tab.user), path = "/ws" .. query_of(tab) }
end

local function finish(tab)
  local socket = tab.socket
  if not socket.status then assert(socket:finish().status == 101, socket.fault or "no handshake") end
end

function kinds.ws.next(tab, seconds)
  finish(tab)
  return tab.socket:next(seconds)
end

function kinds.ws.cut(tab) tab.socket:abort() end

-- As an EventSource: the URL stays the same, the id comes in a header.
function kinds.sse.connect(tab, chatty)
  tab.stream = event_stream.open{
    port = chatty.port, token = chatty:token(tab.user), path = "/events?session=" .. tab.name,
    headers = { ["Last-Event-ID"] = tab.id },
  }
end

function kinds.sse.next(tab, seconds) return tab.stream:next(seconds) end

function kinds.sse.cut(tab) tab.stream.connection:abort() end

-- By its own recovery.
function kinds.sio.connect(tab, chatty)
  tab.socket = websocket.start{ port = chatty.port, path = "/socket.io/?EIO=4&transport=websocket" }
  finish(tab)
  tab.asked = tab.id or (tab.pid and tab.pid:match("^[^.]+"))
  tab.socket:send("40" .. cjson.encode{ token = chatty:token(tab.user), pid = tab.pid, offset = tab.id })
end

function kinds.sio.next(tab, seconds)
  while true do
    local text, reason = tab.socket:next_raw(seconds)
    if not text then return nil, reason end
    local kind, rest = text:match("^(%d%d?)(.*)$")
    if kind == "2" then tab.socket:send("3") end
    if kind == "40" then tab.pid = cjson.decode(rest).pid end
    if kind == "42" then
      local arguments = cjson.decode(rest)
      return { event = arguments[1], attributes = arguments[2], id = arguments[3] }
    end
  end
end

function kinds.sio.cut(tab) tab.socket:abort() end

function Tab:connect(chatty)
  self.is_here, self.asked = true, self.id
  kinds[self.kind].connect(self, chatty)
end

--- The next event, decoded; nil, reason.
function Tab:next(seconds)
  local event, reason = kinds[self.kind].next(self, seconds)
  if not event then return nil, ("%s (%s)"):format(reason, self.socket and self.socket.close_code or "no code") end
  if event.event == "chatty:connected" then self.session = event.attributes.session end
  self.id = event.id or self.id
  return event
end

--- Cuts the connection; what lies on it is lost.
function Tab:cut()
  kinds[self.kind].cut(self)
  self.is_here = false
end

return delivery_tab
