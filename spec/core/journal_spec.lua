-- What the store has of durable channels, and what the next life of the node makes of it.
local history = require("core.test").history

local KEEP = { durable = true }

local function add(one, text, names, more, keep)
  local notice = { names = type(names) == "table" and names or { names }, text = text }
  for key, value in pairs(more or {}) do notice[key] = value end
  return one:add(notice, keep or KEEP, nil)
end

-- What somebody of these channels missed behind an id.
local function missed(one, channels, after, more)
  local query = { user = "ann", channels = channels, after = after, patterns = { "*" } }
  for key, value in pairs(more or {}) do query[key] = value end
  local result, list = one:missed(query)
  return result == "WHOLE" and list or result
end

-- Keys and lengths of the records of a space.
local function records(one, space)
  local found = {}
  for _, record in ipairs(one:records()) do
    local key, len = record:match("^" .. space:gsub("-", "%%-") .. " (%S+) (%d+)$")
    if key then found[#found + 1] = { space, key, tonumber(len) } end
  end
  return found
end

for name, url in pairs({ memory = "memory", ["the embedded store"] = "sqlite" }) do
  describe("a journal in " .. name, function()
    local paths = {}

    local function new_one()
      local one = history.new()
      local path = url ~= "memory" and os.tmpname()
      paths[#paths + 1] = path or nil
      assert.is_nil(one:open(path and "sqlite:" .. path or "memory"))
      return one
    end

    after_each(function()
      for _, path in ipairs(paths) do os.execute(("rm -f %s %s-*"):format(path, path)) end
      paths = {}
    end)

    for _, ending in ipairs{ "crash", "stop" } do
      it("has it all behind a " .. ending .. ", in order, under the same ids, for all lives to come", function()
        local one = new_one()
        local start = one:id(add(one, "noted", "c"))
        local first = one:id(add(one, "first", { "a", "b" }, { each = true, except = { "bob" } }))
        local second = one:id(add(one, "second", { "b", "a" }, { efficient = true }))
        for _ = 1, 3 do
          assert.same({ "first by a", "second by a" }, missed(one, { "a" }, start))
          assert.same({ "first by a", "first by b", "second by b" }, missed(one, { "a", "b" }, start))
          assert.same({ "second by b" }, missed(one, { "a", "b" }, first))
          assert.same({}, missed(one, { "a", "b" }, second))
          assert.same({ "second by a" }, missed(one, { "a" }, start, { user = "bob" }))
          one = one[ending](one)
        end
        local last = one:id(add(one, "last", "a"))
        assert.is_true(last > second)
        assert.same({ "second by a", "last by a" }, missed(one, { "a" }, first))
        assert.same({}, missed(one, { "a" }, last))
      end)
    end

    it("says what a channel lost, also when its rows are gone", function()
      local one = new_one()
      local ids = {}
      for i = 1, 600 do ids[i] = one:id(add(one, "e" .. i, "a", nil, { durable = true, size = 2 })) end
      assert.is_true(#records(one, "history-events") <= 258)
      one = one:crash()
      assert.equal(2, #records(one, "history-events")) -- the start takes out what is left over
      assert.equal("LOST", missed(one, { "a" }, ids[597]))
      assert.same({ "e599 by a", "e600 by a" }, missed(one, { "a" }, ids[598]))
      one = one:crash()
      assert.equal("LOST", missed(one, { "a" }, ids[597]))
      assert.same({ "e600 by a" }, missed(one, { "a" }, ids[599]))
    end)

    it("knows the newest event of a key", function()
      local one = new_one()
      local start = one:id(add(one, "start", "a"))
      for i = 1, 3 do add(one, "e" .. i, "a", { key = "k" }) end
      one = one:crash()
      assert.same({ "e3 by a" }, missed(one, { "a" }, start))
      add(one, "e4", "a", { key = "k" })
      assert.same({ "e4 by a" }, missed(one:crash(), { "a" }, start))
    end)

    it("keeps an event until the last of its channels lets go of it", function()
      local one = new_one()
      local start = one:id(add(one, "start", { "a", "b" }))
      add(one, "both", { "a", "b" })
      add(one, "one", "a", nil, { durable = true, size = 1 })
      for _ = 1, 2 do
        one = one:crash()
        assert.equal("LOST", missed(one, { "a" }, start))
        assert.same({ "both by b" }, missed(one, { "b" }, start))
      end
    end)

    it("has nothing of channels that are not durable: behind a crash all of it counts as lost", function()
      local one = new_one()
      local noted = one:id(add(one, "noted", "passing", nil, {}))
      local start = one:id(add(one, "first", "a"))
      local passed = one:id(add(one, "passed", "passing", nil, {}))
      local second = one:id(add(one, "second", "a"))
      one = one:crash()
      for _, id in ipairs{ noted, start, passed, second } do
        assert.equal(id == second and 0 or id == noted and 2 or 1, #missed(one, { "a" }, id))
      end
    end)

    it("tells ids of each life from those of others that never were", function()
      local one = new_one()
      add(one, "first", "a")
      local passing = add(one, "passing", "p", nil, {})
      local unseen = one:id(passing + 2 ^ 22 | 0) -- of a durable event that it would have had
      local seen = one:id(passing)
      one = one:crash()
      assert.same({}, missed(one, { "a" }, seen))
      assert.equal("UNKNOWN", missed(one, { "a" }, unseen))
      for _ = 1, 3 do add(one, "more", "a") end
      assert.equal("UNKNOWN", missed(one, { "a" }, unseen))
      assert.same({ "more by a", "more by a", "more by a" }, missed(one, { "a" }, seen))
    end)

    it("has lost nothing of a durable channel that never had anything", function()
      local one = new_one()
      local start = one:id(add(one, "start", "a"))
      one = one:crash()
      assert.same({}, missed(one, { "a", "b" }, start))
      add(one, "first", "b")
      assert.same({ "first by b" }, missed(one:crash(), { "a", "b" }, start))
    end)

    it("is refused when a part of it is missing, or is read as it is", function()
      local function fill()
        local one = new_one()
        add(one, "first", { "a", "b" }, { each = true, key = "k", except = { "bob" } })
        add(one, "second", "a", nil, { durable = true, size = 1 })
        return one:crash()
      end
      local all = {}
      for _, space in ipairs{ "history", "history-channels", "history-events" } do
        table.move(records(fill(), space), 1, 10, #all + 1, all)
      end
      assert.is_true(#all >= 6)
      for _, record in ipairs(all) do
        for len = 0, record[3] - 1 do
          local one = fill()
          assert.is_nil(one:shorten(record[1], record[2], len))
          assert.same({ nil, "INVALID" }, { one:crash() })
        end
      end
    end)

    it("gives places in its order to what passes it by, when too much does", function()
      local one = new_one()
      local names = {}
      for i = 1, 1000 do names[i] = "p" .. i end
      add(one, "start", "a")
      for i = 1, 1049 do
        add(one, "passing", names, { each = true }, { size = 1 })
        assert.equal(i == 1049, one:is_crowded())
      end
      add(one, "next", "a")
      assert.is_false(one:is_crowded())
    end)
  end)
end

it("gives no places when it could not be opened, however much there is", function()
  local one = history.new()
  local names = {}
  for i = 1, 1000 do names[i] = "p" .. i end
  assert.is_nil(one:fail_to_open())
  for _ = 1, 1050 do add(one, "passing", names, { each = true }, { size = 1 }) end
  assert.is_false(one:is_crowded())
end)
