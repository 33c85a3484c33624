-- chatty.shared: one dictionary for the plugins of all workers.
local plugin_source = require "spec.support.plugin_source"
local server = require "spec.support.server"

local KEEPER = plugin_source [[
  local shared = chatty.shared
  local calls = {
    get = function(q) return { value = shared.get(q.key) } end,
    set = function(q)
      local done, _, code = shared.set(q.key, q.value, q.ttl and { ttl = q.ttl })
      return { done = done, code = code }
    end,
    delete = function(q) return { done = shared.delete(q.key) } end,
    cas = function(q) return { done = shared.compare_and_set(q.key, q.expected, q.value) } end,
    count = function(q)
      local sum, left, code = shared.increment(q.key, q.amount, q.ttl and { ttl = q.ttl })
      return { sum = sum, left = sum and left, code = code, worker = chatty.node.worker }
    end,
  }
  app:post("/shared/:call", { auth = "none", body = "json" }, function(request)
    return { json = calls[request.params.call](request.json) }
  end)
]]

describe("chatty.shared", function()
  local chatty

  setup(function()
    chatty = server.start{
      settings = { WORKERS = 4, SHARED_ENTRIES_MAX = 50, SHARED_MEMORY_MAX = "64kb" }, plugins = { keeper = KEEPER },
    }
  end)
  teardown(function() chatty:stop() end)

  local function call(name, arguments)
    return chatty:request{ method = "POST", path = "/shared/" .. name, json = arguments }.json()
  end

  it("gives what was set, on every worker", function()
    assert.same({ done = true }, call("set", { key = "a", value = { n = 1, list = { "x" } } }))
    for _ = 1, 8 do assert.same({ value = { n = 1, list = { "x" } } }, call("get", { key = "a" })) end
    local long = ("x"):rep(20000)
    call("set", { key = "a", value = long })
    assert.equal(long, call("get", { key = "a" }).value)
    assert.same({ done = true }, call("delete", { key = "a" }))
    assert.same({}, call("get", { key = "a" }))
  end)

  it("counts each call once, on whichever worker it is", function()
    local workers, last = {}, nil
    for _ = 1, 40 do
      last = call("count", { key = "n" })
      workers[last.worker] = true
    end
    assert.equal(40, last.sum)
    assert.is_nil(last.left)
    assert.truthy(next(workers, (next(workers))), "all calls came to one worker")
  end)

  it("tells how long a count lasts", function()
    local first = call("count", { key = "limited", ttl = 100 })
    assert.equal(100, first.left)
    local second = call("count", { key = "limited", ttl = 1000, amount = 5 })
    assert.equal(6, second.sum)
    assert.is_true(second.left <= 100)
  end)

  it("lets one of many win", function()
    assert.same({ done = true }, call("cas", { key = "lock", value = "me" }))
    assert.same({ done = false }, call("cas", { key = "lock", value = "me too" }))
    assert.same({ done = true }, call("cas", { key = "lock", expected = "me", value = "free" }))
  end)

  it("refuses what is beyond its limits, and shows how full it is", function()
    local code
    for i = 1, 60 do code = code or call("set", { key = "many-" .. i, value = i }).code end
    assert.equal("LIMIT", code)
    assert.equal(44, chatty:metric "shared_entries") -- an eighth is the server's own
    assert.is_true(chatty:metric "shared_bytes" > 44 * 32)
    for i = 1, 60 do call("delete", { key = "many-" .. i }) end
    assert.equal("LIMIT", call("set", { key = "large", value = ("x"):rep(70000) }).code)
    assert.is_true(chatty:metric "limit_hits_total" >= 2)
  end)
end)
