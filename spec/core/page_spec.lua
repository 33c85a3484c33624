local hub = require("core.test").hub

local function dice(seed)
  return function(n)
    seed = seed * 6364136223846793005 + 1442695040888963407
    return (seed >> 33) % n + 1
  end
end

local function shuffled(count, roll)
  local names = {}
  for i = 1, count do table.insert(names, roll(i), "name-" .. i) end
  return names
end

-- All names, page by page, as a client would get them.
local function read_all(names, size)
  local all, after = {}, nil
  repeat
    local page, has_more = hub.page{ names = names, after = after, size = size }
    assert(#page == size or not has_more)
    for _, name in ipairs(page) do all[#all + 1] = name end
    after = page[#page]
  until not has_more
  return all
end

describe("a page", function()
  it("has the first names in byte order, whatever the order they came in", function()
    assert.same({ { "A", "a", "aa" }, true }, { hub.page{ names = { "é", "b", "aa", "a", "A" }, size = 3 } })
    assert.same({ { "A", "a", "aa" }, true }, { hub.page{ names = { "A", "a", "aa", "b", "é" }, size = 3 } })
  end)

  it("says that there are more only when there are", function()
    assert.same({ { "a", "b" }, false }, { hub.page{ names = { "b", "a" }, size = 2 } })
    assert.same({ { "a", "b" }, false }, { hub.page{ names = { "b", "a" }, size = 3 } })
    assert.same({ { "a" }, true }, { hub.page{ names = { "b", "a" }, size = 1 } })
    assert.same({ {}, false }, { hub.page{ names = {}, size = 1 } })
  end)

  it("begins behind the name that is given, whether that is there or not", function()
    local names = { "a", "b", "c", "d" }
    assert.same({ { "c", "d" }, false }, { hub.page{ names = names, after = "b", size = 2 } })
    assert.same({ { "c" }, true }, { hub.page{ names = names, after = "bb", size = 1 } })
    assert.same({ {}, false }, { hub.page{ names = names, after = "d", size = 2 } })
    assert.same({ { "a" }, true }, { hub.page{ names = names, after = "", size = 1 } })
  end)

  it("leads through all names, each once, for any size", function()
    local names = shuffled(500, dice(1))
    local sorted = { table.unpack(names) }
    table.sort(sorted)
    for _, size in ipairs{ 1, 2, 7, 16, 17, 250, 499, 500, 501 } do
      assert.same(sorted, read_all(names, size))
    end
  end)
end)
