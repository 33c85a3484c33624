-- Many reloads while events go out and handlers wait: nothing is lost, nothing comes twice, nothing is left behind.
-- CHATTY_RELOADS says how many; a long run: CHATTY_RELOADS=1000.
local http = require "spec.support.http"
local client = require "spec.support.client"
local server = require "spec.support.server"
local upstream = require "spec.support.upstream"
local wait = require "spec.support.wait"

local RELOADS = tonumber(os.getenv "CHATTY_RELOADS") or 60
local SESSIONS, WARM_UP = 10, 20
local GROWTH_MAX = 4 * 1024 * 1024 -- bytes; a leaked state would take more than half a megabyte each time

-- Its shop answers /wait only when the reload is over.
local PLUGIN = [[
  local chatty = require "chatty"
  local plugin = { api = 1, needs = { http = { "127.0.0.1" } } }
  local handed = 0
  function plugin.setup(app)
    app:on("message", function(session, event)
      session.data.count = (session.data.count or 0) + 1
      chatty.sleep(0.002)
      return { number = event:get("number"), count = session.data.count }
    end)
    app:on("start", function()
      chatty.spawn(function() while true do chatty.sleep(0.001) end end)
    end)
    app:get("/wait", { auth = "none" }, function()
      return { text = assert(chatty.http.get("%s")).body }
    end)
    app:get("/handed", { auth = "none" }, function() return { text = tostring(handed) } end)
  end
  function plugin.on_unload() return handed + 1 end
  function plugin.on_load(count) handed = count end
  return plugin
]]

local function connection(chatty)
  local opened = assert(client.tcp(chatty.port))
  return function(method, path, body)
    opened:write(http.encode({ method = method, path = path, body = body, headers = {
      ["X-API-Key"] = chatty.settings.CONTROL_KEY, ["Content-Type"] = body and "application/json" or nil,
    } }, "localhost"))
  end, function() return http.read(opened) end
end

local function resident_bytes(chatty)
  local file <close> = assert(io.open(("/proc/%d/statm"):format(chatty.pid)))
  return tonumber(file:read("a"):match("^%d+ (%d+)")) * 4096
end

local function is_sanitized()
  return (os.getenv("CHATTY_BUILD") or "build"):find("san") ~= nil
end

-- One step: a reload, an event for all, a message of each, and a handler that waits for a shop beyond the reload.
local function step(number, reload, notify, ask, sessions)
  ask("GET", "/wait")
  reload("POST", "/control/reload")
  notify("POST", "/control/notify?method=channels:room-1", ('{"event":"news","attributes":%d}'):format(number))
  for _, session in ipairs(sessions) do session:send_event("work", ('{"number":%d}'):format(number), number) end
end

-- What a session got: the numbers of events and of acknowledgements, each in its order.
local function read_all(session, count)
  local events, acks = {}, {}
  for _ = 1, 2 * count do
    local event = assert(session:next())
    if event.event == "news" then
      events[#events + 1] = event.attributes
    else
      acks[#acks + 1] = { event.attributes.number, event.attributes.count }
    end
  end
  return events, acks
end

describe("many reloads under load", function()
  it("lose no session, no event, no message and no memory #threads", function()
    local shop = upstream.open(function() end)
    local chatty = server.start{ plugins = { shop = PLUGIN:format(shop.url) }, settings = { RELOAD_OLD_MAX = 16 } }
    chatty:subscribe("users:ann", { "room-1" })
    local sessions, baseline = {}, nil
    for i = 1, SESSIONS do sessions[i] = chatty:join("ann") end
    local reload, reloaded = connection(chatty)
    local notify, notified = connection(chatty)
    local ask, answered = connection(chatty)
    for number = 1, RELOADS do
      step(number, reload, notify, ask, sessions)
      assert.equal(200, reloaded().status)
      assert.equal(200, notified().status)
      shop:wait_requests(number)[number].reply{ body = "order " .. number }
      assert.equal("order " .. number, answered().body)
      if number == WARM_UP then baseline = resident_bytes(chatty) end
    end
    local numbers, counts = {}, {}
    for number = 1, RELOADS do numbers[number], counts[number] = number, { number, number } end
    for _, session in ipairs(sessions) do
      local events, acks = read_all(session, RELOADS)
      assert.same(numbers, events)
      assert.same(counts, acks)
    end
    assert.equal(RELOADS, chatty:metric "reloads_total")
    assert.equal(tostring(RELOADS), chatty:request{ path = "/handed" }.body)
    assert.same({ SESSIONS, 2 }, { chatty:metric "sessions", chatty:wait_metric("lua_states", 2) })
    assert.is_true(wait.until_(function() return chatty:metric "tasks" <= 3 end))
    if not is_sanitized() then
      local growth = resident_bytes(chatty) - baseline
      assert.is_true(growth < GROWTH_MAX, ("grew by %d bytes"):format(growth))
    end
    shop:close()
  end)
end)
