-- What clients see of a reload: their sessions, what plugins keep in them, and plugins' own WebSockets.
local client = require "spec.support.client"
local event_stream = require "spec.support.event_stream"
local polling = require "spec.support.polling"
local raw_socketio = require "spec.support.raw_socketio"
local server = require "spec.support.server"
local wait = require "spec.support.wait"

-- VERSION stands for the version. A message "wait" is answered when somebody has opened the gate.
local PLUGIN = [[
  local chatty = require "chatty"
  local plugin = { api = 1 }
  local rooms, sockets = {}, {}

  local function pass_gate(name)
    chatty.log.info("at the gate: " .. name)
    repeat chatty.sleep(0) until chatty.shared.get(name)
  end

  local acts = {}
  function acts.wait(session, event)
    session.data.before = "written by VERSION"
    pass_gate(event:get("gate"))
    session.data.behind = "written by VERSION"
    return { version = "VERSION" }
  end
  function acts.version() return { version = "VERSION" } end
  function acts.count(session)
    session.data.count = (session.data.count or 0) + 1
    return { count = session.data.count }
  end
  function acts.data(session) return session.data end
  function acts.keep(session)
    session.data.plain = { list = chatty.json.array({}), exact = 9007199254740993, float = 1.5, text = "\0ä" }
    session.data.left_out = { print, inside = { f = print, stays = true }, object = setmetatable({ 1 }, {}), session }
    session.data.self = nil
  end
  function acts.enter(session, event)
    local room = event:get("room")
    rooms[room] = rooms[room] or {}
    rooms[room][session] = true
  end
  function acts.tell(session, event)
    for other in pairs(rooms[event:get("room")] or {}) do other:send("told", { by = session.user }) end
  end

  function plugin.setup(app)
    app:on("connect", function(session)
      session.data.connected = "VERSION"
      if session.user == "slow" then pass_gate("connect") session.data.behind_gate = true end
    end)
    app:on("message", function(session, event) return acts[event.name](session, event) end)
    app:on("disconnect", function(session)
      chatty.log.info("left VERSION: " .. session.user, { connected = session.data.connected })
    end)
    app:post("/open/:name", { auth = "none" }, function(request) chatty.shared.set(request.params.name, true) end)
    app:websocket("/raw", { auth = "none" }, {
      open = function(socket) sockets[socket] = "opened by VERSION" end,
      message = function(socket, text)
        if text == "wait" then pass_gate("raw") end
        socket:send(("VERSION: %s, %s"):format(text, sockets[socket]))
      end,
      close = function(socket, code) chatty.log.info("raw closed VERSION", { code = code }) end,
    })
    app:websocket("/raw-VERSION", { auth = "none" }, {
      message = function(socket, text) socket:send("VERSION: " .. text) end,
      close = function(socket, code) chatty.log.info("only closed VERSION", { code = code }) end,
    })
  end

  function plugin.on_unload() return { rooms = rooms, sockets = sockets } end
  function plugin.on_load(state) rooms, sockets = state.rooms, state.sockets end
  return plugin
]]

local function version(number) return (PLUGIN:gsub("VERSION", number)) end

local function start(settings)
  return server.start{ plugins = { shop = version("1") }, settings = settings or { WORKERS = 1 } }
end

local function reload(chatty, number)
  local file <close> = assert(io.open(chatty.folder .. "/plugins/shop.lua", "wb"))
  file:write(version(number))
  file:close()
  assert.equal(200, chatty:control("POST", "/control/reload").status)
end

local function open(chatty, gate) chatty:request{ method = "POST", path = "/open/" .. gate } end

local function act(session, name, attributes)
  session:send_event(name, attributes or "{}", 1)
  return session:next().attributes
end

