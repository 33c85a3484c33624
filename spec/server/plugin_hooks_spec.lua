-- Hooks: their order, their failures, and those of the server's own life.
local plugin = require "spec.support.plugin_source"
local server = require "spec.support.server"
local wait = require "spec.support.wait"

local function fault_of(response)
  local fault = response.json().errors[1]
  return { response.status, fault.status, fault.code, fault.detail }
end

describe("hooks", function()
  it("run by priority, then by the plugin's name, then as they were registered", function()
    local note = [[
      app:on("connect", function(session)
        session.data.order = (session.data.order or "") .. " %s"
      end)
    ]]
    local chatty = server.start{ plugins = {
      zoe = plugin(note:format("zoe"), 200),
      bob = plugin(note:format("bob")),
      ann = plugin(note:format("ann-1") .. note:format("ann-2")),
      low = plugin(note:format("low") .. [[
        app:on("message", function(session) return session.data.order end)
      ]], -1),
    } }
    local socket = chatty:join("ann")
    socket:send_event("order", "{}", 1)
    assert.equal(" zoe ann-1 ann-2 bob low", socket:next().attributes)
  end)

  it("that run later are not asked when one refuses", function()
    local chatty = server.start{ plugins = {
      first = plugin[[app:on("notify", function() return chatty.refuse(409, "closed", "Shop closed.") end)]],
      second = plugin[[app:on("notify", function() chatty.log.info("second was asked") end)]],
    } }
    assert.same({ 409, "409", "closed", "Shop closed." },
      fault_of(chatty:notify("users:ann", "hello")))
    assert.is_nil(chatty:wait_log("second was asked", 0))
  end)

  it("that fail are logged with plugin, file and line, and counted, and do no harm", function()
    local chatty = server.start{ plugins = {
      broken = plugin('app:on("notify", function(event) local x = nil; x.y = 1 end)'),
    } }
    local socket = chatty:join("ann")
    local before = chatty:metric "script_errors_total"
    assert.equal(200, chatty:notify("users:ann", "hello").status)
    assert.equal("hello", socket:next().event)
    assert.is_string(chatty:wait_log("error.*plugin broken, hook notify: plugins/broken%.lua:4: .*'x'"))
    assert.equal(before + 1, chatty:metric "script_errors_total")
  end)

  it("that fail refuse when they are closed, and do not tell why", function()
    local chatty = server.start{ plugins = {
      broken = plugin('app:on("notify", { on_error = "closed" }, function() error("secret reason") end)'),
    } }
    local response = chatty:notify("users:ann", "hello")
    assert.same({ 500, "hook-failed" }, { response.status, response.json().errors[1].code })
    assert.is_nil(response.body:find("secret", 1, true))
    assert.is_string(chatty:wait_log("secret reason"))
  end)

  it("that fail while a session connects close it when they are closed", function()
    local chatty = server.start{ plugins = {
      broken = plugin('app:on("connect", { on_error = "closed" }, function() error("no") end)'),
    } }
    assert.equal(4501, (chatty:connect("ann"):expect_closed()))
  end)

  it("may refuse by raising, too", function()
    local chatty = server.start{ plugins = {
      deep = plugin([[
        local function check() error(chatty.refuse(402, "unpaid", "Pay first.")) end
        app:on("subscribe", function() check() end)
      ]]),
    } }
    assert.same({ 402, "402", "unpaid", "Pay first." }, fault_of(chatty:subscribe("users:ann", { "room-1" })))
  end)

  it("that return false refuse nothing, and the log says what would", function()
    local chatty = server.start{ plugins = {
      lazy = plugin('app:on("notify", function() return false end)'),
    } }
    assert.equal(200, chatty:notify("users:ann", "hello").status)
    assert.is_string(chatty:wait_log("plugin lazy, hook notify returned false.*chatty%.refuse"))
  end)

  it("that cause each other are stopped, and the caller is told", function()
    local chatty = server.start{ plugins = {
      echo = plugin([[
        app:on("notify", function(event)
          local ok, message, code = chatty.notify{ users = event.users, event = "again" }
          if not ok then chatty.log.info("stopped: " .. code) end
        end)
      ]]),
    } }
    local socket = chatty:join("ann")
    assert.equal(200, chatty:notify("users:ann", "first").status)
    assert.is_string(chatty:wait_log("stopped: hook%-depth"))
    local names = {}
    for i = 1, 8 do names[i] = socket:next().event end
    assert.same({ "again", "again", "again", "again", "again", "again", "again", "first" }, names)
  end)

  it("of one kind may cause those of another", function()
    local chatty = server.start{ plugins = {
      chain = plugin([[
        app:on("message", function(session)
          chatty.subscribe({ session.user }, { "chain-1" })
        end)
        app:on("subscribe", function(change)
          chatty.notify{ users = change.users, event = "subscribing" }
        end)
        app:on("notify", function(event) event:set("seen", true) end)
      ]]),
    } }
    local socket = chatty:join("ann")
    socket:send_event("go", "{}", 1)
    assert.same({ event = "subscribing", attributes = { seen = true } }, (socket:next()))
    assert.equal("chatty:ack", socket:next().event)
    assert.same({ "chain-1" }, chatty:control("GET", "/control/search/subscriptions?userId=ann").json())
  end)

  for name, case in pairs{
    ["an unknown name"] = { 'app:on("conect", print)', "conect" },
    ["no function"] = { 'app:on("connect", 1)', "function" },
    ["an unknown option"] = { 'app:on("connect", { onerror = "open" }, print)', "onerror" },
    ["a wrong on_error"] = { 'app:on("connect", { on_error = "shut" }, print)', "on_error" },
    ["a wrong per"] = { 'app:on("start", { per = "thread" }, print)', "per must be" },
  } do
    it("with " .. name .. " end the start with one line that says where", function()
      local result = server.run{ plugins = { wrong = plugin(case[1]) } }
      assert.equal(1, result.code)
      assert.matches("^[^\n]*plugins/wrong%.lua:4: [^\n]*" .. case[2] .. "[^\n]*$", result.err)
    end)
  end
end)

