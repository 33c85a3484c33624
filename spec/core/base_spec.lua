local base = require("core.test").base

describe("a buf", function()
  it("grows at its end", function()
    local buf, expected = base.buf(), {}
    for i = 1, 2000 do
      expected[i] = ("x"):rep(i % 7) .. i
      buf:add(expected[i])
    end
    assert.equal(table.concat(expected), (buf:text()))
  end)

  it("prints onto its end, whatever the length", function()
    local buf = base.buf()
    local expected = ""
    for _, len in ipairs{ 0, 1, 61, 62, 63, 64, 1000 } do
      buf:addf(("y"):rep(len))
      expected = expected .. "<" .. ("y"):rep(len) .. ">"
    end
    assert.equal(expected, (buf:text()))
  end)

  it("drops bytes from its front", function()
    local buf = base.buf()
    buf:consume(0)
    buf:add("abcdef")
    buf:consume(2)
    assert.equal("cdef", (buf:text()))
    buf:consume(0)
    buf:consume(3)
    assert.equal("f", (buf:text()))
    buf:consume(1)
    assert.equal("", (buf:text()))
    buf:add("g")
    assert.equal("g", (buf:text()))
  end)

  it("keeps its memory when it is cleared, and has none when it is freed", function()
    local buf = base.buf()
    assert.same({ "", 0 }, { buf:text() })
    buf:add(("x"):rep(100))
    buf:clear()
    assert.same({ "", 128 }, { buf:text() })
    buf:free()
    assert.same({ "", 0 }, { buf:text() })
    buf:add("again")
    assert.equal("again", (buf:text()))
  end)
end)

describe("an arena", function()
  it("gives aligned memory that stays where it is, of any size", function()
    local arena, places = base.arena(), {}
    for i, size in ipairs{ 1, 0, 15, 16, 17, 2047, 2048, 2049, 3, 100000, 1, 31, 2000, 64, 5 } do
      local place, is_aligned = arena:alloc(size, i)
      assert.is_true(is_aligned)
      places[i] = { place, size }
    end
    for i, place in ipairs(places) do
      assert(arena:read(place[1], place[2]) == string.char(i):rep(place[2]), "overwritten")
    end
  end)

  it("takes one block for many small allocations, and accounts for what it takes", function()
    local arena = base.arena()
    assert.equal(0, arena:total())
    arena:alloc(1, 0)
    local one_block = arena:total()
    assert(one_block >= 1000)
    for _ = 1, 50 do arena:alloc(16, 0) end
    assert.equal(one_block, arena:total())
    arena:alloc(10000, 0)
    assert(arena:total() >= one_block + 10000)
    arena:free()
    assert.equal(0, arena:total())
  end)

  it("copies text with a NUL behind it", function()
    local arena = base.arena()
    assert.equal("a\0b\0", arena:copy("a\0b"))
    assert.equal("\0", arena:copy(""))
  end)
end)

describe("a str", function()
  it("equals another but for the case of ASCII letters", function()
    assert.is_true(base.equal_nocase("", ""))
    assert.is_true(base.equal_nocase("Content-TYPE[`{@", "content-type[`{@"))
    assert.is_false(base.equal_nocase("a", "ab"))
    assert.is_false(base.equal_nocase("[", "{"))
    assert.is_false(base.equal_nocase("@", "`"))
    assert.is_false(base.equal_nocase("É", "é"))
  end)

  it("has an order by bytes, in which a prefix comes first", function()
    local sorted = { "", "\0", "A", "a", "a\0", "aa", "b", "\x7F", "\x80", "é", "\xFF" }
    for i = 1, #sorted do
      for k = 1, #sorted do
        local order = i < k and -1 or i > k and 1 or 0
        assert.equal(order, base.compare(sorted[i], sorted[k]))
      end
    end
  end)

  it("knows its prefixes", function()
    for _, prefix in ipairs{ "", "a", "ab" } do assert.is_true(base.has_prefix("ab", prefix)) end
    for _, other in ipairs{ "b", "abc", "A" } do assert.is_false(base.has_prefix("ab", other)) end
    assert.is_true(base.has_prefix("", ""))
  end)

  it("loses the blanks at both ends, and only there", function()
    assert.equal("a \t b", base.trim(" \r\n\ta \t b\t "))
    assert.equal("", base.trim(" \t\r\n"))
    assert.equal("", base.trim(""))
    assert.equal("\v\f", base.trim("\v\f"))
  end)

  it("splits at the first separator", function()
    assert.same({ true, "a", "b:c" }, { base.split("a:b:c", ":") })
    assert.same({ true, "", "" }, { base.split(":", ":") })
    assert.same({ false, "abc", "" }, { base.split("abc", ":") })
    assert.same({ false, "", "" }, { base.split("", ":") })
  end)
end)

describe("the clock", function()
  it("stands still while it is held, and goes where it is moved", function()
    base.hold(1700000000000, 5000)
    local held = { base.wall_ms(), base.monotonic_ms() }
    base.move(1500)
    local moved = { base.wall_ms(), base.monotonic_ms(), base.deadline_ms(20) }
    base.release()
    assert.same({ { 1700000000000, 5000 }, { 1700000001500, 6500, 6520 } }, { held, moved })
    assert.near(os.time() * 1000, base.wall_ms(), 5000)
  end)

  it("writes times as RFC 3339 and HTTP want them", function()
    assert.equal("1970-01-01T00:00:00.000Z", base.rfc3339(0))
    assert.equal("2026-01-31T12:34:56.789Z", base.rfc3339(1769862896789))
    assert.equal("2024-02-29T23:59:59.007Z", base.rfc3339(1709251199007))
    assert.equal("Thu, 01 Jan 1970 00:00:00 GMT", base.http_date(0))
    assert.equal("Sat, 31 Jan 2026 12:34:56 GMT", base.http_date(1769862896789))
    assert.equal("Sun, 06 Nov 1994 08:49:37 GMT", base.http_date(784111777000))
  end)

  it("agrees with the system's time", function()
    local before = os.time() * 1000
    local now = base.wall_ms()
    assert(now >= before and now < before + 60000)
  end)
end)
