local bus = require("core.test").bus
local race = require("core.test").race

describe("an event on the bus", function()
  it("comes to all workers, in the order in which it was emitted", function()
    local node = bus.new{ workers = 3 }
    for i = 1, 20 do
      node:notify(i % 3 + 1, { names = { "a", i % 2 == 0 and "b" or nil }, text = "event " .. i })
    end
    local first = node:rest(1)
    assert.equal(20, #first)
    for i, event in ipairs(first) do
      assert.equal("event " .. i, event.text)
      assert.same({ "a", i % 2 == 0 and "b" or nil }, event.names)
      assert.is_false(event.dry)
    end
    assert.same(first, node:rest(2))
    assert.same(first, node:rest(3))
  end)

  it("may have more names than there are locks", function()
    local node = bus.new{ workers = 2 }
    local names = {}
    for i = 1, 300 do names[i] = "channel-" .. i end
    node:notify(1, { names = names, text = "x" })
    node:notify(2, { names = names, text = "y", by = "users" })
    for worker = 1, 2 do
      local events = node:rest(worker)
      assert.same({ "x", "y" }, { events[1].text, events[2].text })
      assert.same(names, events[2].names)
    end
  end)
end)

-- The fake workers of this room count one user who is on all of them, and one of their own.
describe("a counted event", function()
  it("is answered once, when the last worker has counted, with every user once", function()
    local node = bus.new{ workers = 3 }
    node:notify(2, { names = { "a", "b" }, text = "x", tag = "report" })
    assert.equal("NOTIFY", node:rest(1)[1].op)
    assert.equal("NOTIFY", node:rest(2)[1].op)
    assert.same({}, node:rest(2)) -- two answers lie there, the third is missing
    assert.equal("NOTIFY", node:rest(3)[1].op)
    assert.same({ { op = "counted", tag = "report", users = 4, sessions = 12 } }, node:rest(2))
    for worker = 1, 3 do assert.same({}, node:rest(worker)) end
  end)

  it("may be dry", function()
    local node = bus.new{ workers = 2 }
    node:notify(1, { names = { "a" }, text = "x", tag = "report", dry = true })
    assert.is_true(node:rest(1)[1].dry)
    assert.is_true(node:rest(2)[1].dry)
    assert.same({ { op = "counted", tag = "report", users = 3, sessions = 4 } }, node:rest(1))
  end)

  it("is told from others that wait at the same time", function()
    local node = bus.new{ workers = 2 }
    node:notify(1, { names = { "a" }, text = "x", tag = "first" })
    node:notify(1, { names = { "a", "b" }, text = "y", tag = "second" })
    node:rest(2)
    node:rest(1)
    local answers = node:rest(1)
    assert.same({ "first", "second" }, { answers[1].tag, answers[2].tag })
    assert.same({ 4, 8 }, { answers[1].sessions, answers[2].sessions })
  end)
end)

describe("a disconnect", function()
  it("comes to all workers with code and reason, and is answered with the sum of their sessions", function()
    local node = bus.new{ workers = 3 }
    node:disconnect(3, { users = { "u", "v" }, code = 4503, reason = "too many", tag = "gone" })
    local order = { op = "DISCONNECT", users = { "u", "v" }, code = 4503, reason = "too many", dry = false }
    for worker = 1, 3 do assert.same({ order }, node:rest(worker)) end
    assert.same({ { op = "counted", tag = "gone", sessions = 6 } }, node:rest(3))
  end)

  it("may be dry, and have no reason", function()
    local node = bus.new{ workers = 1 }
    node:disconnect(1, { users = { "u" }, dry = true, tag = "gone" })
    local order = { op = "DISCONNECT", users = { "u" }, code = 4502, reason = "", dry = true }
    assert.same({ order }, node:rest(1))
    assert.same({ { op = "counted", tag = "gone", sessions = 1 } }, node:rest(1))
  end)
end)

describe("threads on the bus", function()
  it("see one order per channel, and no event before the change that it follows #threads", function()
    for workers = 1, 4 do
      local events, fault = race.run(workers, 100)
      assert.is_nil(fault)
      assert(events > workers * 100 * workers)
    end
  end)
end)
