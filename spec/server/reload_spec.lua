-- Reload: new code takes the place of the old between two events, in all workers or in none.
local client = require "spec.support.client"
local http = require "spec.support.http"
local server = require "spec.support.server"
local wait = require "spec.support.wait"

-- VERSION stands for the version. Handlers at the gate wait until somebody opens it.
local PLUGIN = [[
  local chatty = require "chatty"
  local plugin = { api = 1 }
  local version, visits = "VERSION", 0

  local function pass_gate(name)
    chatty.log.info("at the gate: " .. name)
    repeat chatty.sleep(0) until chatty.shared.get(name)
    return version
  end

  function plugin.setup(app)
    app:get("/version", { auth = "none" }, function() return { text = version } end)
    app:get("/only-VERSION", { auth = "none" }, function() return { text = "here" } end)
    app:get("/gate/:name", { auth = "none" }, function(request) return { text = pass_gate(request.params.name) } end)
    app:post("/open/:name", { auth = "none" }, function(request) chatty.shared.set(request.params.name, true) end)
    app:get("/visits", { auth = "none" }, function() visits = visits + 1 return { text = tostring(visits) } end)
    app:on("start", function(what)
      chatty.log.info("started " .. version, { reload = what.is_reload })
      chatty.spawn(function()
        local _ <close> = setmetatable({}, { __close = function() chatty.log.info("loop ends " .. version) end })
        while true do
          chatty.sleep(0.01)
          chatty.shared.increment("ticks " .. version, 1)
        end
      end)
    end)
    app:get("/count/:what/:of", { auth = "none" }, function(request)
      return { text = tostring(chatty.shared.get(request.params.what .. " " .. request.params.of) or 0) }
    end)
    app:every(0.05, function() chatty.shared.increment("beats " .. version, 1) end)
    app:every(0.05, function()
      if chatty.shared.get("wanted") then
        chatty.shared.delete("wanted")
        chatty.log.info("timer: " .. pass_gate("timer"))
      end
    end)
    app:post("/spawn", { auth = "none" }, function()
      chatty.spawn(function() chatty.log.info("spawned: " .. pass_gate("spawned")) end)
    end)
    app:on("stop", function() chatty.log.info("stopped " .. version) end)
  end

  function plugin.on_unload() return { visits = visits } end
  function plugin.on_load(state) visits = state.visits end

  return plugin
]]

local function version(number) return (PLUGIN:gsub("VERSION", number)) end

local function start(settings)
  return server.start{ plugins = { shop = version("1") }, settings = settings }
end

local function write_file(chatty, path, text)
  local file <close> = assert(io.open(("%s/%s"):format(chatty.folder, path), "wb"))
  file:write(text)
end

local function write(chatty, source, name)
  write_file(chatty, ("plugins/%s.lua"):format(name or "shop"), source)
end

local function get(chatty, path)
  local response = assert(chatty:request{ path = path })
  return response.status == 200 and response.body or response.status
end

-- Sends a request whose answer is awaited later.
local function ask(chatty, method, path)
  local connection = assert(client.tcp(chatty.port))
  connection:write(http.encode({ method = method, path = path,
    headers = { ["X-API-Key"] = chatty.settings.CONTROL_KEY } }, "localhost"))
  return connection
end

local function reload(chatty)
  local response = chatty:control("POST", "/control/reload")
  return response.status, response.json()
end

local function count(chatty, what)
  local found = 0
  for _, line in ipairs(chatty:log()) do
    if line:find(what, 1, true) then found = found + 1 end
  end
  return found
end

