local cjson = require "cjson"
local cli_context = require "spec.support.cli_context"
local config = require "cli.config"
local options = require "settings.options"

local INPUT = {
  environment = { JWT_SECRET = "a secret that nobody knows", PORT = "9999" },
  file = "DEV_CONTROL_KEY=a-key-that-nobody-knows\nMAX_REQ_SIZE=50mb\nAPP_PROT=1\n",
}

local function run(args)
  local context = cli_context.make { input = INPUT, args = args }
  return config.run(context), context
end

local function line_of(context, name)
  for _, line in ipairs(context.out) do
    if line:find("^" .. name .. " ") then return line end
  end
end

describe("chatty config", function()
  it("prints one line for every setting", function()
    local code, context = run {}
    assert.equal(0, code)
    assert.equal(#options.list(), #context.out)
    for i, option in ipairs(options.list()) do
      assert.equal(1, (context.out[i]:find(option.name .. " ", 1, true)))
    end
  end)

  it("prints value, source and meaning in columns", function()
    local _, context = run {}
    local port, size = line_of(context, "APP_PORT"), line_of(context, "MAX_REQ_SIZE")
    assert.truthy(port:find("^APP_PORT +9999 +environment PORT +The port to listen on"))
    assert.truthy(size:find("^MAX_REQ_SIZE +50mb +.env MAX_REQ_SIZE +The largest body"))
    assert.equal(port:find("9999", 1, true), size:find("50mb", 1, true))
    assert.equal(port:find("environment", 1, true), size:find(".env", 1, true))
    assert.equal(port:find("The", 1, true), size:find("The", 1, true))
  end)

  it("shows no secret, in text and in JSON", function()
    for _, args in ipairs { {}, { json = true } } do
      local _, context = run(args)
      assert.is_nil(table.concat(context.out, "\n"):find("nobody"))
      assert.is_nil(table.concat(context.err, "\n"):find("nobody"))
    end
    local _, context = run {}
    assert.truthy(line_of(context, "CONTROL_KEY"):find("(set)  ", 1, true))
  end)

  it("prints a JSON object with --json", function()
    local _, context = run { json = true }
    local object = cjson.decode(table.concat(context.out, "\n"))
    assert.same({
      value = "9999", source = "environment PORT", set = true, default = "3000", type = "integer",
      doc = "The port to listen on; 0 picks a free one and logs it.",
    }, object.APP_PORT)
    assert.same({ true, true }, { object.JWT_SECRET.secret, object.JWT_SECRET.set })
    assert.is_nil(object.JWT_SECRET.value)
    assert.is_false(object.APP_HOST.set)
  end)

  it("prints the options of plugins, but no secret", function()
    local plugin_options = {
      { plugin = "shop", name = "PLUGIN_SHOP_KEY", value = "nobody", source = "default", rule = { secret = true,
        type = "string", doc = "A key." } },
      { plugin = "shop", name = "PLUGIN_SHOP_ROOMS", value = { "a", "b" }, source = "options.lua",
        rule = { type = "list" } },
      { plugin = "shop", name = "PLUGIN_SHOP_URL", source = "default", rule = { type = "string" } },
      { plugin = "shop", name = "PLUGIN_SHOP_COUNT", value = 7, source = "environment", rule = { type = "integer",
        doc = "How many." } },
    }
    local input = { environment = { JWT_SECRET = "a secret that nobody knows", PLUGIN_SHOP_COUNT = "7" } }
    local context = cli_context.make { input = input }
    context.plugin_options = plugin_options
    config.run(context)
    assert.truthy(line_of(context, "PLUGIN_SHOP_KEY"):find("%(set%) +default +A key%.$"))
    assert.truthy(line_of(context, "PLUGIN_SHOP_ROOMS"):find(" a,b +options.lua$"))
    assert.truthy(line_of(context, "PLUGIN_SHOP_URL"):find("%(not set%) +default$"))
    assert.truthy(line_of(context, "PLUGIN_SHOP_COUNT"):find(" 7 +environment PLUGIN_SHOP_COUNT +How many%.$"))
    context = cli_context.make { input = input, args = { json = true } }
    context.plugin_options = plugin_options
    config.run(context)
    local object = cjson.decode(table.concat(context.out, "\n"))
    assert.same({ set = true, secret = true, source = "default", type = "string", doc = "A key.", plugin = "shop" },
      object.PLUGIN_SHOP_KEY)
    assert.same({ "a", "b" }, object.PLUGIN_SHOP_ROOMS.value)
  end)

  it("tells on stderr why the plugins cannot be loaded", function()
    local context = cli_context.make { input = INPUT }
    context.fault = "plugin shop: it is broken"
    config.run(context)
    assert.equal("serve would not start: plugin shop: it is broken", context.err[2])
  end)

  it("tells on stderr what is doubtful", function()
    local _, context = run {}
    assert.equal(".env line 3: APP_PROT is no setting, did you mean APP_PORT?", context.err[1])
    assert.truthy(context.err[2]:find("^MAX_REQ_SIZE is larger than SESSION_QUEUE_MAX"))
    assert.equal(2, #context.err)
  end)

  it("tells on stderr what would keep the server from starting", function()
    local context = cli_context.make {}
    assert.equal(0, config.run(context))
    assert.truthy(context.err[1]:find("^serve would not start: JWT_SECRET is not set"))
  end)
end)
