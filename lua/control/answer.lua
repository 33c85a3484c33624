-- The answers of /control: as plain JSON, or as JSON:API documents for those who asked so.

local jsonapi = require "jsonapi"
local json = require "core.json"

local answer = {}

--- What was done: the fields themselves, or under `meta`.
---@param request request
---@param fields table
---@return table response
function answer.done(request, fields)
  if request.wants_document then return { document = { meta = fields } } end
  return { json = fields }
end

local function with_link(response, next_page)
  if next_page then response.headers = { Link = ('<%s>; rel="next"'):format(next_page) } end
  return response
end

--- A list of names, or of resource identifiers of this type.
---@param request request
---@param type string
---@param names string[]
---@param next_page? string  where the names go on
---@return table response
function answer.names(request, type, names, next_page)
  if not request.wants_document then return with_link({ json = json.array(names) }, next_page) end
  local links = next_page and { next = next_page }
  return with_link({ document = jsonapi.identifiers(type, names, links) }, next_page)
end

--- A list of subscriptions with their origins.
---@param request request
---@param origins {channel: string, since: string, by?: table}[]
---@param next_page? string
---@return table response
function answer.origins(request, origins, next_page)
  if not request.wants_document then return with_link({ json = json.array(origins) }, next_page) end
  local data = json.array({})
  for i, one in ipairs(origins) do
    data[i] = { type = "channels", id = one.channel, meta = { since = one.since, by = one.by } }
  end
  return with_link({ document = { data = data, links = next_page and { next = next_page } } }, next_page)
end

return answer