describe("the hooks start and stop", function()
  it("run once per node, or on every worker #threads", function()
    local chatty = server.start{ settings = { WORKERS = 3 }, plugins = {
      life = plugin([[
        app:on("start", function() chatty.log.info("node starts") end)
        local worker = chatty.node.worker
        app:on("start", { per = "worker" }, function() chatty.log.info("worker starts " .. worker) end)
        app:on("stop", function() chatty.log.info("node stops") end)
        app:on("stop", { per = "worker" }, function() chatty.log.info("worker stops " .. worker) end)
      ]]),
    } }
    for worker = 0, 2 do assert.is_string(chatty:wait_log("worker starts " .. worker)) end
    chatty:stop()
    local counts = {}
    for _, line in ipairs(chatty:log()) do
      local what = line:match("(%a+ st%a+s)")
      if what then counts[what] = (counts[what] or 0) + 1 end
    end
    assert.same({
      ["node starts"] = 1, ["worker starts"] = 3, ["node stops"] = 1, ["worker stops"] = 3,
    }, counts)
  end)

  it("may wait and use all that other hooks may", function()
    local chatty = server.start{ plugins = {
      life = plugin([[
        app:on("start", function()
          chatty.sleep(0.01)
          chatty.subscribe({ "ann" }, { "start-1" })
          chatty.log.info("started well")
        end)
        app:on("stop", function()
          chatty.sleep(0.01)
          chatty.log.info("stopped with " .. #chatty.search.subscriptions("ann"))
        end)
      ]]),
    } }
    assert.is_string(chatty:wait_log("started well"))
    assert.same({ "start-1" }, chatty:control("GET", "/control/search/subscriptions?userId=ann").json())
    chatty:stop()
    assert.is_string(chatty:wait_log("stopped with 1"))
  end)

  it("that fail are logged, and the server lives and ends well", function()
    local chatty = server.start{ plugins = {
      life = plugin([[
        app:on("start", function() error("cannot start") end)
        app:on("stop", function() error("cannot stop") end)
      ]]),
    } }
    assert.is_string(chatty:wait_log("plugin life, hook start: .*cannot start"))
    assert.equal(200, chatty:request{ path = "/healthz" }.status)
    assert.equal(0, chatty:stop())
    assert.is_string(chatty:wait_log("plugin life, hook stop: .*cannot stop"))
  end)

  it("hold the server back from being ready until start is through", function()
    local chatty = server.start{ plugins = {
      slow = plugin([[
        app:on("start", { per = "worker" }, function()
          while not chatty.shared.get("done") do chatty.sleep(0.01) end
        end)
        app:post("/done", { auth = "none" }, function() chatty.shared.set("done", true) end)
      ]]),
    } }
    local response = chatty:request{ path = "/readyz" }
    assert.same({ 503, "not-ready" }, { response.status, response.json().errors[1].code })
    chatty:request{ method = "POST", path = "/done" }
    assert.is_true(wait.until_(function() return chatty:request{ path = "/readyz" }.status == 200 end))
  end)
end)
