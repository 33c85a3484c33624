local fake_core = require "spec.support.fake_core"
local lua_half = require "spec.support.lua_half"

describe("change", function()
  local core, change, hooks

  before_each(function()
    core = fake_core.install()
    change = require "change"
    hooks = require "hooks"
  end)

  local function on(verb, f)
    hooks.add(verb, f, {}, { name = "shop", priority = 1 }, 1)
  end

  local function asked()
    return { users = { "ann" }, channels = { "lobby" }, by = { kind = "control" }, dry_run = false }
  end

  it("is committed by the bus", function()
    assert.same({ users = 1, changed = 1 }, change.make("subscribe", asked()))
    local call = lua_half.last_call(core, "change")
    call.by = nil
    assert.same({ verb = "subscribe", users = { "ann" }, channels = { "lobby" }, dry = false }, call)
  end)

  it("tells the store who asks, whatever a guard said", function()
    local function kept(by)
      local self = asked()
      self.by, self.request = by, "r-1"
      change.make("subscribe", self)
      return core.json.decode(lua_half.last_call(core, "change").by)
    end
    local key = { kind = "control", key = "ci", is_limited = true }
    assert.same({ kind = "control", key = "ci", request = "r-1" }, kept(key))
    assert.same({ kind = "plugin", name = "shop", request = "r-1" }, kept({ kind = "plugin", name = "shop" }))
    assert.same({ user = "ann", request = "r-1" }, kept("ann"))
    assert.same({ request = "r-1" }, kept({ kind = 7, user = {} }))
  end)

  it("may be changed by hooks, which see who asks", function()
    local by
    on("subscribe", function(self)
      by = self.by.kind
      self.channels[#self.channels + 1] = "news"
      self.users = { "bob", "bob" }
    end)
    local self = asked()
    change.make("subscribe", self)
    local call = lua_half.last_call(core, "change")
    assert.same({ "control", { "lobby", "news" }, { "bob" } }, { by, call.channels, call.users })
    assert.same({ "lobby", "news" }, self.channels)
  end)

  it("is nothing when hooks have emptied it", function()
    on("unsubscribe", function(self) self.channels = {} end)
    assert.same({ users = 0, changed = 0 }, change.make("unsubscribe", asked()))
    assert.is_nil(lua_half.last_call(core, "change"))
  end)

  it("is refused by hooks", function()
    local refusal = require "refusal"
    on("subscribe", function() return refusal.new(403, "full", "The room is full.") end)
    local done, refused = change.make("subscribe", asked())
    assert.is_nil(done)
    assert.equal("full", refused.code)
    assert.is_nil(lua_half.last_call(core, "change"))
  end)

  it("is not carried out when a hook has broken it", function()
    for _, f in ipairs({
      function(self) self.channels = nil end,
      function(self) self.users_of = { "a" } end,
      function(self) self.users = { 7 } end,
    }) do
      core = fake_core.install()
      change, hooks = require "change", require "hooks"
      on("subscribe", f)
      assert.equal("internal", select(2, change.make("subscribe", asked())).code)
      assert.is_nil(lua_half.last_call(core, "change"))
    end
  end)

  it("stays a rehearsal whatever hooks do", function()
    on("subscribe", function(self) self.dry_run = false end)
    local self = asked()
    self.dry_run = true
    change.make("subscribe", self)
    assert.is_true(lua_half.last_call(core, "change").dry)
  end)

  it("says which limit it would break", function()
    core.bus.answers.change = { nil, "a limit was reached", "LIMIT" }
    local _, refused = change.make("subscribe", asked())
    assert.same({ 409, "subscriptions-max" }, { refused.status, refused.code })
  end)

  it("passes on what the world does not allow", function()
    core.bus.answers.change = { nil, "the store is down", "UNAVAILABLE" }
    local _, refused = change.make("subscribe", asked())
    assert.same({ 503, "unavailable" }, { refused.status, refused.code })
  end)
end)
