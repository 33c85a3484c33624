-- Hooks: where plugins look, change and refuse, in which order, and what callers and clients are told.
local cjson = require "cjson"
local client = require "spec.support.client"
local server = require "spec.support.server"

-- A plugin whose setup is this text.
local function plugin(setup, priority)
  return ([[
    local chatty = require "chatty"
    local plugin = { api = 1, priority = %d }
    function plugin.setup(app)
      %s
    end
    return plugin
  ]]):format(priority or 100, setup)
end

local function fault_of(response)
  local fault = response.json().errors[1]
  return { response.status, fault.status, fault.code, fault.detail }
end

-- A live session behind its chatty:connected.
local function open(chatty, user)
  local socket = chatty:connect(user)
  socket:next()
  return socket
end

-- The next event, found out not to be there by one that follows for sure.
local function is_silent(socket)
  socket:ping("now")
  return socket:next_frame().opcode == 10
end

describe("hooks", function()
  it("run by priority, then by the plugin's name, then as they were registered", function()
    local note = [[
      app:on("connect", function(session)
        session.data.order = (session.data.order or "") .. " %s"
      end)
    ]]
    local chatty = server.start{ plugins = {
      zoe = plugin(note:format("zoe"), 200),
      bob = plugin(note:format("bob")),
      ann = plugin(note:format("ann-1") .. note:format("ann-2")),
      low = plugin(note:format("low") .. [[
        app:on("message", function(session) return session.data.order end)
      ]], -1),
    } }
    local socket = open(chatty, "ann")
    socket:send_event("order", "{}", 1)
    assert.equal(" zoe ann-1 ann-2 bob low", socket:next().attributes)
  end)

  it("that run later are not asked when one refuses", function()
    local chatty = server.start{ plugins = {
      first = plugin([[app:on("notify", function() return chatty.refuse(409, "closed", "The shop is closed.") end)]]),
      second = plugin([[app:on("notify", function() chatty.log.info("second was asked") end)]]),
    } }
    assert.same({ 409, "409", "closed", "The shop is closed." },
      fault_of(chatty:notify("users:ann", "hello")))
    assert.is_nil(chatty:wait_log("second was asked", 0))
  end)

  it("that fail are logged with plugin, file and line, and counted, and do no harm", function()
    local chatty = server.start{ plugins = {
      broken = plugin('app:on("notify", function(event) local x = nil; x.y = 1 end)'),
    } }
    local socket = open(chatty, "ann")
    local before = chatty:metric "script_errors_total"
    assert.equal(200, chatty:notify("users:ann", "hello").status)
    assert.equal("hello", socket:next().event)
    assert.is_string(chatty:wait_log("error.*plugin broken, hook notify: plugins/broken%.lua:5: .*'x'"))
    assert.equal(before + 1, chatty:metric "script_errors_total")
  end)

  it("that fail refuse when they are closed, and do not tell why", function()
    local chatty = server.start{ plugins = {
      broken = plugin('app:on("notify", { on_error = "closed" }, function() error("secret reason") end)'),
    } }
    local response = chatty:notify("users:ann", "hello")
    assert.same({ 500, "hook-failed" }, { response.status, response.json().errors[1].code })
    assert.is_nil(response.body:find("secret", 1, true))
    assert.is_string(chatty:wait_log("secret reason"))
  end)

  it("that fail while a session connects close it when they are closed", function()
    local chatty = server.start{ plugins = {
      broken = plugin('app:on("connect", { on_error = "closed" }, function() error("no") end)'),
    } }
    assert.equal(4501, (chatty:connect("ann"):expect_closed()))
  end)

  it("may refuse by raising, too", function()
    local chatty = server.start{ plugins = {
      deep = plugin([[
        local function check() error(chatty.refuse(402, "unpaid", "Pay first.")) end
        app:on("subscribe", function() check() end)
      ]]),
    } }
    assert.same({ 402, "402", "unpaid", "Pay first." }, fault_of(chatty:subscribe("users:ann", { "room-1" })))
  end)

  it("that return false refuse nothing, and the log says what would", function()
    local chatty = server.start{ plugins = { lazy = plugin('app:on("notify", function() return false end)') } }
    assert.equal(200, chatty:notify("users:ann", "hello").status)
    assert.is_string(chatty:wait_log("plugin lazy, hook notify returned false.*chatty%.refuse"))
  end)

  it("that cause each other are stopped, and the caller is told", function()
    local chatty = server.start{ plugins = {
      echo = plugin([[
        app:on("notify", function(event)
          local ok, message, code = chatty.notify{ users = event.users, event = "again" }
          if not ok then chatty.log.info("stopped: " .. code) end
        end)
      ]]),
    } }
    local socket = open(chatty, "ann")
    assert.equal(200, chatty:notify("users:ann", "first").status)
    assert.is_string(chatty:wait_log("stopped: hook%-depth"))
    local names = {}
    for i = 1, 8 do names[i] = socket:next().event end
    assert.same({ "again", "again", "again", "again", "again", "again", "again", "first" }, names)
  end)

  it("of one kind may cause those of another", function()
    local chatty = server.start{ plugins = {
      chain = plugin([[
        app:on("message", function(session)
          chatty.subscribe({ session.user }, { "chain-1" })
        end)
        app:on("subscribe", function(change)
          chatty.notify{ users = change.users, event = "subscribing" }
        end)
        app:on("notify", function(event) event:set("seen", true) end)
      ]]),
    } }
    local socket = open(chatty, "ann")
    socket:send_event("go", "{}", 1)
    assert.same({ event = "subscribing", attributes = { seen = true } }, (socket:next()))
    assert.equal("chatty:ack", socket:next().event)
    assert.same({ "chain-1" }, chatty:control("GET", "/control/search/subscriptions?userId=ann").json())
  end)

  for name, case in pairs{
    ["an unknown name"] = { 'app:on("conect", print)', "conect" },
    ["a later one's name"] = { 'app:on("online", print)', "not available" },
    ["no function"] = { 'app:on("connect", 1)', "function" },
    ["an unknown option"] = { 'app:on("connect", { onerror = "open" }, print)', "onerror" },
    ["a wrong on_error"] = { 'app:on("connect", { on_error = "shut" }, print)', "on_error" },
    ["a wrong per"] = { 'app:on("start", { per = "thread" }, print)', "per must be" },
  } do
    it("with " .. name .. " end the start with one line that says where", function()
      local result = server.run{ plugins = { wrong = plugin(case[1]) } }
      assert.equal(1, result.code)
      assert.matches("^[^\n]*plugins/wrong%.lua:5: [^\n]*" .. case[2] .. "[^\n]*$", result.err)
    end)
  end
end)

