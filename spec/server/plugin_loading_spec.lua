-- How plugins are found and loaded (CONTRACT 6): which there are, what is wrong with one in one line that names
-- plugin, file and line, and what it cannot do to the machine and to others.
local cjson = require "cjson"
local server = require "spec.support.server"

-- Loads plugins as `chatty routes` does. `files` are texts by path, `plugins` sources by name.
local function load_all(options)
  return assert(server.run{
    args = { "routes", "--json" }, settings = options.settings, files = options.files, plugins = options.plugins,
  })
end

-- The plugin of each path.
local function owners(options)
  local result = load_all(options)
  assert.equal(0, result.code, result.err)
  local found = {}
  for _, route in ipairs(cjson.decode(result.out)) do found[route.path] = route.plugin end
  return found
end

-- A plugin with one route.
local function with_route(path)
  return ('return { api = 1, setup = function(app) app:get("%s", { auth = "none" }, function() end) end }'):format(path)
end

-- The one line that says why plugins do not load.
local function fault(options)
  local result = load_all(options)
  assert.same({ 1, "" }, { result.code, result.out })
  assert.is_nil(result.err:find("\n", 1, true), result.err)
  return result.err
end

-- A plugin whose setup has this body; the body stands in line 2.
local function with_setup(body)
  return "return { api = 1, setup = function(app, options)\n" .. body .. "\nend }"
end

describe("plugins", function()
  it("are files and folders of the folder plugins, when nothing is said", function()
    local found = owners{ files = {
      ["plugins/one.lua"] = with_route "/one",
      ["plugins/two/init.lua"] = with_route "/two",
    } }
    assert.same({ "one", "two" }, { found["/one"], found["/two"] })
  end)

  it("need not be there", function()
    assert.equal("chatty", owners{}["/healthz"])
  end)

  it("are those of all folders of PLUGINS, wherever these are", function()
    local found = owners{
      settings = { PLUGINS = "a:./b/" },
      files = { ["a/one.lua"] = with_route "/one", ["b/two.lua"] = with_route "/two",
        ["plugins/three.lua"] = with_route "/three" },
    }
    assert.same({ "one", "two" }, { found["/one"], found["/two"] })
    assert.is_nil(found["/three"])
  end)

  it("are none when PLUGINS is none", function()
    assert.is_nil(owners{ settings = { PLUGINS = "none" }, plugins = { one = with_route "/one" } }["/one"])
  end)

  it("must be where PLUGINS says", function()
    assert.matches("PLUGINS: there is no folder nowhere", fault{ settings = { PLUGINS = "nowhere" } }, 1, true)
    assert.matches("PLUGINS: there is no folder file",
      fault{ settings = { PLUGINS = "file" }, files = { file = "text" } }, 1, true)
  end)

  it("are not specs, hidden files, modules and other files", function()
    local bad = "this is no Lua"
    local found = owners{ files = {
      ["plugins/one.lua"] = with_route "/one", ["plugins/one_spec.lua"] = bad, ["plugins/_two.lua"] = bad,
      ["plugins/.three.lua"] = bad, ["plugins/README.md"] = bad, ["plugins/four.lua~"] = bad,
      ["plugins/five/other.lua"] = bad,
    } }
    assert.equal("one", found["/one"])
  end)

  it("of one name in two folders do not load", function()
    local line = fault{ settings = { PLUGINS = "a:b" },
      files = { ["a/one.lua"] = with_route "/one", ["b/one/init.lua"] = with_route "/one" } }
    assert.matches("plugin one is there twice: a/one.lua and b/one/init.lua", line, 1, true)
  end)

  it("may not have the server's own name", function()
    assert.matches("plugin chatty", fault{ plugins = { chatty = with_route "/x" } }, 1, true)
  end)

  it("end the start of the server with one line when one of them is wrong", function()
    local result = assert(server.run{ args = { "serve" }, plugins = { bad = with_setup "error('no')" } })
    assert.same({ 1, "" }, { result.code, result.out })
    assert.matches(" error main plugin bad: plugins/bad%.lua:2: no$", result.err)
    assert.is_nil(result.err:find("\n", 1, true), result.err)
  end)
end)

