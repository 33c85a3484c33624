--- What an error answer says, in short, so that an example reads like the table of errors.
local cjson = require "cjson"

local fault = {}

local MARKS = { parameter = "?%s", pointer = "#%s", header = "%s:" }

local function decode(response)
  local ok, document = pcall(cjson.decode, response.body)
  if not ok or type(document) ~= "table" then return nil, "no JSON" end
  if type(document.errors) ~= "table" or #document.errors ~= 1 then return nil, "not one error object" end
  if document.data or document.meta then return nil, "errors beside data" end
  return document.errors[1]
end

local function complaint(response, object)
  if object.status ~= tostring(response.status) then return "another status in the error object" end
  for _, member in ipairs({ "code", "title", "detail" }) do
    if type(object[member]) ~= "string" or object[member] == "" then return "no " .. member end
  end
end

local function place(source)
  local kind, where = next(source)
  if not MARKS[kind] or next(source, kind) then return " malformed source" end
  return " " .. MARKS[kind]:format(where)
end

--- "400 method-missing ?method", "400 id-invalid #/data/id", "401 key-invalid X-API-Key:"; for what is not
--- exactly one error object of JSON:API it says so. The second result is the error object.
---@param response spec.Response|nil
---@param reason? string  why there is no response
---@return string, table|nil
function fault.of(response, reason)
  if not response then return "no answer: " .. tostring(reason) end
  if response.status < 400 then return response.status .. " " .. response.body end
  local object, wrong = decode(response)
  wrong = wrong or complaint(response, object)
  if wrong then return ("%d malformed: %s: %s"):format(response.status, wrong, response.body), object end
  local where = object.source and place(object.source) or ""
  return ("%d %s%s"):format(response.status, object.code, where), object
end

return fault
