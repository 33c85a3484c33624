-- A refusal: the one way to say no. It becomes an error object, a close code or a chatty:error, as the
-- transport asks. Routes and hooks return it; code that is too deep for that may raise it with error().

local errors = require "errors"

local refusal = {}

---@class refusal
---@field status integer
---@field code string
---@field detail string
---@field source? {parameter?: string, pointer?: string, header?: string}
---@field meta? table        what programs may want to know beyond
---@field headers? string[]  name, value, name, value ... for the HTTP answer

local metatable_of = debug.getmetatable -- sees behind __metatable
local Refusal = { __name = "refusal", __metatable = false }

function Refusal.__tostring(self)
  return ("%d %s: %s"):format(self.status, self.code, self.detail)
end

---@param status integer
---@param code string
---@param detail? string   what to do; default: the code's title
---@param source? table
---@param headers? string[]
---@return refusal
function refusal.new(status, code, detail, source, headers)
  detail = detail or errors.title(status, code) .. "."
  local self = { status = status, code = code, detail = detail, source = source, headers = headers }
  return setmetatable(self, Refusal)
end

--- A refusal with a code of the catalogue, which knows its status.
---@param code string
---@param detail? string
---@param source? table
---@param headers? string[]
---@return refusal
function refusal.of(code, detail, source, headers)
  return refusal.new(errors.codes[code].status, code, detail, source, headers)
end

---@param value any
---@return boolean
function refusal.is(value)
  return metatable_of(value) == Refusal
end

--- A message of the core as a sentence: "the body is ..." becomes "The body is ... ."
---@param message string
---@return string
function refusal.sentence(message)
  return message:sub(1, 1):upper() .. message:sub(2) .. "."
end

local LIMITS = { LIMIT = true, TIMEOUT = true, CANCELED = true, CLOSED = true, UNAVAILABLE = true }

--- What a failure of the world, `nil, message, CODE`, tells the client.
---@param message string
---@param code? string
---@return refusal
function refusal.of_failure(message, code)
  if not code or LIMITS[code] then return refusal.of("unavailable", message) end
  return refusal.new(500, code:lower():gsub("_", "-"), message)
end

--- The JSON:API error object.
---@param self refusal
---@return table
function refusal.object(self)
  return {
    status = tostring(self.status),
    code = self.code,
    title = errors.title(self.status, self.code),
    detail = self.detail,
    source = self.source,
    meta = self.meta,
  }
end

return refusal
