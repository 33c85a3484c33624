-- A plugin cannot hurt the server: whatever its functions do, they end, others are answered meanwhile, and
-- the server lives.
local client = require "spec.support.client"
local http = require "spec.support.http"
local plugin_source = require "spec.support.plugin_source"
local server = require "spec.support.server"
local tcp = require "spec.support.tcp"

-- GET /hurt/<way> calls the function of that name; GET /fine answers.
local HOSTILE = [[
  local chatty = require "chatty"
  local plugin = { api = 1 }
  local ways = {}
  local function loop() while true do end end
  local function catch() while true do pcall(loop) end end

  ways.loop, ways.pcall = loop, catch
  function ways.xpcall() while true do xpcall(loop, loop) end end
  function ways.handler() xpcall(error, loop) end
  function ways.metamethod() return setmetatable({}, { __index = catch }).x end
  function ways.comparator() table.sort({ 3, 2, 1 }, function() catch() end) end
  function ways.replacement() return (("x"):gsub("x", catch)) end
  function ways.coroutine() while true do coroutine.resume(coroutine.create(catch)) end end
  function ways.nested() coroutine.wrap(function() coroutine.wrap(catch)() end)() end
  function ways.close() local _ <close> = setmetatable({}, { __close = catch }) end
  function ways.waited() coroutine.wrap(function() chatty.sleep(0.01) catch() end)() end
  function ways.shown() error(setmetatable({}, { __tostring = catch })) end
  function ways.headers() return { text = "", headers = setmetatable({}, { __pairs = catch }) } end
  function ways.doubling() local s = "x" while true do s = s .. s end end
  function ways.table() local t = {} while true do t[#t + 1] = {} end end
  function ways.closures() local f while true do local g = f f = function() return g end end end
  function ways.rep() return { text = ("x"):rep(1e9) } end
  function ways.recursion() local function f() return 1 + f() end return f() end
  function ways.c_recursion()
    local function f() return (("x"):gsub("x", f)) end
    return f()
  end
  function ways.pattern() return (("a"):rep(3000):find(".-.-.-b$")) end
  function ways.patterns() while true do pcall(string.find, ("a"):rep(3000), ".-.-.-b$") end end
  function ways.move() table.move({}, 1, math.maxinteger - 1, 2) end
  function ways.sort() local t = {} for i = 1, 1e4 do t[i] = -i end while true do table.sort(t, math.ult) end end
  function ways.gc() setmetatable({}, { __gc = catch }) end
  function ways.bytecode() assert(load("\27Lua")) end
  function ways.yield() coroutine.yield() end
  function ways.sort_waits() table.sort({ 2, 1 }, function() chatty.sleep(0) end) end

  function plugin.setup(app)
    for name, way in pairs(ways) do
      app:get("/hurt/" .. name, { auth = "none" }, function(request)
        local found = way(request)
        return type(found) == "table" and found or { text = tostring(found) }
      end)
    end
    app:get("/fine", { auth = "none" }, function() return { text = "fine" } end)
    app:after("/healthz", function(_, response)
      response.headers["X-Loop"] = setmetatable({}, { __index = catch })
    end)
    app:channel_name(function() return setmetatable({}, { __len = catch }) end)
    app:on("message", function(_, event) return ways[event.name]() end)
    app:option("add", "loop", catch)
  end
  return plugin
]]

local SETTINGS = {
  WORKERS = 1, SCRIPT_BUDGET = "200ms", SCRIPT_MEMORY_MAX = "16mb", MAX_REQ_SIZE = "64kb", OVERRUNS_MAX = 0,
  PATTERN_STEPS_MAX = 100000, SCRIPT_VALUE_MAX = "1mb",
}

local TIME = "ran for more than 0%.2 s without waiting %(SCRIPT_BUDGET%)"
local MEMORY = "it took too much memory: .*SCRIPT_MEMORY_MAX"
local VALUE = "not enough memory: one string or table may have .*SCRIPT_VALUE_MAX"
local WAYS = {
  loop = TIME, pcall = TIME, xpcall = TIME, handler = TIME, metamethod = TIME, comparator = TIME,
  replacement = TIME, coroutine = TIME, nested = TIME, close = TIME, waited = TIME, headers = TIME,
  shown = "an error value, a table, that cannot be shown",
  doubling = VALUE, table = VALUE, closures = MEMORY, rep = "resulting string too large: at most 1048576 bytes",
  recursion = VALUE, c_recursion = "stack overflow",
  pattern = "the pattern takes too many steps on this text", patterns = TIME, move = TIME, sort = TIME,
  gc = "a plugin has no __gc: use a to%-be%-closed variable", bytecode = "attempt to load a binary chunk",
  yield = "yielded without waiting for anything: use chatty%.sleep",
  sort_waits = "Lua cannot wait inside a callback of table%.sort",
}

describe("a hostile function of a plugin", function()
  local chatty

  setup(function()
    chatty = server.start{ settings = SETTINGS, plugins = { hostile = HOSTILE } }
  end)

  teardown(function()
    chatty:stop()
  end)

  for way, text in pairs(WAYS) do
    it(("(%s) ends with 500 and a line that says where, and others are answered"):format(way), function()
      local hostile, other = tcp.open(chatty.port), tcp.open(chatty.port)
      hostile:write(http.encode({ path = "/hurt/" .. way }, "x"))
      other:write(http.encode({ path = "/fine" }, "x"))
      assert.same({ 200, "fine" }, { (function(r) return r.status, r.body end)(http.read(other)) })
      assert.equal(500, http.read(hostile).status)
      local line = chatty:wait_log("plugin hostile, [^:]*GET /hurt/" .. way .. "%f[ :].*: .*" .. text)
      assert.is_string(line)
      assert.matches("plugin=hostile", line)
      if text == TIME or text == MEMORY or text == VALUE then assert.matches("plugins/hostile%.lua:%d+: ", line) end
    end)
  end

  it("in a message hook ends with an error for its sender, and the session goes on", function()
    local session = chatty:join("ann")
    session:send_event("pcall", "{}", 1)
    local answer = session:next()
    assert.same({ "chatty:error", "hook-failed" }, { answer.event, answer.attributes.code })
    assert.equal(200, chatty:notify("users:ann", "hello").status)
    assert.equal("hello", session:next().event)
  end)

  it("in what a filter leaves ends that answer with 500", function()
    assert.equal(500, chatty:request{ path = "/healthz" }.status)
    assert.is_string(chatty:wait_log("plugin hostile, [^:]*GET /healthz.*: .*" .. TIME))
    assert.equal(200, chatty:request{ path = "/readyz" }.status)
  end)

  it("in the names of channels ends the subscribe with 500", function()
    assert.equal(500, chatty:subscribe("users:ann", { "room-1" }).status)
    assert.is_string(chatty:wait_log("plugin hostile, channel_name: .*" .. TIME))
  end)

  it("in an option ends the notify with 500", function()
    local response = chatty:notify("channels:x", "hello", "{}", "add=loop")
    assert.equal(500, response.status)
    assert.equal(200, chatty:notify("channels:x", "hello").status)
  end)
end)

describe("a plugin that ends never while it is loaded", function()
  local function line_of(source)
    local result = server.run{ settings = { SCRIPT_SETUP_BUDGET = "50ms" }, plugins = { endless = source } }
    return result.code, result.err
  end

  it("ends the start with one line", function()
    local code, line = line_of("while true do pcall(function() while true do end end) end")
    assert.equal(1, code)
    assert.matches("^[^\n]*plugin endless: plugins/endless%.lua:1: it took more than 0%.05 s to load "
      .. "%(SCRIPT_SETUP_BUDGET%)\n?$", line)
  end)

  it("in its setup does too", function()
    local code, line = line_of(plugin_source("while true do pcall(error) end"))
    assert.equal(1, code)
    assert.matches("^[^\n]*plugin endless: plugins/endless%.lua:%d+: it took more than 0%.05 s to load", line)
  end)
end)

describe("a plugin that fills the memory for good", function()
  it("leaves the server able to answer", function()
    local settings = { SCRIPT_BUDGET = "5s" } -- so that memory is what ends it, however slow a sanitizer makes it
    for name, value in pairs(SETTINGS) do settings[name] = settings[name] or value end
    local chatty = server.start{ settings = settings, plugins = { leak = plugin_source[[
      local kept = {}
      app:get("/leak", { auth = "none" }, function() while true do kept = { kept } end end)
    ]] } }
    for _ = 1, 3 do assert.equal(500, chatty:request{ path = "/leak" }.status) end
    assert.is_string(chatty:wait_log("GET /leak: .*it took too much memory"))
    assert.is_string(chatty:wait_log("GET /leak: .*no memory is left: plugins hold the 16 MB"))
    assert.equal(1, chatty:metric("script_overruns_total"))
    assert.equal(200, chatty:request{ path = "/healthz" }.status)
    assert.equal(200, chatty:notify("channels:x", "hello").status)
    local session = chatty:join("ann")
    assert.equal(200, chatty:notify("users:ann", "hello").status)
    assert.equal("hello", session:next().event)
  end)
end)

describe("a plugin that is stopped too often", function()
  local function start(options, more)
    local settings = { WORKERS = 2, SCRIPT_BUDGET = "20ms", OVERRUNS_MAX = 3 }
    return server.start{ settings = settings, plugins = {
      bad = plugin_source(([[
        app:get("/bad", { auth = "none" }, function() while true do end end)
        app:get("/good", { auth = "none" }, function() return { text = "good" } end)
        app:on("notify", %s, function(event) event:set("by", "bad") end)
      ]]):format(options)),
      other = plugin_source(more or ""),
    } }
  end

  -- All three on one connection, which is one worker's.
  local function park(chatty)
    local connection = client.tcp(chatty.port)
    for _ = 1, 3 do
      connection:write(http.encode({ path = "/bad" }, "x"))
      assert.equal(500, http.read(connection).status)
    end
    assert.is_string(chatty:wait_log("plugin bad is parked: it was stopped 3 times"))
  end

  it("is parked on all workers, and its open hooks are left out", function()
    local chatty = start("{}", [[ app:get("/fine", { auth = "none" }, function() return { text = "fine" } end) ]])
    park(chatty)
    for _ = 1, 8 do
      local response = chatty:request{ path = "/good" }
      assert.same({ 503, "plugin-parked" }, { response.status, response.json().errors[1].code })
    end
    local session = chatty:join("ann")
    assert.equal(200, chatty:notify("users:ann", "hello").status)
    assert.same({ event = "hello", attributes = {} }, (session:next()))
    assert.equal(200, chatty:request{ path = "/fine" }.status)
    assert.equal(1, chatty:metric("plugins_parked_total"))
    assert.equal(3, chatty:metric("script_overruns_total"))
    for _ = 1, 4 do
      assert.same({ status = "ready", parked = { "bad" } }, chatty:request{ path = "/readyz" }.json())
      local listed = chatty:control("GET", "/control/plugins").json()
      local bad, other = listed[#listed - 1], listed[#listed]
      assert.same({ "bad", "parked", "time" }, { bad.name, bad.state, bad.reason })
      assert.same({ "other", "running" }, { other.name, other.state })
    end
  end)

  it("runs again when the plugins are loaded anew", function()
    local chatty = start("{}")
    park(chatty)
    assert.equal(503, chatty:request{ path = "/good" }.status)
    assert.equal(200, chatty:control("POST", "/control/reload").status)
    for _ = 1, 4 do assert.equal("good", chatty:request{ path = "/good" }.body) end
    assert.same({ status = "ready" }, chatty:request{ path = "/readyz" }.json())
  end)

  it("refuses by its closed hooks", function()
    local chatty = start("{ on_error = 'closed' }")
    park(chatty)
    local response = chatty:notify("users:ann", "hello")
    assert.same({ 503, "plugin-parked" }, { response.status, response.json().errors[1].code })
  end)
end)
