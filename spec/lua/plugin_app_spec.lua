local lua_half = require "spec.support.lua_half"

describe("app", function()
  -- The one line that ends the start when a plugin's setup does this.
  local function line_of(setup, more)
    local plugins = more or {}
    plugins.shop = ("local plugin = { api = 1 }\nfunction plugin.setup(app)\n%s\nend\nreturn plugin")
      :format(setup)
    return lua_half.line_of(lua_half.start, { plugins = plugins })
  end

  it("does not load a route that does not say who may", function()
    assert.equal("plugin shop: plugins/shop.lua:3: GET /x: say who may: auth = 'none', 'jwt', 'control' or a "
      .. "function", line_of([[app:get("/x", {}, function() end)]]))
  end)

  it("names the line of each mistake", function()
    local mistakes = {
      [ [[app:get("/x", { auth = "nobody" }, print)]] ] = "GET /x: auth must be",
      [ [[app:get("/x", { auth = "none", boddy = 1 }, print)]] ] =
        "GET /x does not know 'boddy', did you mean 'body'",
      [ [[app:get("/x", { auth = "none", body = "xml" }, print)]] ] =
        "body must be 'json', 'event' or 'document'",
      [ [[app:get("/x", { auth = "none" })]] ] = "GET /x: the handler must be a function, not nil",
      [ [[app:get("x", { auth = "none" }, print)]] ] = "the path 'x' must begin with /",
      [ [[app:get("/x", { auth = "none", query = { n = { type = "int" } } }, print)]] ] =
        "query parameter 'n': type must",
      [ [[app:on("conect", print)]] ] = "did you mean 'connect'",
      [ [[app:on("connect")]] ] = "the hook 'connect' must be a function",
      [ [[app:option("ad", "x", print)]] ] = "the only parameter with options is 'add'",
      [ [[app:option("add", "a b", print)]] ] = "the name may have letters",
      [ [[app:channel_name("x")]] ] = "the naming must be a function",
      [ [[app:before("a", print)]] ] = "app:before: 'a' must be a path",
      [ [[app:after("/a*", print)]] ] = "app:after: '/a%*' must be a path",
      [ [[app:static("/a", "nowhere")]] ] = "there is no folder plugins/nowhere",
      [ [[app:websocket("/a", { auth = "none" }, { opened = print })]] ] = "does not know 'opened'",
      [ [[app:evry(60, print)]] ] = "method 'evry'",
      [ [[app.get("/x", { auth = "none" }, print)]] ] = "call it with a colon",
      [ [[app.on("connect", print)]] ] = "call it with a colon",
    }
    for setup, expected in pairs(mistakes) do
      local line = line_of(setup)
      assert.matches("^plugin shop: plugins/shop.lua:3: ", line)
      assert.matches(expected, line)
    end
  end)

  it("does not load two routes alike and says where both are", function()
    assert.equal("plugin shop: plugins/shop.lua:3: GET /x/:b is there already, as GET /x/:a of plugin first "
      .. "(plugins/first.lua:2)", line_of([[app:get("/x/:b", { auth = "none" }, print)]], {
        first = "return { api = 1, setup = function(app)\napp:get('/x/:a', { auth = 'none' }, print) end }",
      }))
    assert.matches("POST /control/notify is there already, as POST /control/notify of plugin chatty",
      line_of([[app:post("/control/notify", { auth = "none" }, print)]]))
  end)

  it("does not load two options of one name", function()
    assert.equal("plugin shop: plugins/shop.lua:3: app:option: add=x is there already (plugins/first.lua:1)",
      line_of([[app:option("add", "x", print)]], {
        first = "return { api = 1, setup = function(app) app:option('add', 'x', print) end }",
      }))
  end)

  it("registers nothing any more when setup is over", function()
    local core = lua_half.start({ plugins = { shop = [[
      return { api = 1, setup = function(app)
        app:get("/late", { auth = "none" }, function() app:on("connect", print) end)
      end }
    ]] } })
    assert.equal(500, lua_half.ask(core, { target = "/late" }).status)
    assert.matches("register in setup", core.log.lines[#core.log.lines].message)
  end)

  it("serves the files of a folder beside the plugin", function()
    local core
    local plugins = { ["shop/init"] = [[
      return { api = 1, setup = function(app) app:static("/", "public") end }
    ]], ["shop/public/data"] = "text" }
    core = lua_half.start({ plugins = plugins })
    core.files.tree["plugins/shop/public/index.html"] = "<p>"
    assert.equal("<p>", lua_half.ask(core, { target = "/" }).body)
    assert.equal("text", lua_half.ask(core, { target = "/data.lua" }).body)
    assert.equal(404, lua_half.ask(core, { target = "/../init.lua" }).status)
    assert.equal(200, lua_half.ask(core, { method = "HEAD", target = "/data.lua" }).status)
  end)

  it("lets a plugin name channels", function()
    local core = lua_half.start({ plugins = { shop = [[
      return { api = 1, setup = function(app)
        app:channel_name(function(resource) return resource.type .. ":" .. resource.id end)
      end }
    ]] } })
    local reply = lua_half.control(core, "POST", "/control/subscription/subscribe?method=users:ann",
      '{"data":{"type":"room","id":1}}')
    assert.same({ "room:1" }, reply.json.channels)
  end)
end)
