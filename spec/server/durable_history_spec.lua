-- What a restart does to the history: sessions of durable channels get what they missed, whatever ended the server.
-- Never is anything left out silently, or brought twice.
local client = require "spec.support.client"
local event_stream = require "spec.support.event_stream"
local http = require "spec.support.http"
local server = require "spec.support.server"
local wait = require "spec.support.wait"

local PLUGIN = [[
return { api = 1, setup = function(app)
  app:channel("log-*", { history = { size = 5, durable = true } })
  app:channel("log-brief-*", { history = { ttl = 1, durable = true } })
  app:channel("note-*", { history = { size = 5 } })
end }
]]

local function start(folder, plugin)
  return server.start{ folder = folder, settings = { STORE = "sqlite:chatty.db", REPLAY_MAX = 100 },
    plugins = { log = plugin or PLUGIN } }
end

local function stop(chatty)
  assert.equal(0, chatty:stop())
end

local function kill(chatty)
  chatty:kill()
end

-- Starts a user of the channels; gives the id that his session began with.
local function new_user(chatty, user, channels)
  assert.equal(200, chatty:subscribe("users:" .. user, channels).status)
  local session = chatty:connect(user)
  local id = session:next().id
  session:abort()
  return id
end

local function notify(chatty, channels, name, attributes)
  local answer = chatty:notify("channels:" .. channels, name, attributes)
  assert.equal(200, answer.status)
  return answer.json().id
end

