-- What channels keep of their events, and what of it somebody missed.
local history = require("core.test").history

local function keeping(bytes_max)
  return history.new(bytes_max)
end

local function add(one, text, names, more, keep, now)
  local notice = { names = type(names) == "table" and names or { names }, text = text }
  for key, value in pairs(more or {}) do notice[key] = value end
  return one:add(notice, keep or {}, now)
end

-- What somebody of these channels missed behind a sequence.
local function missed(one, channels, after, more)
  local query = { user = "ann", channels = channels, after = one:id(after) }
  for key, value in pairs(more or {}) do query[key] = value end
  local result, list = one:missed(query)
  return result == "WHOLE" and list or result
end

describe("a pattern of channels", function()
  local function match(patterns, channel) return history.match({ patterns = patterns }, channel) end

  it("matches whole names, a star any characters", function()
    assert.equal(1, match({ "orders-*" }, "orders-7"))
    assert.equal(1, match({ "orders-*" }, "orders-"))
    assert.is_nil(match({ "orders-*" }, "my-orders-7"))
    assert.is_nil(match({ "orders-*" }, "orders"))
    assert.equal(1, match({ "a*b*c" }, "a-b-b-c"))
    assert.is_nil(match({ "a*b*c" }, "a-b-b-c-d"))
    assert.equal(1, match({ "*" }, ""))
    assert.equal(1, match({ "***x" }, "xx"))
    assert.equal(1, match({ "room" }, "room"))
  end)

  it("counts before others when it says more, or as much and later", function()
    assert.equal(2, match({ "*", "orders-*", "order*" }, "orders-7"))
    assert.equal(2, match({ "a*", "*b" }, "ab"))
    assert.equal(3, match({ "a*", "*b", "ab" }, "ab"))
  end)

  it("is not slow with many stars", function()
    assert.is_nil(match({ ("a*"):rep(20) .. "b" }, ("a"):rep(200)))
  end)
end)

describe("a kept event", function()
  it("is missed by those who are behind it, in order", function()
    local one = keeping()
    for i = 1, 3 do assert.equal(i, add(one, "e" .. i, "a")) end
    assert.same({ "e1 by a", "e2 by a", "e3 by a" }, missed(one, { "a" }, 0))
    assert.same({ "e3 by a" }, missed(one, { "a" }, 2))
    assert.same({}, missed(one, { "a" }, 3))
    assert.same({}, missed(one, { "b" }, 0))
  end)

  it("is not missed if it comes live", function()
    local one = keeping()
    for i = 1, 3 do add(one, "e" .. i, "a") end
    assert.same({ "e1 by a" }, missed(one, { "a" }, 0, { upto = 1 }))
    assert.same({}, missed(one, { "a" }, 3, { upto = 1 }))
  end)

  it("has an id that sorts as its sequence does and that only this history knows", function()
    local one = keeping()
    local ids = {}
    for i, sequence in ipairs({ 0, 1, 31, 32, 33, 1 << 40 }) do ids[i] = one:id(sequence) end
    for i = 2, #ids do assert.is_true(ids[i - 1] < ids[i]) end
    assert.equal("UNKNOWN", missed(one, { "a" }, 1))
    assert.equal("UNKNOWN", missed(one, { "a" }, 0, { after = "" }))
    assert.equal("UNKNOWN", missed(one, { "a" }, 0, { after = ("w"):rep(20) }))
    assert.equal("UNKNOWN", missed(one, { "a" }, 0, { after = "0" .. ids[1] }))
    assert.equal("UNKNOWN", missed(one, { "a" }, 0, { after = "\0" .. ids[1]:sub(2) }))
  end)

  it("of several channels is missed once, by the first named that is the user's", function()
    local one = keeping()
    add(one, "x", { "c", "b", "a" })
    add(one, "y", { "c", "b", "a" }, { efficient = true, each = true })
    assert.same({ "x by b", "y by b" }, missed(one, { "a", "b" }, 0))
  end)

  it("has a sequence per channel where the channels' events differ and each emits", function()
    local one = keeping()
    assert.equal(2, add(one, "x", { "b", "a" }, { each = true }))
    assert.same({ "x by b", "x by a" }, missed(one, { "a", "b" }, 0))
    assert.same({ "x by a" }, missed(one, { "a", "b" }, 1))
  end)

  it("is not missed by whom it is not for", function()
    local one = keeping()
    add(one, "x", "a", { except = { "bob", "ann" } })
    assert.same({}, missed(one, { "a" }, 0))
    assert.same({ "x by a" }, missed(one, { "a" }, 0, { user = "eve" }))
  end)

  it("is not missed when its own time is over", function()
    local one = keeping()
    add(one, "x", "a", { ends = 50 })
    assert.same({ "x by a" }, missed(one, { "a" }, 0, { now = 49 }))
    assert.same({}, missed(one, { "a" }, 0, { now = 50 }))
  end)

  it("takes the place of the one before of its key", function()
    local one = keeping()
    add(one, "x1", "a", { key = "x" })
    add(one, "y1", "a", { key = "y" })
    add(one, "x2", "a", { key = "x" })
    add(one, "other", "b", { key = "x" })
    assert.same({ "y1 by a", "x2 by a", "other by b" }, missed(one, { "a", "b" }, 0))
  end)
end)

