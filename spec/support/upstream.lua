--- An HTTP server that plugins ask: it keeps what it was asked and answers what the spec says. It is served
--- whenever the spec waits for something.
local cjson = require "cjson"
local uv = require "luv"
local wait = require "spec.support.wait"

---@class spec.UpstreamRequest
---@field method string
---@field path string                     with its query
---@field headers table<string, string>   names in lower case
---@field body string
---@field json fun(): any
---@field connection integer              counts from 1
---@field reply fun(answer: any)          later, when the handler gave nothing

---@class spec.Upstream
---@field port integer
---@field url string                       "http://127.0.0.1:PORT"
---@field requests spec.UpstreamRequest[]
---@field connections integer              that were ever opened
---@field open integer                     that are open now
---@field answer fun(request: spec.UpstreamRequest): any
local Upstream = {}
Upstream.__index = Upstream

local upstream = {}

local function encode(answer)
  if type(answer) == "string" then return answer end
  local body = answer.json ~= nil and cjson.encode(answer.json) or answer.body or ""
  local lines = { ("HTTP/1.1 %d Text"):format(answer.status or 200), "Content-Length: " .. #body }
  if answer.json ~= nil then lines[#lines + 1] = "Content-Type: application/json" end
  for name, value in pairs(answer.headers or {}) do lines[#lines + 1] = name .. ": " .. value end
  return table.concat(lines, "\r\n") .. "\r\n\r\n" .. body
end

-- Takes one whole request from the bytes; nil when it has not come yet.
local function take(state)
  local _, stop = state.bytes:find("\r\n\r\n", 1, true)
  if not stop then return nil end
  local head, headers = state.bytes:sub(1, stop), {}
  for name, value in head:gmatch("\r\n([^:\r\n]+):[ \t]*([^\r\n]*)") do headers[name:lower()] = value end
  local size = tonumber(headers["content-length"] or 0)
  if #state.bytes < stop + size then return nil end
  local method, path = head:match("^(%u+) (%S+) HTTP/1%.1\r\n")
  local body = state.bytes:sub(stop + 1, stop + size)
  state.bytes = state.bytes:sub(stop + size + 1)
  local function json() return cjson.decode(body) end
  return { method = method, path = path, headers = headers, body = body, json = json }
end

local function serve(self, state)
  for request in function() return take(state) end do
    request.connection = state.number
    function request.reply(answer)
      if state.handle:is_closing() then return end
      if answer == "close" then return state.close() end
      state.handle:write(encode(answer))
    end
    self.requests[#self.requests + 1] = request
    local answer = self.answer(request)
    if answer ~= nil then request.reply(answer) end
  end
end

local function accept(self)
  local handle = uv.new_tcp()
  self.listener:accept(handle)
  self.connections, self.open = self.connections + 1, self.open + 1
  local state = { handle = handle, bytes = "", number = self.connections }
  function state.close()
    if handle:is_closing() then return end
    self.open = self.open - 1
    handle:close()
  end
  self.states[#self.states + 1] = state
  handle:read_start(function(_, chunk)
    if not chunk then return state.close() end
    state.bytes = state.bytes .. chunk
    local ok, fault = pcall(serve, self, state)
    if not ok then self.fault = fault end
  end)
end

--- Listens on a free port. `answer` gets a request and gives a table (status, headers, body or json), the bytes
--- of a whole response, "close" to hang up, or nothing: then `request.reply` may answer later.
---@param answer? fun(request: spec.UpstreamRequest): any
---@return spec.Upstream
function upstream.open(answer)
  local self = setmetatable({ requests = {}, states = {}, connections = 0, open = 0 }, Upstream)
  self.answer = answer or function() return {} end
  self.listener = uv.new_tcp()
  self.listener:bind("127.0.0.1", 0)
  self.listener:listen(128, function() accept(self) end)
  self.port = self.listener:getsockname().port
  self.url = "http://127.0.0.1:" .. self.port
  return self
end

--- Waits until so many requests came, and gives them.
---@param count integer
---@return spec.UpstreamRequest[]|nil
function Upstream:wait_requests(count, seconds)
  wait.until_(function() return #self.requests >= count end, seconds)
  if self.fault then error(self.fault, 2) end
  return #self.requests >= count and self.requests or nil
end

--- Forgets the requests so far.
function Upstream:forget()
  self.requests = {}
end

function Upstream:close()
  if not self.listener:is_closing() then self.listener:close() end
  for _, state in ipairs(self.states) do state.close() end
end

return upstream
