local private = require "private"

describe("private keys", function()
  local KEY <const> = private.key()

  local function shown(fields)
    local list = {}
    for key, value in private.pairs(fields) do list[#list + 1] = ("%s=%s"):format(key, value) end
    table.sort(list)
    return list
  end

  it("are skipped by next and pairs, wherever they stand", function()
    assert.is_nil((private.next({ [KEY] = 1 })))
    assert.same({}, shown({ [KEY] = 1, [private.key()] = 2 }))
    assert.same({ "1=a", "x=2" }, shown({ "a", x = 2, [KEY] = 3, [private.key()] = 4 }))
  end)

  it("are no other tables that are keys", function()
    local other = {}
    assert.equal(other, (private.next({ [other] = 1 })))
  end)

  it("let next go on behind a key, as Lua's own", function()
    local fields = { "a", [KEY] = 1 }
    assert.same({ 1, "a" }, { private.next(fields) })
    assert.is_nil((private.next(fields, 1)))
  end)

  it("leave __pairs to who has it", function()
    local own = setmetatable({}, { __pairs = function() return ipairs({ "a", "b" }) end })
    assert.same({ "1=a", "2=b" }, shown(own))
  end)

  it("let next say at the caller what is no table", function()
    local _, line = pcall(function() for _ in private.pairs(nil) do error("never") end end)
    assert.matches("private_spec.lua:%d+: bad argument #1 to 'next' %(table expected, got nil%)", line)
  end)
end)