describe("a session", function()
  it("stays, and its messages go to the new code #threads", function()
    local chatty, sessions = start{ WORKERS = 4 }, {}
    chatty:subscribe("users:ann", { "room-1" })
    for i = 1, 8 do sessions[i] = chatty:join("ann") end
    for number = 1, 3 do
      if number > 1 then reload(chatty, tostring(number)) end
      for _, session in ipairs(sessions) do
        assert.same({ version = tostring(number) }, act(session, "version"))
      end
      chatty:notify("channels:room-1", "news", tostring(number))
      for _, session in ipairs(sessions) do assert.equal(number, session:next().attributes) end
    end
    assert.equal(8, chatty:metric "sessions")
  end)

  it("has its messages handled in order while old code still works on one #threads", function()
    local chatty = start()
    local session = chatty:join("ann")
    session:send_event("wait", '{"gate":"a"}', 1)
    assert.is_truthy(chatty:wait_log("at the gate: a"))
    session:send_event("version", "{}", 2)
    session:send_event("count", "{}", 3)
    reload(chatty, "2")
    open(chatty, "a")
    assert.same({ event = "chatty:ack", ack = 1, attributes = { version = "1" } }, (session:next()))
    assert.same({ event = "chatty:ack", ack = 2, attributes = { version = "2" } }, (session:next()))
    assert.same({ event = "chatty:ack", ack = 3, attributes = { count = 1 } }, (session:next()))
    assert.equal("written by 1", act(session, "data").behind)
    assert.equal(1, chatty:wait_metric("lua_states", 1))
  end)

  it("keeps session.data through many reloads", function()
    local chatty = start()
    local ann, bob = chatty:join("ann"), chatty:join("bob")
    for i = 1, 5 do
      assert.same({ count = i }, act(ann, "count"))
      if i == 1 then act(bob, "count") end
      reload(chatty, tostring(i + 1))
    end
    assert.same({ count = 6 }, act(ann, "count"))
    assert.same({ count = 2 }, act(bob, "count")) -- nobody asked for his meanwhile
  end)

  it("keeps of session.data what can travel, and the log tells of the rest", function()
    local chatty = start()
    local session = chatty:join("ann")
    act(session, "keep")
    reload(chatty, "2")
    session:send_event("data", "{}", 1)
    local _, text = session:next()
    assert.matches('"plain":{"exact":9007199254740993,"float":1.5,"list":[],"text":"\\u0000ä"}', text, 1, true)
    assert.matches('"left_out":{"inside":{"stays":true}}', text, 1, true)
    assert.matches('"connected":"1"', text, 1, true)
    assert.is_truthy(chatty:wait_log("4 values of session.data were left out"))
  end)

  it("keeps what its connect hook wrote on the old code behind a reload", function()
    local chatty = start()
    local session = chatty:connect("slow")
    assert.is_truthy(chatty:wait_log("at the gate: connect"))
    reload(chatty, "2")
    open(chatty, "connect")
    assert.equal("chatty:connected", session:next().event)
    assert.same({ connected = "1", behind_gate = true }, act(session, "data"))
  end)

  it("may be handed over in what on_unload returns, also as a key", function()
    local chatty = start()
    local ann, bob = chatty:join("ann"), chatty:join("bob")
    act(ann, "enter", '{"room":"kitchen"}')
    act(chatty:join("gone"), "enter", '{"room":"kitchen"}')
    for number = 2, 4 do
      reload(chatty, tostring(number))
      bob:send_event("tell", '{"room":"kitchen"}')
      assert.same({ event = "told", attributes = { by = "bob" } }, (ann:next()))
    end
  end)

  it("that ends while old code works on it tells the new, and frees the old", function()
    local chatty = start()
    local session = chatty:join("ann")
    session:send_event("wait", '{"gate":"a"}')
    assert.is_truthy(chatty:wait_log("at the gate: a"))
    reload(chatty, "2")
    session:abort()
    assert.is_truthy(chatty:wait_log("left 2: ann.*connected=1"))
    open(chatty, "a")
    assert.equal(1, chatty:wait_metric("lua_states", 1))
    assert.equal(0, chatty:wait_metric("sessions", 0))
  end)
end)