describe("shipped plugins", function()
  local MINE = [[
return { api = 1, setup = function(app)
  app:option("add", "origin", function(event) event:set("origin", "mine") end)
end }]]

  -- The status of a notify with this option.
  local function status(chatty, option)
    return chatty:notify("channels:room-1", "x", "{}", "add=" .. option).status
  end

  it("origin and date_time are there when nothing is said", function()
    local chatty = server.start()
    assert.same({ 200, 200 }, { status(chatty, "origin"), status(chatty, "date-time") })
  end)

  it("are those that ENABLE names", function()
    local chatty = server.start{ settings = { ENABLE = "date_time" } }
    assert.same({ 400, 200 }, { status(chatty, "origin"), status(chatty, "date-time") })
  end)

  it("are none when ENABLE is none", function()
    local chatty = server.start{ settings = { ENABLE = "none" } }
    assert.same({ 400, 400 }, { status(chatty, "origin"), status(chatty, "date-time") })
  end)

  it("give way to a user's plugin of the same name", function()
    local chatty = server.start{ plugins = { origin = MINE } }
    local ann = chatty:connect "ann"
    assert.equal("chatty:connected", ann:next().event)
    chatty:subscribe("users:ann", { "room-1" })
    chatty:notify("channels:room-1", "x", "{}", "add=origin")
    assert.same({ origin = "mine" }, ann:next().attributes)
  end)

  it("of an unknown name end the start", function()
    assert.matches("ENABLE: there is no plugin nonsense", fault{ settings = { ENABLE = "origin,nonsense" } }, 1, true)
  end)

  it("are the examples too", function()
    assert.equal("chat", owners{ settings = { ENABLE = "chat" } }["/"])
  end)

  it("may be named along with the user's own, and load once", function()
    local found = owners{ settings = { ENABLE = "origin,one,one" }, plugins = { one = with_route "/one" } }
    assert.equal("one", found["/one"])
  end)
end)

