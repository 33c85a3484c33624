-- Why somebody got an event, or did not: GET /control/why and `chatty why`.
local cjson = require "cjson"
local fault = require "spec.support.fault"
local fresh = require "spec.support.fresh"
local server = require "spec.support.server"
local wait = require "spec.support.wait"

local PLUGIN = [[
local chatty = require "chatty"
return { api = 1, setup = function(app)
  app:channel("log-*", { history = {} })
  app:on("message", function(session, event)
    chatty.notify{ users = { session.user }, event = "echo", id = event:get("id") }
  end)
end }
]]

describe("why", function()
  local chatty

  setup(function() chatty = server.start{ plugins = { log = PLUGIN } } end)
  teardown(function() chatty:stop() end)

  local function notify(method, event, members) return chatty:notify_with(method, event, members).json() end

  local function ask(user, event)
    local response = chatty:control("GET",
      ("/control/why?userId=%s%s"):format(user, event and "&event=" .. event or ""))
    assert.equal(200, response.status, response.body)
    return response.json()
  end

  -- Names are written plainly; ".*" stands for anything.
  local function has(found, words)
    local pattern = words:gsub("[%-%(%)%%]", "%%%0")
    for _, sentence in ipairs(found.sentences) do
      if sentence:find(pattern) then return true end
    end
    error(("no sentence has '%s':\n%s"):format(pattern, table.concat(found.sentences, "\n")), 2)
  end

  local function join(user)
    local session = chatty:connect(user)
    return session, session:next().attributes.session
  end

  it("tells of an event that was written", function()
    local user, room = fresh "ann", fresh "log"
    chatty:subscribe("users:" .. user, { room })
    local session, id = join(user)
    local event = notify("channels:" .. room, "paid", { id = fresh "key" })
    assert.equal("paid", session:next().event)
    local found = ask(user, event.id)
    assert.same({ "paid", { room }, event.id, "a control key" },
      { found.event.event, found.event.channels, found.event.id, found.event.by })
    assert.same({ { how = "queued", written = true } }, found.sessions[1].got)
    assert.equal(id, found.sessions[1].id)
    assert.same({ room, "control" }, { found.subscriptions[1].channel, found.subscriptions[1].by.kind })
    assert.matches("^%d%d%d%d%-", found.event.at)
    has(found, "The event paid (" .. event.id .. ") was emitted at .* to the channels " .. room .. " by a control key")
    has(found, user .. " is subscribed to " .. room .. " since .*, by a control key, request ")
    has(found, "queued for the session " .. id .. " and written")
  end)

  it("tells who has confirmed it, and when, also of a session that has ended", function()
    local user, name = fresh "ann", fresh "asked"
    local first, first_id = join(user)
    local second, second_id = join(user)
    local ack = notify("users:" .. user, name, { ack = true }).ack
    first:next()
    second:next()
    local function told_of(id)
      local found = ask(user, name)
      assert.equal(ack, found.event.ack)
      for _, session in ipairs(found.sessions) do
        if session.id == id then return session, found end
      end
    end
    assert.is_nil(told_of(first_id).confirmed)
    first:send(('{"event":"chatty:ack","ack":%s}'):format(ack))
    assert.is_truthy(wait.until_(function() return told_of(first_id).confirmed end))
    first:close()
    assert.is_truthy(wait.until_(function() return told_of(first_id).closed end))
    local session, found = told_of(first_id)
    assert.matches("^%d%d%d%d%-%d%d%-%d%dT", session.confirmed)
    assert.is_nil(told_of(second_id).confirmed)
    has(found, "The session " .. first_id .. " confirmed it at " .. session.confirmed)
    has(found, "The session " .. second_id .. " is not known to have confirmed it.")
  end)

  it("finds events by id, by idempotency key and by name, the newest", function()
    local user, key = fresh "ann", fresh "key"
    notify("users:" .. user, "named-" .. user)
    wait.until_(function() return false end, 0.005) -- times are milliseconds
    notify("users:" .. user .. ",other", "named-" .. user)
    assert.same({ user, "other" }, ask(user, "named-" .. user).event.users)
    notify("users:" .. user, "keyed", { id = key })
    assert.equal(key, ask(user, key).event.key)
    assert.equal("404 event-unknown ?event",
      (fault.of(chatty:control("GET", "/control/why?userId=ann&event=never-heard-of"))))
  end)

  it("tells who emitted it", function()
    local user = fresh "ann"
    local session = join(user)
    session:send_event("x", '{"id":"of-plugin"}')
    assert.equal("echo", session:next().event)
    assert.equal("the plugin log", ask(user, "of-plugin").event.by)
    local token = chatty:token{ sub = "shop", role = "control" }
    chatty:request{ method = "POST", path = "/control/notify?method=users:" .. user,
      headers = { Authorization = "Bearer " .. token }, json = { event = "by-token", attributes = { 1 } } }
    assert.equal("the token of shop", ask(user, "by-token").event.by)
  end)

  it("tells that somebody is not subscribed, or was left out, or not named", function()
    local room, event = fresh "room", fresh "event"
    notify("channels:" .. room, event)
    has(ask("stranger", event), "stranger is not subscribed to any of its channels now")
    has(ask("stranger", event), "No session of stranger is known")
    local user = fresh "ann"
    chatty:subscribe("users:" .. user, { room })
    local session = join(user)
    notify("channels:" .. room, event .. "-2", { except = { user } })
    has(ask(user, event .. "-2"), user .. " was left out by except")
    notify("users:bob", event .. "-3")
    has(ask(user, event .. "-3"), user .. " is not one of its users")
    session:abort()
  end)

  it("tells which session was left out, also when its client came back", function()
    local room, event, user = fresh "log", fresh "event", fresh "ann"
    chatty:subscribe("users:" .. user, { room })
    local session = chatty:connect(user)
    local connected = session:next()
    local first = connected.attributes.session
    session:abort()
    local again = chatty:connect(user, { path = ("/ws?after=%s&session=%s"):format(connected.id, first) })
    local second = again:next().attributes.session
    local _, other = join(user)
    notify("channels:" .. room, event, { except = { sessions = { first } } })
    local found = ask(user, event)
    assert.same({ first }, found.event.exceptSessions)
    has(found, "The session " .. second .. " was left out by except")
    has(found, "queued for the session " .. other)
    again:abort()
  end)

  it("does not say of whom it forgot that he was not meant", function()
    local room, event, user = fresh "room", fresh "event", fresh "ann"
    chatty:subscribe("users:" .. user, { room })
    local session = join(user)
    local names = {}
    for i = 1, 9 do names[i] = ("x"):rep(80) .. i end
    notify("channels:" .. table.concat(names, ",") .. "," .. room, event)
    names[10] = user
    notify("channels:" .. room, event .. "-2", { except = names })
    notify("users:" .. table.concat(names, ","), event .. "-3")
    for _, which in ipairs{ event, event .. "-2", event .. "-3" } do
      local found = ask(user, which)
      assert.is_true(found.event.cut)
      has(found, "more names than are remembered")
      for _, sentence in ipairs(found.sentences) do assert.not_matches(user .. " is not ", sentence, 1, true) end
    end
    session:abort()
  end)

  it("tells of sessions that came later or had ended", function()
    local user, room, event = fresh "ann", fresh "room", fresh "event"
    chatty:subscribe("users:" .. user, { room })
    local session, first = join(user)
    session:close(1000, "bye")
    assert.equal(1000, session:expect_closed())
    wait.until_(function() return ask(user).sentences[2] == user .. " has 0 live sessions." end)
    wait.until_(function() return false end, 0.005)
    notify("channels:" .. room, event)
    wait.until_(function() return false end, 0.005)
    local _, later = join(user)
    local found = ask(user, event)
    has(found, "The session " .. first .. " had ended at .*, before the event (1000, bye)")
    has(found, "The session " .. later .. " began at .*, after the event")
  end)

  it("tells of what was brought to a session that came back", function()
    local user, room = fresh "ann", fresh "log"
    chatty:subscribe("users:" .. user, { room })
    local session = chatty:connect(user)
    local id = session:next().id
    session:abort()
    local event = notify("channels:" .. room, "missed")
    local again = chatty:connect(user, { path = "/ws?after=" .. id })
    again:next()
    assert.equal("missed", again:next().event)
    local found = ask(user, event.id)
    has(found, "It was brought to the session .* when it came back and written")
  end)

  it("tells what waits for a session that does not read, and what it was not given", function()
    local slow = server.start{ settings = { WORKERS = 1, SESSION_QUEUE_MAX = "512kb", CLOSE_TIMEOUT = "100ms" } }
    local socket = slow:join("slow")
    socket:pause()
    local large = ("x"):rep(300000)
    local function give(event, data)
      return slow:control("POST", "/control/notify?method=users:slow", { event = event, attributes = { data } })
    end
    for _ = 1, 100 do
      if slow:metric "queue_bytes" > 0 then break end
      give("large", large)
    end
    give("small", "x")
    local function tell(event) return slow:control("GET", "/control/why?userId=slow&event=" .. event).json() end
    has(tell("small"), "may not be written yet: .* frames wait")
    for _ = 1, 5 do give("larger", large) end
    assert.equal(1, slow:wait_metric("slow_readers_total", 1))
    has(tell("small"), "queued")
    wait.until_(function() return slow:metric "sessions" == 0 end)
    has(tell("small"), "may not have been written: .* frames waited when it ended (4002)")
    local marks, dropped = tell("larger").sessions[1].got, 0
    for _, got in ipairs(marks) do dropped = dropped + (got.how == "dropped" and 1 or 0) end
    assert.is_true(dropped <= 1)
    socket:abort()
  end)

  it("tells of what was taken out of a slow session's queue again", function()
    local slow = server.start{ settings = { WORKERS = 1, SESSION_QUEUE_MAX = "1mb", STOP_TIMEOUT = "1s" } }
    local socket, large = slow:join("slow"), ("x"):rep(400000)
    socket:pause()
    local function give(event, members, data)
      local body = { event = event, attributes = { data or "x" } }
      for name, value in pairs(members or {}) do body[name] = value end
      assert.equal(200, slow:control("POST", "/control/notify?method=users:slow", body).status)
    end
    local function tell(event) return slow:control("GET", "/control/why?userId=slow&event=" .. event).json() end
    for _ = 1, 100 do
      if slow:metric "queue_bytes" > 0 then break end
      give("large", nil, large)
    end
    give("waits")
    for i = 1, 3 do give("price-" .. i, { key = "price" }) end
    give("brief", { ttl = 0.01 }, large)
    wait.until_(function() return false end, 0.05)
    give("large", nil, large)
    give("large", nil, large)
    for i = 1, 2 do
      assert.same({ { how = "dropped", reason = "superseded" } }, tell("price-" .. i).sessions[1].got)
    end
    has(tell("price-1"), "taken out of the queue of the session .* again: a newer event of its key came")
    assert.same({ { how = "dropped", reason = "expired" } }, tell("brief").sessions[1].got)
    has(tell("brief"), "again: its ttl was over")
    for _, event in ipairs{ "waits", "price-3" } do
      assert.same({ { how = "queued", written = false } }, tell(event).sessions[1].got)
    end
    socket:resume()
    assert.is_truthy(wait.until_(function() return tell("price-3").sessions[1].got[1].written end))
    assert.same({ { how = "queued", written = true } }, tell("waits").sessions[1].got)
    assert.same({ { how = "dropped", reason = "superseded" } }, tell("price-2").sessions[1].got)
  end)

  it("tells without an event to what a user is subscribed, and by which request", function()
    local user, room = fresh "ann", fresh "room"
    local answer = chatty:subscribe("users:" .. user, { room })
    local session = join(user)
    local found = ask(user)
    assert.same({ room, answer.headers["x-request-id"] },
      { found.subscriptions[1].channel, found.subscriptions[1].by.request })
    has(found, user .. " is subscribed to " .. room .. " since")
    has(found, user .. " has 1 live session.")
    session:abort()
  end)

  it("is a command too", function()
    local user, room = fresh "ann", fresh "room"
    chatty:subscribe("users:" .. user, { room })
    local settings = { APP_PORT = chatty.port }
    local told = server.run{ args = { "why", "--user", user }, settings = settings }
    assert.equal(0, told.code, told.err)
    assert.is_truthy(told.out:find(user .. " is subscribed to " .. room, 1, true))
    local raw = server.run{ args = { "why", "--user", user, "--json" }, settings = settings }
    assert.equal(room, cjson.decode(raw.out).subscriptions[1].channel)
    local failed = server.run{ args = { "why", "--user", user, "--event", "never" }, settings = settings }
    assert.same({ 1, "" }, { failed.code, failed.out })
    assert.matches("Name an event by its id", failed.err)
    assert.equal(2, server.run{ args = { "why" }, settings = settings }.code)
  end)

  it("needs the right to search", function()
    assert.equal(401, chatty:request{ path = "/control/why?userId=ann" }.status)
    assert.equal("400 parameter-missing ?userId", (fault.of(chatty:control("GET", "/control/why"))))
    assert.equal("400 name-invalid ?userId", (fault.of(chatty:control("GET", "/control/why?userId=%0a"))))
  end)
end)
