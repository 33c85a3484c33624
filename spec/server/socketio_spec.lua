-- Clients of Socket.IO as users of this server: the same channels, hooks, limits and ends as on a WebSocket, and
-- what is their own: CORS, limits of polling, more than one worker.
local cjson = require "cjson"
local client = require "spec.support.client"
local polling = require "spec.support.polling"
local server = require "spec.support.server"

local ORIGIN, FOREIGN = "https://app.example.com", "https://evil.example"
local PATH = "/socket.io/?EIO=4&transport="

local PLUGIN = [[
  local chatty = require "chatty"
  local plugin = { api = 1 }
  function plugin.setup(app)
    app:namespace("/other", { auth = "jwt" })
    app:on("connect", function(session)
      session:send("hello", { transport = session.transport, namespace = session.namespace })
    end)
    app:on("message", function(session, event)
      if event.name == "wait" then chatty.sleep(0.2) return { waited = true } end
      if event.name == "notify-it" then
        local done, message, code = chatty.notify{ users = { session.user }, event = event }
        return { done = done or false, code = code }
      end
      if event.name == "ask-me" then
        local _, _, code = session:ask("question", {})
        chatty.log.info(("%s was asked: %s"):format(session.user, tostring(code)))
      end
      return event
    end)
    app:on("disconnect", function(session, reason, code)
      chatty.log.info(("gone: %s, %d, %s"):format(session.user, code, reason))
    end)
  end
  return plugin
]]

local function start(settings)
  local all = { WORKERS = 4, ALLOWED_ORIGINS = ORIGIN, JWT_LEEWAY = "0s" }
  for name, value in pairs(settings or {}) do all[name] = value end
  return server.start{ settings = all, plugins = { tell = PLUGIN } }
end

-- The next message that is no ping.
local function next_of(socket)
  local text, opcode
  repeat text, opcode = socket:next_raw() until text ~= "2"
  return text, opcode
end

