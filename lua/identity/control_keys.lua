-- Named control keys: records in the store by name, with the key's hash and what the key is good for. A
-- worker believes for a second what it read.

local json = require "core.json"
local secret = require "core.secret"
local store = require "core.store"
local time = require "core.time"

local control_keys = {}

local SPACE <const> = "key"
local PREFIX <const> = "ck_"
local SECRET_BYTES <const> = 32
local AGE <const> = 1 -- seconds

--- The most keys there may be.
control_keys.MAX = 1000
--- What a key may be good for; admin is all of it.
control_keys.SCOPES = { "notify", "subscribe", "search", "disconnect", "auth", "admin" }

---@class control_keys.record
---@field hash string
---@field scopes string[]
---@field since number

---@class control_keys.key
---@field scopes table<string, true>
---@field identity guard.identity

local by_hash, read_at = {}, nil

local function to_key(name, record)
  local scopes = {}
  for _, scope in ipairs(record.scopes) do scopes[scope] = true end
  return {
    scopes = scopes,
    identity = { kind = "control", key = name, is_limited = not scopes.admin or nil },
  }
end

local function read_all()
  local records, message, code = store.each(SPACE, { size = control_keys.MAX })
  if not records then return nil, message, code end
  local keys = {}
  for _, found in ipairs(records) do
    local record = json.decode(found.value)
    keys[record.hash] = to_key(found.key, record)
  end
  by_hash, read_at = keys, time.monotonic()
  return keys
end

--- Whether it looks like a named key.
---@param text string
---@return boolean
function control_keys.is_like(text)
  return text:sub(1, #PREFIX) == PREFIX
end

--- (waits) The key that this is; nil without a message when it is none.
---@param text string
---@return control_keys.key|nil, string? message, string? code
function control_keys.find(text)
  local keys, message, code = by_hash, nil, nil
  if not read_at or time.monotonic() - read_at > AGE then keys, message, code = read_all() end
  if not keys then return nil, message, code end
  return keys[secret.hash(text)]
end

--- Whether the key is good for the scope; without a scope, for everything.
---@param key control_keys.key
---@param scope string|nil
---@return boolean
function control_keys.allows(key, scope)
  return key.scopes.admin or (scope ~= nil and key.scopes[scope]) or false
end

--- (waits) Makes a key and gives its text, which is kept nowhere. Codes "EXISTS", "LIMIT".
---@param name string
---@param scopes string[]
---@return string|nil text, string? message, string? code
function control_keys.add(name, scopes)
  local records, message, code = store.each(SPACE, { size = control_keys.MAX })
  if not records then return nil, message, code end
  if #records >= control_keys.MAX then
    return nil, ("there are %d keys already"):format(#records), "LIMIT"
  end
  local text = PREFIX .. secret.random(SECRET_BYTES)
  local record = { hash = secret.hash(text), scopes = json.array(scopes), since = time.now() }
  local done
  done, message, code = store.set(SPACE, name, json.encode(record), { expect = false })
  if done == false then return nil, "there is a key of this name", "EXISTS" end
  if not done then return nil, message, code end
  return text
end

--- (waits) Takes a key away; false when there is none of this name.
---@param name string
---@return boolean|nil, string? message, string? code
function control_keys.revoke(name)
  return store.delete(SPACE, name)
end

--- (waits) All keys in order of their names.
---@return {name: string, scopes: string[], since: number}[]|nil, string? message, string? code
function control_keys.list()
  local records, message, code = store.each(SPACE, { size = control_keys.MAX })
  if not records then return nil, message, code end
  local list = {}
  for i, found in ipairs(records) do
    local record = json.decode(found.value)
    list[i] = { name = found.key, scopes = record.scopes, since = record.since }
  end
  return list
end

return control_keys
