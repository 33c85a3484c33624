-- The clock of a test stands still, and goes where the test says.
describe("the clock of a test", function()
  local t = require("chatty.test").plugin("spec/trial/plugins/clockwork.lua")

  it("begins where no test can tell one day from another", function()
    assert.equal(1767225600, t:now())
    assert.same({ now = 1767225600, monotonic = 1000, os = 1767225600, date = "00:00:00" }, t:get("/now").json)
  end)

  it("stands still while things happen", function()
    t:connect("ann")
    assert.equal(t:get("/now").json.now, t:get("/now").json.now)
    assert.equal(1767225600, t:now())
  end)

  it("goes on by what it is told, to the millisecond", function()
    t:advance(1.234)
    assert.near(1767225601.234, t:get("/now").json.now, 1e-6)
    assert.same({ 1767225601, "00:00:01" }, { t:get("/now").json.os, t:get("/now").json.date })
  end)

  it("lets everything happen in its order, each at its time", function()
    local ann = t:connect("ann")
    for _, seconds in ipairs({ 3, 1, 2.5, 1 }) do ann:send("sleep", { seconds = seconds }) end
    t:advance(10)
    local texts, times = {}, {}
    for i, event in ipairs(ann:events()) do
      texts[i], times[i] = event.attributes.text, event.attributes.at - 1767225600
    end
    assert.same({ "slept 1", "slept 1", "slept 2.5", "slept 3" }, texts)
    assert.same({ 1, 1, 2.5, 3 }, times)
  end)

  it("runs timers", function()
    t:advance(180)
    local beats = {}
    for i, line in ipairs(t:logs()) do beats[i] = line.message end
    assert.same({ "beat", "once", "beat", "beat" }, beats)
  end)

  it("wakes nobody a millisecond early", function()
    local ann = t:connect("ann")
    ann:send("sleep", { seconds = 1 })
    t:advance(0.999)
    ann:none()
    t:advance(0.001)
    assert.equal("slept 1", ann:next().attributes.text)
  end)

  it("wakes at once who sleeps for no time", function()
    local ann = t:connect("ann")
    ann:send("sleep", { seconds = 0 })
    assert.equal("slept 0", ann:next().attributes.text)
  end)

  it("lets a handler that waits answer in its time", function()
    local pending = t:begin { method = "GET", path = "/slow/30" }
    t:advance(29.5)
    assert.is_nil(pending:response())
    t:advance(0.5)
    assert.equal("awake", pending:response().body)
  end)

  it("says that a request waits, which was to be answered at once", function()
    assert.error_matches(function() t:get("/slow/30") end, "GET /slow/30 is not answered: its handler waits")
  end)

  it("keeps sessions alive, whose clients answer pings", function()
    local ann = t:connect("ann")
    t:advance(3600)
    assert.is_nil(ann:closed())
  end)

  it("ends sessions with their tokens", function()
    local ann = t:connect("ann", { token = t:token("ann", {}, 60) })
    t:advance(40)
    assert.equal("chatty:expiring", ann:next().event)
    assert.is_nil(ann:closed())
    t:advance(30)
    assert.same({ 4001, "token expired" }, { ann:closed() })
  end)

  it("tells who is gone after the grace", function()
    local ann = t:connect("ann")
    t:expect_log("ann is online")
    ann:close()
    t:advance(9.9)
    assert.equal(1, #t:logs())
    t:advance(0.1)
    t:expect_log("ann is offline")
  end)

  it("lets records of the store end", function()
    t.chatty.store.set("key", 1, { ttl = 5 })
    t:advance(4.9)
    assert.equal(1, t.chatty.store.get("key"))
    t:advance(0.1)
    assert.is_nil(t.chatty.store.get("key"))
  end)

  it("may begin at another time", function()
    local later = require("chatty.test").plugin("spec/trial/plugins/clockwork.lua", { now = 2000000000.5 })
    assert.equal(2000000000.5, later:get("/now").json.now)
  end)

  it("says so when a plugin never comes to rest", function()
    local ann = t:connect("ann")
    assert.error_matches(function() ann:send("restless") end, "never comes to rest")
  end)

  it("says so when what it does makes more to do", function()
    local ann = t:connect("ann")
    assert.error_matches(function() ann:send("storm") end, "never comes to rest")
  end)
end)
