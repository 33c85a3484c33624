local lua_half = require "spec.support.lua_half"

describe("init", function()
  it("has every function that C calls", function()
    local core = lua_half.start()
    for _, name in ipairs({ "setup", "start", "stop", "on_request", "on_frame", "on_expiring",
      "on_disconnect", "on_socket_message", "on_socket_close" }) do
      assert.is_function(core.init[name])
    end
  end)

  it("sets up without asking the bus", function()
    assert.same({}, lua_half.start({ shipped = { "origin", "date_time" } }).bus.calls)
  end)

  it("greets at / with links, unless a plugin has something there", function()
    local core = lua_half.start()
    local reply = lua_half.ask(core, { target = "/" })
    assert.equal("text/html; charset=utf-8", reply.headers["content-type"])
    for _, path in ipairs({ "/ws", "/control/notify", "/healthz", "/metrics" }) do
      assert.is_truthy(reply.body:find(path, 1, true))
    end
    core = lua_half.start({ plugins = { shop = [[return { api = 1, setup = function(app)
      app:get("/*all", { auth = "none" }, function() return { text = "mine" } end)
    end }]] } })
    assert.equal("mine", lua_half.ask(core, { target = "/" }).body)
  end)

  it("is ready between start and stop, and runs the hooks of these", function()
    local core = lua_half.start({ plugins = { shop = [[
      local chatty = require "chatty"
      return { api = 1, setup = function(app)
        app:on("start", function() chatty.log.info("begins") end)
        app:on("stop", function() chatty.log.info("ends") end)
      end }
    ]] } })
    assert.equal(503, lua_half.ask(core, { target = "/readyz" }).status)
    core.init.start()
    assert.equal("begins", core.log.lines[#core.log.lines].message)
    assert.same({ 200, { status = "ready" } }, { lua_half.ask(core, { target = "/readyz" }).status,
      lua_half.ask(core, { target = "/readyz" }).json })
    core.init.stop()
    assert.equal("ends", core.log.lines[#core.log.lines].message)
    assert.equal("not-ready", lua_half.ask(core, { target = "/readyz" }).error.code)
  end)

  it("tells that it lives, and counts for Prometheus", function()
    local core = lua_half.start()
    assert.same({ status = "ok" }, lua_half.ask(core, { target = "/healthz" }).json)
    local reply = lua_half.ask(core, { target = "/metrics" })
    assert.same({ "text/plain; version=0.0.4; charset=utf-8", "chatty_sessions 0\n" },
      { reply.headers["content-type"], reply.body })
  end)

  it("tests tokens", function()
    local core = lua_half.start()
    core.token.known.t = { user = "ann", claims = "{}" }
    assert.same({ msg = "Authenticated with jwt", sub = "ann" },
      lua_half.ask(core, { target = "/auth/test-jwt", headers = { authorization = "Bearer t" } }).json)
    assert.equal(401, lua_half.ask(core, { target = "/auth/test-jwt" }).status)
  end)

  it("lists every route with plugin and guard", function()
    lua_half.start({ plugins = { shop = [[return { api = 1, setup = function(app)
      app:get("/a", { auth = function() end, doc = "A." }, print)
    end }]] } })
    local lines = {}
    for _, route in ipairs(require("http.router").list()) do
      lines[route.method .. " " .. route.path] = ("%s %s"):format(route.plugin, route.guard)
    end
    assert.same({
      ["GET /"] = "chatty none",
      ["GET /a"] = "shop function",
      ["GET /auth/test-jwt"] = "chatty jwt",
      ["GET /control/acks"] = "chatty control:notify", ["POST /control/batch"] = "chatty function",
      ["GET /control/why"] = "chatty control:search",
      ["GET /control/plugins"] = "chatty control:admin",
      ["GET /control/search/participants"] = "chatty control:search",
      ["GET /control/search/subscriptions"] = "chatty control:search",
      ["GET /control/search/users"] = "chatty control:search",
      ["GET /healthz"] = "chatty none",
      ["GET /metrics"] = "chatty none",
      ["GET /readyz"] = "chatty none",
      ["GET /socket.io/"] = "chatty none", ["POST /socket.io/"] = "chatty none",
      ["PUT /socket.io/"] = "chatty none", ["GET /events"] = "chatty none", ["GET /ws"] = "chatty none",
      ["POST /auth/login"] = "chatty none",
      ["POST /auth/logout"] = "chatty none",
      ["POST /auth/register"] = "chatty control:auth",
      ["POST /auth/token"] = "chatty control:auth",
      ["POST /control/disconnect"] = "chatty control:disconnect",
      ["POST /control/notify"] = "chatty control:notify",
      ["POST /control/reload"] = "chatty control:admin",
      ["POST /control/subscription/subscribe"] = "chatty control:subscribe",
      ["POST /control/subscription/unsubscribe"] = "chatty control:subscribe",
      ["PUT /auth/update-jwt-secret"] = "chatty control:admin",
    }, lines)
  end)
end)
