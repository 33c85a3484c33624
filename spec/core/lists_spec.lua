-- The library table of the scripts, beside that of the Lua that runs the specs; and lists that pretend.
local task = require("core.test").task

local script

before_each(function()
  script = task.new()
end)

after_each(function()
  script:free()
end)

-- The same for plain lists and for those with a metatable, which take another way.
local COMMON = [[
  local function list(...) return ... end
  local function wrapped(t) return setmetatable({}, {
    __index = t, __newindex = function(_, key, value) t[key] = value end, __len = function() return #t end,
  }), t end
  local function show(ok, ...)
    if not ok then return "error: " .. tostring((...)):gsub("^[^:]*:%d+: ", "") end
    local parts = {}
    for i = 1, select("#", ...) do parts[i] = tostring((select(i, ...))) end
    return table.concat(parts, ",")
  end
  local function content(t)
    local parts = {}
    for i = 1, 12 do parts[i] = tostring(t[i]) end
    return table.concat(parts, ",")
  end
  local function try(name, items, ...)
    local t = { table.unpack(items) }
    local plain = show(pcall(table[name], t, ...)) .. " " .. content(t)
    local proxy, inner = wrapped({ table.unpack(items) })
    local other = show(pcall(table[name], proxy, ...)) .. " " .. content(inner)
    return (plain .. " | " .. other):gsub("table: 0x%x+", "a table"):gsub("to '[%w_.]+'", "to it")
  end
]]

describe("the library table", function()
  for _, call in ipairs({
    "'insert', {1,2,3}, 4", "'insert', {1,2,3}, 1, 0", "'insert', {1,2,3}, 4, 9", "'insert', {1,2,3}, 5, 9",
    "'insert', {1,2,3}, 0, 9", "'insert', {1,2,3}", "'insert', {1}, 1, 2, 3", "'insert', {}, 'x'",
    "'remove', {1,2,3}", "'remove', {1,2,3}, 1", "'remove', {1,2,3}, 4", "'remove', {1,2,3}, 5", "'remove', {}",
    "'remove', {}, 0", "'remove', {1,2}, 0", "'concat', {1,2,3}", "'concat', {1,'b',3}, ', '",
    "'concat', {1,2,3}, '-', 2",
    "'concat', {1,2,3}, '-', 2, 3", "'concat', {1,2,3}, '-', 3, 2", "'concat', {1,2}, '', 1, 3", "'concat', {{}}",
    "'concat', {}, 'x', math.maxinteger, math.mininteger", "'sort', {3,1,2}", "'sort', {'b','a'}", "'sort', {1,'a'}",
    "'sort', {3,1,2}, function(a, b) return a > b end", "'sort', {1,2,3,4}, rawequal", "'sort', {3,1}, 7",
    "'move', {1,2,3}, 1, 3, 2", "'move', {1,2,3}, 2, 3, 1", "'move', {1,2,3}, 3, 1, 2", "'move', {1,2,3}, 1, 3, 5",
    "'move', {1,2,3}, 1, 2, 1, {9,9,9}", "'move', {1}, math.mininteger, math.maxinteger, 1",
    "'move', {1}, 1, 2, math.maxinteger", "'unpack', {1,2,3}", "'unpack', {1,2,3}, 2, 3",
  }) do
    local code = COMMON .. "return try(" .. call .. ")"
    it("is Lua's for " .. call, function()
      assert.equal(assert(load(code))(), (assert(script:call(code))))
    end)
  end

  it("sorts long lists as Lua does", function()
    assert.equal("true", (script:call[[
      local t = {}
      for i = 1, 5000 do t[i] = i * 7919 % 5003 end
      table.sort(t)
      for i = 2, #t do if t[i - 1] > t[i] then return false end end
      return true
    ]]))
  end)
end)

describe("a list that pretends to be long", function()
  local PRETENDER = "local t = setmetatable({}, { __len = function() return math.maxinteger - 1 end, "
    .. "__index = setmetatable({}, { __index = table.concat }), __newindex = rawlen })\n"
  for _, call in ipairs({
    "table.insert(t, 1, 1)", "table.remove(t, 1)", "table.concat(t)", "table.concat(t, '', 1, math.maxinteger)",
    "table.move(t, 1, math.maxinteger - 1, 2)", "table.move({}, 1, math.maxinteger - 1, 2)",
    "table.move({}, 1, math.maxinteger - 1, 1, t)", "for _ = 1, 1e9 do table.move({}, 1, 9999999, 1, {}) end",
  }) do
    it("is stopped in " .. call, function()
      script:limit{ budget_ms = 30, value_max = 16 * 1024 * 1024, memory_max = 64 * 1024 * 1024 }
      script:start(PRETENDER .. ("note((select(2, cage(function() pcall(function() %s end) return 'x' end))))")
        :format(call))
      assert.same({ "time" }, script:notes())
    end)
  end

  it("is stopped while it is sorted by C", function()
    script:limit{ budget_ms = 30 }
    script:start[[
      local t = {}
      for i = 1, 1000000 do t[i] = -i end
      note((select(2, cage(function() while true do table.sort(t, math.ult) end end))))
      note((select(2, cage(function() while true do table.sort(t) end end))))
    ]]
    assert.same({ "time", "time" }, script:notes())
  end)
end)

describe("string.rep", function()
  it("has the limit of a plugin's values", function()
    script:limit{ value_max = 1024 * 1024 }
    for _, call in ipairs({ "('x'):rep(1e6 + 1e5)", "('x'):rep(6e5, 'y')", "('x'):rep(math.maxinteger)" }) do
      assert.matches("resulting string too large: at most 1048576 bytes", select(2, script:call("return " .. call)))
    end
    assert.equal("1048576", (script:call("return #('x'):rep(1048576)")))
  end)

  it("of nothing ends at once", function()
    assert.equal("0", (script:call("return #(''):rep(math.maxinteger)")))
    assert.equal("x-x-x", (script:call("return ('x'):rep(3, '-')")))
  end)
end)
