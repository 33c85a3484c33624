local lua_half = require "spec.support.lua_half"

describe("the settings of channels", function()
  local core

  local function start(setup)
    core = lua_half.start{ plugins = {
      shop = "return { api = 1, setup = function(app) " .. setup .. " end }",
    } }
    return core
  end

  -- The key of an event that is notified.
  local function key_of(method, body)
    assert.equal(200, lua_half.control(core, "POST", "/control/notify?method=" .. method,
      body or { event = "moved", attributes = { x = 1 } }).status)
    local sent = lua_half.last_call(core, "notify")
    return sent.terms and sent.terms.key
  end

  it("let only the latest event of a name wait where a plugin says so", function()
    start 'app:channel("cursor-*", { queue = "latest" })'
    assert.equal("moved", key_of("channels:cursor-1"))
    assert.equal("moved", key_of("channels:cursor-1,cursor-2"))
    assert.is_nil(key_of("channels:room-1"))
    assert.is_nil(key_of("channels:cursor-1,room-1"))
    assert.is_nil(key_of("users:cursor-1"))
    assert.equal("own", key_of("channels:cursor-1", { event = "moved", attributes = { x = 1 }, key = "own" }))
  end)

  it("say nothing of keys where no plugin does", function()
    start 'app:channel("cursor-*", { history = {} })'
    assert.is_nil(key_of("channels:cursor-1"))
  end)

  it("are those of the pattern that says most, and of equals the later one", function()
    start [[
      app:channel("*", { queue = "latest" })
      app:channel("room-*", { queue = "all" })
      app:channel("room-1*", { queue = "latest" })
      app:channel("room-1*", { history = {} })
      app:channel("*-xx", { queue = "latest" })
      app:channel("xx-*", { queue = "all" })
    ]]
    assert.equal("moved", key_of("channels:any"))
    assert.is_nil(key_of("channels:room-2"))
    assert.equal("moved", key_of("channels:room-12"))
    assert.is_nil(key_of("channels:xx-xx"))
  end)

  it("say that a history is durable, when it shall be", function()
    start 'app:channel("log-*", { history = { durable = true } }) app:channel("x-*", { history = { durable = false } })'
    assert.is_true(core.history.kept["log-*"].durable)
    assert.is_nil(core.history.kept["x-*"].durable)
    assert.equal("history of 100 events, 1048576 bytes, 300 s, durable", require("channels").list()[1].settings)
  end)

  it("reach the history", function()
    start 'app:channel("log-*", { history = { size = 5, ttl = 2 } })'
    assert.same({ events = 5, bytes = 1048576, ttl_ms = 2000 }, core.history.kept["log-*"])
  end)

  it("are listed with their plugin", function()
    start 'app:channel("log-*", { history = { size = 5 }, queue = "latest" }) app:channel("x", {})'
    assert.same({
      { pattern = "log-*", plugin = "shop", settings = "history of 5 events, 1048576 bytes, 300 s; queue latest" },
      { pattern = "x", plugin = "shop", settings = "" },
    }, require("channels").list())
  end)

  it("are checked while loading", function()
    local mistakes = {
      ['app:channel("a", { queue = "newest" })'] = "app:channel: queue must be 'all' or 'latest'",
      ['app:channel("a", { quue = "all" })'] = "app:channel does not know 'quue', did you mean 'queue'",
      ['app:channel("a", { history = { durable = 1 } })'] = "app:channel: history.durable must be a boolean",
      ['app:channel("a", { history = { size = 0 } })'] = "app:channel: history.size must be a number from above 0",
      ['app:channel("a", { history = { age = 0 } })'] = "app:channel: history does not know 'age'",
      ['app:channel("", {})'] = "app:channel: the pattern ",
      ['app:channel("a")'] = "app:channel: the options must be a table",
    }
    for text, line in pairs(mistakes) do
      assert.matches("^plugin shop: plugins/shop.lua:1: " .. line, lua_half.line_of(start, text), 1, false, text)
    end
  end)
end)
