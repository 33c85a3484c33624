local fake_core = require "spec.support.fake_core"

describe("argument", function()
  local argument

  before_each(function()
    fake_core.install()
    argument = require "argument"
  end)

  local function line_of(f, ...)
    local _, line = pcall(f, ...)
    return line
  end

  it("names the key that is not known, and the one that was meant", function()
    local line = line_of(argument.keys, { chanels = 1 }, { channels = 1, users = 1 }, "chatty.notify", 1)
    assert.matches("chatty.notify does not know 'chanels', did you mean 'channels'%? "
      .. "%(it knows channels, users%)$", line)
  end)

  it("lets known keys pass", function()
    argument.keys({ a = 1 }, { a = 1, b = 1 }, "x", 1)
    assert.is_nil(line_of(argument.keys, {}, {}, "x", 1))
  end)

  it("says what type is wanted and what came", function()
    assert.matches("seconds must be a number, not a string",
      line_of(argument.type, "1", "number", "seconds", 1))
    assert.matches("seconds must be a number, not nil", line_of(argument.type, nil, "number", "seconds", 1))
    assert.is_nil(line_of(argument.type, nil, "number?", "seconds", 1))
    assert.matches("must be a number", line_of(argument.type, false, "number?", "seconds", 1))
  end)

  it("blames the line of the caller", function()
    local function checked(value) argument.type(value, "string", "the name", 2) end
    local function caller() checked(7) end
    assert.matches("argument_spec.lua:%d+: the name must", line_of(caller))
    assert.equal("the name must be a string, not a number",
      line_of(argument.type, 7, "string", "the name", argument.BLAME_NOBODY))
  end)
end)
