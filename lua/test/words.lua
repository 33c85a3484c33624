-- The words that a spec file is written with: describe, it and their kin. Running a file makes a tree of blocks and
-- cases; nothing of what is within `it` runs yet.

local asserts = require "test.asserts"

local words = {}

---@class test.block
---@field name string
---@field parent? test.block
---@field children (test.block|test.case)[]
---@field before_each function[]
---@field after_each function[]
---@field setup function[]
---@field teardown function[]
---@field fault? {message: string, trace: string}  it could not be read to its end

---@class test.case
---@field name string
---@field parent test.block
---@field run? function    nil: pending
---@field place string     file:line of `it`

local function new_block(name, parent)
  return {
    name = name, parent = parent, children = {}, before_each = {}, after_each = {}, setup = {}, teardown = {},
  }
end

-- Where the spec called the word.
local function place()
  local info = debug.getinfo(3, "Sl")
  return ("%s:%d"):format(info.short_src, info.currentline)
end

local function check(name, f, word, is_optional)
  if type(name) ~= "string" then error(word .. " needs a name", 3) end
  if type(f) ~= "function" and not (is_optional and f == nil) then
    error(("%s \"%s\" needs a function"):format(word, name), 3)
  end
end

--- The words for one file, and its tree.
---@param name string
---@param on_error fun(raised: any): {message: string, trace: string}  a handler for xpcall
---@return table<string, any> vocabulary, test.block root
function words.new(name, on_error)
  local root = new_block(name)
  local block, vocabulary = root, {}

  function vocabulary.describe(title, f)
    check(title, f, "describe")
    local inner, outer = new_block(title, block), block
    outer.children[#outer.children + 1] = inner
    block = inner
    local ok, fault = xpcall(f, on_error)
    block = outer
    if not ok then inner.fault = fault end
  end

  function vocabulary.it(title, f)
    check(title, f, "it")
    block.children[#block.children + 1] = { name = title, parent = block, run = f, place = place() }
  end

  -- Within a test it ends the test.
  function vocabulary.pending(title, f)
    check(title, f, "pending", true)
    if words.running then asserts.fail(title, "pending") end
    block.children[#block.children + 1] = { name = title, parent = block, place = place() }
  end

  for _, word in ipairs({ "before_each", "after_each", "setup", "teardown" }) do
    vocabulary[word] = function(f)
      check(word, f, word)
      local list = block[word]
      list[#list + 1] = f
    end
  end

  function vocabulary.finally(f)
    check("finally", f, "finally")
    if not words.running then error("finally belongs into a test", 2) end
    words.running.finally = f
  end

  vocabulary.context, vocabulary.spec, vocabulary.test = vocabulary.describe, vocabulary.it, vocabulary.it
  vocabulary.assert = asserts.assert
  return vocabulary, root
end

--- The test that runs now; nil between tests.
---@type {finally?: function}|nil
words.running = nil

return words
