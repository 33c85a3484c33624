-- What the server under test logs: errors are expected, or fail the test.

local asserts = require "test.asserts"
local trace = require "test.trace"

local logs = {}

local Logs = {}
Logs.__index = Logs

function logs.new()
  return setmetatable({ lines = {} }, Logs)
end

--- The message of the first error.
---@param lines test.log_line[]
---@return string|nil
function logs.first_error(lines)
  for _, line in ipairs(lines) do
    if line.level == "error" then return line.message end
  end
end

function Logs:add(lines)
  table.move(lines, 1, #lines, #self.lines + 1, self.lines)
end

function Logs:list()
  return table.move(self.lines, 1, #self.lines, 1, {})
end

local function text_of(lines)
  local texts = {}
  for i, line in ipairs(lines) do texts[i] = ("%s %s"):format(line.level, line.message) end
  return texts[1] and table.concat(texts, "\n") or "(nothing)"
end

function Logs:expect(pattern)
  for _, line in ipairs(self.lines) do
    if line.message:find(pattern) and not line.is_expected then
      line.is_expected = true
      return line
    end
  end
  asserts.fail(("Expected a line in the log that matches %q. There is:\n%s"):format(pattern, text_of(self.lines)))
end

--- The first error that nobody expected.
---@return {message: string, lines: string[]}|nil
function Logs:fault()
  for _, line in ipairs(self.lines) do
    if line.level == "error" and not line.is_expected then
      local traceback = line.fields.traceback or line.fields.error or ""
      return { message = "The server logged an error: " .. line.message, lines = trace.lines(traceback) }
    end
  end
end

return logs
