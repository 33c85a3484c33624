-- Content types: what a body may be (Content-Type) and what an answer shall be (Accept), by the rules of
-- JSON:API 1.1: https://jsonapi.org/format/1.1/#content-negotiation-servers

local refusal = require "refusal"

local negotiate = {}

negotiate.JSON = "application/json"
negotiate.DOCUMENT = "application/vnd.api+json"

local JSON <const>, DOCUMENT <const> = negotiate.JSON, negotiate.DOCUMENT

local QUOTE <const>, BACKSLASH <const>, SEMICOLON <const>, COMMA <const> = 34, 92, 59, 44

-- Cuts at the separator, but not within quoted strings.
local function split(text, separator)
  local parts, from, is_quoted, is_escaped = {}, 1, false, false
  for i = 1, #text do
    local byte = text:byte(i)
    if is_escaped then
      is_escaped = false
    elseif byte == BACKSLASH then
      is_escaped = is_quoted
    elseif byte == QUOTE then
      is_quoted = not is_quoted
    elseif byte == separator and not is_quoted then
      parts[#parts + 1] = text:sub(from, i - 1)
      from = i + 1
    end
  end
  parts[#parts + 1] = text:sub(from)
  return parts
end

-- A media type in lower case, and its parameters.
local function read_type(text)
  local parts = split(text, SEMICOLON)
  local parameters = {}
  for i = 2, #parts do
    local name, value = parts[i]:match("^%s*([^=%s]+)%s*=%s*(.*)$")
    if name then parameters[name:lower()] = value:match('^"(.*)"') or value:match("^%S*") end
  end
  return (parts[1]:match("^%s*(%S*)") or ""):lower(), parameters
end

-- JSON:API allows the parameters ext and profile only, and we have no extensions.
local function is_supported(parameters)
  for name, value in pairs(parameters) do
    if name == "ext" and value:find("%S") then return false end
    if name ~= "ext" and name ~= "profile" and name ~= "q" then return false end
  end
  return true
end

local function quality(parameters)
  return tonumber(parameters.q or 1) or 1
end

local function refuse_body(detail)
  return refusal.of("content-type-unsupported", detail, { header = "Content-Type" },
    { "Accept", JSON .. ", " .. DOCUMENT })
end

--- Whether a body of this Content-Type is taken; if not, why.
---@param header string|nil
---@return refusal|nil
function negotiate.refuse_content_type(header)
  if header == JSON or header == DOCUMENT then return nil end
  local name, parameters = read_type(header or "")
  if name == JSON then
    local charset = parameters.charset
    if not charset or charset:lower() == "utf-8" then return nil end
    return refuse_body("Send the body in UTF-8.")
  end
  if name ~= DOCUMENT then
    return refuse_body(("Send the body as %s or %s."):format(JSON, DOCUMENT))
  end
  if parameters.q == nil and is_supported(parameters) then return nil end
  return refuse_body(("%s takes no parameters but profile; no extensions are supported."):format(DOCUMENT))
end

-- The best quality of JSON:API, nil when no instance is acceptable; that of plain JSON; and whether JSON:API
-- is asked for at all.
local function weigh(header)
  local document, plain, is_asked = nil, 0, false
  for _, part in ipairs(split(header, COMMA)) do
    local name, parameters = read_type(part)
    if name == DOCUMENT then
      is_asked = true
      if is_supported(parameters) then document = math.max(document or 0, quality(parameters)) end
    elseif name == JSON then
      plain = math.max(plain, quality(parameters))
    end
  end
  return document, plain, is_asked
end

--- Whether the answer shall be a JSON:API document. nil: nothing that we have is acceptable (406).
---@param header string|nil  Accept
---@return boolean|nil
function negotiate.wants_document(header)
  if not header or header == "*/*" then return false end
  if header == DOCUMENT then return true end
  if not header:lower():find(DOCUMENT, 1, true) then return false end
  local document, plain, is_asked = weigh(header)
  if is_asked and not document then return nil end
  if not document then return false end
  return document > 0 and document >= plain
end

--- The answer to an Accept that nothing satisfies.
---@return refusal
function negotiate.refuse_accept()
  return refusal.of("not-acceptable",
    ("Accept %s without parameters but profile, or %s."):format(DOCUMENT, JSON), { header = "Accept" })
end

return negotiate