-- The frames that a session of the user gets behind chatty:connected, up to a mark; and the id it goes on from.
local function come_back(chatty, user, after)
  local session = chatty:connect(user, { path = "/ws?after=" .. after })
  local id = session:next().id
  assert.equal(200, chatty:notify("users:" .. user, "mark").status)
  local names = {}
  while true do
    local frame = assert(session:next())
    if frame.event == "mark" then break end
    names[#names + 1] = frame.event == "chatty:gap" and "gap " .. frame.attributes.reason or frame.event
    id = frame.id or id
  end
  session:abort()
  return names, id
end

for name, finish in pairs({ stop = stop, crash = kill }) do
  describe("the history of durable channels behind a " .. name, function()
    local function restart(chatty)
      finish(chatty)
      return start(chatty.folder)
    end

    it("has what was missed is brought in order, once, before anything new", function()
      local chatty = start()
      local id = new_user(chatty, "ann", { "log-1", "log-2" })
      notify(chatty, "log-1", "one")
      local second = notify(chatty, "log-1,log-2", "two")
      notify(chatty, "log-2", "three")
      chatty = restart(chatty)
      assert.equal(4, chatty:metric "history_restored_total")
      assert.equal(4, chatty:metric "history_events")
      local names, last = come_back(chatty, "ann", id)
      assert.same({ "one", "two", "three" }, names)
      assert.same({ "three" }, (come_back(chatty, "ann", second)))
      assert.is_true(notify(chatty, "log-1", "four") > last)
      assert.same({ "four" }, (come_back(chatty, "ann", last)))
      assert.same({ "one", "two", "three", "four" }, (come_back(chatty, "ann", id)))
      chatty = restart(chatty)
      assert.same({ "one", "two", "three", "four" }, (come_back(chatty, "ann", id)))
      assert.same({}, (come_back(chatty, "ann", select(2, come_back(chatty, "ann", id)))))
    end)

    it("is brought as it was: attributes, names, ids", function()
      local chatty = start()
      local id = new_user(chatty, "ann", { "log-1" })
      local first = notify(chatty, "log-1", "order-\u{e4}", [[{"text":"\n\u20ac"}]])
      chatty = restart(chatty)
      local session = chatty:connect("ann", { path = "/ws?after=" .. id })
      session:next()
      assert.same({ event = "order-\u{e4}", attributes = { text = "\n\u{20ac}" }, id = first }, session:next())
    end)

    it("is there for who had nothing yet", function()
      local chatty = start()
      local id = new_user(chatty, "ann", { "log-1" })
      chatty = restart(chatty)
      notify(chatty, "log-1", "one")
      assert.same({ "one" }, (come_back(chatty, "ann", id)))
    end)

    it("keeps its limits", function()
      local chatty = start()
      local id = new_user(chatty, "ann", { "log-1" })
      local first = notify(chatty, "log-1", "e1")
      for i = 2, 6 do notify(chatty, "log-1", "e" .. i) end
      chatty = restart(chatty)
      assert.same({ "gap lost" }, (come_back(chatty, "ann", id)))
      assert.same({ "e2", "e3", "e4", "e5", "e6" }, (come_back(chatty, "ann", first)))
      notify(chatty, "log-1", "e7")
      assert.same({ "gap lost" }, (come_back(chatty, "ann", first)))
      assert.equal(5, chatty:metric "history_events")
    end)

    it("keeps except, ttl and the key of an event, and the time of a channel", function()
      local chatty = start()
      local id = new_user(chatty, "ann", { "log-1" })
      local other = new_user(chatty, "bob", { "log-1", "log-brief-1" })
      local function send(body)
        assert.equal(200, chatty:control("POST", "/control/notify?method=channels:log-1", body).status)
      end
      send '{"event":"not-ann","attributes":{},"except":{"users":["ann"]}}'
      send '{"event":"brief","attributes":{},"ttl":0.1}'
      send '{"event":"old","attributes":{},"key":"k"}'
      send '{"event":"long","attributes":{},"ttl":60}'
      chatty = restart(chatty)
      send '{"event":"new","attributes":{},"key":"k"}'
      local names
      wait.until_(function()
        names = come_back(chatty, "ann", id)
        return #names == 2
      end)
      assert.same({ "long", "new" }, names)
      assert.same({ "not-ann", "long", "new" }, (come_back(chatty, "bob", other)))
      notify(chatty, "log-brief-1", "gone soon")
      chatty = restart(chatty)
      chatty:wait_metric("history_events", 4)
      assert.same({ "gap lost" }, (come_back(chatty, "bob", other)))
    end)

    it("is not for who subscribed after it", function()
      local chatty = start()
      local id = new_user(chatty, "ann", { "log-1" })
      notify(chatty, "log-2", "before")
      chatty:subscribe("users:ann", { "log-2" })
      notify(chatty, "log-2", "behind")
      chatty = restart(chatty)
      assert.same({ "behind" }, (come_back(chatty, "ann", id)))
    end)

    it("has an event that went to channels of both kinds for those of the durable one", function()
      local chatty = start()
      local id = new_user(chatty, "ann", { "log-1" })
      local other = new_user(chatty, "bob", { "log-1", "note-1" })
      notify(chatty, "note-1,log-1", "one")
      chatty = restart(chatty)
      assert.same({ "one" }, (come_back(chatty, "ann", id)))
      assert.same({ "gap lost" }, (come_back(chatty, "bob", other)))
    end)

    it("goes on over a reload, before and behind a restart", function()
      local chatty = start()
      local id = new_user(chatty, "ann", { "log-1" })
      notify(chatty, "log-1", "one")
      assert.equal(200, chatty:control("POST", "/control/reload").status)
      notify(chatty, "log-1", "two")
      chatty = restart(chatty)
      assert.equal(200, chatty:control("POST", "/control/reload").status)
      notify(chatty, "log-1", "three")
      assert.same({ "one", "two", "three" }, (come_back(chatty, "ann", id)))
    end)

    it("is brought to an event stream by Last-Event-ID too", function()
      local chatty = start()
      local id = new_user(chatty, "ann", { "log-1" })
      local last = notify(chatty, "log-1", "one")
      chatty = restart(chatty)
      local stream = event_stream.open{
        port = chatty.port, token = chatty:token("ann"), headers = { ["Last-Event-ID"] = id },
      }
      assert.equal("chatty:connected", stream:next().event)
      local frame = stream:next()
      assert.same({ "one", last }, { frame.event, frame.id })
    end)

    it("is not for who was subscribed behind it, and lost to nobody who was before", function()
      local chatty = start()
      local id = new_user(chatty, "ann", { "log-1" })
      for first = 1, 5000, 1000 do
        local many = {}
        for i = first, first + 999 do many[#many + 1] = "u" .. i end
        assert.equal(200, chatty:subscribe("users:" .. table.concat(many, ","), { "log-1" }).status)
      end
      local other = new_user(chatty, "u1", { "log-2" })
      notify(chatty, "log-1", "one")
      chatty:subscribe("users:bob", { "log-1" })
      local late = new_user(chatty, "bob", { "log-2" })
      notify(chatty, "log-1", "two")
      chatty = restart(chatty)
      assert.same({ "one", "two" }, (come_back(chatty, "ann", id)))
      assert.same({ "one", "two" }, (come_back(chatty, "u1", other)))
      assert.same({ "two" }, (come_back(chatty, "bob", late)))
      assert.same({ "two" }, (come_back(chatty, "bob", id)))
    end)
  end)
end

local function reload(chatty, plugin)
  local file = assert(io.open(chatty.folder .. "/plugins/log.lua", "w"))
  file:write(plugin)
  file:close()
  assert.equal(200, chatty:control("POST", "/control/reload").status)
end

describe("the history of durable channels", function()
  it("says of channels that are not durable what they lost, and only that", function()
    local chatty = start()
    local id = new_user(chatty, "ann", { "log-1", "note-1" })
    local noted = notify(chatty, "note-1", "noted")
    notify(chatty, "log-1", "one")
    stop(chatty)
    chatty = start(chatty.folder)
    for _ = 1, 2 do
      assert.same({ "gap lost" }, (come_back(chatty, "ann", id)))
      assert.same({ "one" }, (come_back(chatty, "ann", noted)))
      stop(chatty)
      chatty = start(chatty.folder)
    end
    notify(chatty, "note-1", "again")
    assert.same({ "one", "again" }, (come_back(chatty, "ann", noted)))
  end)

  it("says behind a crash that all may be lost of channels that are not durable", function()
    local chatty = start()
    local id = new_user(chatty, "ann", { "log-1", "note-1" })
    local other = new_user(chatty, "bob", { "log-1" })
    notify(chatty, "log-1", "one")
    kill(chatty)
    chatty = start(chatty.folder)
    local names, fresh = come_back(chatty, "ann", id)
    assert.same({ "gap lost" }, names)
    assert.same({ "one" }, (come_back(chatty, "bob", other)))
    notify(chatty, "note-1", "again")
    assert.same({ "again" }, (come_back(chatty, "ann", fresh)))
  end)

  it("is only of the time in which they were", function()
    local passing = PLUGIN:gsub(", durable = true", "", 1)
    local chatty = start(nil, passing)
    local id = new_user(chatty, "ann", { "log-1" })
    notify(chatty, "log-1", "passing")
    kill(chatty)
    chatty = start(chatty.folder) -- durable from now on
    local names, fresh = come_back(chatty, "ann", id)
    assert.same({ "gap lost" }, names)
    notify(chatty, "log-1", "one")
    kill(chatty)
    chatty = start(chatty.folder, passing) -- and now no more
    assert.same({ "one" }, (come_back(chatty, "ann", fresh)))
    notify(chatty, "log-1", "two")
    assert.same({ "one", "two" }, (come_back(chatty, "ann", fresh)))
    kill(chatty)
    chatty = start(chatty.folder)
    assert.same({ "gap lost" }, (come_back(chatty, "ann", fresh)))
  end)

  it("begins and ends with a reload that changes the rules", function()
    local passing = PLUGIN:gsub(", durable = true", "", 1)
    local chatty = start(nil, passing)
    local id = new_user(chatty, "ann", { "log-1" })
    notify(chatty, "log-1", "passing")
    reload(chatty, PLUGIN)
    notify(chatty, "log-1", "one")
    local names, fresh = come_back(chatty, "ann", id)
    assert.same({ "passing", "one" }, names)
    notify(chatty, "log-1", "two")
    kill(chatty)
    chatty = start(chatty.folder)
    assert.same({ "gap lost" }, (come_back(chatty, "ann", id)))
    assert.same({ "two" }, (come_back(chatty, "ann", fresh)))
    reload(chatty, passing)
    notify(chatty, "log-1", "three")
    kill(chatty)
    chatty = start(chatty.folder)
    assert.same({ "gap lost" }, (come_back(chatty, "ann", fresh)))
  end)

  it("knows what was lost of channels that kept nothing in between", function()
    local without = PLUGIN:gsub("[^\n]*note[^\n]*\n", "")
    local chatty = start()
    local id = new_user(chatty, "ann", { "note-1" })
    notify(chatty, "note-1", "noted")
    stop(chatty)
    stop(start(chatty.folder, without))
    chatty = start(chatty.folder, PLUGIN)
    local names, fresh = come_back(chatty, "ann", id)
    assert.same({ "gap lost" }, names)
    notify(chatty, "note-1", "noted again")
    assert.same({ "noted again" }, (come_back(chatty, "ann", fresh)))
  end)

  it("knows what was lost when a reload took all away, and a crash what was kept", function()
    local nothing = "return { api = 1, setup = function() end }"
    local chatty = start()
    local id = new_user(chatty, "ann", { "note-1" })
    notify(chatty, "note-1", "noted")
    reload(chatty, nothing)
    kill(chatty)
    chatty = start(chatty.folder)
    reload(chatty, PLUGIN)
    assert.same({ "gap lost" }, (come_back(chatty, "ann", id)))
    kill(chatty)
    chatty = start(chatty.folder)
    assert.same({ "gap lost" }, (come_back(chatty, "ann", id)))
  end)

  it("counts as lost when a reload made it one that is not durable, and the server stopped", function()
    local passing = PLUGIN:gsub(", durable = true", "", 1)
    local chatty = start()
    local id = new_user(chatty, "ann", { "log-1" })
    notify(chatty, "log-1", "one")
    reload(chatty, passing)
    local names, fresh = come_back(chatty, "ann", id)
    assert.same({ "one" }, names)
    for _ = 1, 2 do
      stop(chatty)
      chatty = start(chatty.folder, passing)
      assert.same({ "gap lost" }, (come_back(chatty, "ann", id)))
    end
    assert.same({}, (come_back(chatty, "ann", fresh)))
  end)

  it("has also what handlers emit that began before a reload made them durable", function()
    local waiting = [[
local chatty = require "chatty"
return { api = 1, setup = function(app)
  app:channel("log-*", { history = { size = 5 } })
  app:post("/open", { auth = "none" }, function() chatty.shared.set("gate", true) end)
  app:get("/late", { auth = "none" }, function()
    chatty.log.info("at the gate")
    repeat chatty.sleep(0.01) until chatty.shared.get("gate")
    chatty.notify{ channels = { "log-1" }, event = "late", attributes = {} }
    return { text = "done" }
  end)
end }]]
    local chatty = start(nil, waiting)
    new_user(chatty, "ann", { "log-1" })
    local late = assert(client.tcp(chatty.port))
    late:write(http.encode({ path = "/late" }, "localhost"))
    assert.is_truthy(chatty:wait_log "at the gate")
    reload(chatty, (waiting:gsub("size = 5", "size = 5, durable = true")))
    local id = new_user(chatty, "ann", { "log-1" })
    chatty:request{ method = "POST", path = "/open" }
    assert.equal("done", http.read(late).body)
    kill(chatty)
    chatty = start(chatty.folder)
    assert.same({ "late" }, (come_back(chatty, "ann", id)))
  end)

  it("is forgotten with a line in the log when it is not whole", function()
    local chatty = start()
    local id = new_user(chatty, "ann", { "log-1" })
    notify(chatty, "log-1", "one")
    stop(chatty)
    assert(os.execute(([[sqlite3 %s/chatty.db "DELETE FROM records WHERE space = CAST('history' AS BLOB)
      AND key = (SELECT max(key) FROM records WHERE space = CAST('history' AS BLOB))"]]):format(chatty.folder)))
    chatty = start(chatty.folder)
    assert.is_truthy(chatty:wait_log "not whole")
    assert.same({ "gap unknown" }, (come_back(chatty, "ann", id)))
    assert.equal(0, chatty:metric "history_restored_total")
  end)

  it("takes no id of a life that the store has not seen", function()
    local chatty = start()
    new_user(chatty, "ann", { "log-1" })
    assert.equal(0, chatty:stop())
    local copy = chatty.folder .. "/copy.db"
    assert(os.execute(("cp %s/chatty.db %s"):format(chatty.folder, copy)))
    chatty = start(chatty.folder)
    local id = notify(chatty, "log-1", "seen by nobody now")
    chatty:kill()
    assert(os.execute(("rm -f %s/chatty.db-*; cp %s %s/chatty.db"):format(chatty.folder, copy, chatty.folder)))
    chatty = start(chatty.folder)
    assert.same({ "gap unknown" }, (come_back(chatty, "ann", id)))
  end)

  it("is not kept when no plugin wants it any more", function()
    local chatty = start()
    local id = new_user(chatty, "ann", { "log-1" })
    notify(chatty, "log-1", "one")
    stop(chatty)
    chatty = start(chatty.folder, (PLUGIN:gsub(", durable = true", "")))
    assert.same({ "one" }, (come_back(chatty, "ann", id)))
    stop(chatty)
    chatty = start(chatty.folder)
    assert.same({ "gap unknown" }, (come_back(chatty, "ann", id)))
  end)

  it("begins anew behind that, also for who was subscribed while there was one of before", function()
    local chatty = start()
    for i = 1, 3 do notify(chatty, "log-1", "before " .. i) end
    new_user(chatty, "ann", { "log-1" })
    stop(chatty)
    stop(start(chatty.folder, (PLUGIN:gsub(", durable = true", ""))))
    chatty = start(chatty.folder, PLUGIN)
    local id = new_user(chatty, "ann", { "log-1" })
    notify(chatty, "log-1", "one")
    kill(chatty)
    chatty = start(chatty.folder)
    assert.same({ "one" }, (come_back(chatty, "ann", id)))
  end)

  it("is refused without a store that is durable, at the start", function()
    local chatty = server.run{ settings = { STORE = "memory" }, args = { "serve" }, plugins = { log = PLUGIN } }
    assert.equal(1, chatty.code)
    assert.matches("a durable history needs a store that is", chatty.err)
  end)
end)

describe("clients of a server that is stopped and killed at any moment", function()
  it("miss nothing and get nothing twice", function()
    local chatty = start()
    local after = new_user(chatty, "ann", { "log-1" })
    local sent, had = 0, 0
    local seed = os.time()
    math.randomseed(seed)
    for round = 1, 8 do
      for _ = 1, math.random(0, 4) do
        sent = sent + 1
        notify(chatty, "log-1", tostring(sent))
      end
      local finish = math.random(2) == 1 and kill or stop
      finish(chatty)
      chatty = start(chatty.folder)
      local names, id = come_back(chatty, "ann", after)
      for _, name in ipairs(names) do
        had = had + 1
        assert.equal(tostring(had), name, ("seed %d, round %d"):format(seed, round))
      end
      assert.equal(sent, had, ("seed %d, round %d"):format(seed, round))
      after = id
    end
  end)

  it("miss nothing of what was answered with 200 while the server stopped", function()
    local chatty = server.start{ settings = { STORE = "sqlite:chatty.db", STOP_DELAY = "0.2s", WORKERS = 2 },
      plugins = { log = (PLUGIN:gsub("size = 5", "size = 100000")) } }
    new_user(chatty, "ann", { "log-1" })
    local session = chatty:connect("ann")
    local after = session:next().id
    notify(chatty, "log-1", "0")
    chatty:send_signal "sigterm"
    local sent = 0
    while sent < 10000 do
      local is_answered, answer = pcall(chatty.notify, chatty, "channels:log-1", tostring(sent + 1))
      if not is_answered or not answer or answer.status ~= 200 then break end
      sent = sent + 1
    end
    assert.is_true(sent > 0 and sent < 10000)
    assert.is_truthy(chatty.process:wait_exit())
    assert.equal(0, chatty:stop())
    local had = -1
    local function take(name)
      had = had + 1
      assert.equal(tostring(had), name)
    end
    for _ = 1, 3 do -- the rest it never read
      local frame = session:next()
      take(frame.event)
      after = frame.id
    end
    chatty = server.start{ folder = chatty.folder, settings = { STORE = "sqlite:chatty.db", REPLAY_MAX = 100000 },
      plugins = { log = PLUGIN } }
    for _, name in ipairs((come_back(chatty, "ann", after))) do take(name) end
    assert.is_true(had >= sent and had <= sent + 1, ("%d of %d"):format(had, sent)) -- one may have had no answer
  end)
end)
