--- What each client must see, told simply. Events that channels keep have ids that grow: a client sees, in their order,
--- those of its user's channels, since he is in them, behind the id that it has. All others it sees if it is there.
--- Rounds are times in which most subscriptions stay as they are: of one that changes under way, the events of that
--- round may come or not.

---@class spec.DeliveryEvent
---@field n integer           tells it from all others
---@field id string|nil       nil: nobody keeps it
---@field channels string[]|nil
---@field users string[]|nil
---@field round integer
---@field is_each boolean     each channel emits it
---@field except string|nil   a user
---@field except_tab spec.DeliveryTab|nil
---@field key string|nil
---@field is_brief boolean    its ttl is over when somebody comes back

---@class spec.DeliveryModel
---@field kept spec.DeliveryEvent[]    sorted by id
---@field passing spec.DeliveryEvent[] of the last round, not kept
---@field since table<string, table<string, integer>>  user -> channel -> round
---@field blurs table<string, {rounds: table<integer, boolean>, last: integer, since: integer|nil}>  by user and channel
local Model = {}
Model.__index = Model

local delivery_model = {}

---@param size integer  events that a channel keeps
function delivery_model.new(size)
  return setmetatable({
    size = size, kept = {}, passing = {}, newest = {}, by_id = {}, since = {}, blurs = {}, round = 0,
  }, Model)
end

function Model:subscribe(user, channel)
  self.since[user] = self.since[user] or {}
  self.since[user][channel] = self.since[user][channel] or self.round
end

function Model:unsubscribe(user, channel)
  if self.since[user] then self.since[user][channel] = nil end
end

local function key_of(user, channel) return user .. " " .. channel end

--- Whether a subscription has changed under way in this round already.
function Model:is_blurred(user, channel)
  local blur = self.blurs[key_of(user, channel)]
  return blur ~= nil and blur.last == self.round
end

--- A subscription changes under way, at some time of this round.
---@param verb "subscribe"|"unsubscribe"
function Model:blur(verb, user, channel)
  local key = key_of(user, channel)
  local blur = self.blurs[key] or { rounds = {} }
  self.blurs[key] = blur
  blur.rounds[self.round], blur.last, blur.since = true, self.round, (self.since[user] or {})[channel]
  self[verb](self, user, channel)
end

--- Begins a round; `events` are those of the one before.
function Model:next_round(events)
  self.passing = {}
  table.sort(events, function(a, b) return (a.id or "") < (b.id or "") end)
  for _, event in ipairs(events) do
    local list = event.id and self.kept or self.passing
    list[#list + 1] = event
    if event.id then self.by_id[event.id] = event end
    for _, channel in ipairs(event.key and event.channels or {}) do
      self.newest[event.key .. " " .. channel] = event
    end
  end
  self.round = self.round + 1
end

-- Whether the event is the user's by this channel: "must", "may" or nil. What he had before his subscription ended
-- under way in the last round may have been brought to him before that.
local function is_in(self, user, channel, event)
  local blur, since = self.blurs[key_of(user, channel)], (self.since[user] or {})[channel]
  if blur and blur.rounds[event.round] then return "may" end
  if since and since <= event.round then return "must" end
  if blur and blur.last == self.round - 1 and blur.since and blur.since <= event.round then return "may" end
end

--- How often a client that is there sees an event: at most, and at least.
---@return integer most, integer least
function Model:copies(tab, event)
  local most, least = 0, 0
  if event.except == tab.user or event.except_tab == tab then return 0, 0 end
  for _, channel in ipairs(event.channels or {}) do
    local how = is_in(self, tab.user, channel, event)
    most, least = most + (how and 1 or 0), least + (how == "must" and 1 or 0)
  end
  for _, user in ipairs(event.users or {}) do
    if user == tab.user then most, least = 1, 1 end
  end
  if event.is_each then return most, least end
  return math.min(most, 1), math.min(least, 1)
end

-- Whether a client may not have it: it was away and came too late for it, or its subscription changed.
local function may_lack(self, tab, event)
  local _, least = self:copies(tab, event)
  if event.is_brief or least == 0 then return true end
  for _, channel in ipairs(event.key and event.channels or {}) do
    if self.newest[event.key .. " " .. channel] ~= event then return true end
  end
  return false
end

--- What is wrong with the ids of the kept events that a client saw behind `after`, up to its own id if it is away;
--- nil: nothing.
---@param ids string[]  without copies
---@return string|nil
function Model:fault_of(tab, after, ids)
  local expected = {}
  for i = #self.kept, 1, -1 do
    local event = self.kept[i]
    if event.id <= after then break end
    local is_due = tab.is_here or event.id <= (tab.id or after)
    if is_due and (self:copies(tab, event)) > 0 then table.insert(expected, 1, event) end
  end
  local at = 1
  for _, event in ipairs(expected) do
    if ids[at] == event.id then
      at = at + 1
    elseif not may_lack(self, tab, event) then
      return ("%s came in place of %s (n = %d)"):format(ids[at] or "nothing", event.id, event.n)
    end
  end
  return ids[at] and ("%s came, which is not for this client"):format(ids[at])
end

--- Whether a channel of the user has had more of his events behind `after` than it keeps.
function Model:may_have_gap(tab, after)
  local counts = {}
  for i = #self.kept, 1, -1 do
    local event = self.kept[i]
    if event.id <= after then return false end
    for _, channel in ipairs(event.channels) do
      if is_in(self, tab.user, channel, event) then
        counts[channel] = (counts[channel] or 0) + 1
        if counts[channel] > self.size then return true end
      end
    end
  end
  return false
end

--- How often a client that is there may see a kept event: once per channel where each of them emits.
function Model:copies_of(tab, id)
  local event = self.by_id[id]
  return event and (self:copies(tab, event)) or 0
end

--- What is wrong with how often a client saw the events of the last round that nobody keeps.
---@param counts table<integer, integer>  by n
---@param is_steady boolean  it was there all the time
---@return string|nil
function Model:fault_of_passing(tab, counts, is_steady)
  for _, event in ipairs(self.passing) do
    local count = counts[event.n] or 0
    local most, least = self:copies(tab, event)
    counts[event.n] = nil
    if count > most or (is_steady and count < least) then
      return ("the event n = %d came %d times in place of %d to %d"):format(event.n, count, least, most)
    end
  end
  local n = next(counts)
  return n and ("the event n = %s came, which is not for this client"):format(n)
end

return delivery_model
