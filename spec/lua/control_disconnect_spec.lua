local lua_half = require "spec.support.lua_half"

describe("POST /control/disconnect", function()
  local core

  before_each(function()
    core = lua_half.start()
    core.bus.answers.disconnect = { 3 }
  end)

  local function disconnect(query)
    return lua_half.control(core, "POST", "/control/disconnect" .. query)
  end

  local function made()
    local _, call = lua_half.last_call(core, "disconnect")
    return call
  end

  it("closes all sessions of the users and tells how many", function()
    local reply = disconnect("?method=users:ann,bob")
    assert.same({ msg = "Disconnected.", sessions = 3 }, reply.json)
    assert.same({ { "ann", "bob" }, 4502, "" }, { made()[1], made()[2], made()[3] })
  end)

  it("passes a reason on, and asks to come back", function()
    disconnect("?method=users:ann&reason=bye%20bye&reconnect=true")
    assert.same({ 4003, "bye bye" }, { made()[2], made()[3] })
  end)

  it("only counts with dryRun", function()
    assert.same({ msg = "Would disconnect", dryRun = true, sessions = 3 },
      disconnect("?method=users:ann&dryRun=true").json)
    assert.is_true(made()[4])
  end)

  it("refuses channels, and reasons that do not fit into a close frame", function()
    assert.equal("method-invalid", disconnect("?method=channels:a").error.code)
    assert.equal("parameter-invalid", disconnect("?method=users:a&reason=" .. ("x"):rep(121)).error.code)
    assert.is_nil(made())
  end)
end)
