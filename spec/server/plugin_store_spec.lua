-- chatty.store: the same list of examples for each kind of store.
local server = require "spec.support.server"

local PLUGIN = [[
local chatty = require "chatty"
local plugin = { api = 1 }
local calls = {
  get = function(q) return { value = chatty.store.get(q.key) } end,
  set = function(q) return { done = chatty.store.set(q.key, q.value, q.ttl and { ttl = q.ttl }) } end,
  delete = function(q) return { done = chatty.store.delete(q.key) } end,
  cas = function(q) return { done = chatty.store.compare_and_set(q.key, q.expected, q.value) } end,
  each = function(q)
    local records, more = chatty.store.each(q.prefix, { after = q.after, size = q.size })
    return { records = chatty.json.array(records), more = more }
  end,
}
function plugin.setup(app)
  app:post("/store/:call", { auth = "none", body = "json" }, function(request)
    return { json = calls[request.params.call](request.json) }
  end)
end
return plugin
]]

local function start(store, folder)
  return server.start{ settings = { STORE = store, WORKERS = 2 }, plugins = { keeper = PLUGIN }, folder = folder }
end

local function call(chatty, name, arguments)
  return chatty:request{ method = "POST", path = "/store/" .. name, json = arguments }.json()
end

for _, store in ipairs{ "memory", "sqlite:chatty.db" } do
  describe("chatty.store in " .. store, function()
    local chatty

    setup(function() chatty = start(store) end)
    teardown(function() chatty:stop() end)

    it("gives what was set, from any worker", function()
      assert.same({ done = true }, call(chatty, "set", { key = "a", value = { n = 1, list = { "x" } } }))
      for _ = 1, 6 do assert.same({ value = { n = 1, list = { "x" } } }, call(chatty, "get", { key = "a" })) end
    end)

    it("gives nothing for a key that is not there, and deletes what is", function()
      assert.same({}, call(chatty, "get", { key = "nowhere" }))
      assert.same({ done = false }, call(chatty, "delete", { key = "nowhere" }))
      call(chatty, "set", { key = "gone", value = 1 })
      assert.same({ done = true }, call(chatty, "delete", { key = "gone" }))
      assert.same({}, call(chatty, "get", { key = "gone" }))
    end)

    it("sets by comparison only what is as expected", function()
      assert.same({ done = true }, call(chatty, "cas", { key = "c", value = 1 }))
      assert.same({ done = false }, call(chatty, "cas", { key = "c", value = 2 }))
      assert.same({ done = false }, call(chatty, "cas", { key = "c", expected = 5, value = 2 }))
      assert.same({ done = true }, call(chatty, "cas", { key = "c", expected = 1, value = 2 }))
      assert.same({ value = 2 }, call(chatty, "get", { key = "c" }))
    end)

    it("forgets a value after its time to live", function()
      call(chatty, "set", { key = "short", value = 1, ttl = 0.001 })
      local wait = require "spec.support.wait"
      assert.is_true(wait.until_(function() return call(chatty, "get", { key = "short" }).value == nil end))
    end)

    it("lists keys by prefix, in order, page by page", function()
      for _, key in ipairs{ "p/2", "p/1", "q/1", "p/3" } do call(chatty, "set", { key = key, value = key }) end
      local first = call(chatty, "each", { prefix = "p/", size = 2 })
      assert.same({ records = { { key = "p/1", value = "p/1" }, { key = "p/2", value = "p/2" } }, more = true }, first)
      local rest = call(chatty, "each", { prefix = "p/", size = 2, after = "p/2" })
      assert.same({ records = { { key = "p/3", value = "p/3" } }, more = false }, rest)
    end)
  end)
end

describe("chatty.store in a file", function()
  it("keeps what was set through a crash", function()
    local before = start("sqlite:chatty.db")
    call(before, "set", { key = "a", value = "kept" })
    before:kill()
    local after = start("sqlite:chatty.db", before.folder)
    assert.same({ value = "kept" }, call(after, "get", { key = "a" }))
  end)
end)
