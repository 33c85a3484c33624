local fake_core = require "spec.support.fake_core"
local lua_half = require "spec.support.lua_half"

describe("notification", function()
  local core, notification, hooks

  local function install()
    core = fake_core.install()
    notification = require "notify.notification"
    hooks = require "hooks"
  end

  before_each(install)

  local function on(f)
    hooks.add("notify", f, {}, { name = "shop", priority = 1 }, 1)
  end

  local function spec_of(fields)
    local spec = { by = "channels", names = { "lobby" }, event = core.event.new("chat", { text = "hi" }) }
    for key, value in pairs(fields or {}) do spec[key] = value end
    return spec
  end

  local function emit(fields)
    return notification.emit(spec_of(fields), nil, { kind = "control" })
  end

  local function sent()
    return lua_half.last_call(core, "notify")
  end

  it("goes to the bus as it is when nobody listens", function()
    local spec = spec_of({ efficient = true })
    assert.is_true(notification.emit(spec, nil, {}))
    assert.equal(spec, sent())
  end)

  it("is shown to hooks with its targets and who asks", function()
    local seen
    on(function(event)
      seen = { event.name, event.channels, event.users, event.efficient, event.by.kind, event.dry_run,
        event.attributes.text }
    end)
    emit()
    assert.same({ "chat", { "lobby" }, nil, false, "control", false, "hi" }, seen)
  end)

  it("may be changed by hooks: members, name, targets, except", function()
    on(function(event)
      event:set("text", "ho")
      event.name = "talk"
      event.channels, event.users = nil, { "ann", "ann", "bob" }
      event.except = { "bob" }
    end)
    emit()
    assert.same({ "users", { "ann", "bob" }, { "bob" } }, { sent().by, sent().names, sent().except })
    assert.same({ "talk", '{"text":"ho"}' }, { sent().event:name(), sent().event:raw() })
  end)

  it("goes nowhere when hooks have emptied its targets", function()
    on(function(event) event.channels = {} end)
    assert.is_true(emit())
    assert.same({ users = 0, sessions = 0, per_name = {} }, emit({ report = true }))
    assert.is_nil(sent())
  end)

  it("is refused by hooks", function()
    local refusal = require "refusal"
    on(function() return refusal.new(403, "quiet", "Not now.") end)
    local done, refused = emit()
    assert.is_nil(done)
    assert.equal("quiet", refused.code)
    assert.is_nil(sent())
  end)

  it("is not sent when a hook has broken it", function()
    for _, f in ipairs({
      function(event) event.channels = nil end,
      function(event) event.users = { "ann" } end,
      function(event) event.channels = { "" } end,
      function(event) event.except = "ann" end,
      function(event) event.name = "chatty:x" end,
      function(event) event.name = "" end,
    }) do
      install()
      on(f)
      assert.equal("internal", select(2, emit()).code)
      assert.is_nil(sent())
    end
  end)

  it("lets options work on what the hooks left", function()
    local add = require "notify.add"
    local function set_origin(event, context) event:set("origin", context.channel) end
    add.register("origin", set_origin, "origin", "here")
    on(function(event) event.channels = { "a", "b" } end)
    notification.emit(spec_of(), add.find({ "origin" }), {})
    assert.equal('{"text":"hi","origin":"b"}', sent().events[2]:raw())
  end)

  it("is a rehearsal within one", function()
    on(function(event)
      if event.name == "outer" then notification.emit(spec_of(), nil, {}) end
    end)
    notification.emit(spec_of({ event = core.event.new("outer", {}), dry = true }), nil, {})
    assert.equal(2, #core.bus.calls)
    assert.is_true(core.bus.calls[1][1].dry)
    assert.is_true(core.bus.calls[2][1].dry)
  end)

  describe("of one that asks for nothing more", function()
    local function emit_plain(name)
      local made = core.event.new(name or "chat", { text = "hi" })
      local plan = { by = "channels", names = { "lobby" }, efficient = false }
      return notification.emit_plain(plan, made, { kind = "control" })
    end

    it("goes to the bus", function()
      assert.is_true(emit_plain())
      assert.same({ "channels", { "lobby" }, "a control key" }, { sent().by, sent().names, sent().origin })
    end)

    it("goes there as a hook has changed it, which need not look where it goes", function()
      on(function(event) event:set("text", "ho") end)
      assert.is_true(emit_plain())
      assert.equal('{"text":"ho"}', sent().event:raw())
    end)

    it("goes where a hook sends it, and nowhere when that is nowhere", function()
      local channels = { "a", "b" }
      on(function(event) event.channels = channels end)
      assert.is_true(emit_plain())
      assert.same({ "a", "b" }, sent().names)
      channels, core.bus.calls = {}, {}
      assert.is_true(emit_plain())
      assert.is_nil(sent())
    end)

    it("may be refused by a hook", function()
      on(function() return require("refusal").new(403, "closed", "Closed.") end)
      assert.equal("closed", select(2, emit_plain()).code)
      assert.is_nil(sent())
    end)

    it("has its name as key in channels that keep the latest", function()
      require("channels").add("lob*", { queue = "latest" }, "shop", 1)
      emit_plain()
      assert.equal("chat", sent().terms.key)
    end)

    it("is refused for a reserved name, before any hook hears of it", function()
      assert.equal("event-reserved", select(2, emit_plain("chatty:x")).code)
      local has_heard = false
      on(function() has_heard = true end)
      assert.equal("event-reserved", select(2, emit_plain("disconnect")).code)
      assert.is_false(has_heard)
    end)

    it("is refused when too much waits for slow sessions", function()
      core.bus.answers.notify = { nil, "full", "LIMIT" }
      assert.equal("queues-full", select(2, emit_plain()).code)
      on(function() end)
      assert.equal("queues-full", select(2, emit_plain()).code)
    end)
  end)
end)
