-- string.find, match, gmatch and gsub of the scripts, beside those of the Lua that runs the specs.
local task = require("core.test").task

local script

before_each(function()
  script = task.new()
end)

after_each(function()
  script:free()
end)

-- Runs code here and there; both see the same functions.
local COMMON = [[
  local function show(ok, ...)
    local all = table.pack(...)
    if not ok then return "error: " .. tostring((...)):gsub("^[^:]*:%d+: ", "") end
    for i = 1, all.n do all[i] = ("%q"):format(all[i]) end
    return table.concat(all, ", ")
  end
  local function each(text, pattern, init)
    local all, count = {}, 0
    for a, b in string.gmatch(text, pattern, init) do
      count = count + 1
      all[count] = ("%q/%q"):format(a, b)
      if count > 100 then break end
    end
    return table.concat(all, ";")
  end
  local calls = {
    find = string.find, match = string.match, each = each, gsub = string.gsub,
    by_function = function(text, pattern)
      return string.gsub(text, pattern, function(a, b) return b and "<" .. tostring(a) .. ">" end)
    end,
    by_table = function(text, pattern) return string.gsub(text, pattern, { a = "A", ab = 12, b = false }) end,
  }
]]

local function here(code)
  return assert(load(COMMON .. code))()
end

local function there(code)
  return assert(script:call(COMMON .. code))
end

local function code_of(call, ...)
  local arguments = {}
  for i, value in ipairs({ ... }) do arguments[i] = ("%q"):format(value) end
  return ("return show(pcall(calls.%s, %s))"):format(call, table.concat(arguments, ", "))
end

describe("the search by patterns", function()
  local cases = {
    { "find", "hello world", "o w" }, { "find", "hello", "l", 1, true }, { "find", "a.b", ".", 1, true },
    { "find", "", "" }, { "find", "abc", "", 4 }, { "find", "abc", "", 5 }, { "find", "abc", "b", -1 },
    { "find", "abc", "b", -10 }, { "find", "abc", "^b", 2 }, { "find", "a\0b", "\0" }, { "find", "a\0b", "%z" },
    { "find", "a\0b", "[\0-a]+" }, { "find", "abc", "b()" }, { "find", "x^y", "x^y" }, { "find", "a$b", "a$b" },
    { "find", "abc", "c$" }, { "find", "abc$", "c$" }, { "find", "ab", "(a)(b)" }, { "find", "abc", "b", 2.0 },
    { "match", "key = value", "^(%w+)%s*=%s*(%w+)$" }, { "match", "2026-01-31", "(%d+)-(%d+)-(%d+)" },
    { "match", "  trim  ", "^%s*(.-)%s*$" }, { "match", "((a)(b))", "%b()" }, { "match", "f(a(b)c)d", "%b()" },
    { "match", "''x''", "(['\"])%1" }, { "match", "THE (quick) fox", "%f[%a]%a+%f[%A]" }, { "match", "abc", "%f[%z]" },
    { "match", "abcabc", "(abc)%1" }, { "match", "aXb", "%u" }, { "match", "]", "[]]" }, { "match", "a]", "[^]]" },
    { "match", "a-b", "[a-]+" }, { "match", "-", "[%--]" }, { "match", "%", "[%%]" }, { "match", "z", "[a-y]" },
    { "match", "abc", "((((a))))" }, { "match", "aaa", "a-$" }, { "match", "aaab", "a-b" }, { "match", "ab", "b?a?b?" },
    { "match", "x", "x*" }, { "match", "hello", ".-(l+)(.*)" }, { "match", "abc", "()b()" }, { "match", 123, "%d" },
    { "each", "one two  three", "%a+" }, { "each", "abc", "" }, { "each", "a,b,,c", "([^,]*)" },
    { "each", "k=v, x=y", "(%w+)=(%w+)" }, { "each", "^a^a", "^a" },
    { "each", "abc", "b", 3 }, { "each", "abab", "ab", -2 },
    { "each", "abc", "%w", 10 }, { "gsub", "hello", "l", "L" },
    { "gsub", "hello", "", "-" }, { "gsub", "hello", "l", "%%" },
    { "gsub", "hello world", "%w+", "%0 %0", 1 }, { "gsub", "abc", "%w", "%1%1" }, { "gsub", "abc", "(a)(b)", "%2%1" },
    { "gsub", "abc", "^a", "x" }, { "gsub", "aaa", "^a", "x" },
    { "gsub", "abc", "b*", "x" }, { "gsub", "abc", "x", "y", 0 },
    { "gsub", "abc", "()", "%1" }, { "gsub", "abc", ".", 7 }, { "gsub", "abc", "b", "", -1 },
    { "by_function", "ab ba", "(a)(b)" }, { "by_function", "abc", "%w" }, { "by_table", "a ab b c", "%a+" },
    -- What is wrong.
    { "find", "a", "%" }, { "find", "a", "[a" }, { "find", "a", "[]" }, { "find", "a", "[^" }, { "find", "a", "[a%" },
    { "find", "a", "%b" }, { "find", "a", "%bx" }, { "find", "a", "%f" }, { "find", "a", "(" }, { "find", "a", "(a" },
    { "find", "a", ")" }, { "find", "a", "a)" }, { "find", "a", "%1" }, { "find", "a", "(a%1)" }, { "find", "a", "%0" },
    { "find", "aa", "(a)%2" }, { "gsub", "a", "a", "%2" }, { "gsub", "a", "(a)", "%9" }, { "gsub", "a", "a", "%x" },
    { "gsub", "a", "a", "%" }, { "gsub", "a", "a", true },
    { "find", "a" }, { "find", {}, "a" }, { "match", "a", "a", "x" },
    { "find", ("a"):rep(33), ("(a)"):rep(33) }, { "find", ("a"):rep(32), ("(a)"):rep(32) },
  }
  for _, case in ipairs(cases) do
    for i, value in ipairs(case) do if type(value) == "table" then case[i] = false end end
    local code = code_of(table.unpack(case))
    it("is Lua's for " .. code:gsub("%c", "."), function()
      assert.equal(here(code), there(code))
    end)
  end

  it("takes long texts, and patterns that are deep within each other", function()
    for _, code in ipairs({
      "return show(pcall(calls.find, ('a'):rep(1e5) .. 'b', '.-b'))",
      "return show(pcall(calls.match, ('a'):rep(1e5), '^(a*)$'))",
      "return show(pcall(calls.gsub, ('ab'):rep(1e4), '(a)(b)', '%2%1'))",
      "return show(pcall(calls.find, ('a'):rep(150), ('a?'):rep(150)))",
      "return show(pcall(calls.find, ('a'):rep(300), ('a?'):rep(300)))",
    }) do assert.equal(here(code), there(code)) end
  end)
end)

