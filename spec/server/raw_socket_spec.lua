-- Plugins' own WebSockets: app:websocket.
local client = require "spec.support.client"
local server = require "spec.support.server"
local wait = require "spec.support.wait"

local TEXT, BINARY = 1, 2

-- A text names what the socket shall do.
local PLUGIN = [[
  local chatty = require "chatty"
  local plugin = { api = 1 }
  local kept
  local acts = {}

  function acts.text(socket) socket:send("grüezi") end
  function acts.bytes(socket) socket:send("\0\255", true) end
  function acts.empty(socket) socket:send("") end
  function acts.two(socket) socket:send("one") socket:send("two") end
  function acts.remote(socket) socket:send(socket:remote()) end
  function acts.close(socket) socket:close() end
  function acts.close_4000(socket) socket:close(4000, "as the plugin says") end
  function acts.close_1001(socket) socket:close(1001) end
  function acts.close_long(socket) socket:close(4000, ("ä"):rep(100)) end
  function acts.close_1005(socket) socket:close(1005) end
  function acts.close_5000(socket) socket:close(5000) end
  function acts.close_text(socket) socket:close("now") end
  function acts.invalid(socket) socket:send("\255\254") end
  function acts.number(socket) socket:send({}) end
  function acts.broken() error("I am broken") end
  function acts.slow(socket) chatty.sleep(0.05) socket:send("slow") end
  function acts.quick(socket) socket:send("quick") end
  function acts.broken_later() chatty.sleep(0.01) error("I break late") end
  function acts.keep(socket) kept = socket socket:send("kept") end
  function acts.coroutine(socket)
    local numbers = coroutine.wrap(function()
      for i = 1, 3 do chatty.sleep(0) coroutine.yield(tostring(i)) end
    end)
    socket:send(numbers() .. numbers() .. numbers())
  end
  function acts.send_after_close(socket)
    socket:close(4000)
    local sent, message, code = socket:send("too late")
    chatty.log.info(("after close: %s %s %s"):format(tostring(sent), tostring(message), tostring(code)))
  end
  function acts.notify() chatty.notify{ users = { "ann" }, event = "from-the-socket" } end

  local function tell_closed(socket, code, reason)
    chatty.log.info(("closed: %d <%s> %s"):format(code, reason, table.concat({ tostring((socket:send("x"))),
      tostring(select(2, socket:close())), tostring(select(3, socket:remote())) }, " ")))
  end

  function plugin.setup(app)
    app:websocket("/raw", { auth = "none" }, {
      open = function(socket, request)
        if request.query.open == "greet" then socket:send("hello from " .. request.path) end
        if request.query.open == "slow" then chatty.sleep(0.05) socket:send("opened") end
        if request.query.open == "close" then socket:close(4321, "not you") end
        if request.query.open == "broken" then error("open is broken") end
      end,
      message = function(socket, data, is_binary)
        if is_binary then return socket:send(("%d bytes"):format(#data)) end
        local act = acts[data]
        if act then return act(socket) end
        socket:send("no such act: " .. data)
      end,
      close = tell_closed,
    })
    app:websocket("/rooms/:room", { auth = "jwt" }, {
      open = function(socket, request) socket:send(request.params.room .. " " .. request.user) end,
    })
    app:websocket("/guarded", { auth = function(request)
      if request.query.key ~= "open" then return nil, chatty.refuse(403, "no-key", "Bring a key.") end
      return "guest"
    end }, { open = function(socket, request) socket:send(request.user) end })
    app:websocket("/deaf", { auth = "none" }, {})
    app:get("/kept", { auth = "none" }, function()
      local sent, message, code = kept:send("from a route")
      return { json = { sent = sent, message = message, code = code } }
    end)
  end
  return plugin
]]

describe("a plugin's WebSocket", function()
  local chatty

  setup(function() chatty = server.start{ settings = { WORKERS = 1 }, plugins = { raw = PLUGIN } } end)

  teardown(function() chatty:stop() end)

  local function open(path, options)
    options = options or {}
    options.port, options.path = chatty.port, path or "/raw"
    return client.ws(options)
  end

  -- What comes back when it is told to do this.
  local function ask(act)
    local socket = open()
    socket:send(act)
    return socket
  end

  it("runs open with the request", function()
    assert.equal("hello from /raw", (open("/raw?open=greet"):next_raw()))
  end)

  it("gets messages behind the end of open, even when open waits", function()
    local socket = open("/raw?open=slow")
    socket:send("quick")
    assert.equal("opened", (socket:next_raw()))
    assert.equal("quick", (socket:next_raw()))
  end)

  it("may be closed by open", function()
    assert.same({ 4321, "not you" }, { open("/raw?open=close"):expect_closed() })
  end)

  it("is closed with 1011 when open fails, which is logged", function()
    assert.same({ 1011, "internal error" }, { open("/raw?open=broken"):expect_closed() })
    assert.is_string(chatty:wait_log("plugin raw, websocket /raw: plugins/raw%.lua:%d+: open is broken"))
  end)

  it("sends text", function()
    assert.same({ "grüezi", TEXT }, { ask("text"):next_raw() })
  end)

  it("sends bytes", function()
    assert.same({ "\0\255", BINARY }, { ask("bytes"):next_raw() })
  end)

  it("sends nothing at all", function()
    assert.same({ "", TEXT }, { ask("empty"):next_raw() })
  end)

  it("gets bytes as bytes", function()
    local socket = open()
    socket:send_binary("\1\2\3")
    assert.equal("3 bytes", (socket:next_raw()))
  end)

  it("sends in order", function()
    local socket = ask("two")
    assert.same({ "one", "two" }, { (socket:next_raw()), (socket:next_raw()) })
  end)

  it("knows the address of its client", function()
    assert.equal("127.0.0.1", (ask("remote"):next_raw()))
  end)

  it("gets its next message when the one before is done with", function()
    local socket = open()
    for _, act in ipairs{ "slow", "quick", "slow", "quick" } do socket:send(act) end
    local came = {}
    for i = 1, 4 do came[i] = socket:next_raw() end
    assert.same({ "slow", "quick", "slow", "quick" }, came)
  end)

  it("may wait in coroutines", function()
    assert.equal("123", (ask("coroutine"):next_raw()))
  end)

  it("does not keep others waiting", function()
    local slow, quick = ask("slow"), ask("quick")
    assert.equal("quick", (quick:next_raw()))
    assert.equal("slow", (slow:next_raw()))
  end)

  it("may use what all handlers may", function()
    local ann = chatty:connect("ann")
    ann:next()
    ask("notify")
    assert.equal("from-the-socket", ann:next().event)
  end)

  it("may be kept and used elsewhere, also after its end", function()
    local socket = ask("keep")
    assert.equal("kept", (socket:next_raw()))
    assert.same({ sent = true }, chatty:request{ path = "/kept" }.json())
    assert.equal("from a route", (socket:next_raw()))
    socket:close(1000)
    assert.equal(1000, (socket:expect_closed()))
    local now
    wait.until_(function()
      now = chatty:request{ path = "/kept" }.json()
      return not now.sent
    end)
    assert.same({ message = "closed", code = "CLOSED" }, now)
  end)

  for act, expected in pairs{
    close = { 1000, "" }, close_4000 = { 4000, "as the plugin says" }, close_1001 = { 1001, "" },
    close_long = { 4000, ("ä"):rep(61) },
  } do
    it("closes as the plugin says: " .. act, function()
      assert.same(expected, { ask(act):expect_closed() })
    end)
  end

  for _, act in ipairs{
    "close_1005", "close_5000", "close_text", "number", "invalid", "broken", "broken_later",
  } do
    it("is closed with 1011 when its handler fails, which is logged: " .. act, function()
      local before = chatty:metric "script_errors_total"
      assert.equal(1011, (ask(act):expect_closed()))
      assert.equal(before + 1, chatty:wait_metric("script_errors_total", before + 1))
    end)
  end

  it("sends nothing more after it was closed", function()
    local socket = ask("send_after_close")
    assert.equal(4000, (socket:expect_closed()))
    assert.equal(0, socket.messages)
    assert.is_string(chatty:wait_log("after close: nil closed CLOSED"))
  end)

  it("runs close with code and reason, when all its methods give nil", function()
    open():close(3210, "bye bye")
    assert.is_string(chatty:wait_log("closed: 3210 <bye bye> nil closed CLOSED"))
  end)

  it("runs close when the connection is lost", function()
    open():abort()
    assert.is_string(chatty:wait_log("closed: 1006 <>"))
  end)

  it("lets in whom its guard lets in", function()
    assert.equal("blue ann", (open("/rooms/blue", { token = chatty:token("ann") }):next_raw()))
    assert.equal("guest", (open("/guarded?key=open"):next_raw()))
  end)

  it("answers HTTP to those whom its guard refuses", function()
    assert.equal(401, open("/rooms/blue").status)
    local refused = open("/guarded")
    assert.equal(403, refused.status)
    assert.matches('"code":"no%-key"', refused.body)
  end)

  it("without handlers takes what comes", function()
    local socket = open("/deaf")
    socket:send("anybody there?")
    socket:ping("still")
    assert.equal("still", socket:next_frame().payload)
  end)

  it("is no session", function()
    local before = chatty:metric "sessions"
    ask("quick"):next_raw()
    assert.equal(before, chatty:metric "sessions")
  end)

  it("asks for an upgrade when the request is none", function()
    local response = chatty:request{ path = "/raw" }
    assert.same({ 426, "upgrade-required" }, { response.status, response.json().errors[1].code })
  end)
end)

describe("a plugin's WebSocket that is declared wrongly", function()
  for name, case in pairs{
    ["without auth"] = { 'app:websocket("/x", {}, {})', "auth" },
    ["with an unknown handler"] = { 'app:websocket("/x", { auth = "none" }, { opened = print })', "opened" },
    ["with a handler that is none"] = { 'app:websocket("/x", { auth = "none" }, { open = 1 })', "function" },
    ["with an unknown option"] = { 'app:websocket("/x", { auth = "none", body = "json" }, {})', "body" },
    ["at a path that is taken"] = { 'app:websocket("/ws", { auth = "none" }, {})', "/ws" },
  } do
    it("ends the start with one line that says where: " .. name, function()
      local source = ("return { api = 1, setup = function(app)\n%s\nend }"):format(case[1])
      local result = server.run{ plugins = { wrong = source } }
      assert.equal(1, result.code)
      assert.matches("^[^\n]*plugins/wrong%.lua:2: [^\n]*" .. case[2] .. "[^\n]*$", result.err)
    end)
  end
end)