describe("a plugin is refused in one line", function()
  local refused = {
    ["with a syntax error"] = { "return {\n  api = 1,\n  setup = function(app) if end\n}", "plugins/bad.lua:3: " },
    ["with an error at load"] = { "local x = nil\nreturn x.y", "plugins/bad.lua:2: " },
    ["with an error at load of several lines"] = { "error('one\\ntwo')", "plugins/bad.lua:1: one two" },
    ["with an error at load that is no text"] = { "error({})", "plugins/bad.lua: " },
    ["with an error in setup"] = { with_setup "local x = nil + 1", "plugins/bad.lua:2: " },
    ["with an error deep in setup"] =
      { "local function f() error('deep') end\n" .. with_setup "f()", "plugins/bad.lua:1: deep" },
    ["that returns nothing"] = { "local x = 1", "plugins/bad.lua: the file must return the plugin, a table" },
    ["that returns a function"] = { "return function() end", "a table, and returns a function" },
    ["that is bytecode"] = { string.dump(function() end), "plugins/bad.lua" },
    ["without api"] = { "return { setup = function() end }", "it says api = nil, and this server speaks api = 1" },
    ["of another api"] = { "return { api = 2, setup = function() end }", "it says api = 2, and this server speaks" },
    ["of an api as text"] = { "return { api = '1', setup = function() end }", "it says api = 1" },
    ["without setup"] = { "return { api = 1 }", "setup must be a function" },
    ["with an unknown field"] =
      { "return { api = 1, setup = function() end, priorty = 1 }", "does not know 'priorty', did you mean 'priority'" },
    ["with a priority that is none"] =
      { "return { api = 1, setup = function() end, priority = 'high' }", "priority must be a number" },
    ["that needs a library that is not granted"] =
      { "return { api = 1, setup = function() end, needs = { io = true } }",
        "it needs 'io': allow that by the setting GRANT=bad:io" },
    ["that never ends"] = { with_setup "while true do pcall(error) end",
      "plugins/bad.lua:2: it took more than 0.1 s to load (SCRIPT_SETUP_BUDGET)" },
    ["that needs what is not there"] =
      { "return { api = 1, setup = function() end, needs = { ftp = true } }", "needs does not know 'ftp'" },
    ["with an unknown field of an option"] =
      { "return { api = 1, setup = function() end, options = { x = { typ = 'string' } } }",
        "option 'x' does not know 'typ', did you mean 'type'" },
    ["with an option of an unknown type"] =
      { "return { api = 1, setup = function() end, options = { x = { type = 'date' } } }", "type must be one of" },
    ["with a default that its option does not allow"] =
      { "return { api = 1, setup = function() end, options = { x = { type = 'integer', default = 'a' } } }",
        "its default must be a whole number" },
    ["with a required option"] =
      { "return { api = 1, setup = function() end, options = { x = { type = 'string', required = true } } }",
        "option 'x' is required" },
    ["that waits in setup"] = { "local chatty = require 'chatty'\n" .. with_setup "chatty.sleep(0)",
      "plugins/bad.lua:3: this function " },
    ["with a route without auth"] = { with_setup "app:get('/x', {}, function() end)",
      "plugins/bad.lua:2: GET /x: say who may: auth = 'none', 'jwt', 'control' or a function" },
    ["with a route of unknown auth"] = { with_setup "app:get('/x', { auth = 'admin' }, function() end)",
      "plugins/bad.lua:2: GET /x: auth must be" },
    ["with a route without options"] = { with_setup "app:get('/x', function() end)", "plugins/bad.lua:2: " },
    ["with an unknown option of a route"] =
      { with_setup "app:get('/x', { auth = 'none', boddy = 'json' }, function() end)",
        "plugins/bad.lua:2: GET /x does not know 'boddy', did you mean 'body'" },
    ["with a route for an unknown body"] =
      { with_setup "app:post('/x', { auth = 'none', body = 'xml' }, function() end)",
        "plugins/bad.lua:2: POST /x: body must be" },
    ["with a route without handler"] = { with_setup "app:get('/x', { auth = 'none' })",
      "plugins/bad.lua:2: GET /x: the handler must be a function" },
    ["with a route without slash"] = { with_setup "app:get('x', { auth = 'none' }, function() end)",
      "plugins/bad.lua:2: the path 'x' must begin with /" },
    ["with a parameter without name"] = { with_setup "app:get('/:', { auth = 'none' }, function() end)",
      "plugins/bad.lua:2: the path '/:' needs a name behind :" },
    ["with two parameters of one name"] = { with_setup "app:get('/:a/:a', { auth = 'none' }, function() end)",
      "plugins/bad.lua:2: the path '/:a/:a' has two parameters named a" },
    ["with a rest that is not at the end"] = { with_setup "app:get('/*a/b', { auth = 'none' }, function() end)",
      "plugins/bad.lua:2: the path '/*a/b' may have *rest only at its end" },
    ["with a wrong rule of a query"] =
      { with_setup "app:get('/x', { auth = 'none', query = { a = { type = 'int' } } }, function() end)",
        "plugins/bad.lua:2: query parameter 'a': type must be one of" },
    ["with an unknown hook"] = { with_setup "app:on('conect', function() end)",
      "plugins/bad.lua:2: app:on does not know 'conect', did you mean 'connect'" },
    ["with a hook that is none"] = { with_setup "app:on('connect', 1)", "plugins/bad.lua:2: " },
    ["with an unknown option of a hook"] = { with_setup "app:on('connect', { on_eror = 'open' }, function() end)",
      "plugins/bad.lua:2: app:on does not know 'on_eror', did you mean 'on_error'" },
    ["with a hook that shall fail in another way"] =
      { with_setup "app:on('connect', { on_error = 'half' }, function() end)",
        "plugins/bad.lua:2: app:on: on_error must be 'open' or 'closed'" },
    ["with an option of another parameter"] = { with_setup "app:option('remove', 'x', function() end)",
      "plugins/bad.lua:2: app:option: the only parameter with options is 'add'" },
    ["with an option that is there already"] = { with_setup "app:option('add', 'origin', function() end)",
      "plugins/bad.lua:2: app:option: add=origin is there already (" },
    ["with a filter of a path that is none"] = { with_setup "app:before('x', function() end)",
      "plugins/bad.lua:2: app:before: 'x' must be a path" },
    ["with a static folder that is not there"] = { with_setup "app:static('/x', 'nowhere')",
      "plugins/bad.lua:2: app:static: there is no folder plugins/nowhere" },
    ["with a WebSocket of unknown handlers"] =
      { with_setup "app:websocket('/x', { auth = 'none' }, { mesage = function() end })",
        "plugins/bad.lua:2: " },
    ["that calls a method that app has not"] = { with_setup "app:fly('/x')", "plugins/bad.lua:2: " },
    ["that requires what it cannot have"] = { "local x = require 'socket'\nreturn x",
      "plugins/bad.lua:1: require 'socket': a plugin has 'chatty'" },
  }
  for what, case in pairs(refused) do
    it(what, function()
      local line = fault{ plugins = { bad = case[1] }, settings = { SCRIPT_SETUP_BUDGET = "100ms" } }
      assert.matches("^chatty: plugin bad: ", line)
      assert.matches(case[2], line, 1, true)
    end)
  end
end)