describe("a reload", function()
  it("brings new code, on all workers when it is answered #threads", function()
    local chatty = start{ WORKERS = 4 }
    for number = 2, 5 do
      write(chatty, version(number))
      assert.same({ 200, { msg = "Reloaded.", generation = number } }, { reload(chatty) })
      for _ = 1, 20 do assert.equal(tostring(number), get(chatty, "/version")) end
      assert.equal("here", get(chatty, "/only-" .. number))
      assert.equal(404, get(chatty, "/only-" .. number - 1))
    end
    assert.equal(5, chatty:metric "reload_generation")
    assert.equal(4, chatty:metric "reloads_total")
    assert.equal(4, chatty:wait_metric("lua_states", 4))
  end)

  it("lets handlers that wait finish on the old code #threads", function()
    local chatty = start()
    local old = ask(chatty, "GET", "/gate/a")
    assert.is_truthy(chatty:wait_log("at the gate"))
    write(chatty, version("2"))
    assert.equal(200, (reload(chatty)))
    local new = ask(chatty, "GET", "/gate/a")
    assert.is_true(wait.until_(function() return count(chatty, "at the gate") == 2 end))
    assert.equal(3, chatty:wait_metric("lua_states", 3))
    chatty:request{ method = "POST", path = "/open/a" }
    assert.equal("1", http.read(old).body)
    assert.equal("2", http.read(new).body)
    assert.equal(2, chatty:wait_metric("lua_states", 2))
  end)

  it("does not double timers, nor the loops of start hooks", function()
    local chatty = start()
    local function count_of(path) return tonumber(get(chatty, "/count/" .. path)) end
    assert.is_true(wait.until_(function() return count_of("ticks/1") > 2 and count_of("beats/1") > 2 end))
    write(chatty, version("2"))
    reload(chatty)
    assert.is_truthy(chatty:wait_log("loop ends 1"))
    local ticks, beats = count_of("ticks/1"), count_of("beats/1")
    assert.is_true(wait.until_(function() return count_of("ticks/2") > 10 and count_of("beats/2") > 2 end))
    assert.same({ ticks, beats }, { count_of("ticks/1"), count_of("beats/1") })
  end)

  it("lets a timer that runs, and what handlers spawned, finish on the old code", function()
    local chatty = start{ WORKERS = 1 }
    chatty:request{ method = "POST", path = "/open/wanted" }
    assert.is_truthy(chatty:wait_log("at the gate: timer"))
    chatty:request{ method = "POST", path = "/spawn" }
    assert.is_truthy(chatty:wait_log("at the gate: spawned"))
    write(chatty, version("2"))
    reload(chatty)
    assert.equal("2", get(chatty, "/version"))
    for _, name in ipairs{ "spawned", "timer" } do chatty:request{ method = "POST", path = "/open/" .. name } end
    assert.is_truthy(chatty:wait_log("spawned: 1"))
    assert.is_truthy(chatty:wait_log("timer: 1"))
    assert.equal(1, chatty:wait_metric("lua_states", 1))
  end)

  it("runs start hooks, and stop hooks at the end only", function()
    local chatty = start()
    write(chatty, version("2"))
    reload(chatty)
    assert.is_truthy(chatty:wait_log("started 1 .*reload=false"))
    assert.is_truthy(chatty:wait_log("started 2 .*reload=true"))
    chatty:stop()
    assert.same({ 0, 1 }, { count(chatty, "stopped 1"), count(chatty, "stopped 2") })
  end)

  it("hands over what on_unload returns, on each worker", function()
    local chatty = start{ WORKERS = 1 }
    assert.equal("1", get(chatty, "/visits"))
    for i = 2, 4 do
      reload(chatty)
      assert.equal(tostring(i), get(chatty, "/visits"))
    end
  end)

  it("comes with SIGHUP too", function()
    local chatty = start()
    write(chatty, version("2"))
    chatty:send_signal("sighup")
    assert.is_truthy(chatty:wait_log("reloaded generation=2"))
    assert.equal("2", get(chatty, "/version"))
  end)

  it("comes by itself when a file changes, where it is watched", function()
    local chatty = start{ WATCH = "true" }
    write(chatty, version("2"))
    assert.is_truthy(chatty:wait_log("reloaded generation=2"))
    assert.equal("2", get(chatty, "/version"))
    write(chatty, "return", "other")
    assert.is_truthy(chatty:wait_log("not reloaded.*plugin other"))
    assert(os.remove(chatty.folder .. "/plugins/other.lua"))
    assert.is_truthy(chatty:wait_log("reloaded generation=3"))
  end)

  it("reads the options of plugins anew", function()
    local chatty = server.start{ settings = { WATCH = "true" },
      files = { ["options.lua"] = "return { shop = { say = 'one' } }" }, plugins = { shop = [[
        local plugin = { api = 1, options = { say = { type = "string", max = 3 } } }
        function plugin.setup(app, options)
          app:get("/say", { auth = "none" }, function() return { text = options.say } end)
        end
        return plugin
      ]] } }
    assert.equal("one", get(chatty, "/say"))
    write_file(chatty, "options.lua", "return { shop = { say = 'four' } }")
    assert.is_truthy(chatty:wait_log("not reloaded.*plugin shop: .*option 'say'"))
    assert.equal("one", get(chatty, "/say"))
    write_file(chatty, "options.lua", "return { shop = { say = 'two' } }")
    assert.is_truthy(chatty:wait_log("reloaded generation=2"))
    assert.equal("two", get(chatty, "/say"))
    write_file(chatty, ".env", "PLUGIN_SHOP_SAY=six\nDEV_PLUGIN_SHOP_SAY=ten\n")
    assert.is_truthy(chatty:wait_log("reloaded generation=3"))
    assert.equal("ten", get(chatty, "/say"))
    write_file(chatty, ".env", 'PLUGIN_SHOP_SAY="one')
    assert.is_truthy(chatty:wait_log("not reloaded.*%.env line 1"))
    assert.equal("ten", get(chatty, "/say"))
    assert(os.remove(chatty.folder .. "/.env"))
    assert.is_truthy(chatty:wait_log("reloaded generation=4"))
    assert.equal("two", get(chatty, "/say"))
  end)

  it("takes options of the environment before those of .env", function()
    local chatty = server.start{ settings = { PLUGIN_SHOP_SAY = "env" }, plugins = { shop = [[
      local plugin = { api = 1, options = { say = { type = "string" } } }
      function plugin.setup(app, options)
        app:get("/say", { auth = "none" }, function() return { text = options.say } end)
      end
      return plugin
    ]] } }
    write_file(chatty, ".env", "PLUGIN_SHOP_SAY=file\n")
    reload(chatty)
    assert.equal("env", get(chatty, "/say"))
  end)

  it("does not double what plugins count", function()
    local chatty = server.start{ plugins = { shop = [[local chatty = require "chatty"
      return { api = 1, setup = function(app)
        local visits = chatty.metrics.counter("visits_total", "Visits.")
        app:get("/visit", { auth = "none" }, function() visits:add(1) end)
      end }]] } }
    for _ = 1, 3 do
      chatty:request{ path = "/visit" }
      reload(chatty)
    end
    local page = chatty:request{ path = "/metrics" }.body
    assert.matches('\nchatty_plugin_visits_total{plugin="shop"} 3\n', page, 1, true)
    assert.equal(1, select(2, page:gsub("# TYPE chatty_plugin_visits_total ", "")))
  end)

  it("is done once for all who asked meanwhile, in turn #threads", function()
    local chatty, asked = start(), {}
    for i = 1, 30 do asked[i] = ask(chatty, "POST", "/control/reload") end
    for _, connection in ipairs(asked) do assert.equal(200, http.read(connection).status) end
    local generation = chatty:metric "reload_generation"
    assert.is_true(generation >= 2 and generation <= 31)
    assert.equal(generation - 1, chatty:metric "reloads_total")
    assert.equal(2, chatty:wait_metric("lua_states", 2))
  end)

  it("only tries with dryRun", function()
    local chatty = start()
    write(chatty, version("2"))
    assert.same({ msg = "Would reload", dryRun = true, generation = 1 },
      chatty:control("POST", "/control/reload?dryRun=true").json())
    assert.equal("1", get(chatty, "/version"))
    write(chatty, "return {}")
    assert.equal(409, chatty:control("POST", "/control/reload?dryRun=true").status)
    assert.equal(0, chatty:metric "reload_failures_total")
    assert.equal(2, chatty:metric "lua_states")
  end)

  it("needs all control rights", function()
    local chatty = start()
    local narrow = chatty:token{ sub = "app", scope = "control:notify" }
    local response = chatty:request{ method = "POST", path = "/control/reload",
      headers = { Authorization = "Bearer " .. narrow } }
    assert.equal(403, response.status)
    assert.equal(401, chatty:request{ method = "POST", path = "/control/reload" }.status)
    assert.equal(1, chatty:metric "reload_generation")
  end)
end)

