local hub = require("core.test").hub

-- A hub with these sessions: { {"user", "channel", ...}, ... }; numbered in this order.
local function hub_of(sessions)
  local h = hub.new()
  for i, session in ipairs(sessions) do
    assert(h:open{ user = session[1], channels = { table.unpack(session, 2) } } == i)
  end
  return h
end

-- What each session got, as one text each: { "a b", "", "a" }.
local function taken(h, count)
  local all = {}
  for session = 1, count do all[session] = table.concat(h:take(session), " ") end
  return all
end

describe("an event to channels", function()
  it("comes to all sessions of all their users, and to nobody else", function()
    local h = hub_of{ { "u", "a" }, { "u", "a" }, { "v", "a", "b" }, { "w", "b" } }
    h:notify{ by = "channels", names = { "a" }, frames = { "x" } }
    assert.same({ "x", "x", "x", "" }, taken(h, 4))
  end)

  it("comes twice to a user in two of them, in the order of the request", function()
    local h = hub_of{ { "u", "a", "b" }, { "v", "b" } }
    h:notify{ by = "channels", names = { "b", "a" }, frames = { "of-b", "of-a" } }
    assert.same({ "of-b of-a", "of-b" }, taken(h, 2))
    h:notify{ by = "channels", names = { "a", "b" }, frames = { "of-a", "of-b" } }
    assert.same({ "of-a of-b", "of-b" }, taken(h, 2))
  end)

  it("comes to nobody where nobody is", function()
    local h = hub_of{ { "u", "a" } }
    local event = { by = "channels", names = { "u", "x", "constructor" }, frames = { "x" }, report = true }
    local report = h:notify(event)
    assert.same({ "" }, taken(h, 1))
    assert.equal(0, report.users)
    assert.equal(0, report.sessions)
  end)
end)

describe("an efficient event to channels", function()
  it("comes once to each session, by the first channel of the request that reaches it", function()
    local h = hub_of{ { "u", "a", "b" }, { "u", "a", "b" }, { "v", "b" }, { "w", "a" } }
    local event = { by = "channels", names = { "b", "a" }, frames = { "of-b", "of-a" }, efficient = true }
    h:notify(event)
    assert.same({ "of-b", "of-b", "of-b", "of-a" }, taken(h, 4))
    h:notify(event)
    assert.same({ "of-b", "of-b", "of-b", "of-a" }, taken(h, 4))
  end)

  it("comes once to a session that opens between two events, too", function()
    local h = hub_of{ { "u", "a", "b" } }
    local event = { by = "channels", names = { "a", "b" }, frames = { "x" }, efficient = true }
    h:notify(event)
    h:open{ user = "u", channels = { "a", "b" } }
    h:notify(event)
    assert.same({ "x x", "x" }, taken(h, 2))
  end)

  it("is not offered again by the next channel to a session that refused it", function()
    local h = hub_of{ { "u", "a", "b" } }
    h:refuse(1, true)
    local event = { by = "channels", names = { "a", "b" }, frames = { "x" }, efficient = true, report = true }
    local report = h:notify(event)
    assert.same({ { users = 0, sessions = 0 }, { users = 0, sessions = 0 } }, report.per_name)
  end)
end)

describe("an event to users", function()
  it("comes once to every session of each, whatever their channels", function()
    local h = hub_of{ { "u", "a", "b" }, { "u", "a", "b" }, { "v" }, { "w", "a" } }
    h:notify{ by = "users", names = { "u", "v", "stranger", "a" }, frames = { "x" } }
    assert.same({ "x", "x", "x", "" }, taken(h, 4))
  end)

  it("may differ from user to user", function()
    local h = hub_of{ { "u" }, { "v" } }
    h:notify{ by = "users", names = { "v", "u" }, frames = { "for-v", "for-u" } }
    assert.same({ "for-u", "for-v" }, taken(h, 2))
  end)
end)

describe("an event with exceptions", function()
  it("leaves out all sessions of the excepted users", function()
    local h = hub_of{ { "u", "a", "b" }, { "u", "a", "b" }, { "v", "a" }, { "w", "b" } }
    h:notify{ by = "channels", names = { "a", "b" }, frames = { "x" }, except = { "u", "stranger" } }
    assert.same({ "", "", "x", "x" }, taken(h, 4))
    h:notify{ by = "users", names = { "u", "v" }, frames = { "x" }, except = { "v" } }
    assert.same({ "x", "x", "", "" }, taken(h, 4))
  end)

  it("leaves nobody out of the next one", function()
    local h = hub_of{ { "u", "a" } }
    h:notify{ by = "channels", names = { "a" }, frames = { "x" }, except = { "u" } }
    h:notify{ by = "channels", names = { "a" }, frames = { "y" } }
    assert.same({ "y" }, taken(h, 1))
  end)
end)

