-- The stubs of lua/meta/core*.lua and the tables of functions in core/api/ name the same functions.
local sources = require "spec.support.sources"

-- By the name of the luaL_Reg table; pipe_methods are those of a second class, `pipe`.
local KINDS = { lib = ".", methods = ":" }

-- The names that an api_<module>.c, or a <module>_api.c, gives to Lua: "bus.notify", "request:path".
local function names_in_c(files)
  local names = {}
  for _, file in ipairs(files) do
    local module = file.path:match("api_([^/]+)%.c$") or file.path:match("([^/]+)_api%.c$")
    for table_name, body in file.text:gmatch("luaL_Reg ([%w_]+)%[%] = (%b{})") do
      local own, kind = table_name:match("^(%w+)_(methods)$")
      own, kind = own or module, KINDS[kind or table_name]
      for name in body:gmatch('{"([%a][%w_]*)",') do
        if kind then names[own .. kind .. name] = true end
      end
    end
  end
  return names
end

local function names_in_stubs(text)
  local names = {}
  for name in text:gmatch("\nfunction ([%w_]+[.:][%w_]+)%(") do names[name] = true end
  return names
end

local function missing(names, where)
  local list = {}
  for name in pairs(names) do
    if not where[name] then list[#list + 1] = name end
  end
  table.sort(list)
  return list
end

describe("the stubs of the C modules", function()
  local c = names_in_c(sources.list({ "core" }, "api_?[^/]*%.c$"))
  local texts = {}
  for i, file in ipairs(sources.list({ "lua/meta" }, "^core.*%.lua$")) do texts[i] = file.text end
  local stubs = names_in_stubs(table.concat(texts, "\n"))

  it("are there for every function of C", function()
    assert.same({}, missing(c, stubs))
  end)

  it("stand for nothing that C does not have", function()
    assert.same({}, missing(stubs, c))
  end)

  it("are compared name by name", function()
    local text = 'const luaL_Reg lib[] = {\n    {"get", f_get}, {"set", f_set},\n    {NULL, NULL},\n};\n'
      .. 'const luaL_Reg methods[] = {{"size", f_size}, {"__gc", f_gc}, {NULL, NULL}};\n'
    local found = names_in_c{ { path = "core/api/api_map.c", text = text } }
    assert.same({ ["map.get"] = true, ["map.set"] = true, ["map:size"] = true }, found)
    local stubbed = names_in_stubs("\nfunction map.get(key) end\nfunction map:size() end\n")
    assert.same({ "map.set" }, missing(found, stubbed))
    assert.same({}, missing(stubbed, found))
  end)
end)
