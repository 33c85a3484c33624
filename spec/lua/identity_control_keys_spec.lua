local fake_core = require "spec.support.fake_core"
local lua_half = require "spec.support.lua_half"

describe("control keys", function()
  local core, control_keys

  before_each(function()
    core = lua_half.start()
    control_keys = require "identity.control_keys"
    local count = 0
    core.secret.random = function()
      count = count + 1
      return "random" .. count
    end
  end)

  local function pass(seconds) core.time.clock = core.time.clock + seconds end

  local function ask(headers, target)
    return lua_half.ask(core, { target = target or "/control/search/users", headers = headers })
  end

  local function bearer(text) return { authorization = "Bearer " .. text } end

  it("are kept as hashes", function()
    local text = control_keys.add("shop", { "notify" })
    assert.equal("ck_random1", text)
    local record = core.json.decode(core.store.spaces.key.shop.value)
    assert.same({ hash = "hash of ck_random1", scopes = { "notify" }, since = core.time.clock }, record)
  end)

  it("have one name each, and are not without end", function()
    control_keys.add("shop", { "notify" })
    assert.equal("EXISTS", select(3, control_keys.add("shop", { "search" })))
    control_keys.MAX = 1
    assert.equal("LIMIT", select(3, control_keys.add("other", { "search" })))
  end)

  it("open what their scopes name, in either header", function()
    local text = control_keys.add("finder", { "search" })
    assert.equal(200, ask(bearer(text)).status)
    assert.equal(200, ask({ ["x-api-key"] = text }).status)
    local reply = lua_half.ask(core, { method = "POST", target = "/control/disconnect?method=users:a",
      headers = bearer(text) })
    assert.same({ 403, "control-required" }, { reply.status, reply.error.code })
  end)

  it("with admin open everything", function()
    local text = control_keys.add("root", { "admin" })
    local key = control_keys.find(text)
    for _, scope in ipairs({ "notify", "auth", "own-scope" }) do
      assert.is_true(control_keys.allows(key, scope))
    end
    assert.is_true(control_keys.allows(key, nil))
    assert.same({ kind = "control", key = "root" }, key.identity)
  end)

  it("without admin do not open what asks for all control rights", function()
    local key = control_keys.find(control_keys.add("shop", { "notify" }))
    assert.is_false(control_keys.allows(key, nil))
    assert.is_true(key.identity.is_limited)
  end)

  it("that nobody made are 401", function()
    assert.same({ 401, "key-invalid" }, { ask(bearer("ck_x")).status, ask(bearer("ck_x")).error.code })
    assert.equal("key-invalid", ask({ ["x-api-key"] = "ck_x" }).error.code)
  end)

  it("stand beside those of the settings", function()
    control_keys.add("shop", { "notify" })
    assert.equal(200, ask(bearer("first-key")).status)
  end)

  it("are asked for once a second, so a revoked one ends within that", function()
    local text = control_keys.add("finder", { "search" })
    local asked, each = 0, core.store.each
    core.store.each = function(...)
      asked = asked + 1
      return each(...)
    end
    for _ = 1, 10 do assert.equal(200, ask(bearer(text)).status) end
    assert.equal(1, asked)
    assert.is_true(control_keys.revoke("finder"))
    assert.is_false(control_keys.revoke("finder"))
    pass(1.1)
    assert.equal(401, ask(bearer(text)).status)
  end)

  it("that cannot be told are 503, and those of the settings go on", function()
    core.store.failure = "UNAVAILABLE"
    assert.equal(503, ask(bearer("ck_x")).status)
    assert.equal(200, ask(bearer("first-key")).status)
  end)

  it("are listed by name", function()
    control_keys.add("shop", { "notify", "search" })
    control_keys.add("blog", { "admin" })
    local since = core.time.clock
    assert.same({ { name = "blog", scopes = { "admin" }, since = since },
      { name = "shop", scopes = { "notify", "search" }, since = since } }, control_keys.list())
  end)

  it("say who asked", function()
    local guard, requests = require "http.guard", require "http.request"
    local text = control_keys.add("shop", { "notify" })
    local core_request = fake_core.request({ headers = bearer(text) })
    local request = requests.new(core_request, { method = "GET", path = "/" })
    assert.is_nil((guard.compile("control:notify"))(request, core_request))
    assert.same({ kind = "control", key = "shop", is_limited = true }, request.identity)
  end)
end)
