-- chatty.store of one plugin: durable records in a space of the plugin's own. Values are any that JSON can say.

local argument = require "argument"
local hooks = require "hooks"
local json = require "core.json"
local store = require "core.store"

local plugin_store = {}

local SET = { ttl = 1 }
local EACH = { after = 1, size = 1 }

-- A dry run changes nothing, so it says what would be without writing.
local function write(f, ...)
  if hooks.is_dry() then return true end
  return f(...)
end

--- The table for one plugin.
---@param owner string
---@return table
function plugin_store.of(owner)
  local space = "plugin:" .. owner
  local own = {}

  function own.get(key)
    argument.type(key, "string", "chatty.store.get: the key", 2)
    local text, message, code = store.get(space, key)
    if not text then return nil, message, code end
    return json.decode(text)
  end

  function own.set(key, value, options)
    argument.type(key, "string", "chatty.store.set: the key", 2)
    if options then argument.keys(options, SET, "chatty.store.set", 2) end
    return write(store.set, space, key, json.encode(value), options)
  end

  function own.delete(key)
    argument.type(key, "string", "chatty.store.delete: the key", 2)
    return write(store.delete, space, key)
  end

  function own.compare_and_set(key, expected, value, options)
    argument.type(key, "string", "chatty.store.compare_and_set: the key", 2)
    if options then argument.keys(options, SET, "chatty.store.compare_and_set", 2) end
    local expect = expected ~= nil and json.encode(expected)
    return write(store.set, space, key, json.encode(value), { ttl = options and options.ttl, expect = expect })
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
