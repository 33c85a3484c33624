-- The end of the server: what runs is answered, nothing new begins, and it takes no longer than STOP_TIMEOUT.
local client = require "spec.support.client"
local http = require "spec.support.http"
local polling = require "spec.support.polling"
local probe = require "spec.support.probe"
local server = require "spec.support.server"
local uv = require "luv"
local wait = require "spec.support.wait"

local function start(settings, plugins)
  local all = { WORKERS = 1, STOP_TIMEOUT = "1m", SCRIPT_BUDGET = "10s" }
  for name, value in pairs(settings or {}) do all[name] = value end
  plugins = plugins or {}
  plugins.probe = probe
  return server.start{ settings = all, plugins = plugins }
end

local function open(chatty, bytes)
  local connection = assert(client.tcp(chatty.port))
  if bytes then connection:write(bytes) end
  return connection
end

local function get(path, more) return "GET " .. path .. " HTTP/1.1\r\nHost: a\r\n" .. (more or "") .. "\r\n" end

local function post(path, body)
  return ("POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s"):format(path, #body, body)
end

local function wait_calls(chatty, name)
  return wait.until_(function() return chatty:request{ path = "/count/" .. name }.body ~= "0" end)
end

-- Tells it to stop and waits until it has begun to: it accepts nobody any more.
local function begin_stop(chatty, signal)
  chatty:send_signal(signal or "sigterm")
  return wait.until_(function() return not client.tcp(chatty.port) end)
end

-- Exit code and signal, once it has ended by itself.
local function ending(chatty, seconds)
  chatty.process:wait_exit(seconds)
  return { chatty.process.code, chatty.process.signal }
end

local function seconds_since(began) return (uv.hrtime() - began) / 1e9 end

describe("a server that is told to stop", function()
  for _, signal in ipairs{ "sigterm", "sigint" } do
    it(("by %s ends with 0 and says so"):format(signal), function()
      local chatty = start()
      chatty:send_signal(signal)
      assert.same({ 0, 0 }, ending(chatty))
      assert.is_truthy(chatty:wait_log " stopped$")
    end)
  end

  it("is not ready at once, and serves for STOP_DELAY", function()
    local chatty = start{ WORKERS = 2, STOP_DELAY = "400ms" }
    local session = chatty:join("ann")
    chatty:send_signal("sigterm")
    local ready
    wait.until_(function()
      ready = chatty:request{ path = "/readyz" }
      return ready and ready.status == 503
    end)
    assert.equal(503, ready.status)
    assert.equal(200, chatty:notify("users:ann", "late").status)
    assert.equal("late", session:next().event)
    assert.equal("chatty:connected", chatty:connect("bob"):next().event)
    assert.equal(1012, session:expect_closed())
    assert.same({ 0, 0 }, ending(chatty))
  end)

  it("takes its time also when it is asked for a reload or its metrics meanwhile", function()
    local chatty = start{ STOP_DELAY = "400ms" }
    local session = chatty:join("ann")
    chatty:send_signal("sigterm")
    assert.is_truthy(chatty:wait_log " stopping$")
    for _, signal in ipairs{ "sighup", "sigusr1" } do chatty:send_signal(signal) end
    assert.equal(1012, session:expect_closed())
    assert.same({ 0, 0 }, ending(chatty))
  end)

  it("tells many sessions one after the other, within STOP_SPREAD", function()
    local chatty = start{ WORKERS = 1, STOP_SPREAD = "600ms", SESSIONS_PER_USER_MAX = 2000 }
    local sessions = client.ws_many(1000, function() return { port = chatty.port, token = chatty:token("ann") } end)
    assert.equal(1000, chatty:wait_metric("sessions", 1000))
    chatty:send_signal("sigterm")
    local first
    wait.until_(function()
      for _, session in ipairs(sessions) do
        if session.close_code then first = first or uv.hrtime() end
      end
      return first
    end)
    for _, session in ipairs(sessions) do assert.equal(1012, session:expect_closed()) end
    assert.is_true(seconds_since(first) > 0.3)
    assert.same({ 0, 0 }, ending(chatty))
  end)

  it("tells many clients that poll one after the other, too #threads", function()
    local chatty = start{ WORKERS = 2, STOP_SPREAD = "2s" }
    local sessions = {}
    for i = 1, 400 do
      local session = polling.open(chatty.port)
      local answer, connection = session:start()
      sessions[i] = { answer = answer, connection = connection }
    end
    assert.equal(400, chatty:wait_metric("polls_waiting", 400))
    chatty:send_signal("sigterm")
    local first, last
    wait.until_(function()
      local count = 0
      for _, session in ipairs(sessions) do
        if not session.connection.is_open then count = count + 1 end
      end
      if count > 0 then first = first or uv.hrtime() end
      if count == #sessions then last = uv.hrtime() end
      return last
    end)
    for _, session in ipairs(sessions) do assert.equal("1", session.answer().body) end
    assert.is_true((last - first) / 1e9 > 0.1)
    assert.same({ 0, 0 }, ending(chatty))
  end)

  it("does not wait for clients that could poll and do not", function()
    local chatty = start{ STOP_TIMEOUT = "10m", STOP_SPREAD = "5m" }
    for _ = 1, 40 do polling.open(chatty.port) end
    chatty:send_signal("sigterm")
    assert.same({ 0, 0 }, ending(chatty))
  end)

  it("takes no WebSocket from another worker when it has said that it is quiet #threads", function()
    local chatty = start{ WORKERS = 8 } -- so that as good as never the one that has the session accepts it
    local path = "/socket.io/?EIO=4&transport=websocket&sid=" .. polling.open(chatty.port).sid
    local bytes = http.encode({ path = path, headers = {
      Upgrade = "websocket", Connection = "Upgrade", ["Sec-WebSocket-Version"] = "13",
      ["Sec-WebSocket-Key"] = "dGhlIHNhbXBsZSBub25jZQ==",
    } }, "x")
    local connection = open(chatty, bytes:sub(1, -3))
    assert.is_truthy(begin_stop(chatty))
    connection:write(bytes:sub(-2))
    assert.equal("", connection:read_all())
    assert.same({ 0, 0 }, ending(chatty))
  end)

  it("tells a session that polls 1012", function()
    local chatty = start(nil, { gone = [[
local chatty = require "chatty"
return { api = 1, setup = function(app)
  app:on("disconnect", function(session, _, code) chatty.log.info(("gone: %s %d"):format(session.user, code)) end)
end }]] })
    local session = polling.join(chatty, "ann")
    local answer = session:start()
    assert.equal(1, chatty:wait_metric("polls_waiting", 1))
    chatty:send_signal("sigterm")
    assert.equal("1", answer().body)
    assert.is_truthy(chatty:wait_log "gone: ann 1012")
    assert.same({ 0, 0 }, ending(chatty))
  end)

  it("answers the requests that run, and closes behind them #threads", function()
    local chatty = start{ WORKERS = 2 }
    local connections = {}
    for i = 1, 20 do connections[i] = open(chatty, get("/late/300")) end
    assert.equal(21, chatty:wait_metric("tasks", 21))
    assert.is_truthy(begin_stop(chatty))
    for _, connection in ipairs(connections) do
      local response = assert(http.read(connection))
      assert.same({ 200, "300", "close" }, { response.status, response.body, response.headers.connection })
      assert.equal("EOF", connection:wait_closed())
    end
    assert.same({ 0, 0 }, ending(chatty))
  end)

  it("takes the rest of requests that have begun, and answers them", function()
    local chatty = start()
    local in_head, in_body = open(chatty, "GET /say/head HT"), open(chatty, post("/echo", "body"):sub(1, -3))
    assert.equal(2, chatty:wait_metric("request_bytes", 2))
    assert.is_truthy(begin_stop(chatty))
    in_head:write("TP/1.1\r\nHost: a\r\n\r\n")
    in_body:write("dy")
    assert.equal("head", http.read(in_head).body)
    assert.equal("body", http.read(in_body).body)
    assert.same({ 0, 0 }, ending(chatty))
  end)

  it("does not begin the requests that stand behind", function()
    local chatty = start()
    local connection = open(chatty, get("/late/200") .. get("/say/behind") .. get("/say/behind"))
    assert.equal(2, chatty:wait_metric("tasks", 2))
    assert.is_truthy(begin_stop(chatty))
    assert.equal("200", http.read(connection).body)
    assert.equal("", connection:read_all())
    assert.same({ 0, 0 }, ending(chatty))
  end)

  it("closes idle connections at once and takes no new ones", function()
    local chatty = start()
    local fresh, used = open(chatty), open(chatty, get("/say/x"))
    assert.equal("x", http.read(used).body)
    local busy = open(chatty, get("/hold/busy"))
    assert.is_truthy(wait_calls(chatty, "busy"))
    assert.is_truthy(begin_stop(chatty))
    assert.equal("", fresh:read_all())
    assert.equal("", used:read_all())
    assert.is_true(busy.is_open)
    chatty:kill()
  end)

  it("sends a large answer to its end", function()
    local chatty = start()
    local connection = open(chatty)
    connection:pause()
    connection:write(get("/big/12288"))
    assert.is_truthy(wait.until_(function() return chatty:metric "queue_bytes" > 0 end))
    assert.is_truthy(begin_stop(chatty))
    connection:resume()
    assert.equal(12288 * 1024, #http.read(connection).body)
    assert.same({ 0, 0 }, ending(chatty))
  end)
end)

describe("STOP_TIMEOUT", function()
  it("cuts handlers that wait for ever, clients that do not read, and requests that do not end", function()
    local chatty = start{ STOP_TIMEOUT = "300ms" }
    local held, half = open(chatty, get("/hold/ever")), open(chatty, post("/echo", "body"):sub(1, -3))
    local paused = open(chatty)
    paused:pause()
    paused:write(get("/big/12288"))
    assert.is_truthy(wait_calls(chatty, "ever"))
    assert.is_truthy(wait.until_(function() return chatty:metric "queue_bytes" > 0 end))
    local began = uv.hrtime()
    chatty:send_signal "sigterm"
    assert.same({ 0, 0 }, ending(chatty))
    assert.is_true(seconds_since(began) >= 0.25)
    assert.is_true(seconds_since(began) < wait.patience)
    assert.is_nil(http.read(held))
    assert.is_nil(http.read(half))
  end)

  it("of 0 waits for nobody", function()
    local chatty = start{ STOP_TIMEOUT = 0 }
    open(chatty, get("/hold/ever"))
    assert.is_truthy(wait_calls(chatty, "ever"))
    chatty:send_signal "sigterm"
    assert.same({ 0, 0 }, ending(chatty))
  end)

  it("is not waited for when nothing runs", function()
    local chatty = start{ STOP_TIMEOUT = "10m" }
    open(chatty, get("/say/x"))
    chatty:send_signal "sigterm"
    assert.same({ 0, 0 }, ending(chatty))
  end)

  it("holds for stop hooks too", function()
    local chatty = start({ STOP_TIMEOUT = "300ms" }, { slow = [[
local chatty = require "chatty"
return { api = 1, setup = function(app) app:on("stop", function() chatty.sleep(3600) end) end }]] })
    chatty:send_signal "sigterm"
    assert.same({ 0, 0 }, ending(chatty))
  end)
end)

describe("the hook stop", function()
  it("runs once for the node, or on each worker, and may wait and fail #threads", function()
    local chatty = start({ WORKERS = 3 }, { ends = [[
local chatty = require "chatty"
return { api = 1, setup = function(app)
  app:on("stop", function() chatty.sleep(0.05) chatty.log.info("node ends") end)
  app:on("stop", { per = "worker" }, function() chatty.log.info("worker ends") end)
  app:on("stop", { per = "worker" }, function() error("cannot end") end)
end }]] })
    chatty:stop()
    local counts = { node = 0, worker = 0, cannot = 0 }
    for _, line in ipairs(chatty:log()) do
      local what = line:match(" (%a+) ends? ") or line:match ": (cannot) end"
      if what then counts[what] = counts[what] + 1 end
    end
    assert.same({ node = 1, worker = 3, cannot = 3 }, counts)
  end)
end)

describe("a second signal", function()
  for _, signal in ipairs{ "sigterm", "sigint" } do
    it(("%s ends the server at once"):format(signal), function()
      local chatty = start{ STOP_TIMEOUT = "10m" }
      open(chatty, get("/hold/ever"))
      assert.is_truthy(wait_calls(chatty, "ever"))
      assert.is_truthy(begin_stop(chatty))
      chatty:send_signal(signal)
      local code, number = table.unpack(ending(chatty))
      assert.is_true(code ~= 0 or number ~= 0)
      chatty:kill()
    end)
  end
end)
