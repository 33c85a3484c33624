--- Raw TCP for specs: what comes in is kept until the spec asks for it, so any number of connections can
--- be open at once and a spec reads like a dialogue. Made by `client.tcp`.
local buffer = require "spec.support.buffer"
local uv = require "luv"
local wait = require "spec.support.wait"

---@class spec.Connection
---@field is_open boolean    connected and not closed by either side
---@field ended string|nil   how it ended: "EOF", "ECONNRESET", "CLOSED" (by the spec)...
---@field received integer   bytes that came
local Connection = {}
Connection.__index = Connection

local tcp = {}

local alive = {} -- all that have an open handle, to close them when their spec file is over

local function finish(self, reason)
  self.is_open = false
  self.ended = self.ended or reason
  alive[self] = nil
  if not self.handle:is_closing() then self.handle:close() end
end

-- An error in a callback of luv ends the process, so a failing reader is kept for those who wait.
local function on_read(self, err, chunk)
  if not chunk then return finish(self, err or "EOF") end
  self.received = self.received + #chunk
  self.inbox:add(chunk)
  if not self.on_data then return end
  local ok, fault = pcall(self.on_data, self)
  if not ok then finish(self, fault) end
end

local function on_connect(self, err)
  if self.ended then return end
  if err then return finish(self, err) end
  self.is_open = true
  self:resume()
end

--- Starts to connect and returns at once; writes are kept until it is connected.
---@param port integer
---@param host? string
---@return spec.Connection
function tcp.open(port, host)
  local self = setmetatable({ handle = uv.new_tcp(), inbox = buffer.new(), received = 0 }, Connection)
  self.is_open = false
  alive[self] = true
  self.handle:connect(host or "127.0.0.1", port, function(err) on_connect(self, err) end)
  return self
end

--- Closes everything that is still open.
function tcp.close_all()
  for connection in pairs(alive) do connection:close() end
end

--- Waits until it is connected; nil, reason when that fails.
function Connection:wait_open(seconds)
  wait.until_(function() return self.is_open or self.ended end, seconds)
  if self.is_open then return true end
  return nil, self.ended or "TIMEOUT"
end

--- Queues bytes and does not wait. False when the connection is over.
---@param bytes string|string[]
function Connection:write(bytes)
  if self.ended then return false end
  return self.handle:write(bytes, function() end) ~= nil
end

--- Bytes that the kernel has not taken yet.
function Connection:unsent()
  return self.ended and 0 or self.handle:get_write_queue_size()
end

local function waited_for(self, bytes)
  if bytes then return bytes end
  return nil, self.ended or "TIMEOUT"
end

--- Waits for `count` bytes and takes them; nil, reason when they do not come.
function Connection:read(count, seconds)
  wait.until_(function() return self.inbox:size() >= count or self.ended end, seconds)
  return waited_for(self, self.inbox:size() >= count and self.inbox:take(count))
end

--- Waits for some plain text and takes everything up to its end; nil, reason when it does not come.
function Connection:read_until(terminator, seconds)
  local seen, bytes = -1, nil
  wait.until_(function()
    if self.received ~= seen then
      seen, bytes = self.received, self.inbox:take_until(terminator)
    end
    return bytes or self.ended
  end, seconds)
  return waited_for(self, bytes)
end

--- Waits for the end of the connection and takes all that came before it.
function Connection:read_all(seconds)
  return waited_for(self, self:wait_closed(seconds) and self.inbox:take())
end

--- Waits until the connection is over and returns how it ended; nil when it goes on.
function Connection:wait_closed(seconds)
  return wait.until_(function() return self.ended end, seconds)
end

--- Stops to read: the kernel's buffers fill, as with a client that hangs.
function Connection:pause()
  if self.is_open then self.handle:read_stop() end
end

function Connection:resume()
  if self.is_open then
    self.handle:read_start(function(err, chunk) on_read(self, err, chunk) end)
  end
end

--- Says that nothing more will be written, and goes on reading.
function Connection:half_close()
  if not self.ended then self.handle:shutdown(function() end) end
end

--- Closes in good order.
function Connection:close()
  finish(self, "CLOSED")
end

--- Ends it with a reset, as a client that crashed does.
function Connection:abort()
  if not self.ended then self.handle:close_reset() end
  finish(self, "CLOSED")
end

return tcp
