-- How a resource of a JSON:API document becomes the names of channels: by one function, which plugins may
-- replace (app:channel_name).

local json = require "core.json"
local names = require "names"
local protect = require "protect"
local refusal = require "refusal"

local naming = {}

local function type_and_id(resource)
  return resource.type .. "-" .. resource.id
end

local current = { f = type_and_id, owner = "chatty" }

--- Makes `f` the way names are made; whoever comes last is asked.
---@param f fun(resource: jsonapi.resource, document: table): string|string[]|nil
---@param owner string  the plugin
function naming.use(f, owner)
  current = { f = f, owner = owner }
end

-- The names as a plain list: whatever metamethods the plugin's has, they run here, where it can be stopped.
local function name(f, resource, document)
  local found = f(resource, document)
  if found == nil then return {} end
  if type(found) ~= "table" or refusal.is(found) then return found end
  return table.move(found, 1, #found, 1, {})
end

local function ask(resource, document)
  local ok, found = protect.call(current.owner, "channel_name", name, current.f, resource, document)
  if not ok then error(found) end
  if refusal.is(found) then error(found) end
  return type(found) == "table" and found or { found }
end

local function refuse_empty()
  return refusal.of("data-empty", "Name at least one resource that has a channel.", { pointer = "/data" })
end

--- The channels of all resources, each once, in order of first appearance. nil and a refusal if there are
--- none, too many, or one whose name is not allowed.
---@param parsed {resources: jsonapi.resource[], document: table}  what jsonapi.parse gives
---@return string[]|nil channels, refusal? refused
function naming.channels(parsed)
  local found = json.array({})
  for _, resource in ipairs(parsed.resources) do
    for _, channel in ipairs(ask(resource, parsed.document)) do
      local ok, fault = names.check(channel)
      if not ok then
        return nil, refusal.of("name-invalid", ("The channel's name %s."):format(fault),
          { pointer = resource.pointer })
      end
      found[#found + 1] = channel
    end
  end
  if #found == 0 then return nil, refuse_empty() end
  local channels, message, code = names.list(found)
  if not channels then return nil, refusal.of(code, message .. ".", { pointer = "/data" }) end
  return channels
end

return naming
