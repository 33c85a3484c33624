local fake_core = require "spec.support.fake_core"

-- The stubs tell editors and people what plugins get. Here they are compared with what plugins do get.
describe("the stubs of the public API", function()
  before_each(function() fake_core.install() end)

  local function read(path)
    local file <close> = assert(io.open(path))
    return file:read("a")
  end

  -- The functions named `prefix...` in the text: name -> the comment in front of it.
  local function functions_of(text, prefix)
    local found, comment = {}, ""
    for line in text:gmatch("[^\n]+") do
      local name = line:match("^function " .. prefix .. "([%w_.]+)%(")
      if name then found[name] = comment end
      comment = line:find("^%-%-%-") and comment .. line .. "\n" or ""
    end
    return found
  end

  local function names(set)
    local list = {}
    for name in pairs(set) do list[#list + 1] = name end
    table.sort(list)
    return list
  end

  local function add_functions(found, group, prefix)
    for name, value in pairs(group) do
      if type(value) == "function" then found[prefix .. name] = true end
      if type(value) == "table" and prefix == "" then add_functions(found, value, name .. ".") end
    end
    return found
  end

  it("name every function of chatty, and no other", function()
    local stubs = functions_of(read("lua/meta/chatty.lua"), "chatty%.")
    assert.same(names(add_functions({}, require("plugin.public").module("shop"), "")), names(stubs))
  end)

  it("name every method of app, and no other", function()
    local methods = debug.getmetatable(require("plugin.app").new({ name = "shop" })).__index
    assert.same(names(methods), names(functions_of(read("lua/meta/app.lua"), "app:")))
  end)

  it("name every method of events, sessions and requests that there is", function()
    local stubs = read("lua/meta/app.lua")
    local homes = { event = "lua/event.lua", session = "lua/realtime/session.lua", request = "lua/http/request.lua" }
    for kind, path in pairs(homes) do
      local methods = functions_of(read(path), "methods:")
      assert.same(names(methods), names(functions_of(stubs, kind .. ":")))
    end
  end)

  -- What the parts of a test call of each other is not for specs.
  local INTERNAL = { pump = true, is_over = true, on_message = true, state = true, push = true, keep = true }

  local function methods_of(path)
    local found = {}
    for name in pairs(functions_of(read(("lua/%s.lua"):format(path:gsub("%.", "/"))), "%a+:")) do
      if not INTERNAL[name] then found[name] = true end
    end
    return found
  end

  it("name every method of what a test holds, and no other", function()
    local stubs = read("lua/meta/test.lua")
    local server = methods_of("test.server")
    for name in ("get head post put patch delete options"):gmatch("%a+") do server[name] = true end
    assert.same(names(server), names(functions_of(stubs, "t:")))
    local socket, session = methods_of("test.socket"), methods_of("test.session")
    assert.same(names(socket), names(functions_of(stubs, "socket:")))
    for name in pairs(socket) do session[name] = true end
    assert.same(names(session), names(functions_of(stubs, "session:")))
    assert.same({ "response" }, names(functions_of(stubs, "pending:")))
  end)

  it("name every word of tests, and no other", function()
    local vocabulary = require("test.words").new("x_spec.lua", tostring)
    vocabulary.assert = nil
    assert.same(names(vocabulary), names(functions_of(read("lua/meta/words.lua"), "")))
  end)

  it("name asserts of tests that there are", function()
    local own, count = require("test.asserts").assert, 0
    for name in read("lua/meta/words.lua"):gmatch("%-%-%-@field ([%w_]+)") do
      assert.is_not_nil(own[name], name)
      count = count + 1
    end
    assert.is_true(count > 20)
  end)

  it("say since when each function is there", function()
    for _, path in ipairs({ "lua/meta/chatty.lua", "lua/meta/app.lua", "lua/meta/test.lua", "lua/meta/words.lua" }) do
      local text = read(path)
      for name, comment in pairs(functions_of(text, "%a+[.:]")) do
        assert.matches("%(since %d+%.%d+%)", comment, 1, false, path .. ": " .. name)
      end
    end
  end)
end)
