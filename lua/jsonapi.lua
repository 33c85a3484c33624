-- JSON:API documents, read for the resources that they name: the primary data, what is included, and the
-- resource linkage of both, in the order in which they first appear.

local json = require "core.json"
local refusal = require "refusal"

local jsonapi = {}

---@class jsonapi.resource
---@field type string
---@field id string          an integer in the document comes as its digits
---@field pointer string     where in the document it stands
---@field attributes? table  and all other members that the document has

local function fail(code, pointer, detail)
  error(refusal.of(code, detail, { pointer = pointer }))
end

-- A name as a part of a JSON pointer (RFC 6901).
local function escape(name)
  return (name:gsub("~", "~0"):gsub("/", "~1"))
end

local function is_object(value)
  return type(value) == "table" and not json.is_array(value)
end

-- Digits of an integer that was sent as a number; nil for all else. A float counts while it is exact.
local function digits_of(value)
  if math.type(value) == "integer" then return tostring(value) end
  if math.type(value) == "float" then
    local integer = math.abs(value) < 2 ^ 53 and math.tointeger(value)
    return integer and tostring(integer)
  end
  if type(value) ~= "userdata" or value == json.null then return nil end
  return tostring(value):match("^%-?%d+$") -- a json.number
end

local function read_id(value, pointer)
  if type(value) == "string" and value ~= "" then return value end
  local digits = digits_of(value)
  if digits then return digits end
  fail("id-invalid", pointer .. "/id", "Give the resource an id that is a non-empty string or an integer.")
end

local function read_type(value, pointer)
  if type(value) == "string" and value ~= "" then return value end
  fail("type-invalid", pointer .. "/type", "Give the resource a type that is a non-empty string.")
end

-- Appends the resource in place; its id becomes a string.
local function add(found, resource, pointer)
  if not is_object(resource) then
    fail("document-invalid", pointer, "This must be a resource: an object with type and id.")
  end
  resource.type = read_type(resource.type, pointer)
  resource.id = read_id(resource.id, pointer)
  resource.pointer = pointer
  found[#found + 1] = resource
end

local function add_linkage(found, data, pointer)
  if data == nil or data == json.null then return end
  if not json.is_array(data) then return add(found, data, pointer) end
  for i = 1, #data do add(found, data[i], ("%s/%d"):format(pointer, i - 1)) end
end

local function add_relationships(found, resource)
  local relationships = resource.relationships
  if relationships == nil then return end
  local pointer = resource.pointer .. "/relationships"
  if not is_object(relationships) then
    fail("document-invalid", pointer, "relationships must be an object.")
  end
  for _, name in ipairs(getmetatable(relationships).keys) do
    local here = pointer .. "/" .. escape(name)
    if not is_object(relationships[name]) then
      fail("document-invalid", here, "A relationship must be an object.")
    end
    add_linkage(found, relationships[name].data, here .. "/data")
  end
end

local function add_whole(found, resource, pointer)
  add(found, resource, pointer)
  add_relationships(found, resource)
end

local function add_primary(found, data)
  if data == nil or data == json.null then
    fail("data-missing", "/data", "Put a resource, or an array of resources, into the member data.")
  end
  if not json.is_array(data) then return add_whole(found, data, "/data") end
  for i = 1, #data do add_whole(found, data[i], ("/data/%d"):format(i - 1)) end
end

local function add_included(found, included)
  if included == nil then return end
  if not json.is_array(included) then
    fail("document-invalid", "/included", "included must be an array of resources.")
  end
  for i = 1, #included do add_whole(found, included[i], ("/included/%d"):format(i - 1)) end
end

--- Reads a document. Raises a refusal that points at what is wrong.
---@param text string
---@return {resources: jsonapi.resource[], document: table}
function jsonapi.parse(text)
  local document, message, _, offset = json.decode(text, true)
  if document == nil then
    error(refusal.of("body-malformed",
      ("The body is not valid JSON: %s at byte %d."):format(message, offset)))
  end
  if not is_object(document) then
    fail("document-invalid", "", "The body must be a JSON:API document: an object with the member data.")
  end
  local found = {}
  add_primary(found, document.data)
  add_included(found, document.included)
  return { resources = found, document = document }
end

--- A document whose primary data are resource identifiers.
---@param type string
---@param ids string[]
---@param links? table
---@return table
function jsonapi.identifiers(type, ids, links)
  local data = json.array({})
  for i = 1, #ids do data[i] = { type = type, id = ids[i] } end
  return { data = data, links = links }
end

return jsonapi
