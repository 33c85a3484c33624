-- Every handler may wait, everywhere: in routes and hooks, in coroutines of its own, in pcall.
local client = require "spec.support.client"
local server = require "spec.support.server"
local tcp = require "spec.support.tcp"
local http = require "spec.support.http"

-- GET /wait/<name> runs the function of that name and answers what it gives.
local PLUGIN = [[
  local chatty = require "chatty"
  local plugin = { api = 1 }
  local ways = {}

  function ways.plain()
    local began = chatty.time.monotonic()
    chatty.sleep(0.05)
    return chatty.time.monotonic() - began
  end

  function ways.busy()
    local began = chatty.time.monotonic()
    repeat until chatty.time.monotonic() - began >= 0.04
    return ways.plain()
  end

  function ways.nothing() chatty.sleep(0) return "back" end

  function ways.often()
    for i = 1, 100 do chatty.sleep(0) end
    return 100
  end

  function ways.pcall()
    local ok, value = pcall(function() chatty.sleep(0.01) return "in pcall" end)
    return { ok, value }
  end

  function ways.pcall_error()
    local ok, message = pcall(function() chatty.sleep(0.01) error("after the wait", 0) end)
    return { ok, message }
  end

  function ways.xpcall()
    local function handle(message) return "handled: " .. message end
    local ok, message = xpcall(function() chatty.sleep(0.01) error("after", 0) end, handle)
    return { ok, message }
  end

  function ways.deep()
    local function descend(n)
      if n == 0 then chatty.sleep(0.01) return 0 end
      local ok, value = pcall(descend, n - 1)
      return value + 1
    end
    return descend(50)
  end

  function ways.coroutine()
    local co = coroutine.create(function(a)
      chatty.sleep(0.01)
      local b = coroutine.yield(a + 1)
      chatty.sleep(0.01)
      return b * 2
    end)
    local _, first = coroutine.resume(co, 1)
    local _, second = coroutine.resume(co, 21)
    return { first, second, coroutine.status(co) }
  end

  function ways.nested()
    local inner = coroutine.wrap(function()
      for i = 1, 3 do chatty.sleep(0.001) coroutine.yield(i) end
    end)
    local outer = coroutine.wrap(function()
      for i = 1, 3 do chatty.sleep(0.001) coroutine.yield(inner() * 10) end
    end)
    return { outer(), outer(), outer() }
  end

  function ways.iterator()
    local function numbers(n)
      return coroutine.wrap(function()
        for i = 1, n do chatty.sleep(0) coroutine.yield(i) end
      end)
    end
    local sum = 0
    for i in numbers(10) do sum = sum + i end
    return sum
  end

  function ways.coroutine_error()
    local co = coroutine.create(function() chatty.sleep(0.01) error("inside", 0) end)
    local ok, message = coroutine.resume(co)
    return { ok, message, coroutine.status(co) }
  end

  function ways.wrap_error()
    local f = coroutine.wrap(function() chatty.sleep(0.01) error("inside", 0) end)
    return { pcall(f) }
  end

  function ways.metamethod()
    local lazy = setmetatable({}, { __index = function(_, key) chatty.sleep(0.01) return key .. "!" end })
    return lazy.found
  end

  function ways.iteration()
    local found = {}
    local function step(_, i) chatty.sleep(0) if i < 3 then return i + 1 end end
    for i in step, nil, 0 do found[#found + 1] = i end
    return found
  end

  function ways.closed()
    local order = {}
    do
      local function close() chatty.sleep(0.01) order[1] = "closed" end
      local guard <close> = setmetatable({}, { __close = close })
    end
    return order
  end

  function ways.store()
    chatty.subscribe({ "waiter" }, { "wait-1" })
    local ok, list = pcall(chatty.search.subscriptions, "waiter")
    return coroutine.wrap(function() return chatty.search.subscriptions("waiter") end)()
  end

  function ways.spawned()
    local got
    chatty.spawn(function(a, b) chatty.sleep(0.01) got = a .. b end, "a", "b")
    local before = got == nil
    while got == nil do chatty.sleep(0.001) end
    return { before, got }
  end

  function ways.spawned_error()
    chatty.spawn(function() chatty.sleep(0.01) error("in the spawned one") end)
    return "sent"
  end

  function ways.sort()
    local list = { 3, 1, 2 }
    table.sort(list, function(a, b) chatty.sleep(0) return a < b end)
  end

  function ways.gsub()
    return (("abc"):gsub(".", function(c) chatty.sleep(0) return c end))
  end

  function ways.sort_in_coroutine()
    local co = coroutine.wrap(function()
      local list = { 2, 1 }
      table.sort(list, function(a, b) chatty.sleep(0) return a < b end)
    end)
    co()
  end

  function ways.sort_afterwards()
    local ok, message = pcall(ways.sort)
    chatty.sleep(0.01)
    return { ok, message:match("Lua cannot wait inside") }
  end

  function ways.yield() coroutine.yield("nothing to wait for") end

  function ways.negative() chatty.sleep(-1) end

  function ways.text() chatty.sleep("soon") end

  function ways.nan() chatty.sleep(0/0) end

  function ways.refused()
    chatty.sleep(0.01)
    return chatty.refuse(409, "late-no", "No, after all.")
  end

  function ways.raised()
    chatty.sleep(0.01)
    error(chatty.refuse(409, "late-no", "No, after all."))
  end

  function ways.broken()
    chatty.sleep(0.01)
    local x = nil
    return x.y
  end

  local gate = { waiting = 0 }

  function plugin.setup(app)
    app:get("/wait/:way", { auth = "none" }, function(request)
      local value = ways[request.params.way]()
      if type(value) == "table" and value.status then return value end
      return { json = { value = value } }
    end)
    app:get("/gate/enter", { auth = "none" }, function()
      gate.waiting = gate.waiting + 1
      while not gate.is_open do chatty.sleep(0.002) end
      gate.waiting = gate.waiting - 1
      return { text = "through" }
    end)
    app:get("/gate/open", { auth = "none" }, function()
      gate.is_open = true
      return { json = gate.waiting }
    end)
    app:get("/gate/waiting", { auth = "none" }, function() return { json = gate.waiting } end)
    app:get("/last", { auth = "none" }, function()
      chatty.sleep(0.1)
      chatty.log.info("the last one ends")
      return { text = "last" }
    end)
  end
  return plugin
]]

-- What stands before the message of a handler's error in the log.
local PLACE = "plugin wait, GET /wait/:way: plugins/wait%.lua:%d+: "

describe("a handler that waits", function()
  local chatty

  setup(function()
    -- The gate is a worker's own.
    chatty = server.start{ settings = { WORKERS = 1 }, plugins = { wait = PLUGIN } }
  end)

  teardown(function() chatty:stop() end)

  local function go(way)
    return chatty:request{ path = "/wait/" .. way }
  end

  local function value_of(way)
    local response = go(way)
    return response.status == 200 and response.json().value or response.body
  end

  it("goes on when the time is over", function()
    local seconds = value_of("plain")
    assert.is_true(seconds >= 0.05 and seconds < 5, seconds)
  end)

  it("waits no less when it worked in the same turn before", function()
    local seconds = value_of("busy")
    assert.is_true(seconds >= 0.05, seconds)
  end)

  it("may wait for nothing but its next turn", function()
    assert.equal("back", value_of("nothing"))
    assert.equal(100, value_of("often"))
  end)

  for way, expected in pairs{
    pcall = { true, "in pcall" },
    pcall_error = { false, "after the wait" },
    xpcall = { false, "handled: after" },
    deep = 50,
    coroutine = { 2, 42, "dead" },
    nested = { 10, 20, 30 },
    iterator = 55,
    coroutine_error = { false, "inside", "dead" },
    wrap_error = { false, "inside" },
    metamethod = "found!",
    iteration = { 1, 2, 3 },
    closed = { "closed" },
    store = { "wait-1" },
    spawned = { true, "ab" },
    sort_afterwards = { false, "Lua cannot wait inside" },
  } do
    it("gives the right thing in " .. way, function()
      assert.same(expected, value_of(way))
    end)
  end

  for _, way in ipairs{ "sort", "gsub", "sort_in_coroutine" } do
    it("where Lua cannot wait is told so, with plugin, file and line: " .. way, function()
      assert.equal(500, go(way).status)
      assert.is_string(chatty:wait_log(PLACE .. "this function waits, and Lua cannot wait inside"))
    end)
  end

  it("that yields without waiting is told so", function()
    assert.equal(500, go("yield").status)
    assert.is_string(chatty:wait_log(PLACE .. "it yielded without waiting for anything"))
  end)

  for _, way in ipairs{ "negative", "text", "nan" } do
    it("for no number of seconds is told so: " .. way, function()
      assert.equal(500, go(way).status)
      assert.is_string(chatty:wait_log("plugins/wait%.lua:%d+: bad argument #1 to '[%w_]*'"))
    end)
  end

  for _, way in ipairs{ "refused", "raised" } do
    it("may refuse afterwards: " .. way, function()
      local response = go(way)
      assert.same({ 409, "late-no" }, { response.status, response.json().errors[1].code })
    end)
  end

  it("that fails afterwards is 500, and logged with plugin, file and line", function()
    assert.equal(500, go("broken").status)
    assert.is_string(chatty:wait_log(PLACE .. "attempt to index a nil value"))
  end)

  it("in a spawned function that fails is logged", function()
    assert.equal("sent", value_of("spawned_error"))
    assert.is_string(chatty:wait_log("plugin wait, spawned function: plugins/wait%.lua:%d+: in the spawned"))
  end)

  it("keeps nobody else waiting, however many they are", function()
    local entered = {}
    for i = 1, 300 do
      entered[i] = tcp.open(chatty.port)
      entered[i]:write(http.encode({ path = "/gate/enter" }, "x"))
    end
    for _ = 1, 300 do
      if chatty:request{ path = "/gate/waiting" }.json() == 300 then break end
    end
    assert.equal(300, chatty:request{ path = "/gate/open" }.json())
    for i = 1, 300 do assert.equal("through", http.read(entered[i]).body) end
    for i = 1, 300 do entered[i]:close() end
  end)

  it("ends although its client has gone", function()
    local connection = client.tcp(chatty.port)
    connection:write(http.encode({ path = "/last" }, "x"))
    connection:half_close()
    connection:abort()
    assert.equal("back", value_of("nothing"))
    assert.equal(0, chatty:wait_metric("tasks", 1) - 1)
  end)
end)

describe("a handler that waits while the server stops", function()
  it("is let to its end, and its answer goes out", function()
    local chatty = server.start{ plugins = { wait = PLUGIN } }
    local connection = client.tcp(chatty.port)
    connection:write(http.encode({ path = "/last" }, "x"))
    assert.equal(1, chatty:wait_metric("tasks", 2) - 1)
    assert.equal(0, chatty:stop())
    assert.equal("last", http.read(connection).body)
    assert.is_string(chatty:wait_log("the last one ends"))
  end)

  it("is cut after STOP_TIMEOUT", function()
    local settings = { STOP_TIMEOUT = "200ms", WORKERS = 1 }
    local chatty = server.start{ settings = settings, plugins = { wait = PLUGIN } }
    local connection = client.tcp(chatty.port)
    connection:write(http.encode({ path = "/gate/enter" }, "x"))
    assert.equal(2, chatty:wait_metric("tasks", 2))
    assert.equal(0, chatty:stop())
    assert.is_string(connection:wait_closed())
  end)
end)

describe("a hook that waits", function()
  local function plugin(setup)
    return ([[
      local chatty = require "chatty"
      local plugin = { api = 1 }
      function plugin.setup(app) %s end
      return plugin
    ]]):format(setup)
  end

  it("holds back the operation it belongs to, and no other", function()
    local chatty = server.start{ settings = { WORKERS = 1 }, plugins = { slow = plugin[[
      local is_open = false
      app:on("notify", function(event)
        if event.name == "key" then is_open = true end
        while event.name == "held" and not is_open do chatty.sleep(0.002) end
      end)
    ]] } }
    local socket = chatty:connect("ann")
    socket:next()
    local held = tcp.open(chatty.port)
    local headers = { ["X-API-Key"] = chatty.settings.CONTROL_KEY }
    local path, body = "/control/notify?method=users:ann", '{"event":"held","attributes":{}}'
    held:write(http.encode({ path = path, headers = headers, body = body }, "x"))
    chatty:wait_metric("tasks", 2)
    chatty:notify("users:ann", "other")
    chatty:notify("users:ann", "key")
    assert.equal(200, http.read(held).status)
    assert.same({ "other", "key", "held" }, { socket:next().event, socket:next().event, socket:next().event })
  end)

  it("when its client leaves meanwhile lets the session end in good order", function()
    local chatty = server.start{ plugins = { slow = plugin[[
      app:on("connect", function(session)
        chatty.sleep(0.1)
        chatty.log.info("connect went on: " .. tostring(session:send("hello")))
      end)
      app:on("disconnect", function() chatty.log.info("disconnect ran") end)
    ]] } }
    chatty:connect("ann"):abort()
    assert.is_string(chatty:wait_log("connect went on: nil"))
    assert.equal(0, chatty:wait_metric("sockets", 0))
    assert.equal("[]", chatty:control("GET", "/control/search/users").body)
    assert.is_nil(chatty:wait_log("disconnect ran", 0))
  end)

  it("in nested coroutines of a message hook acknowledges with what comes out", function()
    local chatty = server.start{ plugins = { nested = plugin[[
      app:on("message", function(session, event)
        local walk = coroutine.wrap(function()
          for i = 1, 3 do
            chatty.sleep(0.001)
            session:send("step", { i = i })
            coroutine.yield(i)
          end
        end)
        return { walk(), walk(), walk() }
      end)
    ]] } }
    local socket = chatty:connect("ann")
    socket:next()
    socket:send_event("walk", "{}", 1)
    for i = 1, 3 do assert.same({ event = "step", attributes = { i = i } }, (socket:next())) end
    assert.same({ event = "chatty:ack", attributes = { 1, 2, 3 }, ack = 1 }, (socket:next()))
  end)
end)

describe("a plugin that waits in its setup", function()
  it("ends the start with one line that says where and what", function()
    local result = server.run{ plugins = { early = [[
      local chatty = require "chatty"
      return { api = 1, setup = function() chatty.sleep(1) end }
    ]] } }
    assert.equal(1, result.code)
    assert.matches("^[^\n]*plugins/early%.lua:2: [^\n]*here nothing can wait[^\n]*$", result.err)
  end)
end)
