-- Hooks that fail in whatever way, all of them, do no harm to what they hang on.
local plugin_source = require "spec.support.plugin_source"
local server = require "spec.support.server"

local SETTINGS = { WORKERS = 1, SCRIPT_BUDGET = "20ms", OVERRUNS_MAX = 0, OFFLINE_GRACE = "50ms",
  SCRIPT_VALUE_MAX = "1mb", MAX_REQ_SIZE = "64kb" }

local HOOKS = {
  "start", "stop", "connect", "message", "subscribe", "unsubscribe", "notify", "disconnect", "online", "offline",
}

-- What a hook does, and what the log says of it.
local DEEDS = {
  ["an error"] = { "error('boom')", "boom" },
  ["an error that cannot be shown"] = { "error(setmetatable({}, { __tostring = error }))", "cannot be shown" },
  ["an endless loop"] = { "while true do pcall(function() while true do end end) end", "SCRIPT_BUDGET" },
  ["too large a string"] = { "local s = 'x' while true do s = s .. s end", "not enough memory" },
  ["a yield"] = { "coroutine.yield()", "yielded without waiting" },
}

local function source_of(deed)
  local lines = {}
  for i, hook in ipairs(HOOKS) do lines[i] = ("app:on(%q, function() %s end)"):format(hook, deed) end
  return plugin_source(table.concat(lines, "\n"))
end

describe("a plugin whose hooks all end with", function()
  for what, deed in pairs(DEEDS) do
    it(what .. " harms nobody", function()
      local chatty = server.start{ settings = SETTINGS, plugins = { bad = source_of(deed[1]) } }
      local session = chatty:connect("ann")
      assert.equal("chatty:connected", session:next().event)
      assert.equal(200, chatty:subscribe("users:ann", { "room-1" }).status)
      assert.equal(200, chatty:notify("channels:room-1", "hello").status)
      assert.equal("hello", session:next().event)
      session:send_event("question", "{}", 1)
      assert.equal("hook-failed", session:next().attributes.code)
      assert.equal(200, chatty:unsubscribe("users:ann", { "room-1" }).status)
      session:close()
      for _, hook in ipairs(HOOKS) do
        if hook ~= "stop" then
          assert.is_string(chatty:wait_log("plugin bad, hook " .. hook .. ": .*" .. deed[2]), hook)
        end
      end
      assert.equal(200, chatty:request{ path = "/readyz" }.status)
      assert.equal(0, chatty:stop())
    end)
  end
end)

describe("a hook that notifies from notify", function()
  it("is stopped at a depth, and so is one that does it from a coroutine or many times over", function()
    local chatty = server.start{ settings = SETTINGS, plugins = { bad = plugin_source[[
      local runs = 0
      app:on("notify", function(event)
        runs = runs + 1
        for _ = 1, 2 do
          coroutine.wrap(function() chatty.notify{ channels = { "x" }, event = "again" } end)()
        end
      end)
      app:get("/runs", { auth = "none" }, function() return { json = runs } end)
    ]] } }
    assert.equal(200, chatty:notify("channels:x", "hello").status)
    assert.equal("255", chatty:request{ path = "/runs" }.body)
    assert.equal(200, chatty:notify("channels:x", "hello").status)
  end)
end)
