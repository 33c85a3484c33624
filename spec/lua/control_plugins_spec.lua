local lua_half = require "spec.support.lua_half"

describe("GET /control/plugins", function()
  local core

  before_each(function()
    core = lua_half.start({ plugins = {
      shop = "return { api = 1, doc = 'Sells.', version = '2.1', priority = 7, setup = function() end }",
      zoo = "return { api = 1, setup = function() end }",
    } })
  end)

  it("tells which are loaded, and how they are", function()
    core.init.on_parked("zoo", "time")
    local reply = lua_half.control(core, "GET", "/control/plugins")
    assert.equal(200, reply.status)
    assert.same({
      { name = "shop", file = "plugins/shop.lua", priority = 7, doc = "Sells.", version = "2.1", state = "running" },
      { name = "zoo", file = "plugins/zoo.lua", priority = 100, state = "parked", reason = "time",
        since = "2023-11-14T22:13:20.250Z" },
    }, reply.json)
  end)

  it("answers a document to those who want one", function()
    local reply = lua_half.control(core, "GET", "/control/plugins", nil, { accept = "application/vnd.api+json" })
    assert.same({ "shop", "zoo" }, { reply.json.data[1].id, reply.json.data[2].id })
    assert.equal("running", reply.json.data[1].attributes.state)
  end)

  it("answers [] without plugins", function()
    core = lua_half.start()
    assert.equal("[]", lua_half.control(core, "GET", "/control/plugins").body)
  end)

  it("is for those with all control rights", function()
    assert.equal(401, lua_half.ask(core, { target = "/control/plugins" }).status)
    assert.equal(400, lua_half.control(core, "GET", "/control/plugins?x=1").status)
  end)

  it("is summed up by /readyz", function()
    assert.same({ status = "ready" }, (function()
      core.init.start()
      return lua_half.ask(core, { target = "/readyz" }).json
    end)())
    core.init.on_parked("zoo", "memory")
    assert.same({ status = "ready", parked = { "zoo" } }, lua_half.ask(core, { target = "/readyz" }).json)
  end)
end)
