-- Runs the tree of a spec file, each test between its before_each and after_each, and keeps what came of it.

local asserts = require "test.asserts"
local trace = require "test.trace"
local words = require "test.words"

local run = {}

---@class test.result
---@field kind "success"|"failure"|"error"|"pending"
---@field name string      of all blocks and the test
---@field place string     where the test, or its fault, stands
---@field message? string
---@field lines? string[]  a traceback

---@class test.watch  what else happens around each test
---@field finish fun(): table|nil         it is over: what went wrong beside it, { message =, lines = }
---@field told fun(result: test.result)

-- A handler for xpcall.
local function describe(raised)
  local traceback = debug.traceback("", 2)
  if asserts.is_failure(raised) then
    return { kind = raised.kind, message = raised.message, lines = trace.lines(traceback) }
  end
  return { kind = "error", message = tostring(raised), lines = trace.lines(traceback) }
end

run.describe = describe

local function call(f)
  local ok, fault = xpcall(f, describe)
  return not ok and fault or nil
end

local function call_all(list)
  for _, f in ipairs(list) do
    local fault = call(f)
    if fault then return fault end
  end
end

local function path_of(block)
  local path = {}
  while block do
    table.insert(path, 1, block)
    block = block.parent
  end
  return path
end

local function full_name(item)
  local names = {}
  for i, block in ipairs(path_of(item.parent)) do names[i] = block.name end
  table.remove(names, 1) -- the file
  names[#names + 1] = item.name
  return table.concat(names, " ")
end

-- The first thing that went wrong counts; what shall happen afterwards happens in any case.
local function run_steps(case)
  local path, fault = path_of(case.parent), nil
  for _, block in ipairs(path) do fault = fault or call_all(block.before_each) end
  fault = fault or call(case.run)
  if words.running.finally then fault = call(words.running.finally) or fault end
  for i = #path, 1, -1 do fault = call_all(path[i].after_each) or fault end
  return fault
end

local function result_of(case, fault)
  local result = { kind = "success", name = full_name(case), place = case.place }
  if fault then
    result.kind, result.message, result.lines = fault.kind, fault.message, fault.lines
  end
  return result
end

local function run_case(case, watch)
  if not case.run then return watch.told(result_of(case, { kind = "pending" })) end
  words.running = {}
  local fault = run_steps(case)
  local beside = watch.finish()
  words.running = nil
  if beside and (not fault or fault.kind ~= "pending") then
    fault = fault or { kind = "error", message = beside.message, lines = beside.lines }
    if fault.message ~= beside.message then fault.message = fault.message .. "\n" .. beside.message end
  end
  watch.told(result_of(case, fault))
end

local function tell_fault(block, fault, watch, what)
  watch.told {
    kind = "error", name = full_name(block) .. what, place = block.name, message = fault.message,
    lines = fault.lines,
  }
end

--- Runs a block and all within it.
---@param block test.block
---@param watch test.watch
---@param wanted fun(name: string): boolean
function run.block(block, watch, wanted)
  if block.fault then tell_fault(block, block.fault, watch, "") end
  local fault = call_all(block.setup)
  if fault then return tell_fault(block, fault, watch, " (setup)") end
  for _, child in ipairs(block.children) do
    if child.children then
      run.block(child, watch, wanted)
    elseif wanted(full_name(child)) then
      run_case(child, watch)
    end
  end
  fault = call_all(block.teardown)
  if fault then tell_fault(block, fault, watch, " (teardown)") end
end

return run
