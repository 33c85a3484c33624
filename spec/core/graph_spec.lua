local graph = require("core.test").graph

local function dice(seed)
  return function(n)
    seed = seed * 6364136223846793005 + 1442695040888963407
    return (seed >> 33) % n + 1
  end
end

-- The same graph as plain tables: users[name][channel] = true, and the other way round. A name in `owned`
-- stays without edges; the others are dropped when they are pruned.
local function new_model()
  return { user = {}, channel = {}, owned = { user = {}, channel = {} } }
end

local PEER = { user = "channel", channel = "user" }

local function model_prune(model, kind, name)
  local edges = model[kind][name]
  if edges and next(edges) == nil and not model.owned[kind][name] then model[kind][name] = nil end
end

local operations = {}

function operations.add(g, model, user, channel)
  model.user[user] = model.user[user] or {}
  model.channel[channel] = model.channel[channel] or {}
  assert(g:add(user, channel) == not model.user[user][channel], "add says the wrong thing")
  model.user[user][channel] = true
  model.channel[channel][user] = true
end

function operations.remove(g, model, user, channel)
  local was_there = model.user[user] ~= nil and model.user[user][channel] == true
  assert(g:remove(user, channel) == was_there, "remove says the wrong thing")
  if not was_there then return end
  model.user[user][channel] = nil
  model.channel[channel][user] = nil
end

function operations.clear(g, model, user, channel, roll)
  local kind = roll(2) == 1 and "user" or "channel"
  local name = kind == "user" and user or channel
  g:clear(kind, name)
  for peer in pairs(model[kind][name] or {}) do
    model[PEER[kind]][peer][name] = nil
    model_prune(model, PEER[kind], peer)
  end
  if model[kind][name] then model[kind][name] = {} end
end

function operations.prune(g, model, user, channel)
  g:prune("user", user)
  g:prune("channel", channel)
  model_prune(model, "user", user)
  model_prune(model, "channel", channel)
end

function operations.own(g, model, user, _, roll)
  local is_owned = roll(2) == 1
  g:own("user", user, is_owned)
  if model.user[user] then model.owned.user[user] = is_owned or nil end
end

local function count(t)
  local n = 0
  for _ in pairs(t) do n = n + 1 end
  return n
end

-- What the graph's nodes() should give.
local function nodes_of(model)
  local users, channels, edges = {}, {}, 0
  for name, peers in pairs(model.user) do
    users[name] = count(peers)
    edges = edges + users[name]
  end
  for name, peers in pairs(model.channel) do channels[name] = count(peers) end
  return { users, channels, edges }
end

local function compare(g, model, users, channels)
  assert.is_nil(g:check())
  assert.same(nodes_of(model), { g:nodes() })
  for _, user in ipairs(users) do
    for _, channel in ipairs(channels) do
      assert(g:has(user, channel) == (model.user[user] ~= nil and model.user[user][channel] == true))
    end
  end
end

-- Does one kind of operation more often than the others, so that the graph grows and shrinks.
local function run(steps, seed, user_count, channel_count)
  local g, model, roll = graph.new(), new_model(), dice(seed)
  local names = { "add", "remove", "clear", "prune", "own", "add", "add", "remove" }
  local users, channels = {}, {}
  for i = 1, user_count do users[i] = "u" .. i end
  for i = 1, channel_count do channels[i] = "c" .. i end
  for step = 1, steps do
    local user, channel = users[roll(user_count)], channels[roll(channel_count)]
    local name = names[roll(#names)]
    if name == "clear" and roll(20) > 1 then name = "add" end
    if step % 2000 > 1500 and name == "add" then name = "remove" end
    operations[name](g, model, user, channel, roll)
    if step % 500 == 0 then compare(g, model, users, channels) end
  end
  compare(g, model, users, channels)
end

describe("a graph", function()
  it("agrees with plain tables after thousands of changes, few users and many channels", function()
    run(20000, 1, 5, 200)
  end)

  it("agrees with plain tables after thousands of changes, many users and few channels", function()
    run(20000, 2, 200, 5)
  end)

  it("agrees with plain tables after thousands of changes, as many of both", function()
    run(20000, 3, 30, 30)
  end)

  it("keeps users and channels of one name apart", function()
    local g = graph.new()
    assert.is_true(g:add("x", "x"))
    assert.is_false(g:add("x", "x"))
    assert.same({ { x = 1 }, { x = 1 }, 1 }, { g:nodes() })
    assert.is_true(g:remove("x", "x"))
    assert.is_false(g:has("x", "x"))
  end)

  it("keeps nodes without edges until they are pruned", function()
    local g = graph.new()
    g:add("u", "c")
    g:remove("u", "c")
    assert.same({ { u = 0 }, { c = 0 }, 0 }, { g:nodes() })
    g:prune("user", "u")
    g:prune("channel", "c")
    assert.same({ {}, {}, 0 }, { g:nodes() })
  end)

  it("prunes no node that has an edge or an owner", function()
    local g = graph.new()
    g:add("u", "c")
    g:prune("user", "u")
    g:prune("channel", "c")
    assert.same({ { u = 1 }, { c = 1 }, 1 }, { g:nodes() })
    g:own("user", "u", true)
    g:clear("user", "u")
    g:prune("user", "u")
    assert.same({ { u = 0 }, {}, 0 }, { g:nodes() })
  end)

  it("clears a node of all edges and drops the peers that are left with nothing", function()
    local g = graph.new()
    for i = 1, 100 do g:add("u", "c" .. i) end
    g:add("other", "c50")
    g:clear("user", "u")
    assert.is_nil(g:check())
    assert.same({ { u = 0, other = 1 }, { c50 = 1 }, 1 }, { g:nodes() })
  end)

  it("takes thousands of edges at one node, in any order of removal", function()
    local g = graph.new()
    for i = 1, 3000 do g:add("u" .. i, "c") end
    for i = 1, 3000, 2 do assert(g:remove("u" .. i, "c")) end
    assert.is_nil(g:check())
    for i = 3000, 2, -2 do assert(g:remove("u" .. i, "c")) end
    assert.is_nil(g:check())
    assert.equal(0, (select(3, g:nodes())))
  end)
end)