describe("a session of Socket.IO", function()
  local chatty

  setup(function() chatty = start() end)

  teardown(function() chatty:stop() end)

  local function open_socket(headers, query)
    local socket = client.ws{ port = chatty.port, path = PATH .. "websocket" .. (query or ""), headers = headers }
    socket:next_raw()
    return socket
  end

  -- A WebSocket in the main namespace, behind chatty:connected and the plugin's greeting.
  local function join(user, namespace)
    local prefix = namespace and namespace .. "," or ""
    local socket = open_socket()
    socket:send(('40%s{"token":"%s"}'):format(prefix, chatty:token(user)))
    assert.matches("^40" .. prefix, (next_of(socket)))
    assert.matches('chatty:connected', (next_of(socket)), 1, true)
    assert.matches('"hello"', (next_of(socket)), 1, true)
    return socket
  end

  it("is told who it is behind CONNECT, and then what hooks send", function()
    chatty:subscribe("users:ann", { "room-1" })
    local socket = open_socket()
    socket:send(('40{"token":"%s"}'):format(chatty:token("ann")))
    local sid = cjson.decode((next_of(socket)):sub(3)).sid
    local connected = cjson.decode((next_of(socket)):sub(3))
    assert.same({ "chatty:connected", "ann", sid, { "room-1" } },
      { connected[1], connected[2].user, connected[2].session, connected[2].channels })
    assert.same({ "hello", { transport = "sio", namespace = "/" } }, cjson.decode((next_of(socket)):sub(3)))
  end)

  it("gets events of its channels byte for byte, beside other transports", function()
    chatty:subscribe("users:bea", { "room-2" })
    local sio, ws = join("bea"), chatty:join("bea")
    ws:next()
    local raw = '{"b":12345678901234567890, "a":[],"c":"\\u00e4"}'
    local report = chatty:notify("channels:room-2", "one", raw, "report=true").json().report
    assert.equal(2, report.sessions)
    assert.equal('42["one",' .. raw .. "]", (next_of(sio)))
    assert.matches(raw, select(2, ws:next()), 1, true)
  end)

  it("gets them in another namespace under its name", function()
    chatty:subscribe("users:cid", { "room-3" })
    local main, other, again = join("cid"), join("cid", "/other"), join("cid", "/other")
    for i = 1, 3 do chatty:notify("channels:room-3", "n", tostring(i)) end
    for i = 1, 3 do
      assert.equal(('42["n",%d]'):format(i), (next_of(main)))
      assert.equal(('42/other,["n",%d]'):format(i), (next_of(other)))
      assert.equal(('42/other,["n",%d]'):format(i), (next_of(again)))
    end
  end)

  it("takes its token from what opens the connection", function()
    local token = chatty:token("dan")
    local ways = {
      { { Authorization = "Bearer " .. token } }, { {}, "&token=" .. token },
      { { Cookie = "jwt=" .. token, Origin = ORIGIN } },
    }
    for _, way in ipairs(ways) do
      local socket = open_socket(way[1], way[2])
      socket:send("40")
      assert.matches('^40{"sid"', (next_of(socket)))
    end
    local session = polling.open(chatty.port, nil, { Cookie = "jwt=" .. token })
    session:post("40")
    assert.matches('^40{"sid"', session:next())
  end)

  it("takes it for further namespaces too", function()
    local socket = open_socket({ Authorization = "Bearer " .. chatty:token("dan") })
    socket:send("40")
    for _ = 1, 3 do next_of(socket) end
    socket:send("40/other")
    assert.matches('^40/other,{"sid"', (next_of(socket)))
    assert.matches('"user":"dan"', (next_of(socket)), 1, true)
  end)

  it("does not take a cookie of a foreign page, but a token that comes with CONNECT", function()
    local socket = open_socket({ Cookie = "jwt=" .. chatty:token("dan"), Origin = FOREIGN })
    socket:send("40")
    assert.matches('^44{"message":"Send a token', (next_of(socket)))
    socket:send(('40{"token":"%s"}'):format(chatty:token("eve")))
    next_of(socket)
    assert.matches('"user":"eve"', (next_of(socket)), 1, true)
  end)

  it("handles one message after the other, and acknowledgements meanwhile", function()
    local socket = join("fay")
    socket:send('421["wait"]')
    socket:send('422["echo",1]')
    assert.equal('431[{"waited":true}]', (next_of(socket)))
    assert.equal("432[1]", (next_of(socket)))
  end)

  it("leaves behind what waits for its handlers", function()
    local socket = join("gus")
    socket:send('421["wait"]')
    socket:send('422["echo",1]')
    socket:send("41")
    assert.equal('431[{"waited":true}]', (next_of(socket)))
    assert.equal("432[1]", (next_of(socket)))
    assert.truthy(chatty:wait_log("gone: gus, 1000"))
  end)

  it("keeps many messages for a busy handler", function()
    local socket = join("hal")
    socket:send('421["wait"]')
    for i = 2, 200 do socket:send(('42%d["echo",%d]'):format(i, i)) end
    assert.equal('431[{"waited":true}]', (next_of(socket)))
    for i = 2, 200 do assert.equal(("43%d[%d]"):format(i, i), (next_of(socket))) end
  end)

  it("keeps many messages for busy handlers of several namespaces", function()
    local socket = join("ivy")
    socket:send(('40/other,{"token":"%s"}'):format(chatty:token("ivy")))
    for _ = 1, 3 do next_of(socket) end
    socket:send('421["wait"]')
    socket:send('42/other,1["wait"]')
    for i = 2, 150 do
      socket:send(('42%d["echo",%d]'):format(i, i))
      socket:send(('42/other,%d["echo",%d]'):format(i, i))
    end
    local main, other = {}, {}
    for _ = 1, 300 do
      local text = next_of(socket)
      local list = text:find("/other", 1, true) and other or main
      list[#list + 1] = tonumber(text:match("(%d+)%["):match("%d+$"))
    end
    local expected = {}
    for i = 1, 150 do expected[i] = i end
    for i, text in ipairs(main) do main[i] = tonumber(tostring(text):match("^43(%d+)$") or text) end
    assert.same(expected, main)
    assert.same(expected, other)
  end)

  it("keeps many messages of a poll for a busy handler #threads", function()
    local session = polling.join(chatty, "ida", 1)
    local packets = { '421["wait"]' }
    for i = 2, 200 do packets[i] = ('42%d["echo",%d]'):format(i, i) end
    assert.equal(200, (session:post(table.concat(packets, polling.SEPARATOR))))
    assert.equal('431[{"waited":true}]', session:next())
    for i = 2, 200 do assert.equal(("43%d[%d]"):format(i, i), session:next()) end
  end)

  it("has thousands of messages of one poll handled, while others have their turn", function()
    local session = polling.join(chatty, "joe", 1)
    local packets = {}
    for i = 1, 5000 do packets[i] = ('42%d["echo"]'):format(i) end
    assert.equal(200, (session:post(table.concat(packets, polling.SEPARATOR))))
    for i = 1, 5000 do assert.equal(("43%d[{}]"):format(i), session:next()) end
  end)

  it("is one of many that poll, whose requests any worker gets, and misses nothing #threads", function()
    local sessions, users = {}, {}
    for i = 1, 30 do
      users[i] = "poller-" .. i
      sessions[i] = polling.join(chatty, users[i], 1)
    end
    chatty:subscribe("users:" .. table.concat(users, ","), { "room-9" })
    local waiting = {}
    for i = 1, 30, 2 do waiting[i] = sessions[i]:start() end
    for n = 1, 10 do assert.equal(200, chatty:notify("channels:room-9", "n", tostring(n)).status) end
    for i, session in ipairs(sessions) do
      local packets = waiting[i] and { waiting[i]().body } or {}
      while not (packets[#packets] or ""):find('42["n",10]', 1, true) do packets[#packets + 1] = session:poll() end
      local numbers = {}
      for n in table.concat(packets, polling.SEPARATOR):gmatch('42%["n",(%d+)%]') do numbers[#numbers + 1] = n end
      assert.equal("1 2 3 4 5 6 7 8 9 10", table.concat(numbers, " "))
    end
  end)

  it("cannot have its binaries notified", function()
    local socket = join("jim")
    socket:send('451-1["notify-it",{"_placeholder":true,"num":0}]')
    socket:send_binary("x")
    assert.same({ { done = false, code = "event-binary" } }, cjson.decode((next_of(socket)):sub(4)))
    socket:send('422["notify-it",1,2]')
    assert.equal('432[{"done":true}]', (next_of(socket)))
    assert.equal('42["notify-it",[1,2]]', (next_of(socket)))
  end)

  it("ends with its token while it polls", function()
    local session = polling.open(chatty.port)
    session:post(('40{"token":"%s"}'):format(chatty:token("kay", 1)))
    local seen = {}
    repeat
      local packet = session:next()
      seen[#seen + 1] = packet
    until not packet or packet == "1"
    assert.equal('42["chatty:closed",{"code":4001,"reason":"token expired"}]', seen[#seen - 1])
    assert.truthy(chatty:wait_log("gone: kay, 4001, token expired"))
  end)

  it("ends when the app server says so, and the connection goes on", function()
    local socket = join("lee")
    chatty:control("POST", "/control/disconnect?method=users:lee&reason=enough")
    assert.equal('42["chatty:closed",{"code":4502,"reason":"enough"}]', (next_of(socket)))
    assert.equal("41", (next_of(socket)))
    socket:send(('40{"token":"%s"}'):format(chatty:token("lee")))
    assert.matches("^40", (next_of(socket)))
  end)

  it("ends with its connection when it shall come back", function()
    local socket = join("max")
    chatty:control("POST", "/control/disconnect?method=users:max&reconnect=true")
    assert.matches("chatty:closed", (next_of(socket)), 1, true)
    assert.equal(4003, (socket:expect_closed()))
  end)

  it("ends, however it does, while a handler waits for an acknowledgement", function()
    local endings = {
      oda = function(socket) socket:abort() end,
      pia = function(socket) socket:send("41") end,
      quy = function() chatty:control("POST", "/control/disconnect?method=users:quy") end,
    }
    for user, finish in pairs(endings) do
      local socket = join(user)
      socket:send('42["ask-me"]')
      assert.equal('421["question",{}]', (next_of(socket)))
      finish(socket)
      assert.truthy(chatty:wait_log(user .. " was asked: CLOSED"))
    end
  end)

  it("is gone when its polling client goes #threads", function()
    local session = polling.join(chatty, "ned", 1)
    assert.equal(0, chatty:wait_metric("polls_waiting", 0))
    local _, connection = session:start()
    assert.equal(1, chatty:wait_metric("polls_waiting", 1))
    connection:abort()
    assert.truthy(chatty:wait_log("gone: ned, 1006"))
  end)

  describe("of a page of another origin", function()
    local function headers_of(origin, method)
      local headers = { Origin = origin }
      if method then
        headers["Access-Control-Request-Method"] = method
        headers["Access-Control-Request-Headers"] = "authorization"
      end
      local verb = method and "OPTIONS" or "GET"
      local response = chatty:request{ method = verb, path = PATH .. "polling", headers = headers }
      return response, response.headers["access-control-allow-origin"],
        response.headers["access-control-allow-credentials"]
    end

    it("may poll without cookies, and says so in the preflight for the header Authorization", function()
      local response, allowed, credentials = headers_of(FOREIGN)
      assert.same({ 200, "*" }, { response.status, allowed, credentials })
      response, allowed = headers_of(FOREIGN, "POST")
      assert.same({ 204, "*" }, { response.status, allowed })
      assert.matches("authorization", response.headers["access-control-allow-headers"], 1, true)
      assert.matches("POST", response.headers["access-control-allow-methods"], 1, true)
    end)

    it("may poll with cookies when it is listed", function()
      local _, allowed, credentials = headers_of(ORIGIN)
      assert.same({ ORIGIN, "true" }, { allowed, credentials })
      _, allowed, credentials = headers_of(ORIGIN, "GET")
      assert.same({ ORIGIN, "true" }, { allowed, credentials })
    end)
  end)
end)

describe("Socket.IO with limits", function()
  local chatty

  setup(function()
    chatty = start{
      SESSION_QUEUE_MAX = "64kb", FRAME_MAX = "1kb", POLLING_MAX = "2kb", ATTACHMENTS_MAX = 2, NAMESPACES_MAX = 1,
      CLOSE_TIMEOUT = "200ms", SESSIONS_PER_USER_MAX = 2,
    }
  end)

  teardown(function() chatty:stop() end)

  local function join(user)
    local socket = client.ws{ port = chatty.port, path = PATH .. "websocket" }
    socket:next_raw()
    socket:send(('40{"token":"%s"}'):format(chatty:token(user)))
    return socket, (next_of(socket))
  end

  it("closes a polling client that does not poll, as a slow reader", function()
    local session = polling.join(chatty, "slow", 1)
    local large = '{"data":"' .. ("x"):rep(30000) .. '"}'
    for _ = 1, 3 do chatty:notify("users:slow", "large", large) end
    assert.truthy(chatty:wait_log("gone: slow, 4002, slow reader"))
    assert.equal(400, select(2, session:poll()))
  end)

  it("closes what sends a frame, attachments or namespaces too many", function()
    local socket = join("ann")
    socket:send('42["x","' .. ("x"):rep(1100) .. '"]')
    assert.equal(1009, (socket:expect_closed()))
    local session = polling.open(chatty.port)
    assert.equal(400, (session:post('42["x","' .. ("x"):rep(1100) .. '"]')))
    assert.equal(400, select(2, session:poll()))
    socket = join("ann")
    socket:send('453-["x"]')
    assert.equal(1002, (socket:expect_closed()))
    socket = join("ann")
    socket:send("40/other,{}")
    assert.equal(1002, (socket:expect_closed()))
  end)

  it("keeps no part of an event for who is in no namespace", function()
    local socket = client.ws{ port = chatty.port, path = PATH .. "websocket" }
    socket:next_raw()
    socket:send('451-["x",{"_placeholder":true,"num":0}]')
    assert.equal(1002, (socket:expect_closed()))
  end)

  it("tells polling clients of the limit of a body, and refuses what is larger", function()
    local session = polling.open(chatty.port)
    assert.equal(2048, session.handshake.maxPayload)
    assert.equal(413, (session:post("4" .. ("x"):rep(2048))))
  end)

  it("lets no more clients poll a worker than connections may be open", function()
    local few = start{ CONNECTIONS_MAX = 8, WORKERS = 1 }
    local statuses = {}
    for i = 1, 9 do statuses[i] = polling.open(few.port).response.status end
    assert.same({ 200, 200, 200, 200, 200, 200, 200, 200, 503 }, statuses)
    few:stop()
  end)

  it("counts its sessions with those of other transports", function()
    local _, first = join("many")
    assert.matches("^40", first)
    chatty:join("many")
    local _, third = join("many")
    assert.equal('44{"message":"too many sessions","data":{"code":4503}}', third)
  end)
end)

describe("Socket.IO with hostile clients", function()
  local PIECES = {
    "4", "0", "1", "2", "3", "5", "6", "{", "}", "[", "]", '"a"', ",", "/", "/other,", "-", "1-", "99999999999", "\0",
    "\xff",
    '["a"]', '{"token":1}', '{"_placeholder":true,"num":0}', "40", "42", "451-", "461-1", "\x1e", "b", "bAQ==",
  }

  -- The same each time: what it finds can be found again.
  local function random_texts(count)
    local state, texts = 42, {}
    local function random(n)
      state = (state * 1103515245 + 12345) % 2147483648
      return state // 65536 % n + 1
    end
    for i = 1, count do
      local parts = {}
      for k = 1, random(6) do parts[k] = PIECES[random(#PIECES)] end
      texts[i] = table.concat(parts)
    end
    return texts
  end

  it("goes on, whatever they send", function()
    local chatty = start{ AUTH_TIMEOUT = "300ms" }
    for _, text in ipairs(random_texts(150)) do
      local session = polling.open(chatty.port)
      session:post(('40{"token":"%s"}'):format(chatty:token("ann")))
      session:post(text)
      local socket = client.ws{ port = chatty.port, path = PATH .. "websocket" }
      socket:send(('40{"token":"%s"}'):format(chatty:token("ann")))
      socket:send_frame{ opcode = #text % 2 + 1, payload = text }
      socket:send(text)
      socket:abort()
    end
    assert.equal(200, chatty:request{ path = "/healthz" }.status)
    assert.equal(0, chatty:wait_metric("sockets", 0))
    chatty:stop()
  end)
end)

describe("Socket.IO at its end", function()
  it("tells all that the server restarts #threads", function()
    local chatty = start()
    local session = polling.join(chatty, "ann", 1)
    assert.equal(0, chatty:wait_metric("polls_waiting", 0))
    local answer_of = session:start()
    assert.equal(1, chatty:wait_metric("polls_waiting", 1))
    local socket = client.ws{ port = chatty.port, path = PATH .. "websocket" }
    socket:next_raw()
    chatty:send_signal("sigterm")
    assert.equal("1", answer_of().body)
    assert.equal(1012, (socket:expect_closed()))
    chatty.process:wait_exit()
    assert.equal(0, chatty.process.code)
  end)

  it("closes the sessions of a secret that was changed", function()
    local chatty = start()
    local socket = client.ws{ port = chatty.port, path = PATH .. "websocket" }
    socket:next_raw()
    socket:send(('40{"token":"%s"}'):format(chatty:token("ann")))
    for _ = 1, 3 do next_of(socket) end
    chatty:control("PUT", "/auth/update-jwt-secret", { secret = ("n"):rep(32) })
    assert.matches('chatty:closed",{"code":4504', (next_of(socket)), 1, true)
    assert.equal("41", (next_of(socket)))
  end)

  it("serves the files of an installed client, from a folder in the working directory", function()
    local chatty = server.start{
      settings = { SOCKETIO_CLIENT = "client/dist" },
      files = { ["client/dist/socket.io.js"] = "// the client", ["client/secret"] = "x" },
    }
    local response = chatty:request{ path = "/socket.io/socket.io.js" }
    assert.same({ 200, "// the client", "text/javascript; charset=utf-8" },
      { response.status, response.body, response.headers["content-type"] })
    assert.equal(200, polling.open(chatty.port).response.status)
    assert.equal(404, chatty:request{ path = "/socket.io/other.js" }.status)
    local failed = server.run{ settings = { SOCKETIO_CLIENT = "nowhere" }, args = { "serve" } }
    assert.equal(1, failed.code)
    assert.matches("SOCKETIO_CLIENT: there is no folder nowhere", failed.err)
  end)

  it("is not served when it is switched off, or elsewhere", function()
    local chatty = start{ SOCKETIO = "false" }
    assert.equal(404, polling.open(chatty.port).response.status)
    chatty:stop()
    chatty = start{ SOCKETIO_PATH = "/realtime/" }
    assert.equal(404, polling.open(chatty.port).response.status)
    assert.equal(200, polling.open(chatty.port, "/realtime/").response.status)
  end)
end)
