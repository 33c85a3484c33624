-- A reload in a test: what a plugin hands over, and what it keeps.
describe("a reload in a test", function()
  local test = require "chatty.test"
  local t = test.plugin("spec/trial/plugins/keeper.lua")

  it("begins anew with what the plugin handed over", function()
    t:get("/counts")
    assert.same({ 2, 2 }, t:get("/counts").json)
    assert.equal(200, t:reload().status)
    assert.same({ 3, 1 }, t:get("/counts").json)
  end)

  it("keeps sessions", function()
    local ann = t:connect("ann")
    for _ = 1, 20 do assert.equal(200, t:reload().status) end
    assert.is_nil(ann:closed())
    t:notify { users = { "ann" }, event = "x" }
    assert.equal("x", ann:next().event)
  end)

  it("reaches all workers", function()
    local many = test.plugin("spec/trial/plugins/keeper.lua", { settings = { WORKERS = 3 } })
    for _ = 1, 3 do many:get("/counts") end
    many:reload()
    for _ = 1, 3 do assert.same({ 2, 1 }, many:get("/counts").json) end
  end)
end)