describe("a reload that cannot be", function()
  local HEAD = 'local plugin = { api = 1 }\n'
  local faults = {
    ["a syntax error"] = { "local x = = 1", 1, "unexpected symbol near '='" },
    ["an error at load"] = { "\nlocal t = nil\nt.x = 1", 3, "attempt to index a nil value" },
    ["an error in setup"] = { HEAD .. "function plugin.setup()\n  error('oops')\nend\nreturn plugin", 3, "oops" },
    ["a hook that does not exist"] =
      { HEAD .. "function plugin.setup(app)\n  app:on('nofity', print)\nend\nreturn plugin", 3, "'nofity'" },
  }

  local WITH_CHATTY = "local chatty = require 'chatty'\n" .. HEAD .. "function plugin.setup()\n  %s\nend\nreturn plugin"
  faults["a spawned function in setup"] = { WITH_CHATTY:format("chatty.spawn(print)"), 4, "in the hook start" }
  faults["a token in setup"] = { WITH_CHATTY:format("chatty.token.make({ sub = 'ann' })"), 4, "no tokens in setup" }
  faults["something that waits in setup"] = { WITH_CHATTY:format("chatty.sleep(1)"), 4, "not at load time, in setup" }

  local chatty

  before_each(function() chatty = start{ WORKERS = 2 } end)

  for what, fault in pairs(faults) do
    it("because of " .. what .. " keeps the old code and says where it is", function()
      write(chatty, fault[1])
      local status, body = reload(chatty)
      local found = body.errors[1]
      assert.same({ 409, "reload-failed", { plugin = "shop", file = "plugins/shop.lua", line = fault[2] } },
        { status, found.code, found.meta })
      assert.matches(fault[3], found.detail, 1, true)
      assert.is_truthy(chatty:wait_log("not reloaded, the running plugins stay .*plugins/shop.lua:" .. fault[2]))
      assert.equal("1", get(chatty, "/version"))
      assert.equal(0, chatty:metric "reload_ok")
      assert.equal(200, get(chatty, "/readyz") and chatty:request{ path = "/readyz" }.status)
      assert.equal(2, chatty:metric "lua_states")
    end)
  end

  it("because of a wrong option keeps the old code", function()
    write(chatty, "return { api = 1, options = { size = { type = 'colour' } }, setup = print }")
    local status, body = reload(chatty)
    assert.same({ 409, "reload-failed" }, { status, body.errors[1].code })
    assert.matches("plugin shop: .*size", body.errors[1].detail)
  end)

  it("because setup does not end is stopped, and keeps the old code", function()
    chatty = start{ SCRIPT_SETUP_BUDGET = "50ms" }
    write(chatty, HEAD .. "function plugin.setup()\n  while true do pcall(function() end) end\nend\nreturn plugin")
    local status, body = reload(chatty)
    assert.same({ 409, { plugin = "shop", file = "plugins/shop.lua", line = 3 } }, { status, body.errors[1].meta })
    assert.matches("SCRIPT_SETUP_BUDGET", body.errors[1].detail)
    assert.equal("1", get(chatty, "/version"))
  end)

  it("because setup fills the memory is stopped, and keeps the old code", function()
    chatty = start{ SCRIPT_MEMORY_MAX = "16mb" }
    write(chatty, HEAD .. "function plugin.setup()\n  local t = {}\n"
      .. "  while true do t[#t + 1] = ('x'):rep(9999) .. #t end\nend\nreturn plugin")
    local status, body = reload(chatty)
    assert.same({ 409, { plugin = "shop", file = "plugins/shop.lua", line = 4 } }, { status, body.errors[1].meta })
    assert.matches("SCRIPT_MEMORY_MAX", body.errors[1].detail)
    assert.equal("1", get(chatty, "/version"))
  end)

  it("is not so because of what is handed over, without which the new code begins", function()
    local bad = { ["while true do end"] = "SCRIPT_BUDGET", ["error('oops')"] = "oops",
      ["return { print }"] = "cannot be handed over", ["require('chatty').users.count()"] = "nothing can wait" }
    for body, complaint in pairs(bad) do
      local source = version("2"):gsub("return { visits = visits }", function() return body end)
      write(chatty, source)
      assert.equal(200, (reload(chatty)))
      get(chatty, "/visits")
      assert.equal(200, (reload(chatty)))
      assert.is_truthy(chatty:wait_log("plugin shop, on_unload: .*" .. complaint))
      assert.equal("1", get(chatty, "/visits"))
    end
  end)

  it("is over with the next one that can", function()
    write(chatty, "return {}")
    reload(chatty)
    assert.equal(0, chatty:metric "reload_ok")
    write(chatty, version("9"))
    assert.equal(200, (reload(chatty)))
    assert.equal("9", get(chatty, "/version"))
    assert.equal(1, chatty:metric "reload_ok")
  end)
end)

