-- chatty.store of one plugin: durable records in a space of the plugin's own. Values are any that JSON can say. A dry
-- run changes nothing, so it says what would be without writing.

local argument = require "argument"
local hooks = require "hooks"
local json = require "core.json"
local store = require "core.store"

local plugin_store = {}

local SET = { ttl = 1 }
local EACH = { after = 1, size = 1 }

local KEY_MAX <const> = 1024

local function check_key(key, what, level)
  argument.type(key, "string", what .. ": the key", level + 1)
  if key == "" or #key > KEY_MAX then
    error(("%s: the key must have 1 to %d bytes"):format(what, KEY_MAX), level + 1)
  end
end

--- The table for one plugin.
---@param owner string
---@return table
function plugin_store.of(owner)
  local space = "plugin:" .. owner
  local own = {}

  function own.get(key)
    check_key(key, "chatty.store.get", 2)
    local text, message, code = store.get(space, key)
    if not text then return nil, message, code end
    return json.decode(text)
  end

  function own.set(key, value, options)
    check_key(key, "chatty.store.set", 2)
    if options then argument.keys(options, SET, "chatty.store.set", 2) end
    local text = json.encode(value)
    if hooks.is_dry() then return true end
    return store.set(space, key, text, options)
  end

  function own.delete(key)
    check_key(key, "chatty.store.delete", 2)
    if hooks.is_dry() then return true end
    return store.delete(space, key)
  end

  function own.compare_and_set(key, expected, value, options)
    check_key(key, "chatty.store.compare_and_set", 2)
    if options then argument.keys(options, SET, "chatty.store.compare_and_set", 2) end
    local expect = expected ~= nil and json.encode(expected)
    local text = json.encode(value)
    if hooks.is_dry() then return true end
    return store.set(space, key, text, { ttl = options and options.ttl, expect = expect })
  end

  function own.each(prefix, options)
    argument.type(prefix, "string?", "chatty.store.each: the prefix", 2)
    if options then argument.keys(options, EACH, "chatty.store.each", 2) end
    local records, more, code = store.each(space, {
      prefix = prefix, after = options and options.after, size = options and options.size,
    })
    if not records then return nil, more, code end
    for _, record in ipairs(records) do record.value = json.decode(record.value) end
    return records, more
  end

  return own
end

return plugin_store
