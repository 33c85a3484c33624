local bus = require("core.test").bus

-- What comes to a worker until the answers with these tags are there, those included.
local function read_until(node, worker, ...)
  local events, missing = {}, {}
  for _, tag in ipairs{ ... } do missing[tag] = true end
  while next(missing) do
    for _, event in ipairs(node:pump(worker)) do
      events[#events + 1] = event
      if event.tag then missing[event.tag] = nil end
    end
  end
  return events
end

-- Asks, and gives the answer, and what came before it.
local function ask(node, worker, op)
  op.tag = "asked"
  node:ask(worker, op)
  local events = read_until(node, worker, "asked")
  return table.remove(events), events
end

local function join(node, worker, user)
  local answer = ask(node, worker, { op = "JOIN", name = user })
  return answer.channels, answer.error
end

-- LEAVE has no answer: the question behind it has.
local function leave(node, worker, user)
  node:ask(worker, { op = "LEAVE", name = user })
  ask(node, worker, { op = "COUNT" })
end

local function subscribe(node, users, channels)
  return (ask(node, 1, { op = "SUBSCRIBE", users = users, channels = channels }))
end

local function subscriptions(node, user)
  return ask(node, 1, { op = "SUBSCRIPTIONS", name = user }).channels
end

local function count(node, user)
  local answer = ask(node, 1, { op = "COUNT", name = user })
  return { answer.users, answer.sessions }
end

local function page_of(node, op)
  local answer = ask(node, 1, op)
  return { answer.names, answer.has_more }
end

describe("a change of subscriptions", function()
  it("is told to the workers before it is answered, in the same inbox", function()
    local node = bus.new{ workers = 2 }
    join(node, 1, "u")
    join(node, 2, "u")
    local answer, before = ask(node, 1, { op = "SUBSCRIBE", users = { "u" }, channels = { "a", "b" } })
    assert.equal(2, answer.changed)
    assert.same({ { op = "CHANGE", add = true, users = { "u" }, channels = { "a", "b" } } }, before)
    assert.same(before, node:rest(2)) -- it lies there, too, once the answer came
    answer, before = ask(node, 2, { op = "UNSUBSCRIBE", users = { "u" }, channels = { "a" } })
    assert.equal(1, answer.changed)
    assert.same({ { op = "CHANGE", add = false, users = { "u" }, channels = { "a" } } }, before)
    assert.same(before, node:rest(1))
  end)

  it("is told to those workers only on which its users are live, and of those users only", function()
    local node = bus.new{ workers = 3 }
    join(node, 1, "u")
    join(node, 2, "u")
    join(node, 2, "v")
    local _, before = ask(node, 3, { op = "SUBSCRIBE", users = { "v", "u", "offline" }, channels = { "a" } })
    assert.same({}, before)
    assert.same({ { op = "CHANGE", add = true, users = { "u" }, channels = { "a" } } }, node:rest(1))
    assert.same({ { op = "CHANGE", add = true, users = { "v", "u" }, channels = { "a" } } }, node:rest(2))
  end)

  it("by channels means all users in them, live or not", function()
    local node = bus.new{ workers = 1, loaded = { "u", "a", "v", "a", "v", "b" } }
    join(node, 1, "v")
    local answer, before = ask(node, 1, { op = "SUBSCRIBE", users_of = { "a", "b" }, channels = { "c" } })
    assert.same({ 2, 2 }, { answer.users, answer.changed })
    assert.same({ { op = "CHANGE", add = true, users = { "v" }, channels = { "c" } } }, before)
    assert.same({ "a", "c" }, subscriptions(node, "u"))
    assert.same({ "a", "b", "c" }, subscriptions(node, "v"))
  end)

  it("that is dry is counted, and told to nobody", function()
    local node = bus.new{ workers = 1 }
    join(node, 1, "u")
    local answer, before = ask(node, 1, { op = "SUBSCRIBE", users = { "u" }, channels = { "a" }, dry = true })
    assert.same({ 1, 1 }, { answer.users, answer.changed })
    assert.same({}, before)
    assert.same({}, subscriptions(node, "u"))
  end)

  it("over a limit is refused as a whole, and told to nobody", function()
    for _, limit in ipairs{ "subscriptions_per_user_max", "subscriptions_max" } do
      local node = bus.new{ workers = 1, [limit] = 2 }
      join(node, 1, "u")
      local answer, before = ask(node, 1, { op = "SUBSCRIBE", users = { "u" }, channels = { "a", "b", "c" } })
      assert.equal("LIMIT", answer.error)
      assert.same({}, before)
      assert.same({}, subscriptions(node, "u"))
      assert.is_nil(subscribe(node, { "u" }, { "a", "b" }).error)
    end
  end)

  it("that the store cannot commit is answered so, and never happened", function()
    local node = bus.new{ workers = 1, loaded = { "u", "a" } }
    join(node, 1, "u")
    node:fail(true)
    local task = require("core.test").task
    task.divert()
    local answers = {
      { ask(node, 1, { op = "SUBSCRIBE", users = { "u" }, channels = { "b" } }) },
      { ask(node, 1, { op = "UNSUBSCRIBE", users = { "u" }, channels = { "a" } }) },
      { ask(node, 1, { op = "SUBSCRIBE", users = { "u" }, channels = { "b" }, dry = true }) },
    }
    local log = task.restore()
    for _, answer in ipairs(answers) do
      assert.equal("UNAVAILABLE", answer[1].error)
      assert.same({}, answer[2])
    end
    local line = "error roster the store did not commit: reading or writing failed\n"
    assert.equal(3, select(2, log:gsub(line, "")))
    assert.same({ "a" }, subscriptions(node, "u"))
    node:fail(false)
    assert.is_nil(subscribe(node, { "u" }, { "b" }).error)
    assert.same({ "a", "b" }, subscriptions(node, "u"))
  end)

  it("needs no answer", function()
    local node = bus.new{ workers = 1 }
    join(node, 1, "u")
    node:ask(1, { op = "SUBSCRIBE", users = { "u" }, channels = { "a" } })
    assert.same({ { op = "CHANGE", add = true, users = { "u" }, channels = { "a" } } }, node:pump(1))
    assert.same({ "a" }, subscriptions(node, "u"))
  end)

  it("comes in the order of the requests, many at once", function()
    local node = bus.new{ workers = 1 }
    join(node, 1, "u")
    for i = 1, 200 do
      local op = i % 2 == 1 and "SUBSCRIBE" or "UNSUBSCRIBE"
      node:ask(1, { op = op, users = { "u" }, channels = { "c" .. (i + 1) // 2 }, tag = tostring(i) })
    end
    local events = read_until(node, 1, "200")
    assert.equal(400, #events)
    for i = 1, 200 do
      local change, answer = events[2 * i - 1], events[2 * i]
      assert.same({ i % 2 == 1, { "c" .. (i + 1) // 2 } }, { change.add, change.channels })
      assert.same({ tostring(i), 1 }, { answer.tag, answer.changed })
    end
    assert.same({}, subscriptions(node, "u"))
  end)
end)

describe("the subscriptions of a user", function()
  it("are those of the store at the start", function()
    local node = bus.new{ workers = 1, loaded = { "u", "b", "v", "a", "u", "a", "u", "b" } }
    assert.same({ "a", "b" }, subscriptions(node, "u"))
    assert.same({ "a" }, subscriptions(node, "v"))
  end)

  it("stay when he has no session any more", function()
    local node = bus.new{ workers = 1 }
    join(node, 1, "u")
    subscribe(node, { "u" }, { "a" })
    leave(node, 1, "u")
    assert.same({ "a" }, subscriptions(node, "u"))
    assert.same({ "a" }, (join(node, 1, "u")))
  end)

  it("are none for a stranger, whatever his name", function()
    local node = bus.new{ workers = 1, loaded = { "u", "a" } }
    for _, name in ipairs{ "x", "a", "", "constructor", "__proto__" } do
      assert.same({}, subscriptions(node, name))
    end
  end)
end)

describe("a session", function()
  it("begins with all channels of its user, in order of their names", function()
    local node = bus.new{ workers = 1, loaded = { "u", "c", "u", "a", "u", "b", "v", "d" } }
    assert.same({ "a", "b", "c" }, (join(node, 1, "u")))
    assert.same({}, (join(node, 1, "w")))
  end)

  it("has the right channels whatever changes are made while it begins", function()
    local node = bus.new{ workers = 1 }
    for i = 1, 100 do
      local user = "u" .. i
      node:ask(1, { op = "SUBSCRIBE", users = { user }, channels = { "before" } })
      node:ask(1, { op = "JOIN", name = user, tag = "join" })
      node:ask(1, { op = "SUBSCRIBE", users = { user }, channels = { "after" } })
      node:ask(1, { op = "UNSUBSCRIBE", users = { user }, channels = { "before" }, tag = "end" })
      local channels
      for _, event in ipairs(read_until(node, 1, "join", "end")) do
        if event.tag == "join" then
          channels = {}
          for _, channel in ipairs(event.channels) do channels[channel] = true end
        elseif event.op == "CHANGE" and channels then -- without a session a CHANGE means nothing
          channels[event.channels[1]] = event.add or nil
        end
      end
      assert.same({ after = true }, channels)
    end
  end)

  it("is refused beyond the limit of its user, until another one ends", function()
    local node = bus.new{ workers = 2, sessions_per_user_max = 2 }
    assert.same({ {} }, { join(node, 1, "u") })
    assert.same({ {} }, { join(node, 2, "u") })
    assert.same({ nil, "LIMIT" }, { join(node, 1, "u") })
    assert.same({ {} }, { join(node, 1, "v") })
    assert.same({ 1, 2 }, count(node, "u"))
    leave(node, 2, "u")
    assert.same({ {} }, { join(node, 1, "u") })
  end)

  it("is refused beyond the limit of all, until another one ends", function()
    local node = bus.new{ workers = 1, sessions_max = 2 }
    join(node, 1, "u")
    join(node, 1, "v")
    assert.same({ nil, "LIMIT" }, { join(node, 1, "w") })
    assert.same({ nil, "LIMIT" }, { join(node, 1, "u") })
    assert.same({ 2, 2 }, count(node))
    assert.same({ 0, 0 }, count(node, "w"))
    leave(node, 1, "u")
    assert.same({ {} }, { join(node, 1, "w") })
    assert.same({ 2, 2 }, count(node))
  end)

  it("leaves its worker alone when it ends, and its user when it was the last", function()
    local node = bus.new{ workers = 2 }
    for _, worker in ipairs{ 1, 1, 2 } do join(node, worker, "u") end
    assert.same({ 1, 3 }, count(node, "u"))
    leave(node, 1, "u")
    subscribe(node, { "u" }, { "a" })
    assert.equal("CHANGE", node:rest(2)[1].op)
    leave(node, 1, "u")
    local _, before = ask(node, 1, { op = "SUBSCRIBE", users = { "u" }, channels = { "b" } })
    assert.same({}, before)
    assert.equal("CHANGE", node:rest(2)[1].op)
    leave(node, 2, "u")
    assert.same({ 0, 0 }, count(node, "u"))
    ask(node, 2, { op = "SUBSCRIBE", users = { "u" }, channels = { "c" } })
    assert.same({}, node:rest(1))
    assert.same({ "a", "b", "c" }, subscriptions(node, "u"))
  end)
end)

describe("a search for participants", function()
  local loaded = { "u1", "a", "u2", "a", "u3", "a", "u4", "b" }

  it("finds the users with a session, in order of their names", function()
    local node = bus.new{ workers = 2, loaded = loaded }
    for worker, user in ipairs{ "u3", "u1" } do join(node, worker, user) end
    join(node, 2, "u4")
    assert.same({ { "u1", "u3" }, false }, page_of(node, { op = "PARTICIPANTS", name = "a" }))
    assert.same({ {}, false }, page_of(node, { op = "PARTICIPANTS", name = "x" }))
    leave(node, 1, "u3")
    assert.same({ { "u1" }, false }, page_of(node, { op = "PARTICIPANTS", name = "a" }))
  end)

  it("finds the others too when it shall", function()
    local node = bus.new{ workers = 1, loaded = loaded }
    join(node, 1, "u2")
    local all = page_of(node, { op = "PARTICIPANTS", name = "a", offline = true })
    assert.same({ { "u1", "u2", "u3" }, false }, all)
  end)

  it("gives one page after the other", function()
    local node = bus.new{ workers = 1, loaded = loaded }
    local op = { op = "PARTICIPANTS", name = "a", offline = true, size = 2 }
    assert.same({ { "u1", "u2" }, true }, page_of(node, op))
    op.after = "u2"
    assert.same({ { "u3" }, false }, page_of(node, op))
    op.after = "u3"
    assert.same({ {}, false }, page_of(node, op))
  end)
end)

describe("a search for users", function()
  it("finds those with a session, each once, page by page", function()
    local node = bus.new{ workers = 2, loaded = { "offline", "a" } }
    for i = 1, 7 do join(node, i % 2 + 1, "u" .. i) end
    join(node, 1, "u3")
    assert.same({ { "u1", "u2", "u3" }, true }, page_of(node, { op = "USERS", size = 3 }))
    assert.same({ { "u4", "u5", "u6" }, true }, page_of(node, { op = "USERS", size = 3, after = "u3" }))
    assert.same({ { "u7" }, false }, page_of(node, { op = "USERS", size = 3, after = "u6" }))
  end)
end)

describe("the count of who is online", function()
  it("has users and sessions of all, or of one", function()
    local node = bus.new{ workers = 2, loaded = { "offline", "a" } }
    assert.same({ 0, 0 }, count(node))
    for worker, user in ipairs{ "u", "u" } do join(node, worker, user) end
    join(node, 1, "v")
    assert.same({ 2, 3 }, count(node))
    assert.same({ 1, 2 }, count(node, "u"))
    assert.same({ 0, 0 }, count(node, "offline"))
    assert.same({ 0, 0 }, count(node, "stranger"))
  end)
end)

describe("the roster", function()
  it("carries out what it was asked before it stops", function()
    local node = bus.new{ workers = 2 }
    join(node, 2, "u")
    for i = 1, 50 do
      node:ask(1, { op = "SUBSCRIBE", users = { "u" }, channels = { "c" .. i }, tag = tostring(i) })
    end
    node:stop()
    assert.equal(50, #node:rest(1))
    assert.equal(50, #node:rest(2))
  end)

  it("forgets those who had nothing but a session", function()
    local node = bus.new{ workers = 1, loaded = { "u", "a" } }
    for round = 1, 3 do
      for i = 1, 50 do join(node, 1, "guest" .. i) end
      assert.same({ 50, 50 }, count(node))
      for i = 1, 50 do leave(node, 1, "guest" .. i) end
      assert.same({ 0, 0 }, count(node), round)
    end
    assert.same({ {}, false }, page_of(node, { op = "USERS" }))
  end)
end)
