-- What a plugin says it needs: capabilities that it has only then. Each kind has a function that grants it.

local argument = require "argument"
local plugin_http = require "plugin_http"

local needs = {}

local KINDS = {
  http = plugin_http.grant, -- the hosts that it may ask
}

--- Grants a plugin what it needs. Raises one line if it needs what there is not.
---@param owner string
---@param declared table<string, any>|nil
function needs.grant(owner, declared)
  argument.type(declared, "table?", "needs", argument.BLAME_NOBODY)
  argument.keys(declared or {}, KINDS, "needs", argument.BLAME_NOBODY)
  for kind, wanted in pairs(declared or {}) do
    local ok, line = KINDS[kind](owner, wanted)
    if not ok then error(line, 0) end
  end
end

return needs
