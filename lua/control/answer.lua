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

--- A list of names, or of resource identifiers of this type.
---@param request request
---@param type string
---@param names string[]
---@param next_page? string  where the names go on
---@return table response
function answer.names(request, type, names, next_page)
  local response
  if request.wants_document then
    local links = next_page and { next = next_page }
    response = { document = jsonapi.identifiers(type, names, links) }
  else
    response = { json = json.array(names) }
  end
  if next_page then response.headers = { Link = ('<%s>; rel="next"'):format(next_page) } end
  return response
end

return answer