describe("a parked plugin", function()
  it("is revived by a reload", function()
    local chatty = server.start{ settings = { SCRIPT_BUDGET = "20ms", OVERRUNS_MAX = 1, WORKERS = 2 }, plugins = {
      shop = [[return { api = 1, setup = function(app)
        app:get("/loop", { auth = "none" }, function() while true do end end)
        app:get("/version", { auth = "none" }, function() return { text = "1" } end)
      end }]] } }
    assert.equal(500, get(chatty, "/loop"))
    for _ = 1, 10 do
      assert.is_true(wait.until_(function() return get(chatty, "/version") == 503 end))
    end
    write(chatty, version("2"))
    reload(chatty)
    for _ = 1, 10 do assert.equal("2", get(chatty, "/version")) end
  end)
end)

describe("old code", function()
  it("is cancelled when it runs on for too long", function()
    local chatty = start{ RELOAD_TIMEOUT = "50ms", WORKERS = 1 }
    local old = ask(chatty, "GET", "/gate/a")
    assert.is_truthy(chatty:wait_log("at the gate"))
    reload(chatty)
    assert.is_truthy(chatty:wait_log("1 handlers of generation 1 were cancelled.*RELOAD_TIMEOUT"))
    assert.equal(500, http.read(old).status)
    assert.equal(1, chatty:wait_metric("lua_states", 1))
  end)

  it("may be of so many generations, then a reload waits", function()
    local chatty = start{ RELOAD_OLD_MAX = 2, WORKERS = 1 }
    local waiting = {}
    for i = 1, 2 do
      waiting[i] = ask(chatty, "GET", "/gate/" .. i)
      assert.is_truthy(chatty:wait_log("at the gate: " .. i))
      reload(chatty)
    end
    assert.equal(3, chatty:wait_metric("lua_states", 3))
    local third = ask(chatty, "POST", "/control/reload")
    assert.equal("1", get(chatty, "/version"))
    assert.equal(3, chatty:metric "reload_generation")
    chatty:request{ method = "POST", path = "/open/2" }
    assert.equal("1", http.read(waiting[2]).body)
    assert.equal(200, http.read(third).status)
    assert.equal(4, chatty:metric "reload_generation")
    chatty:request{ method = "POST", path = "/open/1" }
    assert.equal("1", http.read(waiting[1]).body)
  end)

  it("does not keep the server from stopping #threads", function()
    local chatty = start{ STOP_TIMEOUT = "100ms" }
    ask(chatty, "GET", "/gate/a")
    assert.is_truthy(chatty:wait_log("at the gate"))
    reload(chatty)
    for _ = 1, 5 do ask(chatty, "POST", "/control/reload") end
    chatty:send_signal("sighup")
    assert.equal(0, chatty:stop())
  end)
end)
