-- Options of plugins: from .env, the environment and options.lua to the plugin, and to `chatty config`.
local server = require "spec.support.server"

local SHOP = [[
  local plugin = { api = 1, options = {
    url = { type = "string", required = true, doc = "Where to tell." },
    key = { type = "string", secret = true },
    count = { type = "integer", default = 3 },
    rooms = { type = "list", default = {} },
  } }
  function plugin.setup(app, options)
    app:get("/options", { auth = "none" }, function() return { json = options } end)
  end
  return plugin
]]

local FILES = {
  [".env"] = "PLUGIN_SHOP_URL = http://shop.internal/told // where\nDEV_PLUGIN_SHOP_KEY = not to be told\n",
  ["options.lua"] = "return { shop = { rooms = { 'a', 'b' }, count = 5 } }",
}

describe("the options of a plugin", function()
  it("come from .env, the environment and options.lua", function()
    local chatty = server.start{ plugins = { shop = SHOP }, files = FILES, settings = { PLUGIN_SHOP_COUNT = 8 } }
    assert.same({ url = "http://shop.internal/told", key = "not to be told", count = 8, rooms = { "a", "b" } },
      chatty:request{ path = "/options" }.json())
  end)

  it("are shown by chatty config, but for secrets", function()
    local result = server.run{
      plugins = { shop = SHOP }, files = FILES, settings = { PLUGIN_SHOP_COUNT = 8 }, args = { "config" },
    }
    assert.same({ 0, "" }, { result.code, result.err })
    for _, line in ipairs{
      "\nPLUGIN_SHOP_COUNT +8 +environment PLUGIN_SHOP_COUNT\n",
      "\nPLUGIN_SHOP_KEY +%(set%) +%.env DEV_PLUGIN_SHOP_KEY\n",
      "\nPLUGIN_SHOP_ROOMS +a,b +options%.lua\n",
      "\nPLUGIN_SHOP_URL +http://shop%.internal/told +%.env PLUGIN_SHOP_URL +Where to tell%.$",
    } do assert.matches(line, result.out) end
  end)

  it("that are wrong end the start, and are told of by chatty config", function()
    local line = "plugin shop: plugins/shop.lua: option 'url' is required: set PLUGIN_SHOP_URL, or url in options.lua"
    local result = server.run{ plugins = { shop = SHOP } }
    assert.equal(1, result.code)
    assert.matches(line, result.err, 1, true)
    result = server.run{ plugins = { shop = SHOP }, args = { "config" } }
    assert.equal(0, result.code)
    assert.matches("serve would not start: " .. line, result.err, 1, true)
    assert.matches("APP_PORT", result.out)
  end)
end)