describe("a session of another transport", function()
  it("stays: Socket.IO that polls #threads", function()
    local chatty = start{ WORKERS = 2 }
    chatty:subscribe("users:ann", { "room-1" })
    local session = polling.open(chatty.port)
    session:post("40" .. ('{"token":"%s"}'):format(chatty:token("ann")))
    assert.matches("^40{", session:next())
    for number = 1, 3 do
      if number > 1 then reload(chatty, tostring(number)) end
      local answered = session:start() -- waits on the code of now
      session:post('420["count",{}]')
      assert.matches(('430[{"count":%d}]'):format(number), answered().body, 1, true)
      answered = session:start()
      reload(chatty, tostring(number))
      chatty:notify("channels:room-1", "news", tostring(number))
      assert.equal(('42["news",%d]'):format(number), answered().body)
    end
  end)

  it("stays: Socket.IO over WebSocket", function()
    local chatty = start()
    local session = raw_socketio.join(chatty, "ann")
    for number = 1, 3 do
      if number > 1 then reload(chatty, tostring(number)) end
      session:send('421["version",{}]')
      assert.equal(('431[{"version":"%d"}]'):format(number), (session:next_raw()))
    end
  end)

  it("stays: an event stream", function()
    local chatty = start()
    chatty:subscribe("users:ann", { "room-1" })
    local stream = event_stream.open{ port = chatty.port, token = chatty:token("ann") }
    assert.equal("chatty:connected", stream:next().event)
    for number = 1, 3 do
      reload(chatty, tostring(number))
      chatty:notify("channels:room-1", "news", tostring(number))
      assert.equal("news", stream:next().event)
    end
    assert.equal(1, chatty:wait_metric("lua_states", 1))
  end)
end)

describe("a plugin's own WebSocket", function()
  local function connect(chatty, path) return client.ws{ port = chatty.port, path = path } end

  it("goes on with the handlers of the new code", function()
    local chatty = start()
    local socket = connect(chatty, "/raw")
    for number = 1, 3 do
      if number > 1 then reload(chatty, tostring(number)) end
      socket:send("hi")
      assert.equal(("%d: hi, opened by 1"):format(number), (socket:next_raw()))
    end
    assert.equal(1, chatty:wait_metric("lua_states", 1))
    socket:close(1000)
    assert.is_truthy(chatty:wait_log("raw closed 3.*code=1000"))
  end)

  it("stays with an old handler until it has ended #threads", function()
    local chatty = start()
    local socket = connect(chatty, "/raw")
    socket:send("wait")
    assert.is_truthy(chatty:wait_log("at the gate: raw"))
    socket:send("hi")
    reload(chatty, "2")
    open(chatty, "raw")
    assert.equal("1: wait, opened by 1", (socket:next_raw()))
    assert.equal("2: hi, opened by 1", (socket:next_raw()))
    assert.equal(1, chatty:wait_metric("lua_states", 1))
  end)

  it("is closed by the old code when its route is gone", function()
    local chatty = start()
    local socket = connect(chatty, "/raw-1")
    reload(chatty, "2")
    assert.same({ 1012, "its route is gone" }, { socket:expect_closed() })
    assert.is_truthy(chatty:wait_log("only closed 1.*code=1012"))
    assert.equal(1, chatty:wait_metric("lua_states", 1))
    assert.equal(404, connect(chatty, "/raw-1").status)
    assert.equal(101, connect(chatty, "/raw-2").status)
  end)

  it("that ends while an old handler works on it ends on the old code", function()
    local chatty = start()
    local socket = connect(chatty, "/raw")
    socket:send("wait")
    assert.is_truthy(chatty:wait_log("at the gate: raw"))
    reload(chatty, "2")
    socket:abort()
    assert.is_truthy(chatty:wait_log("raw closed 1"))
    open(chatty, "raw")
    assert.is_true(wait.until_(function() return chatty:metric "lua_states" == 1 end))
  end)
end)
