-- What a plugin says it needs: capabilities that it has only then. Each kind has a function that grants it.

local argument = require "argument"
local plugin_http = require "plugin.http"
local sandbox = require "plugin.sandbox"
local settings = require "settings"

local needs = {}

-- Doors to the machine: whoever runs the server must open them too.
local function library(name)
  return function(owner, wanted, environment)
    if wanted ~= true then return nil, ("needs.%s must be true"):format(name) end
    local word = ("%s:%s"):format(owner, name)
    for _, allowed in ipairs(settings.GRANT) do
      if allowed == word then
        sandbox.open(environment, name)
        return true
      end
    end
    return nil, ("it needs '%s': allow that by the setting GRANT=%s"):format(name, word)
  end
end

local KINDS = {
  http = plugin_http.grant, -- the hosts that it may ask
  io = library("io"), os = library("os"), debug = library("debug"),
}

--- Grants a plugin what it needs. Raises one line if it needs what there is not, or may not have it.
---@param owner string
---@param declared table<string, any>|nil
---@param environment table  its globals
function needs.grant(owner, declared, environment)
  argument.type(declared, "table?", "needs", argument.BLAME_NOBODY)
  argument.keys(declared or {}, KINDS, "needs", argument.BLAME_NOBODY)
  for kind, wanted in pairs(declared or {}) do
    local ok, line = KINDS[kind](owner, wanted, environment)
    if not ok then error(line, 0) end
  end
end

return needs
