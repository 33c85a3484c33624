-- Who was not there: for an event with `if_offline` the hook `unreached` gets the users without a session.

local bus = require "core.bus"
local event = require "event"
local hooks = require "hooks"
local log = require "core.log"
local names = require "names"

local unreached = {}

local PAGE <const> = 1000 -- users that a hook gets at a time

local function set_of(list)
  local set = {}
  for _, name in ipairs(list or {}) do set[name] = true end
  return set
end

-- Calls on_page(users) for the users of a channel without a session.
local function each_of_channel(channel, on_page)
  local after
  repeat
    local users, more, code = bus.participants(channel, { absent = true, after = after, size = PAGE })
    if not users then
      log.write("warn", ("who was not there is not known: %s"):format(more), { code = code })
      return
    end
    on_page(users)
    after = users[#users]
  until not more
end

local function each_of_users(users, on_page)
  local absent = {}
  for _, user in ipairs(users) do
    if bus.online(user) == 0 then absent[#absent + 1] = user end
    if #absent == PAGE then
      on_page(absent)
      absent = {}
    end
  end
  on_page(absent)
end

--- (waits) Runs the hooks with the users who have no session now, in pages, each once.
---@param core core.event
---@param by "channels"|"users"
---@param targets string[]
---@param except string[]|nil
function unreached.tell(core, by, targets, except)
  local seen = set_of(except)
  local function on_page(users)
    local page = {}
    for _, user in ipairs(users) do
      if not seen[user] then page[#page + 1], seen[user] = user, true end
    end
    if page[1] then hooks.run("unreached", event.of(core, { [by] = names.copy(targets) }), page) end
  end
  if by == "users" then return each_of_users(targets, on_page) end
  for _, channel in ipairs(targets) do each_of_channel(channel, on_page) end
end

return unreached