describe("a channel", function()
  it("keeps so many events, and tells who missed more", function()
    local one = keeping()
    for i = 1, 4 do add(one, "e" .. i, "a", nil, { size = 2 }) end
    assert.equal("LOST", missed(one, { "a" }, 1))
    assert.same({ "e3 by a", "e4 by a" }, missed(one, { "a" }, 2))
  end)

  it("keeps so many bytes", function()
    local one = keeping()
    for i = 1, 3 do add(one, ("x"):rep(30) .. i, "a", nil, { bytes = 110 }) end -- 51 each, with the id
    assert.equal(2, #missed(one, { "a" }, 1))
    assert.equal("LOST", missed(one, { "a" }, 0))
    add(one, ("x"):rep(100), "a", nil, { bytes = 110 })
    assert.equal("LOST", missed(one, { "a" }, 3))
    assert.same({}, missed(one, { "a" }, 4))
  end)

  it("keeps them for so long", function()
    local one = keeping()
    add(one, "e1", "a", nil, { ttl = 100 }, 1000)
    add(one, "e2", "a", nil, { ttl = 100 }, 1050)
    one:sweep(1100)
    assert.equal("LOST", missed(one, { "a" }, 0))
    assert.same({ "e2 by a" }, missed(one, { "a" }, 1))
    one:sweep(1150)
    assert.equal("LOST", missed(one, { "a" }, 1))
    assert.same({}, missed(one, { "a" }, 2))
  end)

  it("says whether there are more channels than it has looked at", function()
    local one = keeping()
    for i = 1, 256 do add(one, "e", "channel-" .. i) end
    assert.is_false(one:sweep(1))
    add(one, "e", "channel-257")
    assert.is_true(one:sweep(1))
  end)

  it("is not of a user what it kept before he came", function()
    local one = keeping()
    add(one, "old", "a")
    one:note("ann", "a")
    add(one, "new", "a")
    assert.same({ "new by a" }, missed(one, { "a" }, 0))
    assert.same({ "old by a", "new by a" }, missed(one, { "a" }, 0, { user = "bob" }))
    one:note("ann", "a")
    assert.same({}, missed(one, { "a" }, 0))
  end)

  it("has lost nothing for whom came behind what it lost", function()
    local one = keeping()
    for i = 1, 3 do add(one, "e" .. i, "a", nil, { size = 2 }) end
    one:note("ann", "a")
    add(one, "e4", "a", nil, { size = 2 })
    add(one, "e5", "a", nil, { size = 2 })
    assert.same({ "e4 by a", "e5 by a" }, missed(one, { "a" }, 0))
    assert.equal("LOST", missed(one, { "a" }, 2, { user = "bob" }))
    add(one, "e6", "a", nil, { size = 2 })
    assert.equal("LOST", missed(one, { "a" }, 0))
  end)

  it("loses all rather than to note very many who came", function()
    local one = keeping()
    add(one, "old", "a")
    for i = 1, 4097 do one:note("user-" .. i, "a") end
    add(one, "new", "a")
    assert.equal("LOST", missed(one, { "a" }, 0))
    assert.same({ "new by a" }, missed(one, { "a" }, 1))
  end)

  it("that was forgotten may have lost something, if it is one that keeps", function()
    local one = keeping()
    add(one, "e1", "a", nil, { ttl = 100 }, 1000)
    add(one, "e2", "b", nil, { ttl = 1000 * 3600 * 1000 }, 1000)
    one:sweep(1100)
    one:sweep(1100 + 3600 * 1000)
    assert.equal("LOST", missed(one, { "a" }, 0, { patterns = { "*" } }))
    assert.same({}, missed(one, { "a" }, 0, { patterns = { "b" } }))
    assert.same({}, missed(one, { "a" }, 1, { patterns = { "*" } }))
    assert.same({ "e2 by b" }, missed(one, { "b" }, 0))
  end)
end)

describe("the history of the node", function()
  it("lets the oldest go when it is full, whatever their channels", function()
    local one = keeping(4000)
    for i = 1, 40 do add(one, ("x"):rep(100) .. i, i % 2 == 0 and "a" or "b") end
    collectgarbage() -- the bytes are those of all histories of the process
    collectgarbage()
    assert.is_true(one:bytes() <= 4000)
    assert.equal("LOST", missed(one, { "a" }, 0))
    assert.equal(2, #missed(one, { "a", "b" }, 38))
  end)

  it("counts everything, and nothing is left when all is gone", function()
    local function bytes()
      collectgarbage()
      collectgarbage()
      return keeping():bytes()
    end
    local before = bytes()
    do
      local one = keeping()
      for i = 1, 20 do add(one, "e" .. i, { "a" .. i, "b" }, { key = "k" .. i % 3 }) end
      one:note("ann", "b")
      assert.is_true(one:bytes() > before)
    end
    assert.equal(before, bytes())
  end)

  it("brings at most so many events and bytes at once, or nothing", function()
    local one = keeping()
    for i = 1, 3 do add(one, "e" .. i, "a") end
    assert.equal(3, #missed(one, { "a" }, 0, { events_max = 3 }))
    assert.equal("TOO_MANY", missed(one, { "a" }, 0, { events_max = 2 }))
    assert.equal("TOO_MANY", missed(one, { "a" }, 0, { bytes_max = 71 })) -- 24 each
    assert.equal(3, #missed(one, { "a" }, 0, { bytes_max = 72 }))
  end)
end)
