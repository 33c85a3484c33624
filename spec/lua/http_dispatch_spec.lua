local lua_half = require "spec.support.lua_half"

describe("dispatch", function()
  local core

  local function start(setup, settings)
    core = lua_half.start({ settings = settings, plugins = { shop = ([[
      local chatty = require "chatty"
      return { api = 1, setup = function(app) %s end }
    ]]):format(setup) } })
  end

  local function ask(method, target, fields)
    fields = fields or {}
    fields.method, fields.target = method, target
    return lua_half.ask(core, fields)
  end

  it("gives a handler the request and sends what it returns", function()
    start([[app:get("/hello/:name", { auth = "none" }, function(request)
      return { json = { msg = "hi " .. request.params.name } }
    end)]])
    assert.same({ msg = "hi bob" }, ask("GET", "/hello/bob").json)
  end)

  it("answers 204 when a handler returns nothing", function()
    start([[app:delete("/x", { auth = "none" }, function() end)]])
    assert.equal(204, ask("DELETE", "/x").status)
  end)

  it("answers 404 where there is nothing", function()
    start("")
    local reply = ask("GET", "/nothing")
    assert.same({ 404, "not-found", "404" }, { reply.status, reply.error.code, reply.error.status })
  end)

  it("answers 405 for other methods, and names those it knows", function()
    start([[app:post("/x", { auth = "none" }, function() end)]])
    local reply = ask("GET", "/x")
    assert.same({ 405, "method-not-allowed", "OPTIONS, POST" },
      { reply.status, reply.error.code, reply.headers.allow })
  end)

  it("answers OPTIONS with the methods", function()
    start([[app:get("/x", { auth = "none" }, function() end)]])
    local reply = ask("OPTIONS", "/x")
    assert.same({ 204, "GET, HEAD, OPTIONS" }, { reply.status, reply.headers.allow })
    assert.equal(404, ask("OPTIONS", "/y").status)
  end)

  it("answers the preflight of a browser", function()
    start([[app:post("/x", { auth = "none" }, function() end)]])
    local reply = ask("OPTIONS", "/x", { headers = {
      origin = "http://other.example", host = "here", ["access-control-request-method"] = "POST",
      ["access-control-request-headers"] = "authorization, x-odd, bad header:",
    } })
    local allow = "access-control-allow-"
    assert.same({ 204, "*", "OPTIONS, POST", "authorization, x-odd, bad", "600" }, {
      reply.status, reply.headers[allow .. "origin"], reply.headers[allow .. "methods"],
      reply.headers[allow .. "headers"], reply.headers["access-control-max-age"],
    })
    assert.is_nil(reply.headers[allow .. "credentials"])
  end)

  it("answers a refusal, returned or raised, as an error object", function()
    start([[
      app:get("/a", { auth = "none" }, function() return chatty.refuse(403, "not-yours", "No.") end)
      app:get("/b", { auth = "none" }, function() error(chatty.refuse(409, "taken", "No.")) end)
    ]])
    assert.equal("not-yours", ask("GET", "/a").error.code)
    assert.equal("taken", ask("GET", "/b").error.code)
  end)

  it("answers 500 to an error and logs it with plugin, route, file and line", function()
    start([[app:get("/a", { auth = "none" }, function() local x; return x.y end)]])
    local reply = ask("GET", "/a")
    assert.same({ 500, "internal" }, { reply.status, reply.error.code })
    local line = core.log.lines[#core.log.lines]
    assert.equal("error", line.level)
    assert.matches("^plugin shop, GET /a: plugins/shop.lua:%d+: attempt to index a nil value", line.message)
    assert.matches("traceback", line.fields.traceback)
  end)

  it("answers 500 when what a handler returns is no response", function()
    start([[
      app:get("/a", { auth = "none" }, function() return "text" end)
      app:get("/b", { auth = "none" }, function() return { jsn = {} } end)
      app:get("/c", { auth = "none" }, function() return { json = print } end)
    ]])
    for _, path in ipairs({ "/a", "/b", "/c" }) do assert.equal(500, ask("GET", path).status) end
    assert.equal("plugin shop, GET /a at plugins/shop.lua:2: the handler returned a string: return a table such as "
      .. "{ json = ... }, or nothing", core.log.lines[#core.log.lines - 2].message)
  end)

  it("answers what `nil, message, code` means", function()
    start([[
      app:get("/a", { auth = "none" }, function() return nil, "the store is down", "UNAVAILABLE" end)
      app:get("/b", { auth = "none" }, function() return chatty.notify{ channels = {}, event = "e" } end)
    ]])
    assert.same({ 503, "the store is down" }, { ask("GET", "/a").status, ask("GET", "/a").error.detail })
    assert.same({ 400, "list-empty" }, { ask("GET", "/b").status, ask("GET", "/b").error.code })
  end)

  it("checks the guard before all else", function()
    start([[app:post("/a", { auth = "jwt", body = "json", query = {} }, function() end)]])
    assert.equal(401, ask("POST", "/a?x=1").status)
  end)

  it("checks the declared query before the handler", function()
    start([[
      local query = { n = { type = "integer", default = 3 } }
      app:get("/a", { auth = "none", query = query }, function(request)
        return { json = request.query.n }
      end)
    ]])
    assert.equal(3, ask("GET", "/a").json)
    assert.equal(4, ask("GET", "/a?n=4").json)
    assert.same({ parameter = "n" }, ask("GET", "/a?n=x").error.source)
    assert.equal("parameter-unknown", ask("GET", "/a?m=1").error.code)
  end)

  it("gives each request a query of its own, also when the same was read before", function()
    start([[
      app:get("/a", { auth = "none", query = { n = { type = "integer" } } }, function(request)
        request.query.n = request.query.n + 1
        return { json = request.query.n }
      end)
    ]])
    assert.equal(2, ask("GET", "/a?n=1").json)
    assert.equal(2, ask("GET", "/a?n=1").json)
  end)

  it("checks a query for each route by what that declares", function()
    start([[
      app:get("/a", { auth = "none", query = { n = { type = "integer" } } }, function() end)
      app:get("/b", { auth = "none", query = {} }, function() end)
    ]])
    for _ = 1, 2 do
      assert.equal(204, ask("GET", "/a?n=1").status)
      assert.equal("parameter-unknown", ask("GET", "/b?n=1").error.code)
    end
  end)

  it("gives each request path parameters of its own, also when the same was asked before", function()
    start([[
      app:get("/a/:x/*rest", { auth = "none" }, function(request)
        local seen = request.params.x .. " " .. request.params.rest
        request.params.x = "changed"
        return { text = seen }
      end)
    ]])
    for _ = 1, 2 do assert.equal("1 2/3", ask("GET", "/a/1/2/3").body) end
  end)

  it("tells methods apart, also when the same path was asked before", function()
    start([[
      app:get("/a", { auth = "none" }, function() return { text = "get" } end)
      app:post("/a", { auth = "none" }, function() return { text = "post" } end)
    ]])
    for _ = 1, 2 do
      assert.same({ "get", "post" }, { ask("GET", "/a").body, ask("POST", "/a").body })
      assert.equal(405, ask("PUT", "/a").status)
    end
  end)

  it("asks the guard each time", function()
    start([[app:get("/a", { auth = "jwt", query = {} }, function(request) return { text = request.user } end)]])
    core.token.known.t = { user = "ann", claims = "{}" }
    for _ = 1, 2 do
      assert.equal("ann", ask("GET", "/a", { headers = { authorization = "Bearer t" } }).body)
      assert.equal(401, ask("GET", "/a").status)
    end
  end)

  it("remembers no line of those who are not let in, or whose query is not good or not declared", function()
    start([[
      app:get("/a", { auth = "jwt" }, function() end)
      app:get("/b", { auth = "none", query = {} }, function() end)
      app:get("/c", { auth = "none" }, function() end)
    ]])
    local remembered = {}
    for i, target in ipairs({ "/a", "/b", "/b?x=1", "/c", "/c?token=x" }) do
      local _, state = ask("GET", target)
      remembered[i] = state.is_remembered
    end
    assert.same({ false, true, false, true, false }, remembered)
  end)

  it("shows filters the query as text, and handlers as it is declared", function()
    start([[
      local seen
      app:before("/*", function(request) seen = request.query.n end)
      app:get("/a", { auth = "none", query = { n = { type = "integer" } } }, function(request)
        return { json = { math.type(seen) or type(seen), math.type(request.query.n) } }
      end)
    ]])
    for _ = 1, 2 do assert.same({ "string", "integer" }, ask("GET", "/a?n=1").json) end
  end)

  it("leaves an undeclared query to the handler", function()
    start([[app:get("/a", { auth = "none" }, function(request) return { json = request.query.n } end)]])
    assert.equal("4", ask("GET", "/a?n=4&m=5").json)
    assert.equal("query-malformed", ask("GET", "/a?n=%").error.code)
  end)

  it("checks the declared body before the handler", function()
    start([[app:post("/a", { auth = "none", body = "json", body_max = 10 }, function(request)
      return { json = request.json.n }
    end)]])
    local headers = { ["content-type"] = "application/json" }
    assert.equal(1, ask("POST", "/a", { headers = headers, body = '{"n":1}' }).json)
    assert.equal(400, ask("POST", "/a", { headers = headers, body = '{"n":' }).status)
    assert.equal(413, ask("POST", "/a", { headers = headers, body = '{"n":12345678}' }).status)
    assert.equal(415, ask("POST", "/a", { body = '{"n":1}' }).status)
  end)

  it("negotiates where a route says so", function()
    start([[
      app:get("/a", { auth = "none", jsonapi = true }, function(request)
        return { json = request.wants_document }
      end)
    ]])
    assert.is_false(ask("GET", "/a").json)
    assert.is_true(ask("GET", "/a", { headers = { accept = "application/vnd.api+json" } }).json)
    local reply = ask("GET", "/a", { headers = { accept = "application/vnd.api+json;v=1" } })
    assert.same({ 406, "Accept" }, { reply.status, reply.headers.vary })
  end)

  describe("filters", function()
    it("run before the handlers below their path, and may refuse", function()
      start([[
        app:before("/a/*", function(request) return chatty.refuse(403, "closed", "Closed.") end)
        app:get("/a/b", { auth = "none" }, function() end)
        app:get("/a", { auth = "none" }, function() end)
      ]])
      assert.equal("closed", ask("GET", "/a/b").error.code)
      assert.equal(204, ask("GET", "/a").status)
    end)

    it("of all paths leave out those that tell how the server is, unless they name them", function()
      start([[
        app:before("/*", function() error("I am broken") end)
        app:before("/readyz", function() return chatty.refuse(403, "closed", "Closed.") end)
      ]])
      assert.same({ 500, 200, 403 },
        { ask("GET", "/metrics").status, ask("GET", "/healthz").status, ask("GET", "/readyz").status })
    end)

    it("know the user that the guard found", function()
      start([[
        app:before("/*", function(request) request.seen = request.user end)
        app:get("/a", { auth = "jwt" }, function(request) return { text = request.seen } end)
      ]])
      core.token.known.t = { user = "ann", claims = "{}" }
      assert.equal("ann", ask("GET", "/a", { headers = { authorization = "Bearer t" } }).body)
    end)

    it("run behind the handlers, also behind refusals and where there is nothing", function()
      start([[
        app:after("/*", function(_, response)
          response.headers["X-Seen"] = tostring(response.status)
        end)
        app:get("/a", { auth = "none" }, function() return { json = {}, status = 201 } end)
        app:get("/b", { auth = "jwt" }, function() end)
      ]])
      assert.equal("201", ask("GET", "/a").headers["x-seen"])
      assert.equal("401", ask("GET", "/b").headers["x-seen"])
      assert.equal("404", ask("GET", "/c").headers["x-seen"])
    end)

    it("change their own copy of a response", function()
      start([[
        local constant = { text = "x" }
        app:after("/a", function(request, response) response.headers["X-A"] = "1" end)
        app:get("/a", { auth = "none" }, function() return constant end)
        app:get("/b", { auth = "none" }, function() return constant end)
      ]])
      assert.equal("1", ask("GET", "/a").headers["x-a"])
      assert.is_nil(ask("GET", "/b").headers["x-a"])
    end)

    it("see every event that is posted, also those of a line that came before", function()
      start([[
        local count = 0
        app:before("/control/*", function() count = count + 1 end)
        app:after("/control/*", function(_, response) response.headers["X-Count"] = tostring(count) end)
      ]])
      for i = 1, 3 do
        local reply = lua_half.control(core, "POST", "/control/notify?method=users:a", { event = "e", attributes = {} })
        assert.same({ 200, tostring(i) }, { reply.status, reply.headers["x-count"] })
      end
    end)

    it("run by priority", function()
      core = lua_half.start({ plugins = {
        first = [[return { api = 1, priority = 1, setup = function(app)
          app:get("/", { auth = "none" }, function(request) return { text = request.word } end)
          app:before("/", function(request) request.word = (request.word or "") .. "low" end)
        end }]],
        second = [[return { api = 1, priority = 2, setup = function(app)
          app:before("/", function(request) request.word = (request.word or "") .. "high " end)
        end }]],
      } })
      assert.equal("high low", ask("GET", "/").body)
    end)
  end)
end)
