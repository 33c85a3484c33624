-- A notify into a durable channel: its 200 means that the event is on the disk; all else is as in any channel.
local cjson = require "cjson"
local fault = require "spec.support.fault"
local server = require "spec.support.server"
local wait = require "spec.support.wait"

local PLUGIN = [[
local chatty = require "chatty"
return { api = 1, setup = function(app)
  app:channel("log-*", { history = { size = 100, durable = true } })
  app:channel("note-*", { history = { size = 100 } })
  app:channel("flood-*", { history = { size = 1 } })
  app:get("/flood", { auth = "none" }, function()
    local names = {}
    for i = 1, 1000 do names[i] = "flood-" .. i end
    for _ = 1, 50 do chatty.notify{ channels = names, event = "flood", add = { "origin" } } end
  end)
  app:get("/notify", { auth = "none" }, function()
    local done, id = chatty.notify{ channels = { "log-1" }, event = "from Lua" }
    return { json = { done, id } }
  end)
  app:get("/sort", { auth = "none" }, function(request)
    local list = { 2, 1 }
    local ok, message = pcall(table.sort, list, function(a, b)
      chatty.notify{ channels = { request.query.channel }, event = "sorted" }
      return a < b
    end)
    return { json = { ok, message } }
  end)
end }
]]

describe("a notify into a durable channel", function()
  local chatty

  before_each(function()
    chatty = server.start{ settings = { STORE = "sqlite:chatty.db", WORKERS = 2, SCRIPT_BUDGET = "10s" },
      plugins = { log = PLUGIN } }
  end)
  after_each(function() chatty:kill() end)

  local function notify(method, body, headers)
    local all = { ["X-API-Key"] = chatty.settings.CONTROL_KEY }
    for name, value in pairs(headers or {}) do all[name] = value end
    return chatty:request{ method = "POST", path = "/control/notify?method=" .. method, headers = all,
      json = body or { event = "tick", attributes = { n = 1 } } }
  end

  local function written() return chatty:metric "history_written_total" end

  it("comes to sessions with the id that is answered", function()
    chatty:subscribe("users:ann", { "log-1" })
    local session = chatty:join "ann"
    local answer = notify("channels:log-1").json()
    assert.same({ event = "tick", attributes = { n = 1 }, id = answer.id }, session:next())
    assert.equal(1, written())
  end)

  it("tells who was reached, and writes nothing when it is only to tell", function()
    chatty:subscribe("users:ann,bob", { "log-1", "note-1" })
    local ann, bob = chatty:join "ann", chatty:join "bob"
    local dry = notify("channels:log-1&dryRun=true").json()
    assert.same({ users = 2, sessions = 2, channels = { ["log-1"] = { users = 2, sessions = 2 } } }, dry.report)
    assert.equal(0, written())
    local answer = notify("channels:log-1,note-1&report=true").json()
    local each = { users = 2, sessions = 2 }
    assert.same({ users = 2, sessions = 4, channels = { ["log-1"] = each, ["note-1"] = each } }, answer.report)
    assert.equal(answer.id, ann:next().id)
    assert.equal(answer.id, bob:next().id)
    assert.equal(1, written())
  end)

  it("is done once for a key, whoever asks at the same time", function()
    local first = notify("channels:log-1", nil, { ["Idempotency-Key"] = "k" }).json()
    assert.same(first, notify("channels:log-1", nil, { ["Idempotency-Key"] = "k" }).json())
    assert.equal(1, written())
  end)

  it("is answered in its place in a batch", function()
    local body = {}
    for i, channel in ipairs{ "log-1", "note-1", "log-1" } do
      body[i] = { op = "notify", method = "channels:" .. channel, body = { event = "e" .. i, attributes = { n = i } } }
    end
    local answer = chatty:control("POST", "/control/batch", cjson.encode(body))
    assert.equal(200, answer.status, answer.body)
    local results, ids = answer.json().results, {}
    for i, result in ipairs(results) do ids[i] = result.id end
    assert.equal(3, #ids)
    assert.is_true(ids[1] < ids[2] and ids[2] < ids[3])
  end)

  it("is told of by why", function()
    chatty:subscribe("users:ann", { "log-1" })
    local session = chatty:join "ann"
    local id = notify("channels:log-1").json().id
    assert.equal(id, session:next().id)
    local found = chatty:control("GET", "/control/why?userId=ann&event=" .. id).json()
    assert.equal("tick", found.event.event)
    assert.matches("log%-1", table.concat(found.sentences, "\n"))
  end)

  it("lets Lua wait, and says so where that cannot be", function()
    local answer = chatty:request{ path = "/notify" }.json()
    assert.is_true(answer[1])
    assert.equal(answer[2], chatty:control("GET", "/control/why?userId=ann&event=" .. answer[2]).json().event.id)
    local sorted = chatty:request{ path = "/sort?channel=log-1" }.json()
    assert.is_false(sorted[1])
    assert.matches("cannot wait inside a callback of table.sort", sorted[2])
    assert.is_true(chatty:request{ path = "/sort?channel=note-1" }.json()[1])
    assert.equal(1, written())
  end)

  -- A sequence has room for so many others between two durable events: before it is used up, one of them is
  -- committed in place of a durable one.
  it("finds its place behind a million events of other channels, and ids stay good behind a crash", function()
    chatty:subscribe("users:ann", { "log-1", "note-1" })
    local session = chatty:join "ann"
    notify "channels:log-1"
    local last = session:next().id
    for _ = 1, 22 do assert.equal(204, chatty:request{ path = "/flood" }.status) end
    for _, channel in ipairs{ "note-1", "log-1", "note-1" } do
      local id = notify("channels:" .. channel).json().id
      assert.is_true(id > last)
      last = session:next().id
      assert.equal(id, last)
    end
    assert.equal(2, written())
    local after = notify("channels:log-1").json().id
    chatty:kill()
    chatty = server.start{ folder = chatty.folder, settings = chatty.settings,
      plugins = { log = (PLUGIN:gsub("note%-%*", "other-*")) } }
    local back = chatty:connect("ann", { path = "/ws?after=" .. last })
    assert.equal(last, back:next().id)
    assert.equal(after, back:next().id)
  end)

  -- The two are on the way by different routes, and by different workers.
  it("lies before whatever is asked for behind its answer, for all sessions #threads", function()
    chatty:subscribe("users:ann", { "log-1" })
    local sessions, expected = { chatty:join "ann", chatty:join "ann", chatty:join "ann" }, {}
    for i = 1, 20 do
      assert.equal(200, notify("channels:log-1", { event = "durable", attributes = { n = i } }).status)
      assert.equal(200, notify("users:ann", { event = "plain", attributes = { n = i } }).status)
      table.insert(expected, "durable " .. i)
      table.insert(expected, "plain " .. i)
    end
    for _, session in ipairs(sessions) do
      local got = {}
      for i = 1, #expected do
        local event = session:next()
        got[i] = ("%s %d"):format(event.event, event.attributes.n)
      end
      assert.same(expected, got)
    end
  end)

  it("that cannot be written is answered with 503, and nobody gets it, now or later", function()
    chatty:subscribe("users:ann", { "log-1", "note-1" })
    local session = chatty:connect "ann"
    local after = session:next().id
    assert.equal(200, notify("channels:log-1").status)
    assert(os.execute(("prlimit --pid %d --fsize=1000:"):format(chatty.pid)))
    assert.equal("503 unavailable", fault.of(notify "channels:log-1,note-1"))
    assert.equal("503 unavailable", fault.of(notify "channels:log-1&report=true"))
    assert.equal("503 unavailable", fault.of(notify("channels:log-1", nil, { ["Idempotency-Key"] = "k" })))
    assert.equal(200, notify("channels:note-1", { event = "other", attributes = {} }).status)
    assert(os.execute(("prlimit --pid %d --fsize=unlimited:"):format(chatty.pid)))
    assert.equal(200, notify("channels:log-1", { event = "last", attributes = {} },
      { ["Idempotency-Key"] = "k" }).status)
    local names = {}
    for i = 1, 3 do names[i] = session:next().event end
    assert.same({ "tick", "other", "last" }, names)
    chatty:kill()
    chatty = server.start{ folder = chatty.folder, settings = chatty.settings,
      plugins = { log = (PLUGIN:gsub("note%-%*", "other-*")) } }
    local back = chatty:connect("ann", { path = "/ws?after=" .. after })
    names = {}
    wait.until_(function()
      names[#names + 1] = back:next().event
      return names[#names] == "last"
    end)
    assert.same({ "chatty:connected", "tick", "last" }, names)
  end)
end)

describe("a handler that notifies into a durable channel", function()
  local chatty

  after_each(function() chatty:kill() end)

  it("goes on before its worker gives the event to its sessions, as everywhere", function()
    chatty = server.start{ settings = { STORE = "sqlite:chatty.db", WORKERS = 1 }, plugins = { log = [[
      local chatty = require "chatty"
      return { api = 1, setup = function(app)
        app:channel("log-*", { history = { durable = true } })
        app:on("message", function(session)
          local done = chatty.notify{ channels = { "log-1" }, event = "logged" }
          session:send("went on", { done = done })
        end)
      end }
    ]] } }
    chatty:subscribe("users:ann", { "log-1" })
    local session = chatty:join "ann"
    session:send_event("go", "{}")
    assert.same({ event = "went on", attributes = { done = true } }, session:next())
    assert.equal("logged", session:next().event)
  end)
end)
