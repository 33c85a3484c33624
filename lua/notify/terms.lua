-- The terms of one event, all optional: whom it is not for, how long it is worth something, which one of its kind
-- it replaces, and what is to be told of it. In the body of notify they stand beside event and attributes.

local argument = require "argument"
local json = require "core.json"
local names = require "names"
local refusal = require "refusal"

local terms = {}

local TEXT_MAX <const> = 255           -- bytes of key and id
local TTL_MAX <const> = 30 * 24 * 3600 -- seconds
local EXCEPT = { users = 1, sessions = 1 }

-- What is wrong with a value; nil: nothing.
local fault_of = {}

function fault_of.text(value)
  if type(value) ~= "string" or value == "" or #value > TEXT_MAX or not utf8.len(value) then
    return ("must be UTF-8 of 1 to %d bytes"):format(TEXT_MAX)
  end
end

function fault_of.flag(value)
  if type(value) ~= "boolean" then return "must be true or false" end
end

function fault_of.ttl(value)
  if type(value) ~= "number" or not (value > 0 and value <= TTL_MAX) then
    return ("must be a number of seconds, above 0 and at most %d"):format(TTL_MAX)
  end
end

local function fault_of_list(list)
  if type(list) ~= "table" then return "must be a list of names" end
  if next(list) == nil then return nil end
  local ok, message = names.list(list)
  if not ok then return "is no list of names: " .. message end
end

function fault_of.except(value)
  if type(value) ~= "table" then return "must be a list of users, or { users, sessions }" end
  if value.users == nil and value.sessions == nil then return fault_of_list(value) end
  for key in pairs(value) do
    if not EXCEPT[key] then return "has other members than users and sessions" end
  end
  return (value.users and fault_of_list(value.users)) or (value.sessions and fault_of_list(value.sessions))
end

-- By the name of the field: what it is called in the body, and what it must be.
local FIELDS = {
  except = { "except", "except" }, ttl = { "ttl", "ttl" }, key = { "key", "text" }, id = { "id", "text" },
  ack = { "ack", "flag" }, if_offline = { "ifOffline", "flag" },
}

--- The fields of chatty.notify that the members of a body say. nil and a refusal that points at what is wrong.
---@param members table  decoded
---@return table|nil fields, refusal? refused
function terms.of_members(members)
  local fields = {}
  for field, how in pairs(FIELDS) do
    local member, kind = how[1], how[2]
    local value = members[member]
    if value ~= nil and value ~= json.null then
      local fault = fault_of[kind](value)
      if fault then
        return nil, refusal.of("event-term-invalid", ("The member %s %s."):format(member, fault),
          { pointer = "/" .. member })
      end
      fields[field] = value
    end
  end
  return fields
end

--- Whether chatty.notify was given any.
---@param spec table
---@return boolean
function terms.has_any(spec)
  return spec.except ~= nil or spec.key ~= nil or spec.ttl ~= nil or spec.id ~= nil or spec.ack ~= nil
    or spec.if_offline ~= nil
end

--- Raises at `level` when a field of chatty.notify is not what it must be.
---@param spec table
---@param level integer
function terms.check(spec, level)
  for field, how in pairs(FIELDS) do
    local fault = spec[field] ~= nil and fault_of[how[2]](spec[field])
    if fault then error(("chatty.notify: %s %s"):format(field, fault), level + 1) end
  end
end

--- The users and the sessions of `except`, each nil when there are none.
---@param except table|nil
---@return string[]|nil users, string[]|nil sessions
function terms.split_except(except)
  if except == nil then return nil end
  if except.users == nil and except.sessions == nil then return except[1] and except or nil end
  return except.users, except.sessions
end

--- Raises unless a hook has left a field as it may be.
---@param event event
function terms.check_hooked(event)
  for _, field in ipairs({ "ttl", "key" }) do
    local fault = event[field] ~= nil and fault_of[FIELDS[field][2]](event[field])
    if fault then error(("event.%s %s"):format(field, fault), 0) end
  end
  argument.type(event.except_sessions, "table?", "event.except_sessions", argument.BLAME_NOBODY)
end

return terms
