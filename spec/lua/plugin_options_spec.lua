local lua_half = require "spec.support.lua_half"

local PLUGIN = [[
  local plugin = { api = 1, options = {
    url = { type = "string", required = true, doc = "Where." },
    ["key"] = { type = "string", secret = true, min = 4 },
    count = { type = "integer", default = 3, max = 10 },
    ["is_on"] = { type = "boolean", default = true },
    share = { type = "number" },
    rooms = { type = "list", default = { "lobby" }, max = 2 },
  } }
  function plugin.setup(app, options)
    app:get("/o", { auth = "none" }, function() return { json = options } end)
  end
  return plugin
]]

describe("the options of a plugin", function()
  local core

  -- `texts` are of the environment, `file` is options.lua.
  local function start(texts, file, plugins)
    core = lua_half.start{
      plugins = plugins or { ["my-shop"] = PLUGIN }, texts = texts, files = { ["options.lua"] = file },
      settings = { PLUGIN_OPTIONS = (texts or {}).PLUGIN_OPTIONS },
    }
    return core
  end

  local function values() return lua_half.ask(core, { target = "/o" }).json end

  local function line_of(...) return lua_half.line_of(start, ...) end

  it("come from the environment, typed", function()
    start{ PLUGIN_MY_SHOP_URL = "http://a", PLUGIN_MY_SHOP_COUNT = "7", PLUGIN_MY_SHOP_IS_ON = "false",
      PLUGIN_MY_SHOP_SHARE = "0.5", PLUGIN_MY_SHOP_ROOMS = "a, b" }
    assert.same({ url = "http://a", count = 7, is_on = false, share = 0.5, rooms = { "a", "b" } }, values())
  end)

  it("come from the file, where the environment has none", function()
    start({ PLUGIN_MY_SHOP_COUNT = "7" }, 'return { ["my-shop"] = { url = "http://b", count = 8, rooms = {} } }')
    assert.same({ url = "http://b", count = 7, is_on = true, rooms = {} }, values())
  end)

  it("have defaults", function()
    start({ PLUGIN_MY_SHOP_URL = "x" })
    assert.same({ url = "x", count = 3, is_on = true, rooms = { "lobby" } }, values())
  end)

  it("may be required", function()
    assert.equal("plugin my-shop: plugins/my-shop.lua: option 'url' is required: set PLUGIN_MY_SHOP_URL, or url in "
      .. "options.lua", line_of())
  end)

  it("that are wrong end the start with one line, which tells no secret", function()
    local wrong = {
      [{ PLUGIN_MY_SHOP_COUNT = "x" }] = 'PLUGIN_MY_SHOP_COUNT is "x": allowed is a whole number',
      [{ PLUGIN_MY_SHOP_COUNT = "11" }] = 'PLUGIN_MY_SHOP_COUNT is "11": allowed is at most 10',
      [{ PLUGIN_MY_SHOP_IS_ON = "maybe" }] = 'PLUGIN_MY_SHOP_IS_ON is "maybe": allowed is true or false',
      [{ PLUGIN_MY_SHOP_ROOMS = "a,b,c" }] = 'PLUGIN_MY_SHOP_ROOMS is "a,b,c": allowed is at most 2 items',
      [{ PLUGIN_MY_SHOP_KEY = "abc" }] = "PLUGIN_MY_SHOP_KEY is wrong: allowed is at least 4 bytes",
      [{ PLUGIN_MY_SHOP_ULR = "abc", PLUGIN_MY_SHOP_URL = "x" }] =
        "PLUGIN_MY_SHOP_ULR: the plugin my-shop has no such option, did you mean PLUGIN_MY_SHOP_URL?",
    }
    for texts, line in pairs(wrong) do
      assert.matches(line, line_of(texts), 1, true)
    end
    local files = {
      ['return { ["my-shop"] = { url = 5 } }'] = "option 'url' (options.lua): allowed is a string",
      ['return { ["my-shop"] = { url = "x", ulr = 5 } }'] = "it has no option 'ulr', did you mean 'url'?",
      ['return { ["my-shop"] = 5 }'] = "PLUGIN_OPTIONS: options.lua: the options of my-shop must be a table",
      ["return 5"] = "PLUGIN_OPTIONS: options.lua must return a table of plugins' options",
      ["return {"] = "PLUGIN_OPTIONS: options.lua:1: ",
      ["return os.execute()"] = "PLUGIN_OPTIONS: options.lua:1: attempt to index a nil value",
    }
    for file, line in pairs(files) do assert.matches(line, line_of({}, file), 1, true) end
    assert.equal("PLUGIN_OPTIONS: mine.lua cannot be read: no such file", line_of({ PLUGIN_OPTIONS = "mine.lua" }))
  end)

  it("of plugins that are not loaded are only told of", function()
    start({ PLUGIN_OTHER_URL = "x" }, "return { another = {} }", {})
    assert.same({
      "PLUGIN_OTHER_URL is no option of a plugin that is loaded",
      "options.lua has options of another, a plugin that is not loaded",
    }, { core.log.lines[1].message, core.log.lines[2].message })
  end)

  it("are declared as words with rules, each with a name of its own in the environment", function()
    local mistakes = {
      ["{ ['a b'] = { type = 'string' } }"] = "option 'a b': its name must be a word",
      ["{ [1] = { type = 'string' } }"] = "option '1': its name must be a word",
      ["{ a = { type = 'text' } }"] = "option 'a': type must be one of",
      ["{ a = { type = 'integer', default = 'x' } }"] = "option 'a': its default must be a whole number",
      ["{ a_b = { type = 'string' }, A_b = { type = 'string' } }"] =
        "option 'a_b': another plugin's option is PLUGIN_X_A_B too",
    }
    for text, line in pairs(mistakes) do
      local plugin = ("return { api = 1, setup = print, options = %s }"):format(text)
      assert.matches(line, line_of({}, nil, { x = plugin }), 1, true)
    end
  end)

  it("are listed with their values and sources", function()
    start({ PLUGIN_MY_SHOP_URL = "x" }, 'return { ["my-shop"] = { count = 5 } }')
    local found = {}
    for _, option in ipairs(require("plugin.options").list()) do
      found[option.name] = { option.value, option.source, option.plugin }
    end
    assert.same({ "x", "environment", "my-shop" }, found.PLUGIN_MY_SHOP_URL)
    assert.same({ 5, "options.lua", "my-shop" }, found.PLUGIN_MY_SHOP_COUNT)
    assert.same({ true, "default", "my-shop" }, found.PLUGIN_MY_SHOP_IS_ON)
    assert.same({ nil, "default", "my-shop" }, found.PLUGIN_MY_SHOP_KEY)
  end)
end)
