-- What a worker records of events and sessions, in rings of fixed size.
local trace = require("core.test").trace

describe("what a worker records", function()
  it("is told in the order in which it came", function()
    local one = trace.new(65536)
    local first, second = one:event("a", "x\n"), one:event("b", "y\nz\n")
    assert.equal(first + 1, second)
    assert.equal(3, first >> 24)
    assert.same({
      { number = first, name = "a", targets = "x\n" }, { number = second, name = "b", targets = "y\nz\n" },
    }, one:events())
    one:session("ann", "id-1", "")
    assert.same({ { number = 1, user = "ann", id = "id-1", reason = "" } }, one:sessions())
    one:confirm("id-1", "17592186044417")
    assert.same({ { session = "id-1", ack = "17592186044417" } }, one:confirmations())
  end)

  it("is held for the last ones, however many come and whatever their size", function()
    math.randomseed(7)
    local one, names = trace.new(65536), {}
    for i = 1, 5000 do
      names[i] = ("e"):rep(i % 97) .. i
      one:event(names[i], ("t"):rep(math.random(0, 900)))
      one:session("user-" .. i, ("i"):rep(22), ("r"):rep(math.random(0, 120)))
      one:confirm("session-" .. i, ("7"):rep(14))
      if i % 500 == 0 then
        local events, sessions = one:events(), one:sessions()
        assert.is_true(#events > 20 and #sessions > 20)
        for k, event in ipairs(events) do assert.equal(names[i - #events + k], event.name) end
        for k, session in ipairs(sessions) do assert.equal("user-" .. i - #sessions + k, session.user) end
        local confirmations = one:confirmations()
        assert.is_true(#confirmations > 20)
        for k, each in ipairs(confirmations) do assert.equal("session-" .. i - #confirmations + k, each.session) end
      end
    end
  end)

  it("is cut when a text is too long", function()
    local one = trace.new(65536)
    for _ = 1, 100 do one:event(("n"):rep(5000), ("t"):rep(5000)) end
    local events = one:events()
    assert.same({ 1024, 1024 }, { #events[#events].name, #events[#events].targets })
  end)
end)
