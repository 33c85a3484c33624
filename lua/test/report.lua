-- What came of the tests, for people: a sign for each while they run, then what failed, then the sums.

local report = {}

local SIGNS = { success = ".", failure = "F", error = "E", pending = "P" }
local LABELS = { failure = "Failure", error = "Error", pending = "Pending" }
local WIDTH <const> = 100

local Report = {}
Report.__index = Report

--- A new one; `write` takes text for standard output.
---@param write fun(text: string)
function report.new(write)
  return setmetatable({
    write = write, count = 0, sums = { success = 0, failure = 0, error = 0, pending = 0 }, told = {},
  }, Report)
end

--- A test is over.
---@param result test.result
function Report:add(result)
  self.count = self.count + 1
  self.sums[result.kind] = self.sums[result.kind] + 1
  if result.kind ~= "success" then self.told[#self.told + 1] = result end
  self.write(SIGNS[result.kind])
  if self.count % WIDTH == 0 then self.write("\n") end
end

local function tell(self, result)
  self.write(("\n%s: %s\n  %s\n"):format(LABELS[result.kind], result.name, result.place))
  if result.message then self.write("  " .. result.message:gsub("\n", "\n  ") .. "\n") end
  for _, line in ipairs(result.kind ~= "pending" and result.lines or {}) do self.write("    at " .. line .. "\n") end
end

local function plural(count, one, many)
  return ("%d %s"):format(count, count == 1 and one or many)
end

--- All tests are over. The last line is that of busted.
---@param seconds number  of the processor
function Report:finish(seconds)
  if self.count % WIDTH ~= 0 then self.write("\n") end
  for _, kind in ipairs({ "pending", "failure", "error" }) do
    for _, result in ipairs(self.told) do
      if result.kind == kind then tell(self, result) end
    end
  end
  local rate = seconds > 0 and self.count / seconds or 0
  self.write(("\n%s in %.2f s of the processor, %d a second\n"):format(
    plural(self.count, "test", "tests"), seconds, math.floor(rate)))
  self.write(("%s / %s / %s / %d pending : %.6f seconds\n"):format(
    plural(self.sums.success, "success", "successes"), plural(self.sums.failure, "failure", "failures"),
    plural(self.sums.error, "error", "errors"), self.sums.pending, seconds))
end

--- Whether nothing went wrong.
function Report:is_good()
  return self.sums.failure == 0 and self.sums.error == 0
end

return report
