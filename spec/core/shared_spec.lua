local shared = require("core.test").shared

describe("the shared dictionary", function()
  it("keeps values by key, of any bytes", function()
    local one = shared.new{}
    assert.is_true(one:set("a\0b", "x\0y", 0))
    assert.is_true(one:set("a", "", 0))
    assert.same({ "x\0y", "" }, { one:get("a\0b", 0), (one:get("a", 0)) })
    assert.same({ nil, "NOT_FOUND" }, { one:get("b", 0) })
    assert.is_true(one:set("a", "other", 0))
    assert.equal("other", one:get("a", 0))
  end)

  it("tells how much room a value needs", function()
    local one = shared.new{}
    one:set("a", ("x"):rep(300), 0)
    assert.equal(300, one:need("a"))
  end)

  it("removes", function()
    local one = shared.new{}
    one:set("a", "1", 0)
    assert.is_true(one:remove("a", 0))
    assert.is_false(one:remove("a", 0))
    assert.is_nil(one:get("a", 0))
  end)

  it("forgets what has expired, to the millisecond", function()
    local one = shared.new{}
    one:set("a", "1", 0, { expires = 100 })
    assert.equal("1", one:get("a", 99))
    assert.is_nil(one:get("a", 100))
    one:set("b", "1", 0, { expires = 100 })
    assert.is_false(one:remove("b", 100))
    one:set("c", "1", 0, { expires = 100 })
    one:set("c", "2", 50)
    assert.equal("2", one:get("c", 200))
  end)

  it("sets only what is as expected", function()
    local one = shared.new{}
    assert.is_true(one:set("a", "1", 0, { expect = false }))
    assert.same({ nil, "EXISTS" }, { one:set("a", "2", 0, { expect = false }) })
    assert.same({ nil, "EXISTS" }, { one:set("a", "2", 0, { expect = "3" }) })
    assert.is_true(one:set("a", "2", 0, { expect = "1", expires = 10 }))
    assert.same({ nil, "EXISTS" }, { one:set("a", "3", 10, { expect = "2" }) })
    assert.is_true(one:set("a", "3", 10, { expect = false }))
    assert.same({ nil, "EXISTS" }, { one:set("b", "1", 0, { expect = "" }) })
  end)

  it("counts whole numbers of 64 bits", function()
    local one = shared.new{}
    assert.equal(1, one:increment("n", 1, 0))
    assert.equal(9, one:increment("n", 8, 0))
    assert.equal(10, one:increment("n", 1, 0))
    assert.equal(-5, one:increment("n", -15, 0))
    assert.equal("-5", one:get("n", 0))
    one:set("big", tostring(math.maxinteger), 0)
    assert.same({ nil, "INVALID" }, { one:increment("big", 1, 0) })
    assert.equal(math.maxinteger - 1, one:increment("big", -1, 0))
    for _, text in ipairs{ "", "x", "1.0", " 1", "1 ", "+1", "99999999999999999999", "1\0" } do
      one:set("text", text, 0)
      assert.same({ nil, "INVALID" }, { one:increment("text", 1, 0) }, text)
    end
  end)

  it("lets a count expire when its first one said so", function()
    local one = shared.new{}
    assert.same({ 1, 100 }, { one:increment("n", 1, 0, 100) })
    assert.same({ 2, 100 }, { one:increment("n", 1, 50, 150) })
    assert.same({ 1, 200 }, { one:increment("n", 1, 100, 200) })
  end)

  it("refuses what is too much, and throws nothing out for it", function()
    local one = shared.new{ entries_max = 2 }
    one:set("a", "1", 0)
    one:set("b", "1", 0)
    assert.same({ nil, "LIMIT" }, { one:set("c", "1", 0) })
    assert.same({ nil, "LIMIT" }, { one:increment("c", 1, 0) })
    assert.is_true(one:set("b", "2", 0))
    assert.equal("1", one:get("a", 0))
    local small = shared.new{ bytes_max = 1000 }
    assert.same({ nil, "LIMIT" }, { small:set("a", ("x"):rep(1000), 0) })
    assert.is_true(small:set("a", ("x"):rep(800), 0))
    assert.is_true(small:set("a", ("y"):rep(800), 0))
    assert.same({ nil, "LIMIT" }, { small:set("b", ("x"):rep(800), 0) })
    assert.equal(("y"):rep(800), small:get("a", 0))
  end)

  it("keeps some room from guests", function()
    local one = shared.new{ entries_max = 16, bytes_max = 100000 }
    for i = 1, 14 do assert.is_true(one:set("key-" .. i, "x", 0, { guest = 1 })) end
    assert.same({ nil, "LIMIT" }, { one:set("more", "x", 0, { guest = 1 }) })
    assert.is_true(one:set("key-1", "y", 0, { guest = 1 }))
    assert.is_true(one:set("more", "x", 0))
    assert.equal(1, (one:increment("n", 1, 0)))
    assert.same({ nil, "LIMIT" }, { one:set("even more", "x", 0) })
    local small = shared.new{ bytes_max = 8000 }
    assert.same({ nil, "LIMIT" }, { small:set("a", ("x"):rep(7000), 0, { guest = 1 }) })
    assert.is_true(small:set("a", ("x"):rep(7000), 0))
    assert.is_true(small:set("a", ("y"):rep(7000), 0, { guest = 1 }))
  end)

  it("makes room of what has expired", function()
    local one = shared.new{ entries_max = 1000 }
    for i = 1, 1000 do one:set("key-" .. i, "x", 0, { expires = 1 + (i * 7919) % 1000 }) end
    assert.same({ nil, "LIMIT" }, { one:set("more", "x", 0) })
    for i = 1, 1000 do assert.is_true(one:set("other-" .. i, "x", i)) end
    assert.same({ nil, "LIMIT" }, { one:set("more", "x", 2000) })
  end)

  it("expires in order, whatever the order of coming and of change", function()
    local one, ends, random = shared.new{}, {}, 1
    local function draw(max)
      random = (random * 1103515245 + 12345) % 2147483648
      return random // 65536 % max + 1
    end
    for now = 1, 3000 do
      local key = "key-" .. draw(300)
      if draw(5) == 1 then
        assert.equal((ends[key] or 0) > now, one:remove(key, now))
        ends[key] = nil
      else
        ends[key] = now + draw(400)
        assert.is_true(one:set(key, "x", now, { expires = ends[key] }))
      end
      local other = "key-" .. draw(300)
      assert.equal((ends[other] or 0) > now, one:get(other, now) ~= nil)
    end
  end)

  it("is measured, and leaves nothing behind", function()
    collectgarbage()
    local entries, bytes = shared.sizes()
    local one = shared.new{}
    one:set("a", "1", 0)
    one:increment("b", 1, 0, 10)
    one:set("b", ("x"):rep(100), 0)
    local more, larger = shared.sizes()
    assert.equal(2, more - entries)
    assert.is_true(larger - bytes > 100 and larger - bytes < 400)
    one:remove("b", 0)
    assert.equal(1, shared.sizes() - entries)
    one = nil -- luacheck: ignore
    collectgarbage()
    assert.same({ entries, bytes }, { shared.sizes() })
  end)

  it("loses no step of many threads #threads", function()
    local threads, steps = 4, 4000
    assert.same({ threads * steps, threads * steps / 8 }, { shared.race{ threads = threads, steps = steps, keys = 3 } })
  end)
end)