describe("two routes that are alike", function()
  local function route(path) return ("app:get('%s', { auth = 'none' }, function() end)"):format(path) end

  it("in one plugin do not load, and it is said where both are", function()
    local line = fault{ plugins = { bad = with_setup(route "/x" .. "\n" .. route "/x") } }
    assert.matches("plugins/bad.lua:3: GET /x is there already, as GET /x of plugin bad " ..
      "(plugins/bad.lua:2)", line, 1, true)
  end)

  it("in two plugins do not load, and it is said where both are", function()
    local line = fault{ plugins = { one = with_setup(route "/x"), two = with_setup(route "/x") } }
    assert.matches("plugin two: plugins/two.lua:2: GET /x is there already, as GET /x of plugin one " ..
      "(plugins/one.lua:2)", line, 1, true)
  end)

  it("are alike whatever their parameters are called", function()
    for _, pair in ipairs{ { "/x/:a", "/x/:b" }, { "/x/*a", "/x/*b" }, { "/:a/x/:b", "/:c/x/:d" } } do
      local line = fault{ plugins = { bad = with_setup(route(pair[1]) .. "\n" .. route(pair[2])) } }
      assert.matches(("GET %s is there already, as GET %s"):format(pair[2], pair[1]), line, 1, true)
    end
  end)

  it("of the server and of a plugin do not load", function()
    local line = fault{ plugins = { bad = with_setup(route "/healthz") } }
    assert.matches("GET /healthz is there already, as GET /healthz of plugin chatty", line, 1, true)
  end)

  it("are not alike with other methods or other kinds of segments", function()
    local found = owners{ plugins = { good = with_setup(table.concat({ route "/x/y", route "/x/:a", route "/x/*a",
      "app:post('/x/y', { auth = 'none' }, function() end)" }, "\n")) } }
    assert.same({ "good", "good", "good" }, { found["/x/y"], found["/x/:a"], found["/x/*a"] })
  end)
end)

