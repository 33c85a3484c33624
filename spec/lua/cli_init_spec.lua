local cjson = require "cjson"
local cli_context = require "spec.support.cli_context"
local init = require "cli.init"
local options = require "settings.options"
local settings_file = require "settings.file"

local ENV, EDITOR = ".env", ".luarc.json"
local PLUGIN, SPEC = "plugins/hello.lua", "plugins/hello_spec.lua"

local function run(spec)
  local context = cli_context.make(spec)
  return init.run(context), context, context.files
end

-- Runs the written plugin against an app that only records; gives what it registered and notified.
local function load_plugin(text)
  local found = { routes = {}, hooks = {}, notified = {} }
  local chatty = { notify = function(spec) table.insert(found.notified, spec) end }
  local function require_chatty(name) return name == "chatty" and chatty end
  found.plugin = assert(load(text, "@hello.lua", "t", { require = require_chatty }))()
  found.plugin.setup {
    get = function(_, path, spec, handler) found.routes[path] = { spec = spec, handler = handler } end,
    on = function(_, name, handler) found.hooks[name] = handler end,
  }
  return found
end

describe("chatty init", function()
  it("writes a .env for its owner alone, and a plugin and its spec for all", function()
    local code, context, files = run {}
    assert.equal(0, code)
    assert.same({}, context.err)
    assert.same({ [ENV] = 384, [PLUGIN] = 420, [SPEC] = 420, [EDITOR] = 420 }, files.modes)
  end)

  it("writes a .env that the settings are read from", function()
    local _, _, files = run {}
    local settings, _, warnings = options.read { file = files.texts[ENV] }
    assert.same({ "r32", "r32" }, { settings.JWT_SECRET, settings.CONTROL_KEY })
    assert.equal("origin,date_time", settings.ENABLE)
    assert.same({}, warnings)
  end)

  it("enables the plugin where the folder is that of the shipped ones", function()
    local _, context, files = run { files = { ["plugins/origin.lua"] = "x" } }
    local entries = assert(settings_file.parse(files.texts[ENV], ENV))
    assert.equal("origin,date_time,hello", entries.ENABLE.value)
    assert.equal("it loads with ENABLE=origin,date_time,hello in .env", context.out[#context.out - 2])
  end)

  it("leaves what exists and says so", function()
    local texts = { [ENV] = "JWT_SECRET=x\nDEV_CONTROL_KEY='y'\n", [PLUGIN] = "mine", [EDITOR] = "mine too" }
    local code, context, files = run { files = texts }
    assert.equal(0, code)
    assert.same({ [ENV] = "JWT_SECRET=x\nDEV_CONTROL_KEY='y'\n", [PLUGIN] = "mine", [EDITOR] = "mine too" },
      files.texts)
    assert.same({ ".env exists and is left as it is", "plugins/hello.lua exists and is left as it is",
      ".luarc.json exists and is left as it is", "start the server with: chatty serve" }, context.out)
  end)

  it("leaves a spec that exists", function()
    local code, _, files = run { files = { [SPEC] = "mine" } }
    assert.same({ 0, "mine" }, { code, files.texts[SPEC] })
  end)

  it("tells editors where the stubs are", function()
    local _, _, files = run {}
    assert.same({ "/usr/share/chatty/lua/meta" }, cjson.decode(files.texts[EDITOR])["workspace.library"])
  end)

  it("offers lines for what an existing .env has not", function()
    local _, context = run { files = { [ENV] = "JWT_SECRET=x\nCONTROL_KEY=\n" } }
    assert.same({ ".env exists and is left as it is", "it has no CONTROL_KEY; this line would add one:",
      "CONTROL_KEY=r32" }, { table.unpack(context.out, 1, 3) })
  end)

  it("tells of an existing .env that cannot be read", function()
    local code, context = run { files = { [ENV] = "what" } }
    assert.equal(1, code)
    assert.same({ ".env line 1 cannot be read: a line is NAME=value or a # comment" }, context.err)
  end)

  it("tells why it cannot write", function()
    local code, context = run { unwritable = PLUGIN }
    assert.equal(1, code)
    assert.same({ "plugins/hello.lua cannot be written: permission denied" }, context.err)
  end)
end)

describe("the first plugin", function()
  it("loads with the shape of a plugin", function()
    local _, _, files = run {}
    local plugin = load_plugin(files.texts[PLUGIN]).plugin
    assert.same({ 1, "string" }, { plugin.api, type(plugin.doc) })
  end)

  it("greets the user of a token at its route", function()
    local _, _, files = run {}
    local route = load_plugin(files.texts[PLUGIN]).routes["/hello"]
    assert.same({ auth = "jwt" }, route.spec)
    assert.same({ json = { msg = "hello ann" } }, route.handler { user = "ann" })
  end)

  it("answers the message hello to the sessions of its user and leaves others alone", function()
    local _, _, files = run {}
    local found = load_plugin(files.texts[PLUGIN])
    assert.same({ greeted = true }, found.hooks.message({ user = "ann" }, { name = "hello" }))
    assert.same({ { users = { "ann" }, event = "hello", attributes = { to = "ann" } } }, found.notified)
    assert.is_nil(found.hooks.message({ user = "ann" }, { name = "other" }))
    assert.equal(1, #found.notified)
  end)
end)
