-- The users that log in with a password: their records in the store.

local json = require "core.json"
local log = require "core.log"
local names = require "names"
local password = require "core.password"
local revocations = require "identity.revocations"
local secret = require "core.secret"
local store = require "core.store"
local task = require "core.task"
local time = require "core.time"

local users = {}

local SPACE <const> = "user"
local PASSWORD_MIN <const>, PASSWORD_MAX <const> = 8, 1024
local TRIES <const> = 5           -- to change a record that others change too
local POLL <const> = 0.02         -- seconds
local PAGE <const> = 1000

--- The longest time, in seconds, that a token made by the server is valid.
users.TOKEN_TTL_MAX = 30 * 24 * 3600

---@class users.record
---@field hash string
---@field roles? string[]
---@field since? number       seconds since 1970

-- nil without a message when there is none.
local function read(name)
  local text, message, code = store.get(SPACE, name)
  if text == nil then return nil, message, code end
  local record = json.decode(text)
  if record == nil then return nil, "the record of the user is damaged", "INTERNAL" end
  return record, text
end

--- The record; nil without a message when there is none.
---@param name string
---@return users.record|nil, string? message, string? code
function users.find(name)
  local record, message, code = read(name)
  if record then return record end
  return nil, message, code
end

-- Writes what `edit` makes of the record, anew when somebody else was faster. `edit` may refuse with
-- nil, message, code.
local function change(name, edit)
  for _ = 1, TRIES do
    local record, text, code = read(name)
    if not record and text then return nil, text, code end
    local edited, message
    edited, message, code = edit(record)
    if not edited then return nil, message, code end
    local done
    done, message, code = store.set(SPACE, name, json.encode(edited),
      { expect = text or false })
    if done ~= false then return done, message, code end
  end
  return nil, "the user is being changed by others", "UNAVAILABLE"
end

--- Whether it may be a password that somebody sets.
---@param text any
---@return true|nil, string? fault  "has fewer than 8 bytes" ...
function users.check_password(text)
  if type(text) ~= "string" then return nil, "is not a string" end
  if #text < PASSWORD_MIN then return nil, ("has fewer than %d bytes"):format(PASSWORD_MIN) end
  if #text > PASSWORD_MAX then return nil, ("has more than %d bytes"):format(PASSWORD_MAX) end
  if text:find("\0", 1, true) then return nil, "has a zero byte" end
  return true
end

--- Whether somebody has this name.
---@param name string
---@return boolean|nil is_taken, string? message, string? code
function users.exists(name)
  local record, message, code = users.find(name)
  if not record and message then return nil, message, code end
  return record ~= nil
end

--- Adds a user with a hash that was made before, here or (bcrypt) elsewhere. Code "EXISTS".
---@param name string
---@param hash string
---@param roles? string[]
---@return true|nil, string? message, string? code
function users.add_hash(name, hash, roles)
  return change(name, function(record)
    if record then return nil, "the name is taken", "EXISTS" end
    return { hash = hash, roles = json.array(roles or {}), since = time.now() }
  end)
end

--- (waits) Adds a user. The password and the name were checked. Code "EXISTS".
---@param name string
---@param text string
---@param roles? string[]
---@return true|nil, string? message, string? code
function users.add(name, text, roles)
  local is_taken, message, code = users.exists(name)
  if is_taken == nil then return nil, message, code end
  if is_taken then return nil, "the name is taken", "EXISTS" end
  local hash
  hash, message, code = password.hash(text)
  if not hash then return nil, message, code end
  return users.add_hash(name, hash, roles)
end

local function find_one(name)
  local record, message, code = users.find(name)
  if record or message then return record, message, code end
  return nil, "there is no such user", "NOT_FOUND"
end

-- Before what they are ended for: if that fails they are ended for nothing, but none lives on.
local function end_tokens(name)
  local found, message, code = find_one(name)
  if not found then return nil, message, code end
  return revocations.add_all(name)
end

--- (waits) Gives a user another password and ends his tokens. Code "NOT_FOUND".
---@param name string
---@param text string
---@return true|nil, string? message, string? code
function users.set_password(name, text)
  local hash, message, code = password.hash(text)
  if not hash then return nil, message, code end
  local done
  done, message, code = end_tokens(name)
  if not done then return nil, message, code end
  return change(name, function(record)
    if not record then return nil, "there is no such user", "NOT_FOUND" end
    record.hash = hash
    return record
  end)
end

--- (waits) Takes a user away and ends his tokens. Code "NOT_FOUND".
---@param name string
---@return true|nil, string? message, string? code
function users.remove(name)
  local done, message, code = end_tokens(name)
  if not done then return nil, message, code end
  done, message, code = store.delete(SPACE, name)
  if done == nil then return nil, message, code end
  return true
end

local fallback, is_making_fallback

-- A hash that no password has, so that a name that nobody has takes as long as one that somebody has. Made
-- once; whoever comes meanwhile waits.
local function fallback_hash()
  while is_making_fallback do task.sleep(POLL) end
  if fallback then return fallback end
  is_making_fallback = true
  local made, message, code = password.hash(secret.random(32))
  fallback, is_making_fallback = made, false
  return made, message, code
end

-- A hash of today's kind in place of one of an older kind. The login is good without it too.
local function renew(name, old, text)
  local hash, message = password.hash(text)
  local done
  if hash then
    done, message = change(name, function(record)
      if not record or record.hash ~= old then return nil, "it was changed meanwhile" end
      record.hash = hash
      return record
    end)
  end
  if not done then log.write("warn", "a password's hash was not renewed: " .. tostring(message)) end
end

--- (waits) The record of the user when the password is his, false when not or when there is no such user.
---@param name string
---@param text string
---@return users.record|false|nil, string? message, string? code
function users.verify(name, text)
  local other, message, code = fallback_hash()
  if not other then return nil, message, code end
  local record
  record, message, code = users.find(name)
  if not record and message then return nil, message, code end
  local hash = record and record.hash
  local matches
  matches, message, code = password.verify(text, hash or other)
  if matches == nil then return nil, message, code end
  if not hash or not matches then return false end
  if password.is_outdated(hash) then renew(name, hash, text) end
  return record
end

--- (waits) Calls f(name, record) for all users, in order.
---@param f fun(name: string, record: users.record)
---@return true|nil, string? message, string? code
function users.each(f)
  local after
  repeat
    local records, more, code = store.each(SPACE, { after = after, size = PAGE })
    if not records then return nil, more, code end
    for _, found in ipairs(records) do
      local record = json.decode(found.value)
      f(found.key, record)
      after = found.key
    end
  until not more
  return true
end

--- Whether it may be the name of a user.
users.check_name = names.check

return users
