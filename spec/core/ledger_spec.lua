local ledger = require("core.test").ledger

local function dice(seed)
  return function(n)
    seed = seed * 6364136223846793005 + 1442695040888963407
    return (seed >> 33) % n + 1
  end
end

local function sorted(list)
  table.sort(list)
  return list
end

local function sorted_keys(set)
  local keys = {}
  for key in pairs(set) do keys[#keys + 1] = key end
  return sorted(keys)
end

local function copy(set)
  local other = {}
  for key, value in pairs(set) do other[key] = value end
  return other
end

local function subscribe(users, channels, more)
  local change = { verb = "subscribe", users = users, channels = channels }
  for key, value in pairs(more or {}) do change[key] = value end
  return change
end

local function unsubscribe(users, channels, more)
  local change = subscribe(users, channels, more)
  change.verb = "unsubscribe"
  return change
end

local function new_book(per_user_max, all_max)
  return ledger.new{ per_user_max = per_user_max or 1000, all_max = all_max }
end

-- A book in which these hold: { u = {"a", "b"} }.
local function book_of(subscriptions, per_user_max, all_max)
  local book, changes = new_book(per_user_max, all_max), {}
  for user, channels in pairs(subscriptions) do changes[#changes + 1] = subscribe({ user }, channels) end
  assert(not book:round(changes))
  book:log()
  return book
end

-- A store that keeps what the log tells, and that takes no add of what is there, nor a remove of what is not.
local function apply_log(stored, log)
  local open
  for line in log:gmatch("[^\n]+") do
    local verb, subscription = line:match("^(%l+) ?(.*)$")
    if verb == "begin" then
      open = copy(stored)
    elseif verb == "add" then
      assert(not open[subscription], line)
      open[subscription] = true
    elseif verb == "remove" then
      assert(open[subscription], line)
      open[subscription] = nil
    elseif verb == "commit" then
      stored = open
    end
  end
  return stored
end

describe("a round of changes", function()
  it("writes each new subscription to the store, in one transaction", function()
    local book = new_book()
    local err, results = book:round{ subscribe({ "u" }, { "a" }), subscribe({ "u", "v" }, { "b", "a" }) }
    assert.is_nil(err)
    assert.equal("begin\nadd u a\nadd u b\nadd v b\nadd v a\ncommit\n", book:log())
    assert.same({
      { users = 1, changed = 1, crowd = { "u" } },
      { users = 2, changed = 3, crowd = { "u", "v" } },
    }, results)
    assert.same({ "u a", "u b", "v a", "v b" }, sorted(book:edges()))
  end)

  it("removes those that were there, and only those", function()
    local book = book_of{ u = { "a", "b" }, v = { "b" } }
    local err, results = book:round{ unsubscribe({ "u", "v", "w" }, { "a", "x" }) }
    assert.is_nil(err)
    assert.equal("begin\nremove u a\ncommit\n", book:log())
    assert.same({ { users = 2, changed = 1, crowd = { "u", "v" } } }, results)
    assert.same({ "u b", "v b" }, sorted(book:edges()))
  end)

  it("applies its changes one after the other", function()
    local book = new_book()
    local _, results = book:round{
      subscribe({ "u" }, { "a" }),
      subscribe(nil, { "b" }, { users_of = { "a" } }),
      unsubscribe({ "u" }, { "a" }),
      subscribe(nil, { "c" }, { users_of = { "a" } }),
    }
    assert.same({ "u b" }, sorted(book:edges()))
    assert.same({ 1, 1, 1, 0 },
      { results[1].changed, results[2].changed, results[3].changed, results[4].changed })
    assert.same({}, book:bare())
  end)

  it("takes a name that is repeated for one", function()
    local book = new_book()
    local change = subscribe({ "u", "u", "v", "u" }, { "a", "a" }, { users_of = { "x", "x" } })
    local _, results = book:round{ change }
    assert.same({ { users = 2, changed = 2, crowd = { "u", "v" } } }, results)
    _, results = book:round{ unsubscribe({ "v", "v" }, { "a", "a" }, { users_of = { "a", "a" } }) }
    assert.same({ { users = 2, changed = 2, crowd = { "v", "u" } } }, results)
    assert.same({}, book:edges())
    assert.same({}, book:bare())
  end)

  it("tells several changes of the same users apart", function()
    local book = new_book()
    local _, results = book:round{
      subscribe({ "u", "v" }, { "a" }), subscribe({ "u", "v" }, { "a", "b" }),
      unsubscribe({ "v", "u" }, { "a" }),
    }
    assert.same({ { "u", "v" }, { "u", "v" }, { "v", "u" } },
      { results[1].crowd, results[2].crowd, results[3].crowd })
    assert.same({ "u b", "v b" }, sorted(book:edges()))
  end)
end)

describe("a change by channels", function()
  it("means all users of any of them, each once", function()
    local book = book_of{ u = { "a", "b" }, v = { "b" }, w = { "c" } }
    local _, results = book:round{ subscribe(nil, { "d" }, { users_of = { "a", "b", "x" } }) }
    assert.same({ "u", "v" }, sorted(results[1].crowd))
    assert.same({ "u a", "u b", "u d", "v b", "v d", "w c" }, sorted(book:edges()))
  end)

  it("may subscribe to, or unsubscribe from, the very same channel", function()
    local book = book_of{ u = { "a" }, v = { "a" }, w = { "b" } }
    local _, results = book:round{ subscribe(nil, { "a" }, { users_of = { "a" } }) }
    assert.equal(0, results[1].changed)
    _, results = book:round{ unsubscribe(nil, { "a" }, { users_of = { "a" } }) }
    assert.equal(2, results[1].changed)
    assert.same({ "w b" }, book:edges())
    assert.same({}, book:bare())
  end)

  it("may be joined with users by name", function()
    local book = book_of{ u = { "a" }, v = { "a" } }
    local _, results = book:round{ subscribe({ "v", "w" }, { "b" }, { users_of = { "a" } }) }
    assert.same({ "u", "v", "w" }, sorted(results[1].crowd))
  end)
end)

describe("the limit of a user's subscriptions", function()
  it("refuses the whole change that would break it, and nothing else of the round", function()
    local book = book_of({ u = { "a", "b" } }, 3)
    local err, results = book:round{
      subscribe({ "v" }, { "a" }),
      subscribe({ "new", "u", "v" }, { "c", "d", "e" }),
      subscribe({ "u" }, { "f" }),
    }
    assert.is_nil(err)
    assert.is_nil(results[1].error)
    assert.equal("LIMIT", results[2].error)
    assert.is_nil(results[3].error)
    assert.same({ "u a", "u b", "u f", "v a" }, sorted(book:edges()))
    assert.same({}, book:bare())
    assert.same({ ["u f"] = true, ["v a"] = true }, apply_log({}, book:log()))
  end)

  it("does not count what the user has already", function()
    local book = book_of({ u = { "a", "b", "c" } }, 3)
    local _, results = book:round{ subscribe({ "u" }, { "a", "b", "c" }), subscribe({ "u" }, { "c", "d" }) }
    assert.is_nil(results[1].error)
    assert.equal("LIMIT", results[2].error)
    assert.same({ "u a", "u b", "u c" }, sorted(book:edges()))
  end)

  it("is free again for a later change of the same round", function()
    local book = book_of({ u = { "a" } }, 1)
    local _, results = book:round{
      subscribe({ "u" }, { "b" }), unsubscribe({ "u" }, { "a" }), subscribe({ "u" }, { "b" }),
    }
    assert.same({ "LIMIT" }, { results[1].error, results[2].error, results[3].error })
    assert.same({ "u b" }, book:edges())
  end)
end)

describe("the limit of all subscriptions", function()
  it("refuses the whole change that would break it, until others are removed", function()
    local book = book_of({ u = { "a", "b" }, v = { "a" } }, 1000, 4)
    local _, results = book:round{
      subscribe({ "u", "v", "w" }, { "c" }), subscribe({ "u", "w" }, { "a" }), subscribe({ "v" }, { "b" }),
      unsubscribe({ "u" }, { "b" }), subscribe({ "v" }, { "b" }),
    }
    assert.same({ "LIMIT", nil, "LIMIT" },
      { results[1].error, results[2].error, results[3].error, results[4].error, results[5].error })
    assert.same({ "u a", "v a", "v b", "w a" }, sorted(book:edges()))
    assert.same({}, book:bare())
    apply_log({ ["u a"] = true, ["u b"] = true, ["v a"] = true }, book:log())
  end)
end)

describe("a dry change", function()
  it("counts as the real one would, and leaves nothing", function()
    local book = book_of{ u = { "a", "b" } }
    local changes = {
      subscribe({ "u", "new" }, { "b", "c" }), unsubscribe({ "u", "stranger" }, { "a", "x" }),
    }
    for _, change in ipairs(changes) do
      change.dry = true
      local _, dry = book:round{ change }
      assert.same({ "u a", "u b" }, sorted(book:edges()))
      assert.same({}, book:bare())
      assert.equal("begin\ncommit\n", book:log())
      change.dry = false
      local _, real = book:round{ change }
      assert.same(real, dry)
      book:round{ { verb = "unsubscribe", users = { "u", "new" }, channels = { "c" } },
        unsubscribe({ "new" }, { "b" }), subscribe({ "u" }, { "a" }) }
      book:log()
    end
  end)

  it("is not seen by the next change of the round", function()
    local book = book_of{ u = { "a" } }
    local _, results = book:round{
      subscribe({ "u" }, { "b" }, { dry = true }),
      subscribe(nil, { "c" }, { users_of = { "b" } }),
      unsubscribe({ "u" }, { "a" }, { dry = true }),
      subscribe(nil, { "d" }, { users_of = { "a" } }),
    }
    assert.same({ 1, 0, 1, 1 }, { results[1].users, results[2].users, results[3].users, results[4].users })
    assert.same({ "u a", "u d" }, sorted(book:edges()))
    assert.same({}, book:bare())
  end)

  it("is refused at the limit as the real one", function()
    local book = book_of({ u = { "a" } }, 1)
    local _, results = book:round{ subscribe({ "u" }, { "b" }, { dry = true }) }
    assert.equal("LIMIT", results[1].error)
  end)
end)

describe("nodes that are left with nothing", function()
  local changes = {
    ["users and channels that nothing came of"] = { subscribe({ "new" }, {}), subscribe({}, { "new" }) },
    ["channels of a crowd that is empty"] = { subscribe(nil, { "new" }, { users_of = { "unknown" } }) },
    ["unknown users and channels"] = {
      unsubscribe({ "unknown" }, { "a" }), unsubscribe({ "u" }, { "unknown" }),
    },
    ["what was added and removed in one round"] = {
      subscribe({ "new" }, { "fresh" }), unsubscribe({ "new" }, { "fresh" }),
      subscribe({ "new" }, { "fresh" }), unsubscribe(nil, { "fresh" }, { users_of = { "fresh" } }),
    },
    ["what a refused change brought"] = { subscribe({ "new", "newer" }, { "1", "2", "3", "4" }) },
    ["what a dry change brought"] = { subscribe({ "new" }, { "fresh" }, { dry = true }) },
  }
  for what, round in pairs(changes) do
    it("are dropped: " .. what, function()
      local book = book_of({ u = { "a" } }, 3)
      book:round(round)
      assert.same({}, book:bare())
      assert.same({ "u a" }, book:edges())
    end)
  end

  it("stay when they have an owner, as users who are online", function()
    local book = book_of{ u = { "a" } }
    book:own("u", true)
    book:round{ unsubscribe({ "u" }, { "a" }) }
    assert.same({}, book:edges())
    assert.same({}, book:bare())
    book:round{ subscribe({ "u" }, { "b" }) }
    assert.same({ "u b" }, book:edges())
    book:own("u", false)
    assert.same({ "u b" }, book:edges())
  end)
end)

describe("a store that fails", function()
  local round = {
    subscribe({ "u", "new" }, { "a", "c" }),
    unsubscribe({ "v" }, { "a", "b" }),
    subscribe({ "x" }, { "1", "2", "3", "4" }), -- over the limit
    unsubscribe(nil, { "b" }, { users_of = { "b" } }),
    subscribe({ "v" }, { "d" }, { dry = true }),
  }
  -- Where each call of the store lies in the round; the last ones take a change back.
  local calls = { begin = 1, add = 6, remove = 6, commit = 1 }

  local function new_filled_book()
    return book_of({ u = { "a", "b" }, v = { "a", "b" } }, 3)
  end

  it("is asked as often as these examples say", function()
    local book = new_filled_book()
    assert.is_nil((book:round(round)))
    local counts = {}
    for verb in book:log():gmatch("%f[^\n%z]%l+") do counts[verb] = (counts[verb] or 0) + 1 end
    assert.same(calls, counts)
  end)

  for verb, count in pairs(calls) do
    for call = 1, count do
      it(("at %s number %d leaves everything as it was"):format(verb, call), function()
        local book = new_filled_book()
        book:fail(verb, call)
        assert.equal("IO", (book:round(round)))
        assert.same({ "u a", "u b", "v a", "v b" }, sorted(book:edges()))
        assert.same({}, book:bare())
        assert.matches("failed " .. verb .. ".*\nrollback\n$", book:log())
        assert.is_nil((book:round(round)))
        assert.same({ "new a", "new c", "u a", "u c" }, sorted(book:edges()))
      end)
    end
  end
end)

describe("the ledger", function()
  -- A round on plain sets, subscription by subscription; gives the new set.
  local function model_round(set, round, subscriptions_max)
    set = copy(set)
    for _, change in ipairs(round) do
      local users, before = {}, copy(set)
      for _, user in ipairs(change.users or {}) do users[user] = true end
      for _, channel in ipairs(change.users_of or {}) do
        for key in pairs(set) do
          local user, of = key:match("^(.*) (.*)$")
          if of == channel then users[user] = true end
        end
      end
      for user in pairs(users) do
        for _, channel in ipairs(change.channels) do
          set[user .. " " .. channel] = change.verb == "subscribe" or nil
        end
        local count = 0
        for key in pairs(set) do
          if key:match("^(.*) ") == user then count = count + 1 end
        end
        if change.verb == "subscribe" and count > subscriptions_max then change.is_over = true end
      end
      if change.dry or change.is_over then set = before end
    end
    return set
  end

  local function random_names(roll, prefix, from, count)
    local names = {}
    for i = 1, count do names[i] = prefix .. roll(from) end
    return names
  end

  local function random_change(roll)
    return {
      verb = roll(3) > 1 and "subscribe" or "unsubscribe",
      users = roll(3) > 1 and random_names(roll, "u", 8, roll(4)) or nil,
      users_of = roll(3) == 1 and random_names(roll, "c", 12, roll(2)) or nil,
      channels = random_names(roll, "c", 12, roll(3)),
      dry = roll(6) == 1,
    }
  end

  it("agrees with plain sets, and so does its store, after thousands of rounds of which some fail", function()
    local roll, book, set, stored = dice(1), new_book(6), {}, {}
    local verbs = { "begin", "add", "remove", "commit" }
    for _ = 1, 3000 do
      local round = {}
      for i = 1, roll(4) do round[i] = random_change(roll) end
      if roll(4) == 1 then book:fail(verbs[roll(4)], roll(3)) else book:fail("none", 0) end
      local err, results = book:round(round)
      if not err then set = model_round(set, round, 6) end
      for i, change in ipairs(round) do
        if not err then assert.equal(change.is_over and "LIMIT" or nil, results[i].error) end
      end
      stored = apply_log(stored, book:log())
      assert.same(sorted_keys(set), sorted(book:edges()))
      assert.same(sorted_keys(set), sorted_keys(stored))
      assert.same({}, book:bare())
    end
  end)
end)