describe("the hooks start and stop", function()
  it("run once per node, or on every worker", function()
    local chatty = server.start{ settings = { WORKERS = 3 }, plugins = {
      life = plugin([[
        app:on("start", function() chatty.log.info("node starts") end)
        app:on("start", { per = "worker" }, function() chatty.log.info("worker starts " .. chatty.node.worker) end)
        app:on("stop", function() chatty.log.info("node stops") end)
        app:on("stop", { per = "worker" }, function() chatty.log.info("worker stops " .. chatty.node.worker) end)
      ]]),
    } }
    for worker = 0, 2 do assert.is_string(chatty:wait_log("worker starts " .. worker)) end
    chatty:stop()
    local counts = {}
    for _, line in ipairs(chatty:log()) do
      local what = line:match("(%a+ st%a+s)")
      if what then counts[what] = (counts[what] or 0) + 1 end
    end
    assert.same({ ["node starts"] = 1, ["worker starts"] = 3, ["node stops"] = 1, ["worker stops"] = 3 }, counts)
  end)

  it("may wait and use all that other hooks may", function()
    local chatty = server.start{ plugins = {
      life = plugin([[
        app:on("start", function()
          chatty.sleep(0.01)
          chatty.subscribe({ "ann" }, { "start-1" })
          chatty.log.info("started well")
        end)
        app:on("stop", function()
          chatty.sleep(0.01)
          chatty.log.info("stopped with " .. #chatty.search.subscriptions("ann"))
        end)
      ]]),
    } }
    assert.is_string(chatty:wait_log("started well"))
    assert.same({ "start-1" }, chatty:control("GET", "/control/search/subscriptions?userId=ann").json())
    chatty:stop()
    assert.is_string(chatty:wait_log("stopped with 1"))
  end)

  it("that fail are logged, and the server lives and ends well", function()
    local chatty = server.start{ plugins = {
      life = plugin([[
        app:on("start", function() error("cannot start") end)
        app:on("stop", function() error("cannot stop") end)
      ]]),
    } }
    assert.is_string(chatty:wait_log("plugin life, hook start: .*cannot start"))
    assert.equal(200, chatty:request{ path = "/healthz" }.status)
    assert.equal(0, chatty:stop())
    assert.is_string(chatty:wait_log("plugin life, hook stop: .*cannot stop"))
  end)

  it("hold the server back from being ready until start is through", function()
    local chatty = server.start{ plugins = {
      slow = plugin('app:on("start", { per = "worker" }, function() chatty.sleep(0.2) end)'),
    } }
    local response = chatty:request{ path = "/readyz" }
    assert.same({ 503, "not-ready" }, { response.status, response.json().errors[1].code })
  end)
end)

describe("the hook connect", function()
  local chatty

  setup(function()
    chatty = server.start{ plugins = {
      door = plugin([[
        app:on("connect", function(session)
          if session.user == "eve" then return chatty.refuse(403, "banned", "You are banned.") end
          if session.user == "many" then
            for i = 1, 3 do chatty.subscribe({ session.user }, { "many-" .. i }) end
            return
          end
          session.data.seen = {
            id = session.id, user = session.user, role = session.claims.role, transport = session.transport,
            remote = session.remote, since = session.since, channels = session:channels(),
          }
          chatty.subscribe({ session.user }, { "lobby" })
        end)
        app:on("message", function(session, event)
          if event.name == "channels" then return session:channels() end
          return session.data.seen
        end)
      ]]),
    } }
  end)

  teardown(function() chatty:stop() end)

  it("knows the session before it is live", function()
    local before = os.time()
    local socket = client.ws{ port = chatty.port, token = chatty:token{ sub = "ann", role = "editor" } }
    local id = socket:next().attributes.session
    socket:send_event("seen", "{}", 1)
    local seen = socket:next().attributes
    assert.is_true(seen.since >= before and seen.since <= os.time() + 1)
    seen.since = nil
    assert.same({ id = id, user = "ann", role = "editor", transport = "ws", remote = "127.0.0.1", channels = {} }, seen)
  end)

  it("subscribes a user, who is in the channel by chatty:connected", function()
    assert.same({ "lobby" }, chatty:connect("bob"):next().attributes.channels)
  end)

  it("subscribes a user several times", function()
    local socket = chatty:connect("many")
    assert.equal(3, socket:next().attributes.channelCount)
    socket:send_event("channels", "{}", 1)
    assert.same({ "many-1", "many-2", "many-3" }, socket:next().attributes)
  end)

  it("runs for who sends his token in a frame, too", function()
    local socket = client.ws{ port = chatty.port }
    socket:send_event("chatty:auth", cjson.encode{ token = chatty:token("cleo") })
    assert.same({ "lobby" }, socket:next().attributes.channels)
  end)

  it("refuses with 4501 and its text, and no session comes about", function()
    chatty:subscribe("users:eve", { "room-1" })
    assert.same({ 4501, "You are banned." }, { chatty:connect("eve"):expect_closed() })
    assert.equal("[]", chatty:control("GET", "/control/search/participants?channel=room-1").body)
  end)

  it("refuses who sends his token in a frame, too", function()
    local socket = client.ws{ port = chatty.port }
    socket:send_event("chatty:auth", cjson.encode{ token = chatty:token("eve") })
    assert.same({ 4501, "You are banned." }, { socket:expect_closed() })
  end)

  it("shows channels sorted by name", function()
    chatty:subscribe("users:sam", { "z-1", "a-1", "m-1" })
    local socket = open(chatty, "sam")
    socket:send_event("channels", "{}", 1)
    assert.same({ "a-1", "lobby", "m-1", "z-1" }, socket:next().attributes)
  end)
end)

describe("a session in a plugin's hands", function()
  local chatty

  setup(function()
    chatty = server.start{ plugins = {
      keeper = plugin([[
        local kept = {}
        local function tell(name, ...)
          local words = table.pack(...)
          for i = 1, words.n do words[i] = tostring(words[i]) end
          chatty.log.info(("%s: %s"):format(name, table.concat(words, " ")))
        end
        app:on("connect", function(session)
          kept[session.user] = session
          session.data.note = "of " .. session.user
        end)
        app:on("disconnect", function(session, reason, code)
          tell("data", session.data.note)
          tell("same", session == kept[session.user])
          tell("known", session.user, session.claims.sub, session.transport, session.remote, #session.id, session.since > 0)
          tell("send", session:send("late", {}))
          tell("close", session:close(4000, "late"))
          tell("channels", session:channels())
        end)
        app:on("message", function(session, event)
          if event.name == "send" then return { sent = session:send(event:get("name"), event:get("attributes")) } end
          if event.name == "forward" then session:send(event) return end
          if event.name == "write" then session[event:get("key")] = 1 end
        end)
      ]]),
    } }
  end)

  teardown(function() chatty:stop() end)

  local function told(name)
    return chatty:wait_log("keeper.*" .. name .. ": ") or chatty:wait_log(name .. ": ")
  end

  it("keeps its data and what it was until its disconnect hook, and is closed then", function()
    open(chatty, "ann"):abort()
    assert.matches("data: of ann", told("data"))
    assert.matches("same: true", told("same"))
    assert.matches("known: ann ann ws 127%.0%.0%.1 22 true", told("known"))
    assert.matches("send: nil closed CLOSED", told("send"))
    assert.matches("close: nil closed CLOSED", told("close"))
    assert.matches("channels: nil closed CLOSED", told("channels"))
  end)

  it("gets events that the plugin sends to it alone", function()
    local one, other = open(chatty, "bob"), open(chatty, "bob")
    one:send_event("send", '{"name":"secret","attributes":{"n":[]}}', 1)
    local _, text = one:next()
    assert.equal('{"event":"secret","attributes":{"n":[]}}', text)
    assert.same({ sent = true }, one:next().attributes)
    assert.is_true(is_silent(other))
  end)

  it("gets an event that came as it came", function()
    local socket = open(chatty, "bob")
    socket:send('{"event":"forward","attributes":{"b":1,"a":12345678901234567890}}')
    local _, text = socket:next()
    assert.equal('{"event":"forward","attributes":{"b":1,"a":12345678901234567890}}', text)
  end)

  for _, name in ipairs{ "chatty:connected", "connect", "disconnect" } do
    it("gets no event with the reserved name " .. name, function()
      local socket = open(chatty, "bob")
      socket:send_event("send", cjson.encode{ name = name }, 1)
      assert.equal("hook-failed", socket:next().attributes.code)
      assert.is_string(chatty:wait_log("session:send: the name '" .. name .. "' is reserved"))
    end)
  end

  for _, key in ipairs{ "user", "send", "mine" } do
    it("takes no field " .. key .. " from a plugin", function()
      local socket = open(chatty, "bob")
      socket:send_event("write", cjson.encode{ key = key }, 1)
      assert.equal("hook-failed", socket:next().attributes.code)
    end)
  end
end)

describe("the hook disconnect", function()
  it("runs also for sessions that no other hook has seen", function()
    local chatty = server.start{ plugins = {
      last = plugin([[
        app:on("disconnect", function(session, reason, code)
          chatty.log.info(("gone: %s, %s, %d, %s"):format(session.user, reason, code, type(session.data)))
        end)
      ]]),
    } }
    local socket = open(chatty, "ann")
    socket:close(1000, "done")
    assert.is_string(chatty:wait_log("gone: ann, done, 1000, table"))
  end)

  it("may wait and act, although the session is gone", function()
    local chatty = server.start{ plugins = {
      last = plugin([[
        app:on("disconnect", function(session)
          chatty.sleep(0.01)
          chatty.notify{ users = { "bob" }, event = "left", attributes = { user = session.user } }
        end)
      ]]),
    } }
    local bob = open(chatty, "bob")
    open(chatty, "ann"):abort()
    assert.same({ event = "left", attributes = { user = "ann" } }, (bob:next()))
  end)
end)

describe("the hooks subscribe and unsubscribe", function()
  local chatty

  setup(function()
    chatty = server.start{ plugins = {
      gate = plugin([[
        local function watch(verb)
          app:on(verb, function(change)
            local by = change.by.user or change.by.name or change.by.kind
            chatty.log.info(("%s by %s %s: %s of %s"):format(verb, change.by.kind, by,
              table.concat(change.channels, ","), table.concat(change.users or change.users_of, ",")))
            if change.channels[1] == "vip-1" then return chatty.refuse(403, "vip", "VIPs only.") end
            if change.channels[1] == "add-1" then
              change.users[#change.users + 1] = "spy"
              change.channels[#change.channels + 1] = "log-1"
            end
            if change.channels[1] == "take-1" then
              table.remove(change.users, 1)
            end
            if change.channels[1] == "empty-1" then change.users = {} end
            if change.channels[1] == "twice-1" then change.users = { "dup", "dup" } end
            if change.channels[1] == "other-1" then change.channels = { "other-2" } end
            if change.channels[1] == "wrong-1" then change.users = { 42 } end
            if change.channels[1] == "none-1" then change.users = nil end
          end)
        end
        watch("subscribe")
        watch("unsubscribe")
        app:on("message", function(session, event)
          local done, message, code = chatty.subscribe({ session.user }, event:get("channels"))
          return { done = done and done.changed, message = message, code = code }
        end)
      ]]),
    } }
  end)

  teardown(function() chatty:stop() end)

  local function channels_of(user)
    return chatty:control("GET", "/control/search/subscriptions?userId=" .. user).json()
  end

  it("see who asks, for whom and for what", function()
    chatty:subscribe("users:ann,bob", { "seen-1", "seen-2" })
    assert.is_string(chatty:wait_log("subscribe by control control: seen%-1,seen%-2 of ann,bob"))
    chatty:unsubscribe("users:ann", { "seen-1" })
    assert.is_string(chatty:wait_log("unsubscribe by control control: seen%-1 of ann"))
  end)

  it("see the channels whose users are meant", function()
    chatty:subscribe("channels:seen-9", { "seen-10" })
    assert.is_string(chatty:wait_log("subscribe by control control: seen%-10 of seen%-9"))
  end)

  it("see the plugin that asks", function()
    local socket = open(chatty, "cleo")
    socket:send_event("join", '{"channels":["free-1"]}', 1)
    assert.equal(1, socket:next().attributes.done)
    assert.is_string(chatty:wait_log("subscribe by plugin gate: free%-1 of cleo"))
  end)

  it("refuse to the caller, and nothing is changed", function()
    assert.same({ 403, "403", "vip", "VIPs only." }, fault_of(chatty:subscribe("users:ann", { "vip-1" })))
    assert.same({ 403, "403", "vip", "VIPs only." }, fault_of(chatty:unsubscribe("users:ann", { "vip-1" })))
    assert.same({}, chatty:control("GET", "/control/search/participants?channel=vip-1&include=offline").json())
  end)

  it("refuse to a plugin as nil, message, code", function()
    local socket = open(chatty, "cleo")
    socket:send_event("join", '{"channels":["vip-1"]}', 1)
    assert.same({ message = "VIPs only.", code = "vip" }, socket:next().attributes)
  end)

  it("add users and channels", function()
    local response = chatty:subscribe("users:dan", { "add-1" })
    assert.same({ "add-1", "log-1" }, response.json().channels)
    assert.same({ "add-1", "log-1" }, channels_of("dan"))
    assert.same({ "add-1", "log-1" }, channels_of("spy"))
  end)

  it("take users out", function()
    chatty:subscribe("users:eve,finn", { "take-1" })
    assert.same({}, channels_of("eve"))
    assert.same({ "take-1" }, channels_of("finn"))
  end)

  it("may leave nobody, and nothing is changed", function()
    assert.equal(200, chatty:subscribe("users:gus", { "empty-1" }).status)
    assert.same({}, channels_of("gus"))
  end)

  it("may name a user twice, who counts once", function()
    assert.equal(200, chatty:subscribe("users:gus", { "twice-1" }).status)
    assert.same({ "twice-1" }, channels_of("dup"))
  end)

  it("may put other channels in the place of those", function()
    assert.same({ "other-2" }, chatty:subscribe("users:hal", { "other-1" }).json().channels)
    assert.same({ "other-2" }, channels_of("hal"))
  end)

  for _, channel in ipairs{ "wrong-1", "none-1" } do
    it("that leave what cannot be make it fail, and nothing is changed: " .. channel, function()
      assert.equal(500, chatty:subscribe("users:ida", { channel }).status)
      assert.same({}, channels_of("ida"))
    end)
  end
end)

describe("the hook notify", function()
  local chatty, ann, bob

  setup(function()
    chatty = server.start{ plugins = {
      post = plugin([[
        local acts = {
          set = function(event) event:set("added", { true, n = nil }) event:set("kept", "new") end,
          remove = function(event) event:remove("secret") end,
          replace = function(event) event:replace({ all = "new" }) end,
          raw = function(event) event:replace(chatty.json.raw('{"z":1, "a":12345678901234567890}')) end,
          rename = function(event) event.name = "renamed" end,
          reserve = function(event) event.name = "chatty:connected" end,
          redirect = function(event) event.channels, event.users = nil, { "bob" } end,
          more = function(event) event.channels[#event.channels + 1] = "bobs-1" end,
          nobody = function(event) event.channels = {} end,
          except = function(event) event.except = { "ann" } end,
          efficient = function(event) event.efficient = true end,
          both = function(event) event.users = { "ann" } end,
          neither = function(event) event.channels = nil end,
          numbers = function(event) event.channels = { 1 } end,
          refuse = function() return chatty.refuse(422, "no-swearing", "Mind your words.", { pointer = "/attributes" }) end,
          view = function(event)
            local a = event.attributes
            event:set("seen", {
              list = #a.list, is_array = chatty.json.is_array(a.list), empty = next(a.object) == nil,
              large = tostring(a.large), get = event:get("list"),
            })
          end,
          write = function(event) event.attributes.list = 1 end,
          another = function(event)
            if event.by.kind == "plugin" then return end
            chatty.notify{ users = { "bob" }, event = "copy-of-" .. event.name, attributes = event.attributes }
          end,
          tell = function(event)
            event:set("told", { name = event.name, channels = event.channels, efficient = event.efficient, by = event.by.kind })
          end,
          wait = function(event) chatty.sleep(0.02) event:set("waited", true) end,
        }
        app:on("notify", { on_error = "closed" }, function(event)
          local act = acts[event.name]
          if act then return act(event) end
        end)
      ]]),
    } }
    chatty:subscribe("users:ann,bob", { "both-1", "both-2" })
    chatty:subscribe("users:bob", { "bobs-1" })
  end)

  teardown(function() chatty:stop() end)

  before_each(function()
    ann, bob = open(chatty, "ann"), open(chatty, "bob")
  end)

  after_each(function()
    ann:abort()
    bob:abort()
    chatty:wait_metric("sessions", 0)
  end)

  local function notify(name, attributes, method)
    return chatty:notify(method or "channels:both-1", name, attributes)
  end

  -- What comes to ann after this, as text.
  local function text_of(name, attributes)
    assert.equal(200, notify(name, attributes).status)
    local _, text = ann:next()
    return text
  end

  it("that looks at nothing leaves all as it was", function()
    local raw = '{"b": 1,"a":[],"o":{},"n":12345678901234567890}'
    assert.equal('{"event":"other","attributes":' .. raw .. "}", text_of("other", raw))
  end)

  it("sets members and leaves the others byte for byte", function()
    assert.equal('{"event":"set","attributes":{"z": 1.0,"kept":"new","a":[],"added":[true]}}',
      text_of("set", '{"z": 1.0,"kept":"old","a":[]}'))
  end)

  it("takes members out", function()
    assert.equal('{"event":"remove","attributes":{"a":1,"b":[]}}', text_of("remove", '{"a":1,"secret":2,"b":[]}'))
  end)

  it("says the attributes anew", function()
    assert.equal('{"event":"replace","attributes":{"all":"new"}}', text_of("replace", '{"all":"old"}'))
  end)

  it("says the attributes anew as raw JSON", function()
    assert.equal('{"event":"raw","attributes":{"z":1, "a":12345678901234567890}}', text_of("raw", "{}"))
  end)

  it("gives the event another name", function()
    assert.equal('{"event":"renamed","attributes":{}}', text_of("rename", "{}"))
  end)

  it("shows the attributes as they are", function()
    local raw = '{"list":[],"object":{},"large":12345678901234567890}'
    assert.same({ list = 0, is_array = true, empty = true, large = "12345678901234567890", get = {} },
      cjson.decode(text_of("view", raw)).attributes.seen)
  end)

  it("tells where the event goes and who sent it", function()
    assert.same({ name = "tell", channels = { "both-1" }, efficient = false, by = "control" },
      cjson.decode(text_of("tell", "{}")).attributes.told)
  end)

  it("may wait", function()
    assert.equal('{"event":"wait","attributes":{"waited":true}}', text_of("wait", "{}"))
  end)

  it("sends the event to others", function()
    notify("redirect")
    assert.equal("redirect", bob:next().event)
    assert.is_true(is_silent(ann))
  end)

  it("sends the event by one channel more", function()
    notify("more")
    assert.equal("more", bob:next().event)
    assert.equal("more", bob:next().event)
    assert.equal("more", ann:next().event)
    assert.is_true(is_silent(ann))
  end)

  it("sends the event to nobody, which is no error", function()
    assert.equal(200, notify("nobody").status)
    assert.is_true(is_silent(ann))
  end)

  it("keeps the event from some", function()
    notify("except")
    assert.equal("except", bob:next().event)
    assert.is_true(is_silent(ann))
  end)

  it("sends the event to each session once", function()
    notify("efficient", "{}", "channels:both-1,both-2")
    assert.equal("efficient", ann:next().event)
    assert.is_true(is_silent(ann))
  end)

  it("sends another event besides", function()
    notify("another", '{"n":[]}')
    local _, text = bob:next()
    assert.equal('{"event":"copy-of-another","attributes":{"n":[]}}', text)
    assert.equal("another", bob:next().event)
  end)

  it("refuses to the caller, with status, code, text and place", function()
    local response = notify("refuse")
    assert.same({ errors = { {
      status = "422", code = "no-swearing", title = "Unprocessable Content", detail = "Mind your words.",
      source = { pointer = "/attributes" },
    } } }, response.json())
    assert.equal(422, response.status)
    assert.is_true(is_silent(ann))
  end)

  for _, name in ipairs{ "reserve", "both", "neither", "numbers", "write" } do
    it("that leaves what cannot be makes the notify fail: " .. name, function()
      assert.equal(500, notify(name, '{"list":[]}').status)
      assert.is_true(is_silent(ann))
    end)
  end

  it("does not act where attributes are no object, and says so", function()
    assert.equal(500, notify("set", "[1]").status)
    assert.is_string(chatty:wait_log("plugin post, hook notify: plugins/post.lua:%d+: the event's attributes are no object"))
  end)
end)
