-- What a test holds in hand as `t`.
local test = require "chatty.test"

describe("a request of a test", function()
  local t = test.plugin("spec/trial/plugins/lobby.lua")

  it("is a stranger's, unless it says whose it is", function()
    assert.equal(401, t:get("/hello/bob").status)
    assert.equal("ann", t:get("/hello/bob", { user = "ann" }).json.from)
    assert.equal("zoe", t:get("/hello/bob", { token = t:token("zoe") }).json.from)
  end)

  it("has claims, a query and headers", function()
    local response = t:get("/hello/bob?a=1", {
      user = "ann", claims = { team = { "x" } }, query = { b = "2 & 3" }, headers = { ["X-Any"] = "1" },
    })
    assert.same({ "x" }, response.json.claims.team)
    assert.same({ a = "1", b = "2 & 3" }, response.json.query)
  end)

  it("has the control key when it asks for it", function()
    assert.equal(403, t:delete("/all", { user = "ann" }).status)
    assert.equal(204, t:delete("/all", { control = true }).status)
  end)

  it("sends JSON, documents, or bytes as they are", function()
    local response = t:post("/echo", { json = { a = { 1 } } })
    assert.same({ '{"a":[1]}', "application/json" }, { response.body, response.headers["x-kind"] })
    response = t:post("/echo", { document = { data = test.json.null } })
    assert.equal("application/vnd.api+json", response.headers["x-kind"])
    response = t:post("/echo", { body = "\0\255", headers = { ["Content-Type"] = "text/odd" } })
    assert.same({ "\0\255", "text/odd" }, { response.body, response.headers["x-kind"] })
  end)

  it("carries bodies that no pipe holds at once", function()
    local body = ("x"):rep(900000)
    assert.equal(body, t:post("/echo", { body = body }).body)
  end)

  it("knows every method", function()
    assert.equal(200, t:head("/twice").status)
    assert.equal(405, t:put("/twice").status)
    assert.equal(405, t:patch("/twice", { json = {} }).status)
    assert.equal("GET, HEAD, OPTIONS", t:options("/twice").headers.allow)
  end)

  it("shows the first error object", function()
    assert.equal("not-found", t:get("/nowhere").error.code)
  end)

  it("shows headers that come several times as a list", function()
    assert.equal(2, #t:get("/twice").headers["set-cookie"])
  end)

  it("says what it does not know", function()
    assert.error_matches(function() t:get("/twice", { usr = "ann" }) end, "a request does not know 'usr'")
  end)

  it("shows the fault of a plugin as a line of the log", function()
    assert.equal(500, t:get("/fault").status)
    local line = t:expect_log("plugin lobby, GET /fault: spec/trial/plugins/lobby.lua:%d+: attempt to index")
    assert.same({ "error", "lobby" }, { line.level, line.fields.plugin })
  end)
end)

describe("a session of a test", function()
  local t = test.plugin("spec/trial/plugins/lobby.lua")

  it("is greeted by the server, and then gets events", function()
    local ann = t:connect("ann")
    assert.same({ 101, "ann", "ann" }, { ann.status, ann.user, ann.connected.user })
    assert.equal(ann.connected.session, ann.id)
    local event, text = ann:next()
    assert.same({ event = "greeting", attributes = { to = "ann" } }, event)
    assert.equal('{"event":"greeting","attributes":{"to":"ann"}}', text)
    ann:none()
  end)

  it("is told when there is no event, and when there is one too many", function()
    local ann = t:connect("ann")
    assert.error_matches(function() ann:none() end, "Expected no event for ann, but 1 came. The first:\n.*greeting")
    ann:next()
    assert.error_matches(function() ann:next() end, "ann got no event: nothing waits")
  end)

  it("gives all events that came", function()
    local ann = t:connect("ann")
    t:notify { users = { "ann" }, event = "x" }
    assert.same({ "greeting", "x" }, { ann:events()[1].event, ann:events()[1] == nil and "x" })
    assert.same({}, ann:events())
  end)

  it("may be refused by its token, or by a hook", function()
    assert.equal(401, t:connect("ann", { token = "nonsense" }).status)
    assert.equal("token-invalid", t:connect("ann", { token = "nonsense" }).response.error.code)
    local bob = t:connect("bob", { claims = { banned = true } })
    assert.same({ 4501, "You are not welcome." }, { bob:closed() })
    assert.error_matches(function() bob:next() end, "bob got no event: closed with 4501: You are not welcome.")
  end)

  it("may come without a token, and send it", function()
    local someone = t:connect()
    assert.is_nil(someone.connected)
    someone:send("chatty:auth", { token = t:token("ann") })
    assert.equal("ann", someone.connected.user)
  end)

  it("sends events to others", function()
    t:subscribe({ "ann", "bob" }, { "lobby" })
    local ann, bob = t:connect("ann"), t:connect("bob")
    bob:next()
    ann:send("hi", { n = 12345678901234567, list = test.json.array({}) })
    assert.equal('{"event":"hi","attributes":{"list":[],"n":12345678901234567}}', select(2, bob:next()))
  end)

  it("is acknowledged, or refused", function()
    local ann = t:connect("ann")
    assert.same({ said = "hi" }, ann:ask("hi"))
    local answer, refused = ann:ask("refused")
    assert.is_nil(answer)
    assert.same({ status = 403, code = "not-yours", detail = "This is somebody else's." }, refused)
    assert.equal("greeting", ann:next().event)
    ann:none()
  end)

  it("may ask for an acknowledgement by a number of its own", function()
    local ann = t:connect("ann")
    ann:next()
    ann:send("sleep", {}, 7)
    ann:none()
    t:advance(1)
    assert.same({ event = "chatty:ack", attributes = {}, ack = 7 }, ann:next())
  end)

  it("is told that its handler waits", function()
    local ann = t:connect("ann")
    assert.error_matches(function() ann:ask("sleep") end, "'sleep' of ann is not acknowledged.*Does its handler wait")
  end)

  it("sends what is no event", function()
    local ann = t:connect("ann")
    ann:next()
    ann:send_raw("{")
    assert.equal("frame-malformed", ann:next().attributes.code)
    ann:send_raw("\1", true)
    assert.equal(1003, (ann:closed()))
  end)

  it("is closed by a plugin, by the app server, by itself, or lost", function()
    local ann, bob, zoe, kim = t:connect("ann"), t:connect("bob"), t:connect("zoe"), t:connect("kim")
    ann:send("leave")
    t:post("/control/disconnect", { control = true, query = { method = "users:bob", reason = "enough" } })
    zoe:close(4000, "bye")
    kim:cut()
    assert.same({ 4900, "as you wish" }, { ann:closed() })
    assert.same({ 4502, "enough" }, { bob:closed() })
    local gone = {}
    for _, line in ipairs(t:logs()) do
      if line.message == "gone" then gone[line.fields.user] = line.fields.code end
    end
    assert.same({ ann = 4900, bob = 4502, zoe = 4000, kim = 1006 }, gone)
  end)
end)

describe("a WebSocket of a plugin's own", function()
  local t = test.plugin("spec/trial/plugins/lobby.lua")

  it("takes and gives text and bytes", function()
    local socket = t:websocket("/raw")
    assert.equal("welcome", (socket:next()))
    socket:send("text")
    socket:send("\0\1", true)
    assert.same({ "text", false }, { socket:next() })
    assert.same({ "\0\1", true }, { socket:next() })
    socket:none()
  end)

  it("carries long messages", function()
    local socket = t:websocket("/raw")
    socket:next()
    for _, len in ipairs({ 125, 126, 65535, 65536 }) do
      socket:send(("x"):rep(len))
      assert.equal(len, #socket:next())
    end
  end)
end)

describe("the server of a test", function()
  local t = test.plugin("spec/trial/plugins/lobby.lua")

  it("is notified and subscribed as by the app server", function()
    t:subscribe({ "ann" }, { "lobby" })
    t:expect_log("subscribe by control")
    local ann = t:connect("ann")
    ann:next()
    assert.equal(200, t:notify { channels = { "lobby" }, event = "x", attributes = { a = 1 } }.status)
    assert.same({ event = "x", attributes = { a = 1 } }, ann:next())
    assert.equal(1, t:notify { users = { "ann" }, event = "x", report = true }.json.report.sessions)
    t:unsubscribe({ "ann" }, { "lobby" })
    ann:next()
    t:notify { channels = { "lobby" }, event = "x" }
    ann:none()
    assert.equal(400, t:notify { channels = { "lobby" }, event = "chatty:x" }.status)
  end)

  it("is notified on the terms that the app server may say", function()
    local ann, bob = t:connect("ann"), t:connect("bob")
    t:notify { users = { "ann", "bob", "zoe" }, event = "x", except = { "bob" }, if_offline = true, ack = true }
    bob:next()
    bob:none()
    ann:next()
    local event = ann:next()
    assert.equal("zoe", t:expect_log("unreached by x").fields.users)
    ann:acknowledge(event.ack)
    local acks = t:get("/control/acks", { control = true, query = { ack = event.ack } })
    assert.equal(1, acks.json.sessions)
  end)

  it("is asked to confirm over Socket.IO too, and gets the id of what is kept", function()
    t:subscribe({ "ann" }, { "kept-2" })
    local ann = t:connect("ann", { transport = "sio" })
    ann:next()
    t:notify { channels = { "kept-2" }, event = "x", ack = true }
    local event = ann:next()
    assert.same({ "x", "string" }, { event.event, type(event.id) })
    ann:acknowledge(event.ack)
    local acks = t:get("/control/acks", { control = true, query = { ack = event.ack } })
    assert.equal(1, acks.json.sessions)
  end)

  it("brings what was missed, as long as it is kept", function()
    t:subscribe({ "ann" }, { "kept-1" })
    local ann = t:connect("ann")
    ann:next()
    t:notify { channels = { "kept-1" }, event = "x", attributes = { n = 1 } }
    local last = ann:next().id
    ann:cut()
    t:notify { channels = { "kept-1" }, event = "x", attributes = { n = 2 } }
    local again = t:connect("ann", { query = { after = last } })
    local missed = {}
    for _, event in ipairs(again:events()) do
      if event.event ~= "greeting" then missed[#missed + 1] = event.attributes end
    end
    assert.same({ { n = 2 } }, missed)
    t:advance(61)
    local late = {}
    for _, event in ipairs(t:connect("ann", { query = { after = last } }):events()) do late[event.event] = true end
    assert.same({ greeting = true, ["chatty:gap"] = true }, late)
  end)

  it("calls chatty in the name of a plugin", function()
    t:connect("ann")
    assert.same({ 1, 1 }, { t.chatty.users.count() })
    assert.is_true(t.chatty.store.set("key", { list = {} }))
    assert.same({ list = {} }, t.chatty.store.get("key"))
    assert.is_nil(t:chatty_of("other").store.get("key"))
    assert.equal("ann", t.chatty.token.verify(t:token("ann")).user)
  end)

  it("says what chatty does not have, and what it raises", function()
    assert.error_matches(function() t.chatty.nothing() end, "there is no chatty.nothing")
    assert.error_matches(function() t.chatty.store.get(1) end, "chatty.store.get: .*the key must be a string")
    assert.error_matches(function() t.chatty.spawn(print) end, "chatty.spawn cannot be called from a test")
    assert.error_matches(function() t.chatty.metrics.counter("x_total", "X.") end, "what cannot leave the server")
    assert.error_matches(function() t.chatty.sleep(1) end, "chatty.sleep waits for something that does not happen")
  end)

  it("tells what plugins have counted", function()
    local ann = t:connect("ann")
    assert.is_nil(t:metric("lobby_messages_total"))
    for _, name in ipairs({ "x", "x", "longer" }) do ann:ask(name) end
    assert.same({ 3, 2, 8 }, {
      t:metric("lobby_messages_total"), t:metric("lobby_messages_total", { name = "x" }), t:metric("lobby_lengths_sum"),
    })
    assert.is_nil(t:metric("lobby_messages_total", { name = "y" }))
  end)

  it("stops", function()
    local ann = t:connect("ann")
    t:stop()
    t:advance(10)
    t:expect_log("stopping")
    assert.equal(1012, (ann:closed()))
  end)

  for _, turn in ipairs({ "first", "second" }) do
    it("knows nothing of other tests: " .. turn, function()
      assert.is_nil(t.chatty.store.get("seen"))
      assert.same({ 0, 0 }, { t.chatty.users.count() })
      t.chatty.store.set("seen", true)
      t:connect("ann")
    end)
  end

  it("fails the test that expects a line which is not logged", function()
    assert.error_matches(function() t:expect_log("nothing like it") end, "Expected a line in the log that matches")
  end)
end)

describe("the making of a server", function()
  it("takes shipped plugins by name, several together, and settings", function()
    local t = test.plugins({ "origin", "spec/trial/plugins/lobby" }, { settings = { SESSIONS_PER_USER_MAX = 1 } })
    t:subscribe({ "ann" }, { "lobby" })
    local ann = t:connect("ann")
    ann:next()
    t:notify { channels = { "lobby" }, event = "x", add = { "origin" } }
    assert.same({ origin = "lobby" }, ann:next().attributes)
    assert.equal(4503, (t:connect("ann"):closed()))
  end)

  it("says which plugin or setting is not there, and which is wrong", function()
    assert.error_matches(function() test.plugin("plugins/nothing.lua") end, "there is no plugin plugins/nothing.lua")
    assert.error_matches(function() test.plugins({}, { settings = { PORTS = 1 } }) end, "there is no setting PORTS")
    assert.error_matches(function() test.plugins({}, { settings = { WORKERS = "many" } }) end, "WORKERS is \"many\"")
    assert.error_matches(function() test.plugins({}, { setings = {} }) end, "chatty.test does not know 'setings'")
  end)

  it("needs no plugin at all", function()
    assert.equal(200, test.plugins({}):get("/").status)
  end)

  it("raises what a plugin raises while it loads", function()
    local t = test.plugin("spec/trial/plugins/broken.lua")
    assert.error_matches(function() t:get("/") end,
      "plugin broken: spec/trial/plugins/broken.lua:5: app:on does not know")
  end)

  it("allows one server for each test", function()
    local one, other = test.plugins({}), test.plugins({})
    one:get("/")
    assert.error_matches(function() other:get("/") end, "this test has another server already")
  end)
end)

describe("a server with several workers", function()
  local t = test.plugin("spec/trial/plugins/counter.lua", { settings = { WORKERS = 3 } })

  it("spreads connections over them, each with globals of its own", function()
    local counts = {}
    for i = 1, 6 do counts[i] = t:get("/count").json end
    assert.same({ { 0, 1, 1 }, { 1, 1, 2 }, { 2, 1, 3 }, { 0, 2, 4 }, { 1, 2, 5 }, { 2, 2, 6 } }, counts)
  end)

  local drawn

  for _, turn in ipairs({ "first", "second" }) do
    it("draws the same each time: " .. turn, function()
      local numbers = { t:get("/random").json, t:get("/random").json }
      assert.same(drawn or numbers, numbers)
      drawn = numbers
    end)
  end

  it("brings events to the sessions of all of them", function()
    local sessions = {}
    for i = 1, 6 do sessions[i] = t:connect("user-" .. i % 2) end
    t:subscribe({ "user-0", "user-1" }, { "all" })
    local response = t:notify { channels = { "all" }, event = "x", report = true }
    assert.same({ 2, 6 }, { response.json.report.users, response.json.report.sessions })
    for _, session in ipairs(sessions) do assert.equal("x", session:next().event) end
  end)

  it("closes all sessions of a user", function()
    local sessions = {}
    for i = 1, 3 do sessions[i] = t:connect("ann") end
    t.chatty.disconnect({ "ann" }, { reason = "enough" })
    for _, session in ipairs(sessions) do assert.equal(4502, (session:closed())) end
  end)
end)