describe("the search by random patterns", function()
  local ATOMS = {
    "a", "b", "c", ".", "%a", "%d", "%W", "%.", "[ab]", "[^a]", "[a-c]", "[%w_]", "[]b]", "(", ")", "()", "%1", "%2",
    "%bab", "%f[a]", "%f[^b]", "^", "$", "-", "x", " ", "%", "[", "]", "\0", "[^%s]", "[a-", "%f", "%b",
  }
  local SUFFIXES = { "", "", "", "", "*", "+", "-", "?" }
  local LETTERS = { "a", "b", "a", "b", "c", "x", " ", "1", ".", "]", "-", "\0", "_", "^", "$", "%" }

  local function random_of(list, length)
    local parts = {}
    for i = 1, length do parts[i] = list[math.random(#list)] end
    return parts
  end

  local function random_pattern()
    local parts = random_of(ATOMS, math.random(0, 6))
    for i, atom in ipairs(parts) do parts[i] = atom .. SUFFIXES[math.random(#SUFFIXES)] end
    return table.concat(parts)
  end

  local function random_code()
    local text = table.concat(random_of(LETTERS, math.random(0, 12)))
    local call = ({ "find", "match", "each", "gsub", "by_function", "by_table" })[math.random(6)]
    local pattern = random_pattern()
    if call == "gsub" then return code_of(call, text, pattern, ({ "<%0>", "%1", "y", "%2%%" })[math.random(4)]) end
    if call == "find" or call == "match" then return code_of(call, text, pattern, math.random(-3, 5)) end
    return code_of(call, text, pattern)
  end

  it("is Lua's, 20,000 times", function()
    local seed = os.time()
    math.randomseed(seed)
    for _ = 1, 200 do
      local codes, theirs = {}, {}
      for i = 1, 100 do
        codes[i] = random_code()
        theirs[i] = here(codes[i])
      end
      local all = {}
      for i, code in ipairs(codes) do all[i] = "(function() " .. code .. " end)()" end
      local ours = there("return table.concat({" .. table.concat(all, ",") .. "}, '\\1')")
      local i = 0
      for our in (ours .. "\1"):gmatch("([^\1]*)\1") do
        i = i + 1
        assert.equal(theirs[i], our, ("%s (seed %d)"):format(codes[i], seed))
      end
      assert.equal(100, i)
    end
  end)
end)

describe("a search that would not end", function()
  local COSTLY = {
    find = "('a'):rep(3000):find('.-.-.-b$')",
    match = "('a'):rep(3000):match('(.-)(.-)(.-)b$')",
    gsub = "('a'):rep(3000):gsub('.-.-.-b$', '')",
    gmatch = "('a'):rep(3000):gmatch('.-.-.-b$')()",
    long_set = "('b'):rep(10000):match('^[' .. ('a'):rep(10000) .. 'b]*')",
    long_set_again = "('b'):rep(10000):match('^[' .. ('a'):rep(10000) .. 'b]-c')",
    long_frontier = "('b'):rep(10000):find('%f[' .. ('a'):rep(10000) .. ']')",
  }
  for name, code in pairs(COSTLY) do
    it("fails at its limit of steps: " .. name, function()
      script:limit{ steps_max = 100000 }
      local _, message = script:call("return " .. code)
      assert.matches("^handler:1: the pattern takes too many steps on this text", message)
    end)

    it("is stopped with the plugin that began it: " .. name, function()
      script:limit{ budget_ms = 30 }
      script:start(("note((select(2, cage(function() while true do pcall(function() return %s end) end end))))")
        :format(code))
      assert.same({ "time" }, script:notes())
    end)
  end

  it("of plain text takes time in proportion to it", function()
    script:limit{ budget_ms = 2000 }
    script:start[[
      local text, wanted = ("a"):rep(1e6), ("a"):rep(5e5) .. "b"
      note(cage(function() return text:find(wanted, 1, true) end))
    ]]
    assert.same({ "true nil" }, script:notes())
  end)
end)
