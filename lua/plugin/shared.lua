-- chatty.shared of one plugin: records in memory that all workers see, in a space of the plugin's own. Values are
-- any that JSON can say. A dry run changes nothing, so it says what would be without writing.

local argument = require "argument"
local hooks = require "hooks"
local json = require "core.json"
local shared = require "core.shared"

local plugin_shared = {}

local SET = { ttl = 1 }

local function check(name, key, options, level)
  argument.type(key, "string", ("chatty.shared.%s: the key"):format(name), level + 1)
  if options then argument.keys(options, SET, "chatty.shared." .. name, level + 1) end
end

local function adder(space)
  return function(key, amount, options)
    check("increment", key, options, 2)
    if amount ~= nil and math.type(amount) ~= "integer" then
      error("chatty.shared.increment: the amount must be a whole number", 2)
    end
    if not hooks.is_dry() then return shared.increment(space, key, amount, options) end
    local text = shared.get(space, key)
    return (text and math.tointeger(json.decode(text)) or 0) + (amount or 1)
  end
end

--- The table for one plugin.
---@param owner string
---@return table
function plugin_shared.of(owner)
  local space = "plugin:" .. owner
  local own = { increment = adder(space) }

  function own.get(key)
    check("get", key, nil, 2)
    local text = shared.get(space, key)
    if text then return json.decode(text) end
  end

  function own.set(key, value, options)
    check("set", key, options, 2)
    if hooks.is_dry() then return true end
    return shared.set(space, key, json.encode(value), options)
  end

  function own.delete(key)
    check("delete", key, nil, 2)
    if hooks.is_dry() then return true end
    return shared.delete(space, key)
  end

  function own.compare_and_set(key, expected, value, options)
    check("compare_and_set", key, options, 2)
    local expect = expected ~= nil and json.encode(expected)
    if hooks.is_dry() then return true end
    return shared.set(space, key, json.encode(value), { ttl = options and options.ttl, expect = expect })
  end

  return own
end

return plugin_shared