describe("the options of a plugin", function()
  it("come to setup with their defaults", function()
    local chatty = server.start{ plugins = { greeter = [[
return { api = 1,
  options = {
    greeting = { type = "string", default = "hi", doc = "What to say." },
    rooms = { type = "list", default = {} },
    often = { type = "integer", default = 3, min = 1, max = 5 },
    loud = { type = "boolean", default = false },
    other = { type = "string" },
  },
  setup = function(app, options)
    app:get("/options", { auth = "none" }, function() return { json = options } end)
  end }]] } }
    assert.same({ greeting = "hi", rooms = {}, often = 3, loud = false }, chatty:request{ path = "/options" }.json())
  end)
end)

describe("the modules of a plugin", function()
  local function start(files) return server.start{ files = files } end

  it("are those of its own folder, each run once", function()
    local chatty = start{
      ["plugins/shop/init.lua"] = [[
local part, again, deep = require "part", require "part", require "deep.er"
return { api = 1, setup = function(app)
  app:get("/modules", { auth = "none" }, function()
    return { json = { part.name, part == again, deep.name, require("deep").name } }
  end)
end }]],
      ["plugins/shop/part.lua"] = 'return { name = "part" }',
      ["plugins/shop/deep/er.lua"] = 'return { name = "deeper" }',
      ["plugins/shop/deep/init.lua"] = 'return { name = "deep" }',
    }
    assert.same({ "part", true, "deeper", "deep" }, chatty:request{ path = "/modules" }.json())
  end)

  it("see chatty too", function()
    local chatty = start{
      ["plugins/shop/init.lua"] = 'return { api = 1, setup = require("part") }',
      ["plugins/shop/part.lua"] = [[
local chatty = require "chatty"
return function(app)
  app:get("/node", { auth = "none" }, function() return { text = chatty.node.version } end)
end]],
    }
    assert.matches("^%d+%.%d+%.%d+$", chatty:request{ path = "/node" }.body)
  end)

  it("may not lie elsewhere", function()
    for _, name in ipairs{ "..one", "../one", "/etc/passwd", "...", "", "one", "core.bus", "init.x", "os", "string",
      "a/b", "part\\0" } do
      local line = fault{ files = {
        ["plugins/one.lua"] = "return { api = 1, setup = function() end }",
        ["plugins/shop/init.lua"] = ("return { api = 1, setup = require('%s') }"):format(name),
      } }
      assert.matches("plugin shop: plugins/shop/init.lua:1: require '", line, 1, true)
    end
  end)

  it("are none for a plugin that is one file", function()
    local line = fault{ files = { ["plugins/one.lua"] = "require 'two'", ["plugins/two.lua"] = "return {}" } }
    assert.matches("plugin one: plugins/one.lua:1: require 'two': ", line, 1, true)
  end)

  it("that require themselves are told of", function()
    local line = fault{ files = {
      ["plugins/shop/init.lua"] = "require 'a'", ["plugins/shop/a.lua"] = "require 'b'",
      ["plugins/shop/b.lua"] = "require 'a'",
    } }
    assert.matches("require 'a': the module requires itself", line, 1, true)
  end)

  it("with errors are told of with their own file and line", function()
    local line = fault{ files = { ["plugins/shop/init.lua"] = "require 'a'", ["plugins/shop/a.lua"] = "\nlocal = 1" } }
    assert.matches("plugin shop: plugins/shop/a.lua:2: ", line, 1, true)
  end)
end)

