-- How large a request may be (CONTRACT 1.5, 4): each limit has an answer, is met to the byte, and is counted.
local client = require "spec.support.client"
local http = require "spec.support.http"
local probe = require "spec.support.probe"
local server = require "spec.support.server"
local wait = require "spec.support.wait"

local KB, MB = 1024, 1024 * 1024

local function start(settings)
  settings.WORKERS, settings.STOP_TIMEOUT = 1, "1s"
  return server.start{ settings = settings, plugins = { probe = probe } }
end

local function announce(bytes, more)
  return ("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n%s\r\n"):format(bytes, more or "")
end

local function chunk(bytes) return ("%x\r\n%s\r\n"):format(bytes, ("x"):rep(bytes)) end

local CHUNKED = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

local function open(chatty) return assert(client.tcp(chatty.port)) end

local function ask(chatty, bytes)
  local connection = open(chatty)
  connection:write(bytes)
  return assert(http.read(connection)), connection
end

-- Status and code of the one error object; a refused request must look like this and end its connection.
local function refusal(response, connection)
  local document = response.json()
  assert.equal(1, #document.errors)
  assert.equal(tostring(response.status), document.errors[1].status)
  assert.equal("application/json", response.headers["content-type"])
  assert.equal("close", response.headers.connection)
  assert.equal("EOF", connection:wait_closed())
  return { response.status, document.errors[1].code }
end

describe("the limit of a request", function()
  local chatty

  setup(function()
    chatty = start{ MAX_REQ_SIZE = "10kb", HEADER_MAX = "2kb", HEADERS_MAX = 10, URL_MAX = "256b" }
  end)
  teardown(function() chatty:stop() end)

  local function refused(bytes) return refusal(ask(chatty, bytes)) end

  describe("body", function()
    local TOO_LARGE = { 413, "body-too-large" }

    it("is met to the byte", function()
      local body = ("x"):rep(10 * KB)
      assert.equal(body, ask(chatty, announce(#body) .. body).body)
      assert.same(TOO_LARGE, refused(announce(#body + 1) .. body .. "x"))
    end)

    it("is 413 before the body is sent", function()
      assert.same(TOO_LARGE, refused(announce(10 * KB + 1)))
      assert.same(TOO_LARGE, refused(announce(10 * KB + 1, "Expect: 100-continue\r\n")))
    end)

    it("is met to the byte when the body is chunked", function()
      local body = chunk(6 * KB) .. chunk(4 * KB)
      assert.equal(10 * KB, #ask(chatty, CHUNKED .. body .. "0\r\n\r\n").body)
      assert.same(TOO_LARGE, refused(CHUNKED .. body .. "1\r\n"))
    end)

    it("is 413 for a chunk that announces too much, before its data", function()
      assert.same(TOO_LARGE, refused(CHUNKED .. "2801\r\n"))
      assert.same(TOO_LARGE, refused(CHUNKED .. "ffffffffffffffff\r\n"))
    end)

    it("is 413 for lengths that no number holds", function()
      assert.same(TOO_LARGE, refused(("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: %s\r\n\r\n")
        :format("18446744073709551615")))
    end)

    it("is heard of by a client that goes on sending", function()
      local connection = open(chatty)
      connection:write(announce(8 * MB))
      for _ = 1, 128 do connection:write(("x"):rep(64 * KB)) end
      assert.equal(413, http.read(connection).status)
    end)

    it("of one route may be smaller", function()
      assert.equal("0123456789", chatty:request{ path = "/small", body = "0123456789" }.body)
      local response = chatty:request{ path = "/small", body = "01234567890" }
      assert.same({ 413, "body-too-large" }, { response.status, response.json().errors[1].code })
    end)
  end)

  describe("target", function()
    local function target(bytes) return "/say/" .. ("x"):rep(bytes - 5) end
    local function get(path) return "GET " .. path .. " HTTP/1.1\r\nHost: a\r\n\r\n" end

    it("is met to the byte", function()
      assert.equal(200, ask(chatty, get(target(256))).status)
      assert.same({ 414, "url-too-long" }, refused(get(target(257))))
    end)

    it("counts the query", function()
      assert.same({ 414, "url-too-long" }, refused(get("/say/x?" .. ("x"):rep(256))))
    end)

    it("is 414 before the target has ended", function()
      assert.same({ 414, "url-too-long" }, refused("GET " .. target(257)))
    end)
  end)

  describe("head", function()
    -- A head of so many bytes.
    local function head(bytes)
      local around = "GET /say/x HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n"
      return "GET /say/x HTTP/1.1\r\nHost: a\r\nX: " .. ("x"):rep(bytes - #around) .. "\r\n\r\n"
    end

    it("is met to the byte", function()
      assert.equal(200, ask(chatty, head(2 * KB)).status)
      assert.same({ 431, "headers-too-large" }, refused(head(2 * KB + 1)))
    end)

    it("is 431 before the head has ended", function()
      assert.same({ 431, "headers-too-large" }, refused(head(9 * KB):sub(1, 2 * KB + 1)))
      assert.same({ 431, "headers-too-large" }, refused("GET /say/x HTTP/1.1\r\n" .. ("x"):rep(2 * KB)))
    end)

    it("is met for blank lines before it, trailers and chunk extensions", function()
      for _, bytes in ipairs{ ("\r\n"):rep(2 * KB), CHUNKED .. "0\r\nX: " .. ("x"):rep(3 * KB),
        CHUNKED .. "1;" .. ("x"):rep(3 * KB) } do
        assert.same({ 431, "headers-too-large" }, refused(bytes))
      end
    end)

    it("is that of each request, not of the connection", function()
      local connection = open(chatty)
      for _ = 1, 5 do connection:write(head(2 * KB)) end
      for _ = 1, 5 do assert.equal(200, http.read(connection).status) end
    end)
  end)

  describe("number of headers", function()
    local function with(count)
      return "GET /say/x HTTP/1.1\r\nHost: a\r\n" .. ("X: y\r\n"):rep(count - 1) .. "\r\n"
    end

    it("is met to the one", function()
      assert.equal(200, ask(chatty, with(10)).status)
      assert.same({ 431, "headers-too-many" }, refused(with(11)))
    end)
  end)

  it("is counted when it is hit", function()
    for _, bytes in ipairs{ announce(10 * KB + 1), "GET /" .. ("x"):rep(300),
      "GET / HTTP/1.1\r\n" .. ("x"):rep(3 * KB) } do
      local hits, refusals = chatty:metric "limit_hits_total", chatty:metric "http_refused_total"
      refused(bytes)
      assert.same({ 1, 1 }, { chatty:metric "limit_hits_total" - hits, chatty:metric "http_refused_total" - refusals })
    end
  end)
end)

describe("MAX_REQ_SIZE", function()
  it("of 50mb lets that much in and no more", function()
    local chatty = start{ DEV_MAX_REQ_SIZE = "50mb" }
    local connection, piece = open(chatty), ("x"):rep(MB)
    connection:write(announce(50 * MB))
    for _ = 1, 50 do connection:write(piece) end
    local response = assert(http.read(connection))
    assert.same({ 200, 50 * MB }, { response.status, #response.body })
    assert.same({ 413, "body-too-large" }, refusal(ask(chatty, announce(50 * MB + 1))))
  end)

  it("is a megabyte when nothing is said", function()
    local chatty = start{}
    assert.equal(413, ask(chatty, announce(MB + 1)).status)
    local connection = open(chatty)
    connection:write(announce(MB) .. ("x"):rep(MB))
    assert.equal(200, http.read(connection).status)
  end)
end)

describe("the memory for bodies", function()
  local BODY = 700 * KB
  local chatty, connections

  setup(function() chatty = start{ REQUEST_MEMORY_MAX = "1mb", MAX_REQ_SIZE = "1mb" } end)
  teardown(function() chatty:stop() end)
  before_each(function() connections = {} end)
  after_each(function()
    for _, connection in ipairs(connections) do connection:close() end
    assert.equal(0, chatty:wait_metric("request_bytes", 0))
  end)

  -- A request whose body is half there.
  local function begin()
    local connection = open(chatty)
    connections[#connections + 1] = connection
    connection:write(announce(BODY) .. ("x"):rep(BODY - 1))
    assert.equal(BODY - 1, chatty:wait_metric("request_bytes", BODY - 1))
    return connection
  end

  it("is counted while bodies are held, and free again behind the answer", function()
    local connection = begin()
    connection:write("x")
    assert.equal(200, http.read(connection).status)
    assert.equal(0, chatty:wait_metric("request_bytes", 0))
  end)

  it("is free again when a client breaks off", function()
    begin():abort()
    assert.equal(0, chatty:wait_metric("request_bytes", 0))
  end)

  it("refuses with 503 and Retry-After what would not fit, when it is announced", function()
    begin()
    local response, connection = ask(chatty, announce(BODY))
    assert.equal("1", response.headers["retry-after"])
    assert.same({ 503, "memory-busy" }, refusal(response, connection))
  end)

  it("refuses chunked bodies when they come", function()
    begin()
    local response, connection = ask(chatty, CHUNKED .. chunk(BODY))
    assert.equal("1", response.headers["retry-after"])
    assert.same({ 503, "memory-busy" }, refusal(response, connection))
  end)

  it("is a limit that is counted", function()
    begin()
    local before = chatty:metric "limit_hits_total"
    ask(chatty, announce(BODY))
    assert.equal(before + 1, chatty:metric "limit_hits_total")
  end)

  it("does not disturb requests that fit, nor the one that is under way", function()
    local first = begin()
    assert.equal(503, ask(chatty, announce(BODY)).status)
    assert.equal("small", chatty:request{ path = "/echo", body = "small" }.body)
    first:write("x")
    assert.equal(BODY, #http.read(first).body)
  end)

  it("is there again for the next", function()
    begin():write("x")
    assert.equal(BODY, #http.read(connections[1]).body)
    assert.equal(200, ask(chatty, announce(BODY) .. ("x"):rep(BODY)).status)
  end)

  it("is held by requests that are being answered", function()
    local connection = open(chatty)
    connections[1] = connection
    local held = "POST /hold/memory HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n"
    connection:write(held:format(BODY) .. ("x"):rep(BODY))
    assert.equal(BODY, chatty:wait_metric("request_bytes", BODY))
    assert.equal(503, ask(chatty, announce(BODY)).status)
    chatty:request{ method = "POST", path = "/open/memory" }
    assert.equal("memory", http.read(connection).body)
  end)
end)

describe("the number of connections", function()
  it("is limited: further ones are closed at once, and there is room again when one leaves", function()
    local chatty = start{ CONNECTIONS_MAX = 4 }
    local connections = {}
    for i = 1, 4 do
      connections[i] = open(chatty)
      connections[i]:write("GET /say/" .. i .. " HTTP/1.1\r\nHost: a\r\n\r\n")
      assert.equal(tostring(i), http.read(connections[i]).body)
    end
    local fifth = open(chatty)
    assert.is_truthy(fifth:wait_closed())
    assert.equal(0, fifth.received)
    connections[1]:close()
    assert.is_truthy(wait.until_(function()
      local response = chatty:request{ path = "/say/again" }
      return response and response.status == 200
    end))
    assert.is_truthy(wait.until_(function() return (chatty:metric "limit_hits_total" or 0) >= 1 end))
  end)
end)
