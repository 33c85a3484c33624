local base = require("core.test").base

local SLOTS_MIN = 16

-- Numbers from 1 to n, the same in each run.
local function dice(seed)
  return function(n)
    seed = seed * 6364136223846793005 + 1442695040888963407
    return (seed >> 33) % n + 1
  end
end

-- Names that all want the last one of `slots` slots: they collide, and run over the end.
local function colliding_names(count, slots)
  local names, i = {}, 0
  while #names < count do
    i = i + 1
    local name = "name-" .. i
    if base.hash(name) & (slots - 1) == slots - 1 then names[#names + 1] = name end
  end
  return names
end

local function sorted_keys(model)
  local keys = {}
  for key in pairs(model) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

local function sorted_walk(map)
  local names = map:names()
  table.sort(names)
  return names
end

-- How often the map and the model differ in what they have of the names.
local function differences(map, model, names)
  local count = 0
  for _, name in ipairs(names) do
    if map:find(name) ~= (model[name] and name or nil) then count = count + 1 end
  end
  return count
end

-- Adds what is not there and removes what is.
local function toggle(map, model, name)
  if model[name] then
    assert(map:remove(name) == name)
    model[name] = nil
  else
    map:add(name)
    model[name] = true
  end
end

describe("a map", function()
  it("finds what was added under its name, and nothing else", function()
    local map = base.map()
    local names = { "", "a", "a\0", "a\0b", "12345678", "12345678\0", "123456789", ("x"):rep(10000) }
    for _, name in ipairs(names) do map:add(name) end
    for _, name in ipairs(names) do assert.equal(name, map:find(name)) end
    for _, name in ipairs{ "\0", "b", "1234567", "12345678 ", ("x"):rep(9999) } do
      assert.is_nil(map:find(name))
      assert.is_nil(map:remove(name))
    end
    assert.equal(#names, (map:size()))
  end)

  it("is empty at first, and again when all was removed", function()
    local map = base.map()
    assert.is_nil(map:find("a"))
    assert.is_nil(map:remove("a"))
    assert.same({}, map:names())
    map:add("a")
    assert.equal("a", map:remove("a"))
    assert.is_nil(map:find("a"))
    assert.same({}, map:names())
    assert.equal(0, (map:size()))
  end)

  it("grows so that a quarter is free, and shrinks when most is", function()
    local map = base.map()
    local slots_max = 0
    for i = 1, 10000 do
      map:add("name-" .. i)
      local count, slots = map:size()
      assert(count == i and count * 4 <= slots * 3, "too full")
      slots_max = slots
    end
    assert.equal(16384, slots_max)
    for i = 1, 10000 do
      map:remove("name-" .. i)
      local count, slots = map:size()
      assert(count == 10000 - i and (slots == SLOTS_MIN or count * 8 >= slots), "too empty")
    end
    assert.equal(SLOTS_MIN, (select(2, map:size())))
  end)

  it("keeps what it has while it grows and shrinks", function()
    local map, model, names = base.map(), {}, {}
    for i = 1, 3000 do names[i] = "name-" .. i end
    for i = 1, 3000 do toggle(map, model, names[i]) end
    for i = 1, 3000, 3 do toggle(map, model, names[i]) end
    assert.equal(0, differences(map, model, names))
    for i = 2, 3000 do
      if i % 100 ~= 0 and model[names[i]] then toggle(map, model, names[i]) end
    end
    assert.equal(0, differences(map, model, names))
    assert.same(sorted_keys(model), sorted_walk(map))
  end)

  it("tells names apart that want the same slot", function()
    local names = colliding_names(90, 128)
    local map, model, roll = base.map(), {}, dice(1)
    for _ = 1, 3000 do
      toggle(map, model, names[roll(#names)])
      assert(differences(map, model, names) == 0, "a name is lost or still there")
    end
    assert.same(sorted_keys(model), sorted_walk(map))
  end)

  it("closes the gap behind a removed name, whoever is home there", function()
    local names = colliding_names(4, 16) -- at 15, 0, 1 and behind the other's 2
    local i = 0
    repeat
      i = i + 1
    until base.hash("other-" .. i) & 15 == 1
    table.insert(names, 4, "other-" .. i)
    for _, gone in ipairs(names) do
      local map = base.map()
      for _, name in ipairs(names) do map:add(name) end
      map:remove(gone)
      for _, name in ipairs(names) do assert.equal(name ~= gone, map:find(name) == name) end
    end
  end)

  it("agrees with a table after thousands of changes", function()
    local map, model, names, roll = base.map(), {}, {}, dice(2)
    for i = 1, 500 do names[i] = ("n"):rep(roll(20)) .. i end
    for step = 1, 20000 do
      toggle(map, model, names[roll(step % 4000 < 2000 and 500 or 20)])
      if step % 500 == 0 then assert.equal(0, differences(map, model, names)) end
    end
    assert.same(sorted_keys(model), sorted_walk(map))
  end)
end)

describe("the hash of names", function()
  it("depends on every byte and on the length", function()
    local seen = {}
    local function see(name)
      local hash = base.hash(name)
      assert(not seen[hash], "the same hash as another")
      seen[hash] = true
    end
    for len = 0, 40 do see(("\0"):rep(len)) end
    for len = 1, 40 do
      for at = 1, len do see(("\0"):rep(at - 1) .. "\1" .. ("\0"):rep(len - at)) end
    end
  end)

  it("spreads names that differ in a number only", function()
    local counts = {}
    for i = 1, 6400 do
      local slot = base.hash("user-" .. i) & 63
      counts[slot] = (counts[slot] or 0) + 1
    end
    for slot = 0, 63 do assert(counts[slot] > 50 and counts[slot] < 150, "uneven") end
  end)
end)
