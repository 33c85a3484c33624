--- What each client must see, told simply: events have ids that grow; a client sees, in their order, those of its
--- user's channels, since he is in them, behind the id that it has. Rounds are times in which nobody changes
--- subscriptions.

---@class spec.DeliveryModel
---@field events {id:string, channels:string[], round:integer, is_each:boolean, except:string?}[]  sorted by id
---@field since table<string, table<string, integer>>  user -> channel -> round
local Model = {}
Model.__index = Model

local delivery_model = {}

---@param size integer  events that a channel keeps
function delivery_model.new(size)
  return setmetatable({ size = size, events = {}, since = {}, round = 0 }, Model)
end

function Model:subscribe(user, channel)
  self.since[user] = self.since[user] or {}
  self.since[user][channel] = self.since[user][channel] or self.round
end

function Model:unsubscribe(user, channel)
  if self.since[user] then self.since[user][channel] = nil end
end

--- Begins a round; `events` are those of the one before.
function Model:next_round(events)
  table.sort(events, function(a, b) return a.id < b.id end)
  table.move(events, 1, #events, #self.events + 1, self.events)
  self.round = self.round + 1
end

-- By how many of his channels the user gets it, those he joined before it.
local function copies(self, user, event)
  local count = 0
  if event.except == user then return 0 end
  for _, channel in ipairs(event.channels) do
    local since = (self.since[user] or {})[channel]
    if since and since <= event.round then count = count + 1 end
  end
  return count
end

--- The ids that a client must see behind `after`.
function Model:expected(user, after)
  local ids = {}
  for i = #self.events, 1, -1 do
    local event = self.events[i]
    if event.id <= after then break end
    if copies(self, user, event) > 0 then table.insert(ids, 1, event.id) end
  end
  return ids
end

--- Whether a channel of the user has had more of his events behind `after` than it keeps.
function Model:may_have_gap(user, after)
  local counts = {}
  for i = #self.events, 1, -1 do
    local event = self.events[i]
    if event.id <= after then return false end
    for _, channel in ipairs(event.channels) do
      local since = (self.since[user] or {})[channel]
      if since and since <= event.round then
        counts[channel] = (counts[channel] or 0) + 1
        if counts[channel] > self.size then return true end
      end
    end
  end
  return false
end

--- How often a client that is live may see an event: once per channel where each of them emits.
function Model:copies_of(user, id)
  for i = #self.events, 1, -1 do
    local event = self.events[i]
    if event.id == id then return event.is_each and copies(self, user, event) or 1 end
  end
  return 0
end

return delivery_model
