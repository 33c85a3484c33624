local lua_half = require "spec.support.lua_half"

describe("POST /control/reload", function()
  local core

  before_each(function() core = lua_half.start() end)

  it("answers the generation that runs now", function()
    local reply = lua_half.control(core, "POST", "/control/reload")
    assert.same({ 200, { msg = "Reloaded.", generation = 2 } }, { reply.status, reply.json })
    assert.same({ false }, core.reload.asked)
  end)

  it("only tries with dryRun", function()
    local reply = lua_half.control(core, "POST", "/control/reload?dryRun=true")
    assert.same({ msg = "Would reload", dryRun = true, generation = 1 }, reply.json)
    assert.same({ true }, core.reload.asked)
  end)

  it("names plugin, file and line of what is wrong", function()
    core.reload.failure = { "plugin my-shop: plugins/my-shop/init.lua:12: oops: x.lua:3: y", "INVALID" }
    local reply = lua_half.control(core, "POST", "/control/reload")
    assert.same({
      status = "409", code = "reload-failed", title = "Reload failed",
      detail = "plugin my-shop: plugins/my-shop/init.lua:12: oops: x.lua:3: y",
      meta = { plugin = "my-shop", file = "plugins/my-shop/init.lua", line = 12 },
    }, reply.error)
  end)

  it("says what is wrong where no line is to blame", function()
    core.reload.failure = { "ENABLE: there is no plugin shop", "INVALID" }
    local failed = lua_half.control(core, "POST", "/control/reload").error
    assert.same({ "reload-failed", "ENABLE: there is no plugin shop" }, { failed.code, failed.detail })
    assert.is_nil(failed.meta)
  end)

  it("is 503 when the server stops", function()
    core.reload.failure = { "the operation was cancelled", "CANCELED" }
    assert.equal(503, lua_half.control(core, "POST", "/control/reload").status)
  end)

  it("needs all control rights", function()
    assert.equal(401, lua_half.ask(core, { method = "POST", target = "/control/reload" }).status)
  end)
end)
