local lua_half = require "spec.support.lua_half"

describe("plugin", function()
  local function start(text, more)
    local plugins = more or {}
    plugins.shop = text
    return lua_half.start({ plugins = plugins })
  end

  local function line_of(text, more)
    return lua_half.line_of(start, text, more)
  end

  it("is checked, and what is wrong ends the start with one line", function()
    local mistakes = {
      ["return 7"] = ": the file must return the plugin, a table, and returns a number",
      ["return {}"] = ": it says api = nil, and this server speaks api = 1",
      ["return { api = 2 }"] = ": it says api = 2, and this server speaks api = 1",
      ["return { api = 1 }"] = ": setup must be a function, not nil",
      ["return { api = 1, priority = 'high' }"] = ": priority must be a number, not a string",
      ["return { api = 1, setup = print, needs = 7 }"] = ": needs must be a table, not a number",
      ["return { api = 1, setup = print, needs = { htp = {} } }"] =
        ": needs does not know 'htp', did you mean 'http'? (it knows debug, http, io, os)",
      ["return { api = 1, setup = print, needs = { http = {} } }"] =
        ": needs: http must be a list of hosts, each 'shop.example', 'shop.example:8080', '*.shop.example' or '*'",
      ["return {"] = ":1: unexpected symbol near <eof>",
      ["error('no')"] = ":1: no",
      ["return { api = 1, setup = function() error('no\\nway') end }"] = ":1: no way",
    }
    for text, line in pairs(mistakes) do
      assert.equal("plugin shop: plugins/shop.lua" .. line, line_of(text))
    end
  end)

  it("has no fields that nobody reads", function()
    local line = line_of("return { api = 1, prority = 1 }")
    assert.matches("^plugin shop: plugins/shop.lua: the plugin does not know 'prority'", line)
    assert.matches("did you mean 'priority'", line)
  end)

  it("may ask the hosts that it needs, and no others", function()
    local core = start([[
      local chatty = require "chatty"
      return { api = 1, needs = { http = { "a.example" } }, setup = function(app)
        app:get("/ask", { auth = "none" }, function()
          local answer = chatty.http.get("http://a.example/")
          local _, _, code = chatty.http.get("http://b.example/")
          return { json = { body = answer.body, code = code } }
        end)
      end }
    ]])
    core.http.answers["http://a.example/"] = { 200, {}, "hello" }
    assert.same({ body = "hello", code = "DENIED" }, lua_half.ask(core, { target = "/ask" }).json)
  end)

  it("may ask the hosts of the URLs that its options say", function()
    local core = lua_half.start{ texts = { PLUGIN_SHOP_URL = "http://a.example:81/told" }, plugins = { shop = [[
      local chatty = require "chatty"
      return { api = 1, options = { url = { type = "string" } }, setup = function(app, options)
        app:get("/ask", { auth = "none" }, function()
          local answer = chatty.http.get(options.url)
          local _, _, code = chatty.http.get("http://a.example/")
          return { json = { body = answer.body, code = code } }
        end)
      end }
    ]] } }
    core.http.answers["http://a.example:81/told"] = { 200, {}, "hello" }
    assert.same({ body = "hello", code = "DENIED" }, lua_half.ask(core, { target = "/ask" }).json)
  end)

  it("gets its options", function()
    local core = start([[
      local plugin = { api = 1, options = {
        greeting = { type = "string", default = "hello", doc = "What to say." },
        rooms = { type = "list", of = "string", default = {} },
      } }
      function plugin.setup(app, options)
        app:get("/o", { auth = "none" }, function()
          return { json = { options.greeting, #options.rooms } }
        end)
      end
      return plugin
    ]])
    assert.same({ "hello", 0 }, lua_half.ask(core, { target = "/o" }).json)
  end)

  it("declares its options well, and has a value for each that is required", function()
    local function with(option)
      return line_of(("return { api = 1, setup = print, options = { x = %s } }"):format(option))
    end
    assert.matches("option 'x': its default must be a whole number",
      with("{ type = 'integer', default = 'a' }"))
    assert.matches("option 'x' is required: set PLUGIN_SHOP_X", with(
      "{ type = 'string', required = true }"))
  end)

  it("is logged with the time that it took", function()
    local core = start("return { api = 1, setup = function() end }")
    local line = core.log.lines[1]
    assert.same({ "debug", "plugin shop loaded", "plugins/shop.lua" },
      { line.level, line.message, line.fields.file })
  end)

  describe("sandbox", function()
    -- What an expression is, evaluated in a plugin.
    local function value_of(expression, more)
      local core = start(([[
        return { api = 1, setup = function(app)
          app:get("/v", { auth = "none" }, function(request) return { text = tostring(%s) } end)
        end }
      ]]):format(expression), more)
      return lua_half.ask(core, { target = "/v" }).body
    end

    it("has no door to the machine", function()
      for _, name in ipairs({ "io", "debug", "dofile", "loadfile", "collectgarbage", "package", "os.execute",
        "os.exit", "os.remove", "os.getenv", "os.tmpname" }) do
        assert.equal("nil", value_of(name))
      end
    end)

    it("has the rest of Lua", function()
      for _, name in ipairs({ "pcall", "setmetatable", "string.format", "table.concat", "math.floor",
        "utf8.len", "coroutine.wrap", "os.time", "os.date" }) do
        assert.matches("^function", value_of(name))
      end
      assert.equal("3", value_of("load('return 1 + 2')()"))
      assert.equal("true", value_of("_G._G == _G and _G.pcall == pcall"))
    end)

    it("has finalizers for nobody", function()
      assert.matches("setmetatable: a plugin has no __gc",
        value_of("select(2, pcall(setmetatable, {}, { __gc = print }))"))
      assert.equal("1", value_of("setmetatable({}, { __index = { a = 1 } }).a"))
    end)

    it("sets nothing in what is protected", function()
      assert.equal("true", value_of("not pcall(rawset, request, 'user', 'bob')"))
      assert.equal("1", value_of("rawset({}, 'a', 1).a"))
    end)

    it("compiles no giants", function()
      assert.equal("a chunk may have at most 1048576 bytes", value_of("select(2, load((' '):rep(1048577)))"))
    end)

    it("gives libraries to those who need them, if they are granted", function()
      local function with(needs, grant)
        local ok, line = pcall(lua_half.start, { settings = { GRANT = grant or {} }, plugins = { shop = ([[
          return { api = 1, needs = { %s }, setup = function() assert(io.open and not debug and not os.exit) end }
        ]]):format(needs) } })
        return ok or line
      end
      assert.is_true(with("io = true", { "shop:io", "other:os" }))
      assert.equal("plugin shop: plugins/shop.lua: it needs 'io': allow that by the setting GRANT=shop:io",
        with("io = true", { "other:io", "shop:os" }))
      assert.equal("plugin shop: plugins/shop.lua: needs.io must be true", with("io = 1", { "shop:io" }))
      assert.matches("attempt to index a nil value", with(""))
    end)

    it("loads no bytecode", function()
      assert.equal("nil", value_of(("(load(%q))"):format(string.dump(function() end))))
    end)

    it("keeps its globals for itself", function()
      local core = start([[
        shared = 1
        string.upper = nil
        return { api = 1, setup = function() end }
      ]], { other = [[
        return { api = 1, setup = function(app)
          local text = tostring(shared) .. type(string.upper)
          app:get("/v", { auth = "none" }, function() return { text = text } end)
        end }
      ]] })
      assert.equal("nilfunction", lua_half.ask(core, { target = "/v" }).body)
      assert.is_nil(rawget(_G, "shared"))
    end)

    it("prints to the log", function()
      local core = start("print('a', 1) return { api = 1, setup = function() end }")
      assert.same({ level = "info", message = "a\t1", fields = { plugin = "shop" } }, core.log.lines[1])
    end)

    it("requires chatty, and modules of its own folder when it is a folder", function()
      local core = lua_half.start({ plugins = {
        ["shop/init"] = [[
          local prices = require "prices.list"
          return { api = 1, setup = function(app)
            app:get("/v", { auth = "none" }, function()
              local chatty = require "chatty"
              return { json = { prices.apple, require "prices.list" == prices, type(chatty.notify) } }
            end)
          end }
        ]],
        ["shop/prices/list"] = "return { apple = 7 }",
      } })
      assert.same({ 7, true, "function" }, lua_half.ask(core, { target = "/v" }).json)
    end)

    it("requires nothing else", function()
      for _, name in ipairs({ "io", "core.bus", "http.router", "../other", "a..b", "/etc/passwd" }) do
        assert.matches("plugins/shop.lua:1: require '.*': a plugin has 'chatty' and the modules",
          line_of(("require %q return { api = 1 }"):format(name)))
      end
    end)

    -- Notes what a plugin finds in the objects that it gets: keys that are no text, and what a table of its own
    -- is asked for by their methods.
    local PRYING <const> = [[
      local chatty = require "chatty"
      local found = {}
      local function note(what, key)
        if type(key) ~= "string" then found[#found + 1] = what .. " shows a " .. type(key) end
      end
      local function pry(what, object, methods)
        for key in pairs(object) do note(what, key) end
        local key = next(object)
        while key ~= nil do note(what, key) key = next(object, key) end
        for name, arguments in pairs(methods) do
          local own = setmetatable({}, {
            __index = function(_, asked) note(what .. " by " .. name, asked) end,
            __newindex = function(_, set) note(what .. " by " .. name, set) end,
          })
          pcall(object[name], own, table.unpack(arguments))
        end
        if getmetatable(object) then found[#found + 1] = what .. " has a metatable" end
      end
      return { api = 1, setup = function(app)
        pry("app", app, { get = { "/x", { auth = "none" }, print }, on = { "connect", print } })
        app:on("connect", function(session)
          session:send("e", {})
          pry("session", session, { send = { "e" }, close = {}, channels = {} })
        end)
        app:on("notify", function(event)
          pry("event", event, { get = { "a" }, set = { "a", 1 }, remove = { "a" }, replace = { {} }, raw = {} })
          local iterate = pairs(event.attributes)
          local key = iterate(setmetatable({}, { __value = event }))
          while key ~= nil do
            note("view", key)
            key = iterate(setmetatable({}, { __value = event }), key)
          end
        end)
        app:option("add", "pry", function(_, context) pry("context", context, {}) end)
        app:post("/pry", { auth = "none", body = "event" }, function(request)
          pry("request", request, { header = { "a" }, raw = { "a" } })
          chatty.notify{ channels = { "c" }, event = request.event, add = { "pry" } }
          return { json = found }
        end)
      end }
    ]]

    it("shows nothing of ours in the objects that plugins get", function()
      local core = start(PRYING)
      core.token.known.ann = { user = "ann", claims = "{}" }
      local bearer = { authorization = "Bearer ann" }
      local _, state = lua_half.ask(core, { target = "/ws", headers = bearer, is_upgrade = true })
      assert.is_truthy(state.session)
      local reply = lua_half.ask(core, { method = "POST", target = "/pry",
        body = '{"event":"e","attributes":{"a":1}}', headers = { ["content-type"] = "application/json" } })
      assert.same({}, reply.json)
      assert.equal(1, #core.bus.calls)
      assert.is_nil(core.log.lines[2]) -- the first tells that the plugin was loaded
    end)

    it("notices modules that require each other in a circle", function()
      assert.matches("the module requires itself", lua_half.line_of(lua_half.start, { plugins = {
        ["shop/init"] = "require 'a'", ["shop/a"] = "require 'b'", ["shop/b"] = "require 'a'",
      } }))
    end)
  end)
end)
