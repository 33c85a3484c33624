--- The source of a plugin for specs, whose setup is this text; `chatty` and `app` are in scope.
---@param setup string
---@param priority? integer  default 100
---@return string
return function(setup, priority)
  return ([[
    local chatty = require "chatty"
    local plugin = { api = 1, priority = %d }
    function plugin.setup(app)
      %s
    end
    return plugin
  ]]):format(priority or 100, setup)
end
