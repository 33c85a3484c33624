-- Clients that take their time (CONTRACT 1.5): each may wait so long and no longer, and delays nobody else.
local client = require "spec.support.client"
local http = require "spec.support.http"
local probe = require "spec.support.probe"
local server = require "spec.support.server"
local uv = require "luv"
local wait = require "spec.support.wait"

-- Long enough that a busy machine reaches nothing by accident that shall not be reached.
local FOREVER = "10m"

local function start(settings)
  local all = {
    WORKERS = 1, STOP_TIMEOUT = "1s", HEADER_TIMEOUT = FOREVER, BODY_TIMEOUT = FOREVER, IDLE_TIMEOUT = "1h",
    WRITE_TIMEOUT = FOREVER, CLOSE_TIMEOUT = "1m",
  }
  for name, value in pairs(settings) do all[name] = value end
  return server.start{ settings = all, plugins = { probe = probe } }
end

local opened = {}

local function open(chatty)
  local connection = assert(client.tcp(chatty.port))
  connection.handle:recv_buffer_size(64 * 1024) -- so that the kernel does not take a large answer for it
  opened[#opened + 1] = connection
  return connection
end

after_each(function()
  for _, connection in ipairs(opened) do connection:close() end
  opened = {}
end)

local function get(path) return "GET " .. path .. " HTTP/1.1\r\nHost: a\r\n\r\n" end

local function announce(bytes) return ("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n"):format(bytes) end

-- Writes a byte every few milliseconds, as long as the connection lives.
local function trickle(connection, bytes)
  local timer, at = uv.new_timer(), 0
  timer:start(0, 10, function()
    at = at + 1
    if connection.ended or at > #bytes then return timer:close() end
    connection:write(bytes:sub(at, at))
  end)
end

-- Status and code of the refusal that ends the connection.
local function refusal(connection)
  local response = assert(http.read(connection))
  local document = response.json()
  assert.equal(1, #document.errors)
  assert.equal("close", response.headers.connection)
  assert.equal("EOF", connection:wait_closed())
  return { response.status, document.errors[1].code }
end

local TIMEOUT = { 408, "request-timeout" }

describe("a slow head", function()
  local chatty

  setup(function() chatty = start{ HEADER_TIMEOUT = "100ms" } end)
  teardown(function() chatty:stop() end)

  it("is answered with 408, wherever it stopped", function()
    for _, part in ipairs{ "G", "GET /say/x HT", "GET /say/x HTTP/1.1\r\nHost: a\r\nX: ", "GET / HTTP/1.1\r\n\r" } do
      open(chatty):write(part)
    end
    for _, connection in ipairs(opened) do assert.same(TIMEOUT, refusal(connection)) end
  end)

  it("is answered with 408 though it comes byte by byte", function()
    local connection = open(chatty)
    trickle(connection, get("/say/" .. ("x"):rep(10000)))
    assert.same(TIMEOUT, refusal(connection))
  end)

  it("is answered with 408 behind an answered request", function()
    local connection = open(chatty)
    connection:write(get("/say/one") .. "GET /say/t")
    assert.equal("one", http.read(connection).body)
    assert.same(TIMEOUT, refusal(connection))
  end)

  it("has its time from its own first byte on", function()
    local connection = open(chatty)
    for _ = 1, 3 do
      connection:write(get("/late/60"))
      assert.equal("60", http.read(connection).body)
    end
    assert.is_true(connection.is_open)
  end)

  it("is counted as a hit limit", function()
    local before = chatty:metric "limit_hits_total"
    local connection = open(chatty)
    connection:write("G")
    assert.same(TIMEOUT, refusal(connection))
    assert.equal(before + 1, chatty:metric "limit_hits_total")
  end)

  it("does not count while a handler works", function()
    local connection = open(chatty)
    connection:write(get("/late/250"))
    assert.equal("250", http.read(connection).body)
  end)

  it("that waits behind a working handler has not begun", function()
    local connection = open(chatty)
    connection:write(get("/late/250") .. "GET /say/two")
    assert.equal("250", http.read(connection).body)
    connection:write(" HTTP/1.1\r\nHost: a\r\n\r\n")
    assert.equal("two", http.read(connection).body)
  end)
end)

describe("a slow body", function()
  local chatty

  setup(function() chatty = start{ BODY_TIMEOUT = "150ms", BODY_RATE_MIN = "1kb" } end)
  teardown(function() chatty:stop() end)

  it("is answered with 408 behind a pause", function()
    for _, part in ipairs{ announce(10), announce(10) .. "123",
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y" } do
      open(chatty):write(part)
    end
    for _, connection in ipairs(opened) do assert.same(TIMEOUT, refusal(connection)) end
  end)

  it("is answered with 408 when it only trickles", function()
    local connection = open(chatty)
    connection:write(announce(10000))
    trickle(connection, ("x"):rep(10000))
    assert.same(TIMEOUT, refusal(connection))
  end)

  it("is answered with 408 when only its chunk lines trickle", function()
    local connection = open(chatty)
    connection:write("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
    trickle(connection, "1;" .. ("x"):rep(10000))
    assert.same(TIMEOUT, refusal(connection))
  end)

  it("is taken when it is steady enough, however long it takes", function()
    local connection = open(chatty)
    connection:write(announce(4000) .. ("x"):rep(3960))
    trickle(connection, ("x"):rep(40)) -- 400 ms
    assert.equal(4000, #http.read(connection).body)
  end)

  it("gives its memory back", function()
    local connection = open(chatty)
    connection:write(announce(1000) .. ("x"):rep(999))
    assert.same(TIMEOUT, refusal(connection))
    assert.equal(0, chatty:wait_metric("request_bytes", 0))
  end)

  it("does not count while a handler works", function()
    local connection = open(chatty)
    connection:write("POST /hold/body HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx")
    connection:write(get("/say/next"))
    assert.equal("300", chatty:request{ path = "/late/300" }.body)
    chatty:request{ method = "POST", path = "/open/body" }
    assert.equal("body", http.read(connection).body)
    assert.equal("next", http.read(connection).body)
  end)
end)

describe("BODY_RATE_MIN=0", function()
  it("lets a body trickle as slowly as it likes", function()
    local chatty = start{ BODY_TIMEOUT = "100ms", BODY_RATE_MIN = 0 }
    local connection = open(chatty)
    connection:write(announce(30))
    trickle(connection, ("x"):rep(30)) -- 300 ms
    assert.equal(30, #http.read(connection).body)
  end)
end)

describe("an idle connection", function()
  local chatty

  setup(function() chatty = start{ IDLE_TIMEOUT = "100ms" } end)
  teardown(function() chatty:stop() end)

  it("is closed without a word when nothing ever comes", function()
    local connection = open(chatty)
    assert.equal("", connection:read_all())
    assert.equal("EOF", connection.ended)
  end)

  it("is closed without a word when only blank lines come", function()
    local connection = open(chatty)
    trickle(connection, ("\r\n"):rep(1000))
    assert.equal("", connection:read_all())
  end)

  it("is closed without a word between requests", function()
    local connection = open(chatty)
    connection:write(get("/say/x"))
    assert.equal("x", http.read(connection).body)
    assert.equal("", connection:read_all())
    assert.equal("EOF", connection.ended)
  end)

  it("is not one whose handler works", function()
    local connection = open(chatty)
    connection:write(get("/late/300"))
    assert.equal("300", http.read(connection).body)
  end)
end)

describe("a client that does not read its answer", function()
  local chatty

  -- More than the buffers of both kernels hold.
  local HUGE = 8 * 1024
  -- The time that it takes to make such an answer counts, which may be long on a busy machine.
  local TIMEOUT_MS = wait.patience * 40

  setup(function()
    chatty = start{
      WRITE_TIMEOUT = TIMEOUT_MS .. "ms", CLOSE_TIMEOUT = "150ms",
      SCRIPT_VALUE_MAX = "64mb", SCRIPT_MEMORY_MAX = "1gb", SCRIPT_BUDGET = "10s",
    }
  end)
  teardown(function() chatty:stop() end)

  -- Nothing of the others is held any more, either.
  local function only_one_open()
    return chatty:wait_metric("connections", 1) == 1 and chatty:wait_metric("queue_bytes", 0) == 0
  end

  it("is closed when it has taken nothing for WRITE_TIMEOUT, and costs nothing any more", function()
    local connection = open(chatty)
    connection:pause()
    connection:write(get("/big/" .. HUGE))
    assert.is_truthy(wait.until_(function() return chatty:metric "queue_bytes" > 0 end))
    assert.equal(0, chatty:wait_metric("queue_bytes", 0))
    assert.is_true(only_one_open())
  end)

  it("is closed also when it has asked to close", function()
    local connection = open(chatty)
    connection:pause()
    connection:write(("GET /big/%d HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"):format(HUGE))
    connection:half_close()
    assert.is_truthy(wait.until_(function() return chatty:metric "queue_bytes" > 0 end))
    assert.is_true(only_one_open())
  end)

  it("is not closed while it takes something now and then", function()
    local connection, timer = open(chatty), uv.new_timer()
    connection:pause()
    connection:write(get("/big/" .. HUGE))
    timer:start(TIMEOUT_MS // 50, TIMEOUT_MS // 50, function()
      local taken = connection.received
      connection.on_data = function()
        if connection.received > taken + 100000 then connection:pause() end
      end
      connection:resume()
    end)
    local response = http.read(connection)
    timer:close()
    assert.equal(HUGE * 1024, response and #response.body)
  end)

  it("delays nobody else", function()
    for _ = 1, 5 do
      local connection = open(chatty)
      connection:pause()
      connection:write(get("/big/" .. HUGE))
    end
    assert.equal("quick", chatty:request{ path = "/say/quick" }.body)
    assert.is_true(only_one_open())
  end)

  it("has at most half of what may wait for all, so that sessions keep theirs", function()
    local crowded = start{ QUEUES_MAX = "16mb", SCRIPT_VALUE_MAX = "64mb", SCRIPT_MEMORY_MAX = "1gb" }
    local function ask(path) return crowded:request{ path = path } end
    local connections = {}
    repeat
      assert(#connections < 10)
      local connection = open(crowded)
      connection:pause()
      connection:write(get("/big/8192"))
      connections[#connections + 1] = connection
      wait.until_(function() return crowded:metric "queue_bytes" > 0 end)
    until crowded:metric "queue_bytes" > 8 * 1024 * 1024
    assert.is_true(crowded:metric "queue_bytes" < 16 * 1024 * 1024)
    local refused = ask("/big/64")
    assert.same({ 503, "answers-full", "1" },
      { refused.status, refused.json().errors[1].code, refused.headers["retry-after"] })
    assert.equal("quick", ask("/say/quick").body)
    assert.equal(200, crowded:notify("users:ann", "x").status)
    for _, connection in ipairs(connections) do connection:abort() end
    assert.is_truthy(wait.until_(function() return ask("/big/64").status == 200 end))
  end)

  it("and was refused is closed when it does not close itself", function()
    local connection = open(chatty)
    connection:pause()
    connection:write("GET\r\n\r\n")
    assert.is_true(only_one_open())
  end)

  it("and goes on sending behind a refusal is closed at last", function()
    local connection = open(chatty)
    connection:pause()
    connection:write("GET\r\n\r\n")
    trickle(connection, ("x"):rep(100000))
    assert.is_true(only_one_open())
  end)
end)

describe("many slow clients", function()
  it("delay nobody, and all go in the end", function()
    local chatty = start{ HEADER_TIMEOUT = "500ms", BODY_TIMEOUT = "500ms" }
    local connections = {}
    for i = 1, 200 do
      connections[i] = open(chatty)
      connections[i]:write(i % 2 == 0 and "GET /say/" or announce(10))
    end
    for i = 1, 20 do assert.equal(tostring(i), chatty:request{ path = "/say/" .. i }.body) end
    for _, connection in ipairs(connections) do assert.equal(408, http.read(connection).status) end
    for _, connection in ipairs(connections) do assert.equal("EOF", connection:wait_closed()) end
    assert.equal(1, chatty:wait_metric("connections", 1))
  end)
end)
