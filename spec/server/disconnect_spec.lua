-- POST /control/disconnect: ends the sessions of users, and nothing else.
local fault = require "spec.support.fault"
local fresh = require "spec.support.fresh"
local listener = require "spec.support.listener"
local plugin_source = require "spec.support.plugin_source"
local raw_socketio = require "spec.support.raw_socketio"
local server = require "spec.support.server"
local wait = require "spec.support.wait"

-- The connect hook holds users called slow-* up until somebody says go.
local GATE = plugin_source [[
  app:on("connect", function(session)
    if not session.user:find("^slow") then return end
    chatty.shared.set("at/" .. session.user, session.id)
    while not chatty.shared.get("go/" .. session.user) do chatty.sleep(0.005) end
    chatty.shared.set("through/" .. session.user, true)
  end)
  app:post("/go/:user", { auth = "none" }, function(request) chatty.shared.set("go/" .. request.params.user, true) end)
  app:get("/shared/:key/:user", { auth = "none" }, function(request)
    return { json = { value = chatty.shared.get(request.params.key .. "/" .. request.params.user) or false } }
  end)
]]

describe("disconnect", function()
  local chatty

  setup(function() chatty = server.start() end)
  teardown(function() chatty:stop() end)

  local function disconnect(query, body)
    return chatty:control("POST", "/control/disconnect?" .. query, body)
  end

  local function end_of(one)
    return { one.session:expect_closed() }
  end

  it("closes all sessions of a user with 4502, and counts them", function()
    local user = fresh "ann"
    local one, two = listener.open(chatty, user), listener.open(chatty, user)
    assert.same({ msg = "Disconnected.", sessions = 2 }, disconnect("method=users:" .. user).json())
    assert.same({ { 4502, "" }, { 4502, "" } }, { end_of(one), end_of(two) })
  end)

  it("closes them with 4003 when they shall come back", function()
    local ann = listener.open(chatty, fresh "ann")
    disconnect(("method=users:%s&reconnect=true"):format(ann.user))
    assert.same({ 4003, "" }, end_of(ann))
  end)

  it("closes them with 4502 when reconnect is false", function()
    local ann = listener.open(chatty, fresh "ann")
    disconnect(("method=users:%s&reconnect=false"):format(ann.user))
    assert.same({ 4502, "" }, end_of(ann))
  end)

  it("tells the clients the reason", function()
    local ann = listener.open(chatty, fresh "ann")
    disconnect(("method=users:%s&reason=banned+f%%C3%%BCr%%20%%22x%%22"):format(ann.user))
    assert.same({ 4502, 'banned für "x"' }, end_of(ann))
  end)

  it("tells a reason of 120 bytes whole", function()
    local ann = listener.open(chatty, fresh "ann")
    disconnect(("method=users:%s&reason=%s"):format(ann.user, ("r"):rep(120)))
    assert.same({ 4502, ("r"):rep(120) }, end_of(ann))
  end)

  it("reaches several users and leaves the others", function()
    local ann, bob, eve = listener.open(chatty, fresh "a"), listener.open(chatty, fresh "b"),
      listener.open(chatty, fresh "e")
    assert.equal(2, disconnect(("method=users:%s,%s,%s"):format(ann.user, bob.user, ann.user)).json().sessions)
    assert.same({ { 4502, "" }, { 4502, "" }, {} }, { end_of(ann), end_of(bob), eve:heard() })
  end)

  it("counts 0 for users who are not here", function()
    assert.same({ msg = "Disconnected.", sessions = 0 }, disconnect("method=users:nobody,__proto__").json())
  end)

  it("leaves the subscriptions, and the user may come again", function()
    local room = fresh "room"
    local ann = listener.open(chatty, fresh "ann", { room })
    disconnect("method=users:" .. ann.user)
    end_of(ann)
    assert.same({ room }, listener.open(chatty, ann.user).channels)
  end)

  it("takes the user out of search", function()
    local room = fresh "room"
    local ann = listener.open(chatty, fresh "ann", { room })
    disconnect("method=users:" .. ann.user)
    assert.is_true(wait.until_(function()
      return chatty:control("GET", "/control/search/participants?channel=" .. room).body == "[]"
    end))
  end)

  it("does not mind a body", function()
    assert.equal(200, disconnect("method=users:nobody", "whatever").status)
  end)

  it("lets through what was notified before, and nothing after", function()
    local ann = listener.open(chatty, fresh "ann")
    chatty:notify("users:" .. ann.user, "before")
    disconnect("method=users:" .. ann.user)
    chatty:notify("users:" .. ann.user, "after")
    assert.equal("before", ann.session:next().event)
    assert.is_nil((ann.session:next_raw()))
    assert.equal(4502, ann.session.close_code)
  end)

  local refused = {
    ["method=users:a&reason=" .. ("r"):rep(121)] = "400 parameter-invalid ?reason",
    ["method=users:a&reason=%FF"] = "400 query-malformed ?reason",
    ["method=users:a&reconnect=yes"] = "400 parameter-invalid ?reconnect",
    ["method=users:a&reconnect"] = "400 parameter-invalid ?reconnect",
    ["method=users:a&dryRun=1"] = "400 parameter-invalid ?dryRun",
    ["method=users:a&code=1000"] = "400 parameter-unknown ?code",
    ["method=users:"] = "400 list-empty ?method",
  }
  for query, expected in pairs(refused) do
    it(("refuses the query %s"):format(query:sub(1, 50)), function()
      assert.equal(expected, fault.of(disconnect(query)))
    end)
  end
end)