describe("the world of a plugin", function()
  local chatty

  -- Answers with what an expression is, evaluated in the plugin's world.
  local PEEK = [[
return { api = 1, setup = function(app)
  app:post("/peek", { auth = "none" }, function(request)
    local f, message = load("return " .. request.body)
    if not f then return { text = "syntax: " .. message } end
    local ok, value = pcall(f)
    return { text = ok and type(value) or "error: " .. tostring(value) }
  end)
end }]]

  setup(function()
    chatty = server.start{ settings = { WORKERS = 1 }, plugins = {
      peek = PEEK,
      a_writer = [[
shared_by_mistake = "written"
string.upper = function() return "hijacked" end
table.insert = nil
local chatty = require "chatty"
chatty.notify, chatty.log.info, chatty.json.encode = nil, nil, nil
return { api = 1, setup = function(app)
  app:get("/mine", { auth = "none" }, function()
    return { json = { shared_by_mistake, string.upper("x"), ("x"):upper() } }
  end)
end }]],
    } }
  end)
  teardown(function() chatty:stop() end)

  local function peek(expression) return chatty:request{ path = "/peek", body = expression }.body end

  for _, name in ipairs{ "io", "debug", "package", "dofile", "loadfile", "collectgarbage", "os.execute", "os.exit",
    "os.getenv", "os.remove", "os.rename", "os.tmpname", "os.setlocale", "string.dump", "arg", "warn" } do
    it("has no " .. name, function() assert.equal("nil", peek(name)) end)
  end

  for _, name in ipairs{ "assert", "error", "pcall", "load", "select", "setmetatable", "tostring", "print", "require",
    "coroutine.wrap", "math.random", "string.format", "table.concat", "utf8.len", "os.time", "os.date", "os.clock" } do
    it("has " .. name, function() assert.equal("function", peek(name)) end)
  end

  it("has io or os when it needs and is granted them", function()
    local found = owners{ settings = { GRANT = "files:io, files:os" }, files = { word = "hello" }, plugins = {
      files = [[
        return { api = 1, needs = { io = true, os = true }, setup = function(app)
          local file = assert(io.open("word"))
          app:get("/" .. file:read("a") .. "/" .. type(os.getenv), { auth = "none" }, function() end)
          file:close()
        end }
      ]],
      other = [[
        return { api = 1, setup = function(app)
          app:get("/other/" .. type(io) .. "/" .. type(os.getenv), { auth = "none" }, function() end)
        end }
      ]],
    } }
    assert.equal("files", found["/hello/function"])
    assert.equal("other", found["/other/nil/nil"])
  end)

  it("has no way to load bytecode", function()
    assert.equal("nil", peek "load('\\27Lua')")
    assert.equal("nil", peek "load('\\27Lua', 'x', 'b')")
    assert.equal("nil", peek "load(string.gmatch('\\27Lua', '.+'), 'x', 'b')")
  end)

  it("is also that of what it loads", function()
    assert.equal("nil", peek "load('return io')()")
    assert.equal("nil", peek "load('return io', 'x', 't', nil)()")
    assert.equal("nil", peek "_G.io")
    assert.equal("table", peek "_G._G")
  end)

  it("has no door through metatables", function()
    assert.equal("boolean", peek "getmetatable('')")
    assert.matches("^error: ", peek "setmetatable('', {})")
    assert.matches("^error: ", peek "getmetatable('').__index")
  end)

  it("keeps its globals and libraries for itself", function()
    assert.same({ "written", "hijacked", "X" }, chatty:request{ path = "/mine" }.json())
    assert.equal("nil", peek "shared_by_mistake")
    assert.equal("string", peek "assert(string.upper('x') == 'X') and 'x'")
    assert.equal("function", peek "table.insert")
  end)

  it("keeps its module chatty for itself", function()
    assert.equal("function", peek "require('chatty').notify")
    assert.equal("function", peek "require('chatty').log.info")
    assert.equal(200, chatty:notify("channels:room-1", "x").status)
  end)

  it("ends with setup: nothing can be registered afterwards", function()
    local late = server.start{ settings = { WORKERS = 1 }, plugins = { late = [[
return { api = 1, setup = function(app)
  app:get("/late", { auth = "none" }, function() app:get("/later", { auth = "none" }, function() end) end)
end }]] } }
    assert.equal(500, late:request{ path = "/late" }.status)
    assert.is_truthy(late:wait_log "plugins/late%.lua:2: register in setup: the plugin runs already")
    assert.equal(404, late:request{ path = "/later" }.status)
  end)
end)
