-- What an event may say of itself in the body of notify: whom it is not for, how long it is worth something,
-- what it replaces, whether it is to be confirmed, and who is to be told of those who were not there.
local cjson = require "cjson"
local fault = require "spec.support.fault"
local fresh = require "spec.support.fresh"
local listener = require "spec.support.listener"
local server = require "spec.support.server"
local wait = require "spec.support.wait"

local PLUGIN = [[
local chatty = require "chatty"
return { api = 1, setup = function(app)
  app:channel("log-*", { history = {} })
  app:on("unreached", function(event, users)
    table.sort(users)
    chatty.shared.set("unreached", { event = event.name, n = event:get("n"), users = users })
  end)
  app:on("notify", function(event)
    if event.name == "hooked" then event.except_sessions, event.key, event.ttl = nil, "other", 1 end
    if event.name == "broken" then event.ttl = "soon" end
  end)
  app:get("/unreached", { auth = "none" }, function() return { json = chatty.shared.get("unreached") or false } end)
  app:post("/as-plugin", { auth = "none", body = "json" }, function(request)
    local done, id, ack = chatty.notify(request.json)
    return { json = { done = done, id = id, ack = ack } }
  end)
end }
]]

describe("an event", function()
  local chatty

  setup(function() chatty = server.start{ plugins = { log = PLUGIN } } end)
  teardown(function() chatty:stop() end)

  local function notify(method, event, members) return chatty:notify_with(method, event, members) end

  local function open(user, channels)
    local one = listener.open(chatty, user, channels)
    return one
  end

  -- The id of a session, which chatty:connected told.
  local function connect(user)
    local session = chatty:connect(user)
    return session, session:next().attributes.session
  end

  it("may leave out users", function()
    local room = fresh "room"
    local ann, bob = open(fresh "ann", { room }), open(fresh "bob", { room })
    notify("channels:" .. room, "x", { except = { ann.user } })
    notify("channels:" .. room, "y", { except = { users = { bob.user } } })
    notify("users:" .. ann.user .. "," .. bob.user, "z", { except = { ann.user } })
    assert.same({ { "y" }, { "x", "z" } }, { ann:heard_names(), bob:heard_names() })
  end)

  it("may leave out sessions, as that of the tab in which something was done", function()
    local room, user = fresh "room", fresh "ann"
    chatty:subscribe("users:" .. user, { room })
    local one, id = connect(user)
    local other = connect(user)
    notify("channels:" .. room, "x", { except = { sessions = { id } } })
    notify("channels:" .. room, "y", { except = { sessions = { "nobody" }, users = { "nobody" } } })
    assert.equal("y", one:next().event)
    assert.same({ "x", "y" }, { other:next().event, other:next().event })
  end)

  it("leaves them out in catching up too", function()
    local room, user = fresh "log", fresh "ann"
    chatty:subscribe("users:" .. user, { room })
    local session = chatty:connect(user)
    local id = session:next().id
    session:abort()
    notify("channels:" .. room, "x", { except = { user } })
    notify("channels:" .. room, "y")
    local again = chatty:connect(user, { path = "/ws?after=" .. id })
    again:next()
    assert.equal("y", again:next().event)
  end)

  it("is not brought later than its ttl, which is no gap", function()
    local room, user = fresh "log", fresh "ann"
    chatty:subscribe("users:" .. user, { room })
    local session = chatty:connect(user)
    local id = session:next().id
    session:abort()
    notify("channels:" .. room, "x", { ttl = 0.001 })
    notify("channels:" .. room, "y", { ttl = 60 })
    wait.until_(function() return false end, 0.02)
    local again = chatty:connect(user, { path = "/ws?after=" .. id })
    again:next()
    assert.equal("y", again:next().event)
  end)

  it("with a key takes the place of the one before in what is kept", function()
    local room, user = fresh "log", fresh "ann"
    chatty:subscribe("users:" .. user, { room })
    local session = chatty:connect(user)
    local id = session:next().id
    session:abort()
    notify("channels:" .. room, "x1", { key = "x" })
    notify("channels:" .. room, "y")
    notify("channels:" .. room, "x2", { key = "x" })
    local again = chatty:connect(user, { path = "/ws?after=" .. id })
    again:next()
    assert.same({ "y", "x2" }, { again:next().event, again:next().event })
  end)

  it("with a key takes no place in other channels, on the way to who comes back neither", function()
    local one, other, user = fresh "log", fresh "log", fresh "ann"
    chatty:subscribe("users:" .. user, { one, other })
    local session = chatty:connect(user)
    local id = session:next().id
    session:abort()
    local both = ("channels:%s,%s"):format(one, other)
    notify(both, "x1", { key = "x" })
    notify("channels:" .. one, "x2", { key = "x" })
    assert.equal(200, chatty:control("POST", "/control/notify?add=origin&method=" .. both,
      { event = "y", attributes = {}, key = "y" }).status)
    local again = chatty:connect(user, { path = "/ws?after=" .. id })
    again:next()
    assert.same({ "x1", "x2" }, { again:next().event, again:next().event })
    assert.same({ one, other }, { again:next().attributes.origin, again:next().attributes.origin })
  end)

  it("may tell a hook of the users that were not there", function()
    local room, other = fresh "room", fresh "room"
    local here, gone, both = fresh "here", fresh "gone", fresh "gone"
    chatty:subscribe(("users:%s,%s,%s"):format(here, gone, both), { room })
    chatty:subscribe(("users:%s"):format(both), { other })
    local session = chatty:join(here)
    local function told(event)
      local users = { gone, both }
      table.sort(users)
      local found
      wait.until_(function()
        found = cjson.decode(chatty:request{ path = "/unreached" }.body)
        return found and found.event == event
      end)
      return { found.users, users, found.n }
    end
    local first, second = fresh "call", fresh "call"
    notify(("channels:%s,%s"):format(room, other), first, { ifOffline = true })
    local list = told(first)
    assert.same({ list[2], 1 }, { list[1], list[3] })
    notify(("users:%s,%s,%s"):format(here, gone, both), second, { ifOffline = true, except = { both } })
    assert.same({ gone }, told(second)[1])
    assert.equal(first, session:next().event)
  end)

  it("is refused with terms that are none, by a pointer", function()
    local bad = {
      except = { 7, "ann", { users = { "" } }, { sessions = "x" }, { users = {}, tabs = {} }, { 7 },
        { user = { "ann" } }, { users = { ann = true } } },
      ttl = { 0, -1, "1", 1e9 }, key = { "", 7, ("k"):rep(256) }, ack = { 1, "yes" }, ifOffline = { 0 },
    }
    for member, values in pairs(bad) do
      for _, value in ipairs(values) do
        assert.equal("400 event-term-invalid #/" .. member,
          (fault.of(notify("channels:room-x", "x", { [member] = value }))))
      end
    end
    assert.equal(200, notify("channels:room-x", "x", { except = cjson.null, other = 7 }).status)
  end)

  it("of a plugin has the same terms", function()
    local room = fresh "room"
    local ann, bob = open(fresh "ann", { room }), open(fresh "bob", { room })
    local answer = chatty:request{ method = "POST", path = "/as-plugin", json = {
      channels = { room }, event = "x", except = { ann.user }, key = "k", ttl = 5, ack = true, id = fresh "key",
    } }.json()
    assert.is_true(answer.done)
    assert.matches("^%d+$", answer.ack)
    assert.same({ {}, { "x" } }, { ann:heard_names(), bob:heard_names() })
    assert.equal(500, chatty:request{ method = "POST", path = "/as-plugin", json = {
      channels = { room }, event = "x", ttl = "soon" } }.status)
  end)

  it("may get other terms from a hook, if they are some", function()
    local room, user = fresh "room", fresh "ann"
    chatty:subscribe("users:" .. user, { room })
    local session, id = connect(user)
    notify("channels:" .. room, "hooked", { except = { sessions = { id } } })
    assert.equal("hooked", session:next().event)
    assert.equal(500, notify("channels:" .. room, "broken").status)
    assert.is_string(chatty:wait_log("event.ttl must be a number"))
  end)
end)