describe("a session whose connect hook waits", function()
  local chatty

  setup(function() chatty = server.start{ settings = { WORKERS = 2 }, plugins = { gate = GATE } } end)
  teardown(function() chatty:stop() end)

  local function wait_for(key, user)
    assert.is_truthy(wait.until_(function()
      return chatty:request{ path = ("/shared/%s/%s"):format(key, user) }.json().value
    end))
  end

  -- A session that the hook holds up.
  local function open(user)
    local session = chatty:connect(user)
    wait_for("at", user)
    return session
  end

  local function let_through(user)
    chatty:request{ method = "POST", path = "/go/" .. user }
    wait_for("through", user)
  end

  -- It was closed so, had no event, and nobody thinks that it is live.
  local function check_end(session, user, code)
    assert.is_nil((session:next()))
    assert.equal(code, session.close_code)
    let_through(user)
    assert.same({}, chatty:control("GET", "/control/search/users").json())
    assert.equal(0, chatty:metric "sessions")
  end

  it("is closed by disconnect, and counts", function()
    local user = fresh "slow"
    local session = open(user)
    local would = chatty:control("POST", "/control/disconnect?method=users:" .. user .. "&dryRun=true").json()
    assert.equal(1, would.sessions)
    local answer = chatty:control("POST", "/control/disconnect?method=users:nobody," .. user).json()
    assert.equal(1, answer.sessions)
    check_end(session, user, 4502)
  end)

  it("is asked to come back by it", function()
    local user = fresh "slow"
    local session = open(user)
    chatty:control("POST", ("/control/disconnect?method=users:%s&reconnect=true"):format(user))
    check_end(session, user, 4003)
  end)

  -- A client of Socket.IO that the hook holds up.
  local function open_socketio(user)
    local socket = raw_socketio.open(chatty, user)
    wait_for("at", user)
    return socket
  end

  it("is refused as a client of Socket.IO that shall stay away", function()
    local user = fresh "slow"
    local socket = open_socketio(user)
    chatty:control("POST", "/control/disconnect?reason=no&method=users:" .. user)
    assert.equal('44{"message":"no","data":{"code":4502}}', socket:next_raw())
    let_through(user)
    assert.equal(0, chatty:metric "sessions")
    socket:abort()
  end)

  it("loses its connection as a client of Socket.IO that shall come back", function()
    local user = fresh "slow"
    local socket = open_socketio(user)
    chatty:control("POST", ("/control/disconnect?method=users:%s&reconnect=true"):format(user))
    assert.equal(4003, socket:expect_closed())
    let_through(user)
    assert.equal(0, chatty:metric "sessions")
  end)

  it("is closed when its token is revoked", function()
    local user = fresh "slow"
    local token = chatty:token{ sub = user, jti = user }
    local session = chatty:connect(user, { token = token })
    wait_for("at", user)
    assert.equal(200, chatty:request{ method = "POST", path = "/auth/logout",
      headers = { Authorization = "Bearer " .. token } }.status)
    check_end(session, user, 4504)
  end)

  it("is closed when the secret is changed", function()
    local user = fresh "slow"
    local session = open(user)
    local answer = chatty:control("PUT", "/auth/update-jwt-secret", { secret = ("n"):rep(40) }).json()
    assert.equal(1, answer.sessions)
    chatty.settings.JWT_SECRET = ("n"):rep(40)
    check_end(session, user, 4504)
  end)

  it("gets no event of before, and all of behind", function()
    local user, room = fresh "slow", fresh "room"
    local session = open(user)
    chatty:subscribe("users:" .. user, { room })
    chatty:notify(("channels:%s"):format(room), "before")
    chatty:notify(("users:%s"):format(user), "before")
    let_through(user)
    local connected = session:next()
    assert.same({ "chatty:connected", { room } }, { connected.event, connected.attributes.channels })
    chatty:notify(("channels:%s"):format(room), "behind")
    assert.equal("behind", session:next().event)
    session:abort()
  end)
end)
