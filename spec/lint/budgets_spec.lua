-- Over budget means: split the noun.
local sources = require "spec.support.sources"

local BUDGET = { own_includes = 10, file_lines = 500, function_lines = 70, parameters = 6, width = 120 }

local function count_lines(text)
  return select(2, text:gsub("\n", ""))
end

local function count_own_includes(text)
  local count = 0
  for quote in sources.includes(text) do
    if quote == '"' then count = count + 1 end
  end
  return count
end

local function complainer(complaints)
  return function(where, what, value)
    if value <= BUDGET[what] then return end
    complaints[#complaints + 1] = ("%s: %d %s, at most %d"):format(where, value, what, BUDGET[what])
  end
end

local function check_lines(file, complain)
  local number = 0
  for line in file.text:gmatch("([^\n]*)\n") do
    number = number + 1
    if #line > BUDGET.width then complain(file.path .. ":" .. number, "width", utf8.len(line) or #line) end
  end
  complain(file.path, "file_lines", count_lines(file.text))
end

local function check_c(file, complain)
  if file.path:find("%.c$") then complain(file.path, "own_includes", count_own_includes(file.text)) end
  for _, f in ipairs(sources.functions(file.text)) do
    local where = ("%s:%d: %s"):format(file.path, f.line, f.name)
    complain(where, "function_lines", f.lines)
    complain(where, "parameters", f.parameters)
  end
end

local function check(files)
  local complaints = {}
  local complain = complainer(complaints)
  for _, file in ipairs(files) do
    check_lines(file, complain)
    if file.path:find("%.[ch]$") then check_c(file, complain) end
  end
  return complaints
end

local function complaints_of(text)
  return check{ { path = "x.c", text = text } }
end

describe("the budgets", function()
  it("are kept by the program and its specs", function()
    assert.same({}, check(sources.list({ "core", "spec", "bench" }, "%.[ch]$")))
    assert.same({}, check(sources.list({ "lua", "plugins", "examples", "spec", "bench" }, "%.lua$")))
  end)

  it("limit the length of a function", function()
    local body = ("    f();\n"):rep(69)
    assert.same({}, complaints_of("int f(void) {\n" .. body:sub(10) .. "}\n"))
    assert.same({ "x.c:2: f: 71 function_lines, at most 70" },
      complaints_of("\nint f(void) {\n" .. body .. "}\n"))
  end)

  it("limit the parameters of a function", function()
    local six = "int f(int a, int b, void (*c)(int, int), int d, int e, int g) {\n}\n"
    assert.same({}, complaints_of(six))
    assert.same({ "x.c:1: f: 7 parameters, at most 6" }, complaints_of((six:gsub("int a", "int a, int z"))))
  end)

  it("limit the length of a file", function()
    assert.same({}, complaints_of(("\n"):rep(500)))
    assert.same({ "x.c: 501 file_lines, at most 500" }, complaints_of(("\n"):rep(501)))
  end)

  it("limit the width of a line", function()
    assert.same({}, complaints_of(("é"):rep(120) .. "\n"))
    assert.same({ "x.c:1: 121 width, at most 120" }, complaints_of(("x"):rep(121) .. "\n"))
  end)

  it("limit the own includes of a .c", function()
    local eleven = ('#include "base/str.h"\n'):rep(11)
    assert.same({ "x.c: 11 own_includes, at most 10" }, complaints_of(eleven))
    assert.same({}, check{ { path = "x.h", text = eleven } })
  end)
end)

describe("the functions of a C file", function()
  it("are found behind comments, literals, macros and tables", function()
    local functions = sources.functions([[
/* int no(int a) { */
#define EACH(X) \
    X(one) { }
static const char *const names[] = {"int no() {", "}"};
typedef struct Pair {
    int a, b;
} Pair;
EACH(STEP)
static char
is_brace(char c) {
    return c == '}' || c == '\'';
}
]])
    assert.same({ { name = "is_brace", line = 10, lines = 3, parameters = 1 } }, functions)
  end)
end)
