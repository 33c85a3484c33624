local store = require("core.test").store
local task = require("core.test").task

local folder, path, url

before_each(function()
  folder = os.tmpname()
  os.remove(folder)
  assert(os.execute("mkdir -m 700 " .. folder))
  path = folder .. "/subscriptions.db"
  url = "sqlite:" .. path
end)

after_each(function()
  os.execute("rm -r " .. folder)
end)

-- Writes { {"add", "u", "c"}, ... } in one transaction.
local function write(s, changes)
  assert.is_nil(s:begin())
  for _, change in ipairs(changes) do assert.is_nil(s[change[1]](s, change[2], change[3])) end
end

local function commit(s, changes)
  write(s, changes)
  assert.is_nil(s:commit())
end

-- What a server would find that starts now.
local function stored()
  local s = assert(store.open(url))
  local list = s:load()
  s:close()
  table.sort(list)
  return list
end

-- The error of opening, and the log.
local function failure_of(which)
  task.divert()
  local s, err = store.open(which)
  local log = task.restore()
  assert.is_nil(s)
  return err, log
end

describe("a SQLite store", function()
  it("keeps what was committed, and not what was removed again", function()
    local s = assert(store.open(url))
    assert.same({}, s:load())
    commit(s, { { "add", "u", "a" }, { "add", "u", "b" }, { "add", "v", "a" } })
    commit(s, { { "remove", "u", "a" }, { "add", "w", "c" }, { "remove", "w", "c" } })
    s:close()
    assert.same({ "u b", "v a" }, stored())
  end)

  it("keeps the mark that a subscription was made with", function()
    local s = assert(store.open(url))
    assert.is_nil(s:begin())
    assert.is_nil(s:add("u", "a", "", 1 << 40))
    assert.is_nil(s:add("u", "a", "", 7))
    assert.is_nil(s:commit())
    s:close()
    assert.same({ "u a " .. (1 << 40) }, stored())
  end)

  it("forgets all marks at once, and keeps the subscriptions", function()
    local s = assert(store.open(url))
    assert.is_nil(s:begin())
    assert.is_nil(s:add("u", "a", "", 1 << 40))
    assert.is_nil(s:add("u", "b", "", 7))
    assert.is_nil(s:forget_marks())
    assert.is_nil(s:commit())
    s:close()
    assert.same({ "u a", "u b" }, stored())
  end)

  it("keeps nothing of what was rolled back, or not committed when it closed", function()
    local s = assert(store.open(url))
    commit(s, { { "add", "u", "a" } })
    write(s, { { "remove", "u", "a" }, { "add", "u", "b" } })
    s:rollback()
    write(s, { { "add", "u", "c" } })
    s:close()
    assert.same({ "u a" }, stored())
  end)

  it("takes what is there already, and a remove of what is not", function()
    local s = assert(store.open(url))
    commit(s, { { "add", "u", "a" }, { "add", "u", "a" }, { "remove", "u", "b" }, { "remove", "v", "a" } })
    s:close()
    assert.same({ "u a" }, stored())
  end)

  it("takes names of any bytes for what they are", function()
    local names = { "a", "A", "a,b", "a'b\"c;--", "a\0b", "é😀", "\xFF\xFE", ("x"):rep(10000), "1", "1.0" }
    local s = assert(store.open(url))
    local expected = {}
    for i, name in ipairs(names) do
      commit(s, { { "add", name, name } })
      expected[i] = name .. " " .. name
    end
    s:close()
    table.sort(expected)
    assert.same(expected, stored())
  end)

  it("goes on after a transaction that could not begin", function()
    local s = assert(store.open(url))
    assert.is_nil(s:begin())
    task.divert()
    local err = s:begin()
    local log = task.restore()
    assert.equal("IO", err)
    assert.matches("the store cannot begin a transaction", log, 1, true)
    s:rollback()
    s:rollback()
    commit(s, { { "add", "u", "a" } })
    s:close()
    assert.same({ "u a" }, stored())
  end)

  it("is open to one server at a time", function()
    local s = assert(store.open(url))
    local err, log = failure_of(url)
    assert.equal("EXISTS", err)
    assert.matches("is in use by another server", log, 1, true)
    commit(s, { { "add", "u", "a" } })
    s:close()
    assert.same({ "u a" }, stored())
  end)

  it("says why it cannot be opened", function()
    local err, log = failure_of("sqlite:" .. folder .. "/missing/x.db")
    assert.equal("DENIED", err)
    assert.matches("it needs a folder that it may write to", log, 1, true)
    assert.equal("IO", (failure_of("sqlite:" .. folder)))
    local file <close> = assert(io.open(path, "wb"))
    file:write(("this is no database "):rep(100))
    file:flush()
    err, log = failure_of(url)
    assert.equal("IO", err)
    assert.matches("file is not a database", log, 1, true)
  end)

  it("leaves a file alone that a newer version has made", function()
    assert.same({}, stored())
    local file <close> = assert(io.open(path, "r+b"))
    file:seek("set", 60) -- where SQLite keeps the user_version, big-endian
    file:write("\0\0\0\99")
    file:flush()
    local err, log = failure_of(url)
    assert.equal("INVALID", err)
    assert.matches("made by a newer version of chatty (its schema is 99, ours", log, 1, true)
  end)
end)

for _, kind in ipairs({ "SQLite", "memory" }) do
  describe("a subscription in a " .. kind .. " store", function()
    local s

    before_each(function() s = assert(store.open(kind == "memory" and "memory" or url)) end)
    after_each(function() s:close() end)

    local function by(user, channel)
      local text, code = s:origin(user, channel)
      return text or code
    end

    it("tells by what and since when it was made", function()
      local before = os.time() * 1000
      assert.is_nil(s:begin())
      s:add("u", "a", "request 1\0x")
      s:add("u", "b")
      assert.is_nil(s:commit())
      local text, since = s:origin("u", "a")
      assert.equal("request 1\0x", text)
      assert.is_true(since >= before and since <= before + 60000)
      assert.same({ "", "NOT_FOUND", "NOT_FOUND" }, { by("u", "b"), by("u", "c"), by("v", "a") })
    end)

    it("tells nothing any more when it ended", function()
      assert.is_nil(s:begin())
      s:add("u", "a", "1")
      s:remove("u", "a")
      assert.is_nil(s:commit())
      assert.equal("NOT_FOUND", by("u", "a"))
    end)
  end)
end

describe("a SQLite store of an earlier version", function()
  it("is brought up to date with what it holds", function()
    local s = assert(store.open(url))
    commit(s, { { "add", "u", "a" } })
    s:close()
    assert(os.execute(("sqlite3 %s 'ALTER TABLE subscriptions DROP COLUMN by; " ..
      "ALTER TABLE subscriptions DROP COLUMN mark; PRAGMA user_version = 2'"):format(path)))
    s = assert(store.open(url))
    assert.same({ "u a" }, s:load())
    assert.equal("", (s:origin("u", "a")))
    s:close()
  end)
end)

describe("a memory store", function()
  it("takes everything and keeps nothing", function()
    local s = assert(store.open("memory"))
    commit(s, { { "add", "u", "a" }, { "remove", "u", "b" } })
    write(s, {})
    s:rollback()
    assert.same({}, s:load())
    s:close()
  end)
end)

describe("the URL of a store", function()
  it("names a kind that there is", function()
    local others = { "", "x", "sqlite", "sqlite:", "Memory", "memory:", ":memory:", "redis://localhost" }
    for _, other in ipairs(others) do
      local s, err = store.open(other)
      if s then s:close() end
      assert.equal("INVALID", err, other)
    end
  end)
end)