describe("the report of an event", function()
  it("counts users and sessions per name, and each user once in all", function()
    local h = hub_of{ { "u", "a", "b" }, { "u", "a", "b" }, { "v", "b" }, { "w" } }
    local report = h:notify{ by = "channels", names = { "a", "b", "c" }, frames = { "x" }, report = true }
    assert.same({ { users = 1, sessions = 2 }, { users = 2, sessions = 3 }, { users = 0, sessions = 0 } },
      report.per_name)
    assert.equal(2, report.users)
    assert.equal(5, report.sessions)
  end)

  it("counts what an efficient event reaches by each name", function()
    local h = hub_of{ { "u", "a", "b" }, { "u", "a", "b" }, { "v", "b" } }
    local report = h:notify{
      by = "channels", names = { "a", "b" }, frames = { "x" }, efficient = true, report = true,
    }
    assert.same({ { users = 1, sessions = 2 }, { users = 1, sessions = 1 } }, report.per_name)
    assert.equal(2, report.users)
    assert.equal(3, report.sessions)
  end)

  it("leaves out sessions that refused, and users with no other", function()
    local h = hub_of{ { "u", "a" }, { "u", "a" }, { "v", "a" } }
    h:refuse(1, true)
    h:refuse(3, true)
    local report = h:notify{ by = "channels", names = { "a" }, frames = { "x" }, report = true }
    assert.same({ { users = 1, sessions = 1 } }, report.per_name)
    assert.same({ "", "x", "" }, taken(h, 3))
  end)

  it("is the same for a dry event, which comes to nobody", function()
    local sessions = { { "u", "a", "b" }, { "u", "a", "b" }, { "v", "b" }, { "w", "a" } }
    for _, efficient in ipairs{ false, true } do
      local h = hub_of(sessions)
      local event = {
        by = "channels", names = { "b", "a" }, frames = { "x" }, except = { "w" }, report = true,
        efficient = efficient, dry = true,
      }
      local dry = h:notify(event)
      assert.same({ "", "", "", "" }, taken(h, 4))
      event.dry = false
      assert.same(h:notify(event).per_name, dry.per_name)
    end
  end)
end)

describe("a frame", function()
  it("gets as many references as sessions queued it", function()
    local h = hub_of{ { "u", "a", "b" }, { "u", "a", "b" }, { "v", "b" }, { "w", "a" } }
    h:refuse(4, true)
    local event = { by = "channels", names = { "a", "b", "none" }, frames = { "x", "y", "z" } }
    assert.same({ 1 + 2, 1 + 3, 1 }, h:notify(event).refs)
    assert.same({ { "x", "y" }, 2 }, { h:take(1) })
    assert.same({ { "x", "y" }, 1 }, { h:take(2) })
  end)

  it("gets the references of all names when they share it", function()
    local h = hub_of{ { "u", "a", "b" }, { "v", "b" } }
    assert.same({ 1 + 3 }, h:notify{ by = "channels", names = { "a", "b" }, frames = { "x" } }.refs)
    assert.same({ { "x", "x" }, 3 }, { h:take(1) })
    assert.same({ { "x" }, 1 }, { h:take(2) })
  end)

  it("gets none when nobody queued it", function()
    local h = hub_of{ { "u", "a" } }
    h:refuse(1, true)
    assert.same({ 1 }, h:notify{ by = "channels", names = { "a" }, frames = { "x" } }.refs)
    h:refuse(1, false)
    assert.same({ 1 }, h:notify{ by = "channels", names = { "a" }, frames = { "x" }, dry = true }.refs)
  end)

  it("is counted apart from that of another transport, however the sessions are mixed", function()
    local h = hub.new()
    for i = 1, 20 do
      local is_other, refuses = i % 3 == 0 or i % 5 == 0, i % 7 == 0
      h:open{ user = "u" .. i % 3, channels = { "a" }, other = is_other, refuses = refuses }
    end
    local result = h:notify{ by = "channels", names = { "a" }, frames = { "x" } }
    local counts = { x = 0, other = 0 }
    for i = 1, 20 do
      for _, frame in ipairs((h:take(i))) do counts[frame] = counts[frame] + 1 end
    end
    assert.same({ 1 + counts.x }, result.refs)
    assert.equal(1 + counts.other, result.other_refs)
    assert.equal(18, counts.x + counts.other)
  end)

  it("outlives the sessions that close with it unsent", function()
    local h = hub_of{ { "u", "a" }, { "v", "a" } }
    h:notify{ by = "channels", names = { "a" }, frames = { "x" } }
    h:close(1)
    assert.same({ { "x" }, 1 }, { h:take(2) })
  end)
end)
