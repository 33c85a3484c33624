local fake_core = require "spec.support.fake_core"
local lua_half = require "spec.support.lua_half"

describe("chatty", function()
  local core, chatty

  before_each(function()
    core = fake_core.install({ NAME_MAX = 20 })
    chatty = require("plugin.public").module("shop")
  end)

  local function sent()
    return lua_half.last_call(core, "notify")
  end

  local function line_of(f, ...)
    local ok, line = pcall(f, ...)
    assert.is_false(ok)
    return line
  end

  describe("notify", function()
    it("emits a name and attributes to channels", function()
      assert.is_true(chatty.notify({
        channels = { "a", "b", "a" }, event = "chat", attributes = { text = "hi" },
      }))
      assert.same({ "channels", { "a", "b" } }, { sent().by, sent().names })
      assert.same({ "chat", '{"text":"hi"}' }, { sent().event:name(), sent().event:raw() })
    end)

    it("emits to users, efficiently, without some", function()
      chatty.notify({ users = { "ann" }, event = "chat", efficient = true, except = { "bob" } })
      assert.same({ "users", true, { "bob" }, "{}" },
        { sent().by, sent().efficient, sent().except, sent().event:raw() })
    end)

    it("emits an event that it was given, byte for byte", function()
      local event = require "event"
      local made = event.of(core.event.new("chat", core.json.raw('{"n": 1.0}')))
      chatty.notify({ channels = { "a" }, event = made })
      assert.equal('{"n": 1.0}', sent().event:raw())
    end)

    it("leaves the given event alone when options are added", function()
      local event = require "event"
      require("notify.add").register("x", function(made) made:set("x", 1) end, "shop", "here")
      local made = event.of(core.event.new("chat", {}))
      chatty.notify({ channels = { "a" }, event = made, add = { "x" } })
      assert.same({ '{"x":1}', "{}" }, { sent().event:raw(), made:raw() })
    end)

    it("tells who was reached, by name", function()
      core.bus.answers.notify = { { users = 2, sessions = 3, per_name = {
        { users = 2, sessions = 3 }, { users = 0, sessions = 0 } } } }
      assert.same({
        users = 2, sessions = 3,
        channels = { a = { users = 2, sessions = 3 }, b = { users = 0, sessions = 0 } },
      }, chatty.notify({ channels = { "a", "b" }, event = "e", report = true }))
      core.bus.answers.notify = { { users = 1, sessions = 3, per_name = { { users = 1, sessions = 3 } } } }
      assert.same({ users = 1, sessions = 3, recipients = { ann = { sessions = 3 } } },
        chatty.notify({ users = { "ann" }, event = "e", report = true }))
    end)

    it("gives nil, message, code and the refusal when it cannot", function()
      local done, message, code, refused = chatty.notify({ channels = { "a" }, event = "chatty:x" })
      assert.is_nil(done)
      assert.same({ "event-reserved", 400 }, { code, refused.status })
      assert.is_string(message)
      assert.equal("name-invalid", select(3, chatty.notify({ channels = { "a\n" }, event = "e" })))
      assert.equal("list-empty", select(3, chatty.notify({ channels = {}, event = "e" })))
      local _, _, other = chatty.notify({ channels = { "a" }, event = "e", add = { "x" } })
      assert.equal("add-unknown", other)
      assert.equal("event-invalid", select(3, chatty.notify({ channels = { "a" }, event = "" })))
    end)

    it("blames the author's line for a mistake", function()
      local here = "^%S*public_spec.lua:%d+: "
      assert.matches(here .. "chatty.notify does not know 'chanels', did you mean 'channels'",
        line_of(function() chatty.notify({ chanels = { "a" }, event = "e" }) end))
      assert.matches(here .. "chatty.notify: say either",
        line_of(function() chatty.notify({ event = "e" }) end))
      assert.matches(here .. "channels must be a table",
        line_of(function() chatty.notify({ channels = "a", event = "e" }) end))
      assert.matches(here .. "chatty.notify: event must be",
        line_of(function() chatty.notify({ channels = { "a" } }) end))
      assert.matches(here .. "chatty.notify must be a table", line_of(function() chatty.notify("a") end))
    end)

    it("carries the plugin's name to the hooks, or whom it says", function()
      local seen = {}
      require("hooks").add("notify", function(event) seen[#seen + 1] = event.by.name or event.by.kind end, {},
        { name = "other", priority = 1 }, 1)
      chatty.notify({ channels = { "a" }, event = "e" })
      chatty.notify({ channels = { "a" }, event = "e", by = { kind = "control" } })
      assert.same({ "shop", "control" }, seen)
    end)
  end)

  describe("subscribe and unsubscribe", function()
    it("take users and channels", function()
      assert.same({ users = 1, changed = 1, channels = { "lobby" } },
        chatty.subscribe({ "ann" }, { "lobby" }))
      chatty.unsubscribe({ "ann", "bob" }, { "lobby" })
      local call = lua_half.last_call(core, "change")
      assert.same({ "unsubscribe", { "ann", "bob" }, { "lobby" } }, { call.verb, call.users, call.channels })
    end)

    it("take a table, for the users of other channels and for rehearsals", function()
      chatty.subscribe({ users_of = { "a" }, channels = { "b" }, dry_run = true })
      local call = lua_half.last_call(core, "change")
      assert.same({ { "a" }, true }, { call.users_of, call.dry })
      assert.is_nil(call.users)
    end)

    it("give nil, message, code when they cannot", function()
      core.bus.answers.change = { nil, "a limit was reached", "LIMIT" }
      assert.equal("subscriptions-max", select(3, chatty.subscribe({ "ann" }, { "a" })))
      assert.equal("list-empty", select(3, chatty.subscribe({}, { "a" })))
      assert.equal("name-invalid", select(3, chatty.subscribe({ "ann" }, { 7 })))
    end)

    it("blame the author's line for a mistake", function()
      local here = "^%S*public_spec.lua:%d+: "
      assert.matches(here .. "chatty.subscribe: say either users or users_of",
        line_of(function() chatty.subscribe({ channels = { "a" } }) end))
      assert.matches(here .. "chatty.subscribe: channels must be a table, not a string",
        line_of(function() chatty.subscribe({ "ann" }, "a") end))
      assert.matches(here .. "chatty.unsubscribe does not know 'user'",
        line_of(function() chatty.unsubscribe({ user = { "a" }, channels = { "b" } }) end))
    end)
  end)

  describe("disconnect", function()
    it("asks clients to stay away, or to come back", function()
      core.bus.answers.disconnect = { 2 }
      assert.equal(2, chatty.disconnect({ "ann" }))
      local _, call = lua_half.last_call(core, "disconnect")
      assert.same({ 4502, "" }, { call[2], call[3] })
      chatty.disconnect({ "ann" }, { reconnect = true, reason = "moving" })
      _, call = lua_half.last_call(core, "disconnect")
      assert.same({ 4003, "moving" }, { call[2], call[3] })
    end)

    it("wants a reason that fits into a close frame", function()
      assert.matches("at most 120 bytes", line_of(chatty.disconnect, { "ann" }, { reason = ("x"):rep(121) }))
    end)
  end)

  describe("search and users", function()
    it("answer from the index", function()
      core.bus.answers.subscriptions = { { "a" } }
      core.bus.answers.participants = { { "ann" }, true }
      assert.same({ "a" }, chatty.search.subscriptions("ann"))
      assert.same({ { "ann" }, true }, { chatty.search.participants("a", { size = 1 }) })
      assert.matches("does not know 'limit'", line_of(chatty.search.users, { limit = 1 }))
    end)

    it("tell whether a user is online, and how many are", function()
      core.bus.answers.online = { 0 }
      assert.same({ false, 0 }, { chatty.users.online("ann") })
      core.bus.answers.online = { 2 }
      assert.same({ true, 2 }, { chatty.users.online("ann") })
      core.bus.answers.count = { { users = 5, sessions = 9 } }
      assert.same({ 5, 9 }, { chatty.users.count() })
    end)
  end)

  describe("refuse", function()
    it("makes a refusal", function()
      local refused = chatty.refuse(403, "not-yours", "It is somebody else's.", { pointer = "/id" })
      assert.same({ 403, "not-yours", { pointer = "/id" } }, { refused.status, refused.code, refused.source })
    end)

    it("blames the author's line for a mistake", function()
      for _, arguments in ipairs({ { 200, "a" }, { "403", "a" }, { 403, "" }, { 403, "a b" }, { 403, "a", 7 },
        { 403, "a", "b", { param = "x" } } }) do
        assert.matches("public_spec.lua:%d+: chatty.refuse",
          line_of(function() local _ = chatty.refuse(table.unpack(arguments, 1, 4)) end))
      end
    end)
  end)

  it("matches names", function()
    assert.is_true(chatty.match("orders-{user}-*", "orders-ann-7", { user = "ann" }))
    assert.is_false(chatty.match("orders-*", "rooms-1"))
    assert.matches("public_spec.lua:%d+: chatty.match: the pattern", line_of(function() chatty.match(1, "x") end))
  end)

  it("signs, compares and draws", function()
    assert.equal("hmac of text by key", chatty.secret.hmac("key", "text"))
    assert.is_true(chatty.secret.equal("a", "a"))
    assert.equal("rrr", chatty.secret.random(3))
    for _, mistake in ipairs({ function() local _ = chatty.secret.hmac("key") end,
      function() local _ = chatty.secret.equal("a") end, function() local _ = chatty.secret.random(0) end }) do
      assert.matches("public_spec.lua:%d+: chatty.secret.", line_of(mistake))
    end
  end)

  it("decodes the claims of tokens", function()
    core.token.known["t"] = { user = "ann", claims = '{"sub":"ann"}', expires = 5 }
    assert.same({ user = "ann", expires = 5, claims = { sub = "ann" } }, chatty.token.verify("t"))
    assert.equal("TOKEN_INVALID", select(3, chatty.token.verify("x")))
  end)

  it("logs with the plugin's name", function()
    chatty.log.warn("careful", { order = 7 })
    assert.same({ level = "warn", message = "careful", fields = { plugin = "shop", order = 7 } },
      core.log.lines[1])
  end)

  it("spawns nothing in a dry run", function()
    local hooks = require "hooks"
    hooks.add("notify", function() chatty.spawn(error, "boom") end, {}, { name = "shop", priority = 1 }, 1)
    hooks.run("notify", { dry_run = true })
    assert.same({}, core.task.spawned)
    hooks.run("notify", {})
    assert.equal(1, #core.task.spawned)
  end)

  it("spawns functions whose errors are logged", function()
    chatty.spawn(function(word) error(word) end, "boom")
    local task = core.task.spawned[1]
    task[1](table.unpack(task, 2, task.n))
    assert.matches("^plugin shop, spawned function: .*boom", core.log.lines[1].message)
  end)

  it("is each plugin's own", function()
    local other = require("plugin.public").module("other")
    chatty.json.encode = nil
    assert.is_function(other.json.encode)
  end)
end)
