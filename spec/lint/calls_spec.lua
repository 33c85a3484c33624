-- Calls that belong into one file, and calls that belong nowhere.
local sources = require "spec.support.sources"

local HOMES = {
  [{ "malloc", "calloc", "realloc", "strdup", "strndup" }] = { "base/mem.c" },
  -- The others free what libjwt, scandir and realpath give.
  [{ "free" }] = { "base/mem.c", "data/token.c", "api/api_files.c", "config.c" },
  [{ "abort", "exit", "_exit", "quick_exit" }] = { "base/ensure.c", "base/mem.c" },
  [{ "lua_pcall", "lua_pcallk", "luaL_dostring", "luaL_dofile" }] = { "script/script.c" },
  [{ "lua_resume" }] = { "script/task.c", "script/nested.c" },
  [{ "lua_yield", "lua_yieldk" }] = { "script/task.c", "script/budget.c" },
  [{ "lua_sethook" }] = { "script/budget.c", "script/threads.c" },
  [{ "lua_resetthread" }] = { "script/budget.c", "script/nested.c" },
  [{ "gets", "strcpy", "strcat", "strtok", "sprintf", "vsprintf", "atoi", "alloca" }] = {},
}

local function includes(list, item)
  for _, one in ipairs(list) do
    if one == item then return true end
  end
  return false
end

local function check(files)
  local complaints = {}
  for _, file in ipairs(files) do
    local path, code = file.path:gsub("^core/", ""), sources.code(file.text)
    for names, homes in pairs(HOMES) do
      for _, name in ipairs(includes(homes, path) and {} or names) do
        -- Not behind `.` or `->`: a member may have any name.
        for at in code:gmatch("%f[%w_.>]()" .. name .. "%s*%(") do
          complaints[#complaints + 1] = ("%s:%d calls %s"):format(path, sources.line_of(code, at), name)
        end
      end
    end
  end
  table.sort(complaints)
  return complaints
end

local function complaints_of(path, text)
  return check{ { path = "core/" .. path, text = text } }
end

describe("the calls of core", function()
  it("are made where they belong", function()
    assert.same({}, check(sources.core()))
  end)

  it("may not leave their home", function()
    local text = "void f(void *p) {\n    free(p);\n    int e = lua_pcall (L, 0, 0, 0);\n}\n"
    assert.same({ "hub/x.c:2 calls free", "hub/x.c:3 calls lua_pcall" }, complaints_of("hub/x.c", text))
    assert.same({ "base/mem.c:3 calls lua_pcall" }, complaints_of("base/mem.c", text))
    assert.same({ "x.c:1 calls strcpy" }, complaints_of("x.c", "#define COPY(a, b) strcpy(a, b)\n"))
  end)

  it("are not seen in comments, literals, members or longer names", function()
    local text = '/* free(p) */\nchar *s = "abort()";\nstore->free(x);\nmem_free(y);\nreader.exit();\n'
    assert.same({}, complaints_of("hub/x.c", text))
  end)
end)
