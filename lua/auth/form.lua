-- The body of register and login: {"username": string, "password": string}.

local json = require "core.json"
local names = require "names"
local refusal = require "refusal"

local form = {}

--- The largest body, in bytes: room for both with every character escaped.
form.BYTES_MAX = 16384

local PASSWORD_MAX <const> = 1024

--- The body as an object.
---@param request request
---@param wanted string  "username and password"
---@return table|nil body, refusal?
function form.object(request, wanted)
  local body = request.json
  if type(body) == "table" and not json.is_array(body) then return body end
  return nil, refusal.of("body-malformed", ("Send an object with %s."):format(wanted), { pointer = "" })
end

--- A refusal of one member of the body.
---@param code string
---@param member string
---@param fault string  "is missing"
---@return refusal
function form.refuse(code, member, fault)
  return refusal.of(code, ("The member %s %s."):format(member, fault), { pointer = "/" .. member })
end

--- The name in a member of the body; nil, refusal when it may not be one.
---@param body table
---@param member string
---@param code string
---@return string|nil name, refusal?
function form.name(body, member, code)
  if body[member] == nil then return nil, form.refuse(code, member, "is missing") end
  local ok, fault = names.check(body[member])
  if not ok then return nil, form.refuse(code, member, fault) end
  return body[member]
end

--- Name and password; nil, refusal when they cannot be that.
---@param request request
---@return string|nil name, string|refusal password
function form.read(request)
  local body, refused = form.object(request, "username and password")
  if not body then return nil, refused end
  local name
  name, refused = form.name(body, "username", "username-invalid")
  if not name then return nil, refused end
  local text = body.password
  if type(text) ~= "string" then
    return nil, form.refuse("password-invalid", "password", text == nil and "is missing" or "is not a string")
  end
  if #text > PASSWORD_MAX then
    return nil, form.refuse("password-invalid", "password", ("has more than %d bytes"):format(PASSWORD_MAX))
  end
  return name, text
end

--- What a failure of the work behind the form tells the client.
---@param message string
---@param code? string
---@return refusal
function form.refuse_failure(message, code)
  if code ~= "LIMIT" then return refusal.of_failure(refusal.sentence(message), code) end
  return refusal.of("password-busy", "Too many passwords are being worked on: try again.", nil,
    { "Retry-After", "1" })
end

return form
