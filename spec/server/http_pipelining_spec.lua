-- Many requests on one connection before the first is answered: one is worked on at a time, answers come in
-- order, and a client that goes on sending is made to wait.
local client = require "spec.support.client"
local http = require "spec.support.http"
local probe = require "spec.support.probe"
local server = require "spec.support.server"
local wait = require "spec.support.wait"

local PIPELINE_MAX = 16 * 1024

describe("pipelined requests", function()
  local chatty, opened

  setup(function()
    chatty = server.start{
      settings = { WORKERS = 1, STOP_TIMEOUT = "1s", PIPELINE_MAX = PIPELINE_MAX, MAX_REQ_SIZE = "64kb" },
      plugins = { probe = probe },
    }
  end)
  teardown(function() chatty:stop() end)
  before_each(function() opened = {} end)
  after_each(function()
    for _, connection in ipairs(opened) do connection:close() end
  end)

  local function open()
    local connection = assert(client.tcp(chatty.port))
    opened[#opened + 1] = connection
    return connection
  end

  local function get(path, more)
    return ("GET %s HTTP/1.1\r\nHost: a\r\n%s\r\n"):format(path, more or "")
  end

  local function post(path, body)
    return ("POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s"):format(path, #body, body)
  end

  local function count(name) return tonumber(chatty:request{ path = "/count/" .. name }.body) end

  local function open_gate(name)
    return chatty:request{ method = "POST", path = "/open/" .. name }
  end

  -- The bodies of the next answers.
  local function read_bodies(connection, number)
    local bodies = {}
    for i = 1, number do
      local response, reason = http.read(connection)
      bodies[i] = response and response.body or "no answer: " .. reason
    end
    return bodies
  end

  it("in one write are all answered, in order", function()
    local connection, requests, expected = open(), {}, {}
    for i = 1, 500 do
      requests[i], expected[i] = get("/say/" .. i), tostring(i)
    end
    connection:write(table.concat(requests))
    assert.same(expected, read_bodies(connection, 500))
  end)

  it("are answered in order when the first of them waits", function()
    local connection = open()
    connection:write(get("/hold/first") .. get("/say/second") .. get("/late/5") .. get("/say/fourth"))
    assert.is_truthy(wait.until_(function() return count "first" == 1 end))
    assert.equal(0, connection.received)
    open_gate "first"
    assert.same({ "first", "second", "5", "fourth" }, read_bodies(connection, 4))
  end)

  it("are answered in order when all of them wait", function()
    local connection = open()
    connection:write(get("/late/20") .. get("/late/10") .. get("/late/1") .. get("/late/0"))
    assert.same({ "20", "10", "1", "0" }, read_bodies(connection, 4))
  end)

  it("are worked on one at a time", function()
    local connection = open()
    connection:write(get("/hold/one") .. get("/say/behind-one"))
    assert.is_truthy(wait.until_(function() return count "one" == 1 end))
    assert.equal(0, count "behind-one")
    open_gate "one"
    assert.same({ "one", "behind-one" }, read_bodies(connection, 2))
  end)

  it("may have bodies of both kinds between them", function()
    local connection = open()
    connection:write(post("/echo", "one") .. get("/say/two") ..
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nthree\r\n0\r\n\r\n" .. get("/say/four"))
    assert.same({ "one", "two", "three", "four" }, read_bodies(connection, 4))
  end)

  it("may come in any pieces while one is answered", function()
    local connection = open()
    connection:write(get("/hold/pieces"))
    assert.is_truthy(wait.until_(function() return count "pieces" == 1 end))
    for byte in (post("/echo", "one") .. get("/say/two")):gmatch(".") do connection:write(byte) end
    open_gate "pieces"
    assert.same({ "pieces", "one", "two" }, read_bodies(connection, 3))
  end)

  it("go on behind HEAD, errors and failing handlers", function()
    local connection = open()
    connection:write("HEAD /say/x HTTP/1.1\r\nHost: a\r\n\r\n" .. get("/nowhere") .. get("/fail") .. get("/say/end"))
    assert.equal("", http.read(connection, "HEAD").body)
    assert.equal(404, http.read(connection).status)
    assert.equal(500, http.read(connection).status)
    assert.equal("end", http.read(connection).body)
  end)

  it("behind one that closes are neither answered nor carried out", function()
    local connection = open()
    connection:write(get("/say/last", "Connection: close\r\n") .. get("/say/behind-close"))
    assert.same({ "last" }, read_bodies(connection, 1))
    assert.equal("", connection:read_all())
    assert.equal(0, count "behind-close")
  end)

  it("behind one that waits and closes are neither answered nor carried out", function()
    local connection = open()
    connection:write(get("/late/20", "Connection: close\r\n") .. get("/say/behind-late-close"))
    assert.same({ "20" }, read_bodies(connection, 1))
    assert.equal("", connection:read_all())
    assert.equal(0, count "behind-late-close")
  end)

  it("before a malformed one are answered, then it is refused, and what follows is dropped", function()
    local connection = open()
    connection:write(get("/late/10") .. get("/say/two") .. "GET\r\n\r\n" .. get("/say/behind-fault"))
    assert.same({ "10", "two" }, read_bodies(connection, 2))
    assert.equal(400, http.read(connection).status)
    assert.equal("", connection:read_all())
    assert.equal(0, count "behind-fault")
  end)

  it("of a client that has half closed are all answered", function()
    local connection = open()
    connection:write(get("/late/10") .. post("/echo", "two") .. get("/late/5"))
    connection:half_close()
    assert.same({ "10", "two", "5" }, read_bodies(connection, 3))
    assert.equal("EOF", connection:wait_closed())
  end)

  it("that are cut off behind a half close are answered as far as they are whole", function()
    local connection = open()
    connection:write(get("/late/10") .. get("/say/two") .. "GET /say/thr")
    connection:half_close()
    assert.same({ "10", "two" }, read_bodies(connection, 2))
    assert.equal(400, http.read(connection).status)
    assert.equal("EOF", connection:wait_closed())
  end)

  it("of a client that breaks off are not carried out", function()
    local connection = open()
    connection:write(get("/hold/gone") .. get("/say/never"))
    assert.is_truthy(wait.until_(function() return count "gone" == 1 end))
    connection:abort()
    assert.equal(1, chatty:wait_metric("connections", 1))
    open_gate "gone"
    assert.equal(1, chatty:wait_metric("tasks", 1))
    assert.equal(0, count "never")
  end)

  it("are read ahead only up to a limit, and all answered in the end", function()
    local connection, before = open(), chatty:metric "bytes_received_total"
    local request = post("/echo", ("x"):rep(50000))
    connection:write(get("/hold/ahead"))
    for _ = 1, 400 do connection:write(request) end -- 20 MB: more than both kernels' buffers hold
    assert.is_truthy(wait.until_(function() return count "ahead" == 1 end))
    assert.is_truthy(wait.until_(function() return connection:unsent() > 0 end))
    assert.is_true(chatty:metric "bytes_received_total" - before < PIPELINE_MAX + 3 * 65536)
    open_gate "ahead"
    assert.same({ "ahead" }, read_bodies(connection, 1))
    for _ = 1, 400 do assert.equal(50000, #http.read(connection).body) end
  end)

  it("whose answers nobody reads are not carried out for ever", function()
    local connection = open()
    connection:pause()
    for _ = 1, 30 do connection:write(get("/big/1024") .. get("/say/unread")) end -- more than buffers hold
    assert.is_truthy(wait.until_(function() return chatty:metric "queue_bytes" > 65536 end))
    local seen = -1
    assert.is_truthy(wait.until_(function()
      local before
      before, seen = seen, count "unread"
      return before == seen
    end))
    assert.is_true(seen < 30)
    assert.is_true(chatty:metric "queue_bytes" <= 2 * 1024 * 1024)
    connection:resume()
    for _ = 1, 30 do
      assert.equal(1024 * 1024, #http.read(connection).body)
      assert.equal("unread", http.read(connection).body)
    end
  end)

  it("of a hundred clients at once are all answered, each in its order", function()
    local connections = {}
    for i = 1, 100 do
      connections[i] = open()
      connections[i]:write(get(("/late/%d"):format(i % 7)) .. get("/say/second") .. post("/echo", tostring(i)))
    end
    for i, connection in ipairs(connections) do
      assert.same({ tostring(i % 7), "second", tostring(i) }, read_bodies(connection, 3))
    end
  end)
end)
