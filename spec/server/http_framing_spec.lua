-- HTTP on one connection (RFC 9110, 9112): where requests and answers begin and end, how long a connection is
-- kept, and what happens when a client goes away in the middle.
local client = require "spec.support.client"
local http = require "spec.support.http"
local probe = require "spec.support.probe"
local server = require "spec.support.server"
local wait = require "spec.support.wait"

describe("HTTP", function()
  local chatty

  setup(function()
    chatty = server.start{ settings = {
      WORKERS = 1, STOP_TIMEOUT = "1s", SCRIPT_VALUE_MAX = "64mb", SCRIPT_BUDGET = "10s",
    }, plugins = { probe = probe } }
  end)
  teardown(function() chatty:stop() end)

  local opened = {}

  local function open()
    local connection = assert(client.tcp(chatty.port))
    opened[#opened + 1] = connection
    return connection
  end

  after_each(function()
    for _, connection in ipairs(opened) do connection:close() end
    opened = {}
  end)

  local function get(path, more)
    return ("GET %s HTTP/1.1\r\nHost: a\r\n%s\r\n"):format(path, more or "")
  end

  local function post(path, body, more)
    return ("POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n%s\r\n%s"):format(path, #body, more or "", body)
  end

  local function chunked(body, more)
    return "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n" .. (more or "") .. "\r\n" .. body
  end

  -- Sends bytes on a connection of its own and reads one answer.
  local function ask(bytes, method)
    local connection = open()
    connection:write(bytes)
    local response = assert(http.read(connection, method))
    return response, connection
  end

  local function wait_calls(name, count)
    return wait.until_(function()
      return chatty:request{ path = "/count/" .. name }.body == tostring(count)
    end)
  end

  describe("a connection", function()
    it("is kept for request after request", function()
      local connection = open()
      for i = 1, 5 do
        connection:write(get("/say/word-" .. i))
        local response = assert(http.read(connection))
        assert.same({ 200, "word-" .. i }, { response.status, response.body })
        assert.is_nil(response.headers.connection)
      end
      assert.is_true(connection.is_open)
    end)

    it("is closed behind the answer when the client says so, and the answer tells it", function()
      local response, connection = ask(get("/say/bye", "Connection: close\r\n"))
      assert.same({ "bye", "close" }, { response.body, response.headers.connection })
      assert.equal("EOF", connection:wait_closed())
    end)

    it("of HTTP/1.0 is closed behind the answer", function()
      local response, connection = ask("GET /say/old HTTP/1.0\r\n\r\n")
      assert.same({ "old", "close" }, { response.body, response.headers.connection })
      assert.equal("EOF", connection:wait_closed())
    end)

    it("of HTTP/1.0 is kept when the client asks for that, and the answer says so", function()
      local request = "GET /say/old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
      local response, connection = ask(request)
      assert.equal("keep-alive", response.headers.connection)
      connection:write(request)
      assert.equal("old", http.read(connection).body)
    end)

    it("is kept behind errors of the application", function()
      local response, connection = ask(get("/nowhere"))
      assert.equal(404, response.status)
      connection:write(get("/say/on"))
      assert.equal("on", http.read(connection).body)
    end)

    it("that the client has half closed still gets its answer, and is then closed", function()
      local connection = open()
      connection:write(get("/late/30"))
      connection:half_close()
      assert.equal("30", http.read(connection).body)
      assert.equal("EOF", connection:wait_closed())
    end)

    it("that is half closed without a request is closed without a word", function()
      local connection = open()
      connection:half_close()
      assert.equal("", connection:read_all())
      assert.equal("EOF", connection.ended)
    end)

    it("that is half closed in the middle of a request gets 400", function()
      for _, part in ipairs{ "GET /say/x HT", get("/say/x"):sub(1, -3), post("/echo", "hello"):sub(1, -2),
        chunked("5\r\nhello\r\n") } do
        local connection = open()
        connection:write(part)
        connection:half_close()
        local response = assert(http.read(connection))
        assert.same({ 400, "request-incomplete" }, { response.status, response.json().errors[1].code })
        assert.equal("EOF", connection:wait_closed())
      end
    end)
  end)

  describe("a request", function()
    it("may come byte by byte", function()
      local connection = open()
      for byte in (post("/echo", "hello") .. chunked("3\r\nabc\r\n0\r\n\r\n")):gmatch(".") do
        connection:write(byte)
      end
      assert.equal("hello", http.read(connection).body)
      assert.equal("abc", http.read(connection).body)
    end)

    it("may follow blank lines", function()
      assert.equal("word", ask("\r\n\r\n" .. get("/say/word")).body)
    end)

    it("may name its target in absolute form", function()
      assert.equal("word", ask(get("http://example.com/say/word")).body)
    end)

    it("may ask for the options of the whole server", function()
      local response = ask("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")
      assert.equal(204, response.status)
      assert.matches("GET, HEAD, OPTIONS", response.headers.allow, 1, true)
    end)

    it("has its body byte for byte", function()
      local body = {}
      for i = 0, 255 do body[#body + 1] = string.char(i) end
      body = table.concat(body):rep(50)
      assert.equal(body, ask(post("/echo", body)).body)
    end)

    it("may come without a body where one is possible", function()
      local response = ask("POST /echo HTTP/1.1\r\nHost: a\r\n\r\n")
      assert.same({ 200, "" }, { response.status, response.body })
    end)
  end)

  describe("a chunked body", function()
    it("is put together", function()
      assert.equal("hello world", ask(chunked("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n")).body)
    end)

    it("may be empty", function()
      assert.equal("", ask(chunked("0\r\n\r\n")).body)
    end)

    it("may have extensions and trailers, which mean nothing", function()
      local response, connection = ask(chunked("5;a=\"b\";c=d\r\nhello\r\n0;e\r\nX-API-Key: k\r\nHost: b\r\n\r\n"))
      assert.equal("hello", response.body)
      connection:write(get("/say/next"))
      assert.equal("next", http.read(connection).body)
    end)

    it("may have sizes in either case and with leading zeros", function()
      assert.equal(("x"):rep(26), ask(chunked("00a\r\n" .. ("x"):rep(10) .. "\r\n0A\r\n" .. ("x"):rep(10) ..
        "\r\n006\r\nxxxxxx\r\n0\r\n\r\n")).body)
    end)

    it("may be cut into chunks of one byte", function()
      assert.equal(("x"):rep(5000), ask(chunked(("1\r\nx\r\n"):rep(5000) .. "0\r\n\r\n")).body)
    end)
  end)

  describe("100-continue", function()
    local EXPECT = "Expect: 100-continue\r\n"

    it("is answered before the body comes", function()
      local connection = open()
      connection:write(post("/echo", "hello", EXPECT):sub(1, -6))
      assert.equal("HTTP/1.1 100 Continue\r\n\r\n", connection:read_until("\r\n\r\n"))
      connection:write("hello")
      assert.equal("hello", http.read(connection).body)
    end)

    it("is answered for a chunked body too", function()
      local connection = open()
      connection:write(chunked("", EXPECT))
      assert.equal("HTTP/1.1 100 Continue\r\n\r\n", connection:read_until("\r\n\r\n"))
      connection:write("2\r\nhi\r\n0\r\n\r\n")
      assert.equal("hi", http.read(connection).body)
    end)

    it("is not answered when the body is here, or when there will be none", function()
      for _, bytes in ipairs{ post("/echo", "hello", EXPECT), get("/say/hello", EXPECT) } do
        local connection = open()
        connection:write(bytes)
        assert.matches("^HTTP/1%.1 200 ", connection:read_until("\r\n\r\n"))
      end
    end)

    it("is not answered to HTTP/1.0", function()
      local connection = open()
      connection:write("POST /echo HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
      connection:write("hi")
      assert.matches("^HTTP/1%.1 200 ", connection:read_until("\r\n\r\n"))
    end)

    it("is not answered to a body that is too large", function()
      local connection = open()
      connection:write("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999999\r\n" .. EXPECT .. "\r\n")
      assert.matches("^HTTP/1%.1 413 ", connection:read_until("\r\n\r\n"))
    end)

    it("is the only expectation that is known", function()
      local response = ask(post("/echo", "hello", "Expect: a-miracle\r\n"))
      assert.same({ 417, "expectation-unknown" }, { response.status, response.json().errors[1].code })
    end)
  end)

  describe("an answer", function()
    it("has the time, the length and the type of its body", function()
      local headers = ask(get("/say/word")).headers
      assert.matches("^%a%a%a, %d%d %a%a%a %d%d%d%d %d%d:%d%d:%d%d GMT$", headers.date)
      assert.same({ "4", "text/plain; charset=utf-8" }, { headers["content-length"], headers["content-type"] })
    end)

    it("to HEAD is that to GET without its body", function()
      local function comparable(response)
        response.headers.date = nil
        return response.headers
      end
      local connection = open()
      connection:write("HEAD /say/word HTTP/1.1\r\nHost: a\r\n\r\n" .. get("/say/word"))
      local head, whole = assert(http.read(connection, "HEAD")), assert(http.read(connection))
      assert.same({ 200, "word" }, { head.status, whole.body })
      assert.same(comparable(whole), comparable(head))
    end)

    it("to HEAD has no body either when it is an error", function()
      local connection = open()
      connection:write("HEAD /nowhere HTTP/1.1\r\nHost: a\r\n\r\n" .. get("/say/next"))
      assert.equal(404, http.read(connection, "HEAD").status)
      assert.equal("next", http.read(connection).body)
    end)

    it("with 204 has no length", function()
      local response = ask("POST /open/nothing HTTP/1.1\r\nHost: a\r\n\r\n")
      assert.equal(204, response.status)
      assert.is_nil(response.headers["content-length"])
      assert.is_nil(response.headers["transfer-encoding"])
    end)

    it("comes whole when it is large", function()
      local response = ask(get("/big/4096"))
      assert.equal(4096 * 1024, #response.body)
    end)
  end)

  describe("a handler that fails", function()
    local function error_lines()
      local lines = {}
      for _, line in ipairs(chatty:log()) do
        if line:find(" error ", 1, true) then lines[#lines + 1] = line end
      end
      return lines
    end

    it("is answered with 500 and one error object that does not tell why", function()
      local response = ask(get("/fail"))
      assert.equal(500, response.status)
      local document = response.json()
      assert.equal(1, #document.errors)
      assert.same({ "500", "internal" }, { document.errors[1].status, document.errors[1].code })
      assert.is_nil(response.body:find("the probe fails", 1, true))
    end)

    it("is logged once, with plugin, route, file and line", function()
      local before = #error_lines()
      ask(get("/fail"))
      assert.is_truthy(chatty:wait_log("plugin probe, GET /fail: plugins/probe%.lua:%d+: the probe fails"))
      assert.is_true(wait_calls("nothing-at-all", 0))
      assert.equal(before + 1, #error_lines())
    end)

    it("is counted", function()
      local before = chatty:metric "script_errors_total"
      ask(get("/fail"))
      assert.equal(before + 1, chatty:metric "script_errors_total")
    end)

    it("leaves the connection in use", function()
      local _, connection = ask(get("/fail"))
      connection:write(get("/say/on"))
      assert.equal("on", http.read(connection).body)
    end)
  end)

  describe("a client that breaks off", function()
    -- Only the connection that asks for the metric is open.
    local function is_alone() return chatty:wait_metric("connections", 1) == 1 end

    it("leaves nothing behind, wherever it was", function()
      for _, bytes in ipairs{ "", "G", get("/say/x"):sub(1, -3), post("/echo", "hello"):sub(1, -2), chunked("5\r\nhe"),
        chunked("5\r\nhello\r\n0\r\nA: b"), get("/big/2048"), get("/late/50"), post("/late/50", "x") } do
        local connection = open()
        connection:write(bytes)
        connection:abort()
      end
      assert.is_true(is_alone())
      assert.equal(0, chatty:wait_metric("request_bytes", 0))
      assert.equal(0, chatty:wait_metric("queue_bytes", 0))
    end)

    it("does not stop its handler, whose answer is dropped", function()
      local connection = open()
      connection:write(get("/hold/broken-off"))
      assert.is_true(wait_calls("broken-off", 1))
      connection:abort()
      assert.is_true(is_alone())
      assert.equal(204, chatty:request{ method = "POST", path = "/open/broken-off" }.status)
      assert.equal(1, chatty:wait_metric("tasks", 1))
    end)

    it("while its answer is sent leaves nothing behind", function()
      local connection = open()
      connection:pause()
      connection:write(get("/big/32768"))
      assert.is_truthy(wait.until_(function() return chatty:metric "queue_bytes" > 0 end))
      connection:abort()
      assert.equal(0, chatty:wait_metric("queue_bytes", 0))
      assert.is_true(is_alone())
    end)
  end)
end)
