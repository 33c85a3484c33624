-- The client's end of one connection: bytes out, bytes in, and the HTTP response that they begin with.

local json = require "core.json"

local wire = {}

local Wire = {}
Wire.__index = Wire

---@param pipe core.trial.pipe
---@return test.wire
function wire.new(pipe)
  return setmetatable({ pipe = pipe, output = "", input = "", is_over = false }, Wire)
end

function Wire:send(bytes)
  self.output = self.output .. bytes
end

--- Writes and reads what can be; gives whether anything came or went.
function Wire:move()
  local written = self.output ~= "" and self.pipe:write(self.output) or 0
  self.output = self.output:sub(written + 1)
  local bytes, is_over = self.pipe:read()
  local has_moved = written > 0 or bytes ~= "" or is_over ~= self.is_over
  self.input = self.input .. bytes
  self.is_over = is_over
  return has_moved
end

function Wire:close()
  self.pipe:close()
  self.is_over = true
end

-- A header that came several times is a list.
local function read_headers(head)
  local headers = {}
  for name, value in head:gmatch("\r\n([^:\r\n]+):[ \t]*([^\r\n]*)") do
    name = name:lower()
    if not headers[name] then
      headers[name] = value
    elseif type(headers[name]) == "table" then
      table.insert(headers[name], value)
    else
      headers[name] = { headers[name], value }
    end
  end
  return headers
end

local function decode(response)
  local kind = response.headers["content-type"]
  if type(kind) == "string" and kind:find("json", 1, true) and response.body ~= "" then
    response.json = json.decode(response.body)
    response.error = type(response.json) == "table" and response.json.errors and response.json.errors[1] or nil
  end
  return response
end

--- Takes the response from what came, once it is whole; nil before that.
---@param has_body boolean  false for an answer to HEAD
---@return test.response|nil
function Wire:take_response(has_body)
  local _, to = self.input:find("\r\n\r\n", 1, true)
  if not to then return nil end
  local head = self.input:sub(1, to)
  local status = tonumber(head:match("^HTTP/1%.%d (%d%d%d)"))
  local headers = read_headers(head)
  local length = has_body and tonumber(headers["content-length"]) or 0
  if #self.input < to + length then return nil end
  local response = { status = status, headers = headers, body = self.input:sub(to + 1, to + length) }
  self.input = self.input:sub(to + length + 1)
  return decode(response)
end

--- Lets bytes come and go, and gives `owner` the response and status that its request got, once.
---@param owner {response?: table, status?: integer}
---@return boolean has_moved
function Wire:move_for(owner)
  if not self:move() then return false end
  if not owner.status then
    owner.response = self:take_response(true)
    owner.status = owner.response and owner.response.status
  end
  return true
end

return wire
