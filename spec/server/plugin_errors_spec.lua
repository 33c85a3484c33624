-- What the log says of a plugin's mistake: the plugin, its file and line, and the way there, without our own functions.
local server = require "spec.support.server"

local PLUGIN = [[
local chatty = require "chatty"
local plugin = { api = 1 }
local function inner(x) return x.y.z end
local function outer() local z = inner({}) return z end
local mistakes = {
  own = function() outer() end, -- 6
  waited = function() chatty.sleep(0.001) outer() end,
  argument = function() chatty.sleep("x") end, -- 8
  ours = function() chatty.token.make({}) end,
  deep = function() chatty.search.participants({}) end, -- 10
  notify = function() chatty.notify({ chanels = {} }) end,
  store = function() chatty.store.set("", 1) end, -- 12
  shared = function() chatty.shared.set("k", print) end,
  compared = function() table.sort({ 2, 1 }, function() outer() end) end, -- 14
  wrapped = function() coroutine.wrap(outer)() end }
function plugin.setup(app)
  for name, f in pairs(mistakes) do app:get("/" .. name, { auth = "none" }, function() f() end) end -- 17
  app:get("/wrong/answer", { auth = "none" }, function() return { json = print } end) -- 18
end
return plugin
]]

-- What each says; the lines of the traceback below the first one, all in the plugin's file.
local EXPECTED = {
  own = { "plugins/shop.lua:3: attempt to index a nil value (field 'y')", { 3, 4, 6, 17 } },
  waited = { "plugins/shop.lua:3: attempt to index a nil value (field 'y')", { 3, 4, 7, 17 } },
  argument = { "plugins/shop.lua:8: bad argument #1 to 'sleep' (number expected, got string)", { 8, 17 } },
  ours = { "plugins/shop.lua:9: bad argument #1 to 'make' (sub must be a non-empty string)", { 9, 17 } },
  deep = { "plugins/shop.lua:10: bad argument #1 to 'participants' (string expected, got table)", { 10, 17 } },
  notify = { "plugins/shop.lua:11: chatty.notify does not know 'chanels'", { 11, 17 } },
  store = { "plugins/shop.lua:12: chatty.store.set: the key must have 1 to 1024 bytes", { 12, 17 } },
  shared = { "plugins/shop.lua:13: a function cannot be JSON", { 13, 17 } },
  wrapped = { "plugins/shop.lua:3: attempt to index a nil value (field 'y')", { 15, 17 } },
  compared = { "plugins/shop.lua:3: attempt to index a nil value (field 'y')", { 3, 4, 14, 14, 17 } },
}

describe("a mistake of a plugin", function()
  local chatty

  setup(function() chatty = server.start{ plugins = { shop = PLUGIN } } end)
  teardown(function() chatty:stop() end)

  for name, expected in pairs(EXPECTED) do
    it(("is logged with its line and the way there: %s"):format(name), function()
      assert.equal(500, chatty:request{ path = "/" .. name }.status)
      local line = assert(chatty:wait_log("plugin shop, GET /" .. name .. ": "))
      assert.matches(": " .. expected[1], line, 1, true)
      local traceback, numbers = line:match('traceback="(.-)"'), {}
      for number in traceback:gmatch("plugins/shop%.lua:(%d+): in ") do numbers[#numbers + 1] = tonumber(number) end
      assert.same(expected[2], numbers)
      assert.is_nil(traceback:find("/lua/", 1, true))
      assert.is_nil(traceback:find("coroutine.wrap:", 1, true))
    end)
  end

  it("in an answer is logged with the line of its route", function()
    assert.equal(500, chatty:request{ path = "/wrong/answer" }.status)
    assert.is_truthy(chatty:wait_log("GET /wrong/answer at plugins/shop.lua:18: a function cannot be JSON"))
  end)
end)
