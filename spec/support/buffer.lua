--- Bytes that came and were not taken yet. Taking moves a mark, and chunks are joined only when a reader
--- needs more than the first one holds, so that neither many small nor a few huge reads become slow.
local Buffer = {}
Buffer.__index = Buffer

local buffer = {}

function buffer.new()
  return setmetatable({ text = "", at = 1, more = {}, more_bytes = 0 }, Buffer)
end

function Buffer:size()
  return #self.text - self.at + 1 + self.more_bytes
end

function Buffer:add(chunk)
  self.more[#self.more + 1] = chunk
  self.more_bytes = self.more_bytes + #chunk
end

local function join(self)
  if #self.more == 0 then return end
  self.text = self.text:sub(self.at) .. table.concat(self.more)
  self.at, self.more, self.more_bytes = 1, {}, 0
end

--- The first `count` bytes, or what there is, left in place.
function Buffer:peek(count)
  if self.at + count - 1 > #self.text then join(self) end
  return self.text:sub(self.at, self.at + count - 1)
end

--- The first `count` bytes, or what there is (all without `count`).
function Buffer:take(count)
  local bytes = self:peek(count or self:size())
  self.at = self.at + #bytes
  return bytes
end

--- The bytes up to the end of `terminator`, which is plain text; nil when it is not there.
function Buffer:take_until(terminator)
  join(self)
  local _, last = self.text:find(terminator, self.at, true)
  return last and self:take(last - self.at + 1)
end

return buffer
