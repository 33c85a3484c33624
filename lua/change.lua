-- A change of standing subscriptions on its way through the hooks to the bus.

local bus = require "core.bus"
local hooks = require "hooks"
local json = require "core.json"
local names = require "names"
local refusal = require "refusal"

local change = {}

---@class change
---@field users? string[]     these users, or:
---@field users_of? string[]  all users subscribed to any of these channels
---@field channels string[]
---@field by guard.identity   who asks
---@field request? string      the id of the request that asks
---@field dry_run boolean     nothing is to happen

local BY <const> = { "kind", "key", "user", "name" }
local LISTS = { "users", "users_of", "channels" }

-- Raises if a hook has left the change in a state that cannot be carried out.
local function check(self)
  if type(self.channels) ~= "table" or (self.users == nil) == (self.users_of == nil) then
    error("a hook must leave the change channels, and either users or users_of", 0)
  end
  for _, key in ipairs(LISTS) do
    local list = self[key]
    if list and #list > 0 then
      local unique, message = names.list(list)
      if not unique then error(("change.%s: %s"):format(key, message), 0) end
      self[key] = unique
    end
  end
end

local CHECK = { run = check, is_untouched = function() return false end }

local function is_empty(list)
  return list ~= nil and #list == 0
end

-- What the store keeps with a new subscription.
local function by_text(self)
  local by, note = self.by, { request = self.request }
  if type(by) ~= "table" then by = { user = by } end
  for _, name in ipairs(BY) do
    if type(by[name]) == "string" then note[name] = by[name] end
  end
  return json.encode(note)
end

local function commit(verb, self)
  if is_empty(self.channels) or is_empty(self.users) or is_empty(self.users_of) then
    return { users = 0, changed = 0 }
  end
  local done, message, code = bus.change({
    verb = verb, users = self.users, users_of = self.users_of, channels = self.channels, dry = self.dry_run,
    by = by_text(self),
  })
  if done then return done end
  if code == "LIMIT" then
    return nil, refusal.of("subscriptions-max",
      "Subscribe to fewer channels; there would be more than SUBSCRIPTIONS_PER_USER_MAX or "
      .. "SUBSCRIPTIONS_MAX.")
  end
  return nil, refusal.of_failure(message, code)
end

--- Carries out the change and waits until it is committed. nil and a refusal if a hook says no, or if it
--- cannot be done. Hooks may have changed its lists: what was done stands in it.
---@param verb "subscribe"|"unsubscribe"
---@param self change
---@return {users: integer, changed: integer}|nil, refusal?
function change.make(verb, self)
  if hooks.is_dry() then self.dry_run = true end
  if hooks.has(verb) then
    for _, key in ipairs(LISTS) do self[key] = self[key] and names.copy(self[key]) end
    local is_dry = self.dry_run
    local refused = hooks.run(verb, self, nil, nil, CHECK)
    if refused then return nil, refused end
    self.dry_run = is_dry
  end
  return commit(verb, self)
end

return change
