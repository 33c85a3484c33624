local hub = require("core.test").hub

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

-- What counts of h, without the gauge that all hubs share.
local function size_of(h)
  local size = h:size()
  size.live = nil
  return size
end

describe("the registry", function()
  it("has a user while one of his sessions is here, with the channels he came with", function()
    local h = hub.new()
    local first = h:open{ user = "u", channels = { "a", "b" } }
    local second = h:open{ user = "u", channels = { "a", "b" } }
    assert.same({ sessions = 2, users = 1, channels = 2 }, size_of(h))
    assert.same({ "u a", "u b" }, sorted(h:edges()))
    h:close(first)
    assert.same({ second }, h:sessions("u"))
    assert.same({ "u a", "u b" }, sorted(h:edges()))
    h:close(second)
    assert.same({}, h:sessions("u"))
    assert.same({ sessions = 0, users = 0, channels = 0 }, size_of(h))
  end)

  it("removes a user's sessions in any order", function()
    local orders = { { 1, 2, 3 }, { 1, 3, 2 }, { 2, 1, 3 }, { 2, 3, 1 }, { 3, 1, 2 }, { 3, 2, 1 } }
    for _, order in ipairs(orders) do
      local h = hub.new()
      local left = {}
      for _ = 1, 3 do left[h:open{ user = "u", channels = { "c" } }] = true end
      for _, session in ipairs(order) do
        h:close(session)
        left[session] = nil
        local rest = {}
        for other in pairs(left) do rest[#rest + 1] = other end
        assert.same(sorted(rest), sorted(h:sessions("u")))
      end
      assert.same({ sessions = 0, users = 0, channels = 0 }, size_of(h))
    end
  end)

  it("lets users join and leave channels while they are here", function()
    local h = hub.new()
    h:open{ user = "u", channels = { "a" } }
    h:open{ user = "v", channels = {} }
    h:change(true, { "u", "v", "stranger" }, { "b", "a", "b" })
    assert.same({ "u a", "u b", "v a", "v b" }, sorted(h:edges()))
    h:change(false, { "u", "stranger" }, { "b", "unknown" })
    assert.same({ "u a", "v a", "v b" }, sorted(h:edges()))
    h:change(false, { "u", "v" }, { "a", "b" })
    assert.same({ sessions = 2, users = 2, channels = 0 }, size_of(h))
  end)

  it("keeps nothing of a user who is not here", function()
    local h = hub.new()
    h:change(true, { "u" }, { "a" })
    h:change(false, { "u" }, { "a" })
    assert.same({ sessions = 0, users = 0, channels = 0 }, size_of(h))
    h:open{ user = "u", channels = {} }
    assert.same({}, h:edges())
  end)

  it("keeps the gauge of live channels true", function()
    local h = hub.new()
    local before = h:size().live
    local session = h:open{ user = "u", channels = { "a", "b" } }
    h:open{ user = "v", channels = { "b", "c" } }
    h:open{ user = "v", channels = { "b", "c" } }
    assert.equal(before + 3, h:size().live)
    h:change(true, { "u" }, { "d" })
    h:change(false, { "v" }, { "c" })
    assert.equal(before + 3, h:size().live)
    h:close(session)
    assert.equal(before + 1, h:size().live)
  end)

  it("agrees with plain tables after hundreds of sessions and changes", function()
    local h, roll, live, channels_of = hub.new(), dice(1), {}, {}
    local function check()
      local expected, users = {}, {}
      for _, user in pairs(live) do users[user] = true end
      for user in pairs(users) do
        for channel in pairs(channels_of[user]) do expected[#expected + 1] = user .. " " .. channel end
      end
      assert.same(sorted(expected), sorted(h:edges()))
    end
    for i = 1, 8 do channels_of["u" .. i] = {} end
    for step = 1, 240 do -- at most 256 sessions in the life of a hub
      local user, channel = "u" .. roll(8), "c" .. roll(5)
      local is_add = roll(2) == 1
      h:change(is_add, { user }, { channel })
      channels_of[user][channel] = is_add or nil
      local names = {}
      for name in pairs(channels_of[user]) do names[#names + 1] = name end
      live[h:open{ user = user, channels = names }] = user
      if step % 3 > 0 then
        local session = next(live)
        h:close(session)
        live[session] = nil
      end
      check()
    end
  end)
end)

describe("relief of what waits", function()
  local h

  before_each(function()
    h = hub.new()
    for i, bytes in ipairs{ 100000, 0, 400000, 200000, 300000 } do
      h:open{ user = "u" .. i % 2, channels = {}, overdue = bytes }
    end
  end)

  for thousandths, ended in pairs{ [0] = {}, [1] = { 3 }, [400] = { 3 }, [401] = { 3, 5 }, [1000] = { 1, 3, 4, 5 } } do
    it(("of %d thousandths ends the sessions for which most is overdue, and no more"):format(thousandths), function()
      assert.same(ended, h:relieve(thousandths))
    end)
  end
end)
