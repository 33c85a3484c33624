-- What a 200 means with the embedded store: the subscription survives a crash and a restart.
local server = require "spec.support.server"
local wait = require "spec.support.wait"

local DURABLE = { STORE = "sqlite:chatty.db" }

local function start(options)
  options = options or {}
  options.settings = options.settings or DURABLE
  return server.start(options)
end

local function channels_of(chatty, user)
  return chatty:control("GET", "/control/search/subscriptions?userId=" .. user).json()
end

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

describe("a subscription in the embedded store", function()
  it("is there after a crash", function()
    local before = start()
    assert.equal(200, before:subscribe("users:ann,bob", { "order-7", "order-8" }).status)
    before:kill()
    local after = start{ folder = before.folder }
    assert.same({ "order-7", "order-8" }, channels_of(after, "ann"))
    assert.same({ "order-7", "order-8" }, channels_of(after, "bob"))
    assert.equal(4, after:metric "subscriptions")
  end)

  it("is there after a restart, and brings events to a session that connects then", function()
    local before = start()
    before:subscribe("users:ann", { "order-7" })
    assert.equal(0, before:stop())
    local after = start{ folder = before.folder }
    local ann = after:connect("ann")
    assert.same({ "order-7" }, ann:next().attributes.channels)
    after:notify("channels:order-7", "paid")
    assert.equal("paid", ann:next().event)
  end)

  it("that was ended stays ended after a crash", function()
    local before = start()
    before:subscribe("users:ann", { "order-7", "order-8" })
    assert.equal(200, before:unsubscribe("users:ann", { "order-7" }).status)
    before:kill()
    local after = start{ folder = before.folder }
    assert.same({ "order-8" }, channels_of(after, "ann"))
  end)

  it("keeps names of any characters", function()
    local before = start()
    before:subscribe([[users:ä b"';--]], { "order-'7;" })
    before:kill()
    local after = start{ folder = before.folder }
    assert.same({ "order-'7;" }, channels_of(after, "%C3%A4%20b%22%27%3B--"))
  end)

  it("is not made by a dry run or a refused call", function()
    local before = start{ settings = { STORE = DURABLE.STORE, SUBSCRIPTIONS_PER_USER_MAX = 2 } }
    before:subscribe("users:ann", { "order-1" })
    before:control("POST", "/control/subscription/subscribe?dryRun=true&method=users:ann",
      '{"data":{"type":"order","id":"2"}}')
    assert.equal(409, before:subscribe("users:ann", { "order-3", "order-4" }).status)
    before:kill()
    local after = start{ folder = before.folder }
    assert.same({ "order-1" }, channels_of(after, "ann"))
  end)
end)

describe("the embedded store", function()
  it("is not shared by two servers", function()
    local first = start()
    local second = server.run{ folder = first.folder, settings = DURABLE, args = { "serve" } }
    assert.equal(1, second.code)
    assert.matches("in use by another server", second.err)
  end)

  it("that cannot be made ends the start with a line that says so", function()
    local result = server.run{ settings = { STORE = "sqlite:no/such/folder/chatty.db" }, args = { "serve" } }
    assert.equal(1, result.code)
    assert.matches("a folder that it may write to", result.err)
  end)

  it("that is no database ends the start with a line that says so, and is left alone", function()
    local garbage = ("this is no database "):rep(500)
    local result = server.run{ settings = DURABLE, args = { "serve" }, files = { ["chatty.db"] = garbage } }
    assert.equal(1, result.code)
    assert.matches("not a database", result.err)
    local file = assert(io.open(result.folder .. "/chatty.db", "rb"))
    assert.equal(garbage, file:read("a"))
    file:close()
  end)

  it("of a newer version is refused", function()
    local first = start()
    first:stop()
    os.execute(("sqlite3 %s/chatty.db 'PRAGMA user_version = 99'"):format(first.folder))
    local result = server.run{ folder = first.folder, settings = DURABLE, args = { "serve" } }
    assert.equal(1, result.code)
    assert.matches("newer version", result.err)
  end)

  it("that cannot be written answers 503, changes nothing, and recovers", function()
    local chatty = start()
    assert.equal(200, chatty:subscribe("users:ann", { "order-1" }).status)
    local session = chatty:connect("ann")
    session:next()
    -- Another process holds the write lock for longer than the store waits.
    write(chatty.folder .. "/hold.sql",
      "BEGIN IMMEDIATE;\n.shell touch held; while [ -e held ]; do sleep 0.05; done\nROLLBACK;\n")
    local holder = assert(io.popen(("cd %s && sqlite3 chatty.db < hold.sql"):format(chatty.folder)))
    assert.is_truthy(wait.until_(function()
      local held = io.open(chatty.folder .. "/held")
      if held then held:close() end
      return held
    end))
    assert.equal(503, chatty:subscribe("users:ann", { "order-2" }).status)
    assert.same({ "order-1" }, channels_of(chatty, "ann"))
    os.remove(chatty.folder .. "/held")
    holder:close()
    assert.equal(200, chatty:subscribe("users:ann", { "order-3" }).status)
    assert.same({ "order-1", "order-3" }, channels_of(chatty, "ann"))
  end)

  -- The limit of the process's files stands for a full disk.
  it("that is full answers 503, keeps what was answered with 200, and goes on when there is room", function()
    local function limit_files(chatty, bytes)
      assert(os.execute(("prlimit --pid %d --fsize=%s:"):format(chatty.pid, bytes)))
    end
    local function subscribe(chatty, user)
      local names = {}
      for i = 1, 200 do names[i] = ("order-%s-%d"):format(user, i) end
      return chatty:subscribe("users:" .. user, names).status
    end
    local before = start()
    limit_files(before, 200000)
    local kept, status = 0, 200
    while status == 200 and kept < 100 do
      status = subscribe(before, "u" .. kept + 1)
      if status == 200 then kept = kept + 1 end
    end
    assert.equal(503, status)
    assert.equal(503, subscribe(before, "late"))
    assert.equal(kept * 200, before:metric "subscriptions")
    limit_files(before, "unlimited")
    assert.equal(200, subscribe(before, "late"))
    before:kill()
    local after = start{ folder = before.folder }
    assert.equal((kept + 1) * 200, after:metric "subscriptions")
    assert.same({}, channels_of(after, "u" .. kept + 1))
  end)
end)
