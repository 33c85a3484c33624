-- The asserts of specs, with the words of luassert: assert.equal, assert.is_true, assert.is_not_nil,
-- assert.are.same, assert.has_no.errors. A failure is a table of the class `asserts.Failure`.

local show = require "test.show"

local asserts = {}

local Failure = { __name = "failure" }
Failure.__index = Failure

function Failure.__tostring(self) return self.message end

--- Fails the running test.
---@param message string
---@param kind? "failure"|"pending"
function asserts.fail(message, kind)
  error(setmetatable({ message = message, kind = kind or "failure" }, Failure), 0)
end

--- Whether an error is a test's failure, and not a mistake.
function asserts.is_failure(raised)
  return getmetatable(raised) == Failure
end

local function compared(what, expected, passed)
  return ("%s\nPassed in:\n%s\nExpected:\n%s"):format(what, show.value(passed), show.value(expected))
end

local checks, arity = {}, {}

-- Defines a check: f(...) gives whether it holds, and the message when it does not. `count` is the number of its
-- arguments; one more is the author's message.
local function define(names, count, f)
  for name in names:gmatch("%S+") do checks[name], arity[name] = f, count end
end

local function is(what, test)
  return function(value)
    return test(value), ("Expected %s, but got:\n%s"):format(what, show.value(value)),
      ("Expected anything but %s, and got:\n%s"):format(what, show.value(value))
  end
end

define("true True", 1, is("true", function(value) return value == true end))
define("false False", 1, is("false", function(value) return value == false end))
define("nil Nil", 1, is("nil", function(value) return value == nil end))
define("truthy", 1, is("a true value", function(value) return value and true or false end))
define("falsy", 1, is("nil or false", function(value) return not value end))

for _, kind in ipairs({ "boolean", "number", "string", "table", "function", "userdata", "thread" }) do
  define(kind .. " " .. kind:gsub("^%l", string.upper), 1,
    is("a " .. kind, function(value) return type(value) == kind end))
end

define("equal equals", 2, function(expected, passed)
  return expected == passed, compared("Expected objects to be equal.", expected, passed),
    "Expected objects to be different, but both are:\n" .. show.value(passed)
end)

define("same", 2, function(expected, passed)
  local way = show.difference(expected, passed)
  local where = way and way ~= "" and (" They differ at %s."):format(way) or ""
  return way == nil, compared("Expected objects to be the same." .. where, expected, passed),
    "Expected objects to be different, but both are:\n" .. show.value(passed)
end)

define("near", 3, function(expected, passed, tolerance)
  local is_near = math.abs(expected - passed) <= tolerance
  return is_near, ("Expected %s to be near %s (+/- %s)."):format(passed, expected, tolerance),
    ("Expected %s not to be near %s (+/- %s)."):format(passed, expected, tolerance)
end)

define("match matches", 2, function(pattern, text)
  return type(text) == "string" and text:find(pattern) ~= nil,
    ("Expected a text that matches %q, but got:\n%s"):format(pattern, show.value(text)),
    ("Expected a text that does not match %q, but got:\n%s"):format(pattern, show.value(text))
end)

-- What was raised, without the place in front of it.
local function without_place(raised)
  return type(raised) == "string" and raised:gsub("^[^\n]-:%d+: ", "", 1) or raised
end

define("error errors", 2, function(f, expected)
  local ok, raised = pcall(f)
  local has_raised = not ok
  raised = without_place(raised)
  if expected == nil or not has_raised then
    return has_raised, "Expected an error, but there was none.",
      "Expected no error, but got:\n" .. show.value(raised)
  end
  return show.difference(expected, raised) == nil, compared("Expected another error.", expected, raised),
    "Expected any error but:\n" .. show.value(raised)
end)

define("error_matches error_match", 2, function(f, pattern)
  local ok, raised = pcall(f)
  local text = tostring(raised)
  local is_match = text:find(pattern) or without_place(text):find(pattern)
  return not ok and is_match ~= nil,
    ("Expected an error that matches %q, but got:\n%s"):format(pattern, ok and "none" or text),
    ("Expected no error that matches %q, but got:\n%s"):format(pattern, text)
end)

local NEGATIONS = { ["not"] = true, no = true, isnt = true }
local FILLERS = { is = true, are = true, was = true, were = true, has = true, have = true, does = true, be = true }

local Chain = { __name = "assert" }

local function check(chain, name, ...)
  local count = arity[name]
  local holds, message, opposite = checks[name](...)
  if chain.is_negated then holds, message = not holds, opposite end
  if holds then return ... end
  local own = select("#", ...) > count and (select(count + 1, ...))
  asserts.fail(own and ("%s\n%s"):format(tostring(own), message) or message)
end

-- assert.is_not_nil: fillers and negations first, the rest is the name of a check.
function Chain.__index(chain, key)
  local is_negated, rest = rawget(chain, "is_negated"), key
  while not checks[rest] do
    local word, behind = rest:match("^(%a+)_?(.*)$")
    if NEGATIONS[word] then
      is_negated = not is_negated
    elseif not FILLERS[word] then
      error(("assert does not know '%s'"):format(key), 2)
    end
    rest = behind
    if rest == "" then return setmetatable({ is_negated = is_negated }, Chain) end
  end
  local found = { is_negated = is_negated }
  return function(...) return check(found, rest, ...) end
end

-- assert(value, message): as Lua's own, but the message is the test's failure.
function Chain.__call(_, value, message, ...)
  if value then return value, message, ... end
  asserts.fail(message == nil and "assertion failed!" or tostring(message))
end

asserts.assert = setmetatable({ is_negated = false }, Chain)

return asserts
