-- chatty.http: plugins ask other servers, from every handler, within limits.
local process = require "spec.support.process"
local server = require "spec.support.server"
local tcp = require "spec.support.tcp"
local http = require "spec.support.http"
local upstream = require "spec.support.upstream"
local wait = require "spec.support.wait"

-- POST /ask {"url", "options"}: asks, and tells what came; within a coroutine when /ask/nested is asked.
local function asker(hosts)
  return ([[
    local chatty = require "chatty"
    local plugin = { api = 1, needs = { http = { %s } } }
    local function ask(q)
      local answer, message, code = chatty.http.request(q.url, q.options or {})
      if not answer then return { message = message, code = code } end
      return { status = answer.status, headers = answer.headers, body = answer.body, json = answer.json }
    end
    local function nested(q)
      local co = coroutine.wrap(function()
        local ok, first = pcall(ask, q)
        coroutine.yield(first)
        return (ask(q))
      end)
      return { first = co(), second = co() }
    end
    function plugin.setup(app)
      app:post("/NAME", { auth = "none", body = "json" }, function(request) return { json = ask(request.json) } end)
      app:post("/NAME/nested", { auth = "none", body = "json" }, function(request)
        return { json = nested(request.json) }
      end)
    end
    return plugin
  ]]):format(hosts)
end

local function plugin_named(name, hosts)
  return (asker(hosts):gsub("NAME", name))
end

local SETTINGS = {
  WORKERS = 1, HTTP_BODY_MAX = "64kb", HTTP_MEMORY_MAX = "1mb", HTTP_CALLS_MAX = 4, HTTP_CALLS_WAITING_MAX = 2,
  HTTP_TIMEOUT = "20s", STOP_TIMEOUT = "300ms", MAX_REQ_SIZE = "2mb",
}

describe("chatty.http", function()
  local chatty, shop

  setup(function()
    chatty = server.start{
      settings = SETTINGS,
      plugins = {
        ask = plugin_named("ask", '"127.0.0.1", "nowhere.invalid", "localhost"'), any = plugin_named("any", '"*"'),
      },
    }
  end)
  teardown(function() chatty:stop() end)
  before_each(function() shop = upstream.open() end)
  after_each(function() shop:close() end)

  local function call(path, url, options)
    return chatty:request{ method = "POST", path = path, json = { url = url, options = options } }.json()
  end

  local function ask(path, options) return call("/ask", shop.url .. path, options) end

  -- A request to the plugin whose answer is not waited for.
  local function start(url, options)
    local connection = tcp.open(chatty.port)
    connection:write(http.encode({ path = "/ask", json = { url = url, options = options } }, "x"))
    return connection
  end

  local function finish(connection) return http.read(connection).json() end

  it("gives status, headers and body", function()
    shop.answer = function() return { status = 418, headers = { ["X-A"] = "b" }, json = { n = { 1 } } } end
    local got = ask("/path?x=1")
    assert.same({ 418, "b", '{"n":[1]}', { n = { 1 } } }, { got.status, got.headers["x-a"], got.body, got.json })
    assert.same({ "GET", "/path?x=1" }, { shop.requests[1].method, shop.requests[1].path })
    assert.same({ "127.0.0.1:" .. shop.port, "chatty/0.1.0" },
      { shop.requests[1].headers.host, shop.requests[1].headers["user-agent"] })
  end)

  it("sends bodies and headers, and none of its own accord", function()
    ask("/", { json = { a = "ü" }, headers = { Authorization = "Bearer x", ["X-Empty"] = "" } })
    ask("/", { method = "PUT", body = ("x"):rep(60000) })
    ask("/", { method = "POST" })
    ask("/", { method = "DELETE" })
    local one, two, three, four = table.unpack(shop.requests)
    assert.same({ "POST", "ü", "application/json", "Bearer x", "" }, { one.method, one.json().a,
      one.headers["content-type"], one.headers.authorization, one.headers["x-empty"] })
    assert.same({ "PUT", 60000 }, { two.method, #two.body })
    assert.is_nil(two.headers["content-type"] or two.headers.expect)
    assert.same({ "POST", "0" }, { three.method, three.headers["content-length"] })
    assert.same({ "DELETE" }, { four.method, four.headers["content-length"] })
  end)

  it("keeps the connection for the next one", function()
    for _ = 1, 5 do ask("/") end
    assert.equal(1, shop.connections)
  end)

  it("reads chunks, interim answers and answers to HEAD", function()
    shop.answer = function(request)
      if request.path == "/chunks" then
        return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
      end
      if request.path == "/interim" then
        return "HTTP/1.1 103 Early\r\nX-Early: 1\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
      end
      return "HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n"
    end
    assert.equal("abcde", ask("/chunks").body)
    local interim = ask("/interim")
    assert.same({ "ok", "2" }, { interim.body, interim.headers["content-length"] })
    assert.is_nil(interim.headers["x-early"])
    local head = ask("/", { method = "HEAD" })
    assert.same({ 200, "", "999999" }, { head.status, head.body, head.headers["content-length"] })
  end)

  it("waits within coroutines and pcall", function()
    shop.answer = function(request) return { body = request.path } end
    local got = call("/ask/nested", shop.url .. "/n")
    assert.same({ "/n", "/n" }, { got.first.body, got.second.body })
  end)

  it("lets the worker do other things meanwhile", function()
    shop.answer = function() end
    local waiting = start(shop.url .. "/slow")
    assert(shop:wait_requests(1))
    assert.equal(200, chatty:request{ path = "/healthz" }.status)
    assert.equal(1, chatty:metric "http_calls")
    shop.requests[1].reply{ body = "at last" }
    assert.equal("at last", finish(waiting).body)
  end)

  it("gives up in time, while it connects, waits or reads", function()
    shop.answer = function(request)
      return request.path == "/part" and "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc" or nil
    end
    for _, path in ipairs{ "/silent", "/part" } do
      local began = os.time()
      assert.equal("TIMEOUT", ask(path, { timeout = 0.1 }).code)
      assert.is_true(os.time() - began < 15)
    end
    assert.equal(0, chatty:wait_metric("http_calls", 0))
  end)

  it("tells why there is no answer", function()
    shop.answer = function(request)
      return request.path == "/cut" and "close" or "garbage\r\n\r\n"
    end
    assert.equal("IO", ask("/cut").code)
    assert.equal("IO", ask("/garbage").code)
    assert.equal("INVALID", ask(" x").code)
    shop:close()
    local refused = ask("/secret?token=x")
    assert.equal("UNAVAILABLE", refused.code)
    assert.falsy(refused.message:find("secret"))
    assert.equal("UNAVAILABLE", call("/ask", "http://nowhere.invalid/").code)
    assert.is_true(chatty:metric "http_call_failures_total" >= 4)
  end)

  it("bounds the bodies, both ways", function()
    shop.answer = function(request)
      if request.path == "/told" then return { body = ("x"):rep(70000) } end
      if request.path == "/chunks" then
        local chunk = "2000\r\n" .. ("x"):rep(8192) .. "\r\n"
        return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" .. chunk:rep(9) .. "0\r\n\r\n"
      end
      if request.path == "/headers" then
        return "HTTP/1.1 200 OK\r\n" .. ("X-Long: " .. ("x"):rep(1000) .. "\r\n"):rep(80) .. "\r\n"
      end
      return { body = ("x"):rep(100) }
    end
    assert.equal("LIMIT", ask("/told").code)
    assert.equal("LIMIT", ask("/chunks").code)
    assert.equal("LIMIT", ask("/headers").code)
    assert.equal("LIMIT", ask("/", { body_max = 99 }).code)
    assert.equal(100, #ask("/", { body_max = 100 }).body)
    shop:forget()
    assert.equal("LIMIT", ask("/", { body = ("x"):rep(70000) }).code)
    assert.equal(0, #shop.requests)
    assert.equal(0, chatty:wait_metric("http_call_bytes", 0))
  end)

  it("bounds what runs and what waits", function()
    shop.answer = function() end
    local running = {}
    for i = 1, 6 do running[i] = start(shop.url .. "/" .. i, { timeout = 15 }) end
    assert(shop:wait_requests(4))
    assert.equal(2, chatty:wait_metric("http_calls_waiting", 2))
    assert.equal("LIMIT", ask("/7").code)
    for i = 1, 4 do shop.requests[i].reply{ body = "one" } end
    assert(shop:wait_requests(6))
    for i = 5, 6 do shop.requests[i].reply{ body = "two" } end
    for i = 1, 6 do assert.equal(200, finish(running[i]).status) end
    assert.same({ 0, 0 }, { chatty:wait_metric("http_calls", 0), chatty:metric "http_calls_waiting" })
  end)

  it("lets what waits for its turn give up in time", function()
    shop.answer = function() end
    local running = {}
    for i = 1, 4 do running[i] = start(shop.url .. "/" .. i, { timeout = 15 }) end
    assert(shop:wait_requests(4))
    assert.equal("TIMEOUT", ask("/5", { timeout = 0.05 }).code)
    for i = 1, 4 do shop.requests[i].reply{} end
    for i = 1, 4 do finish(running[i]) end
    assert.equal(4, #shop.requests)
  end)

  it("reaches this machine only when the host is named", function()
    for _, url in ipairs{ shop.url, "http://localhost:" .. shop.port, "http://[::1]:1/", "http://0x7f.1:" .. shop.port,
      "http://[::ffff:127.0.0.1]:" .. shop.port } do
      local got = call("/any", url)
      assert.same({ "DENIED", "the address is a private one" }, { got.code, got.message }, url)
    end
    assert.equal(0, shop.connections)
    assert.equal("DENIED", call("/ask", "http://127.0.0.2:" .. shop.port).code)
    assert.equal(200, call("/ask", "http://localhost:" .. shop.port).status)
  end)

  it("lends nobody a connection that he could not open", function()
    assert.equal(200, ask("/").status)
    assert.equal("DENIED", call("/any", shop.url).code)
    assert.equal(1, #shop.requests)
  end)

  it("follows redirects when asked to", function()
    shop.answer = function(request)
      if request.path == "/end" then return { body = request.method } end
      return { status = 302, headers = { Location = "/end" } }
    end
    assert.equal(302, ask("/").status)
    assert.equal("GET", ask("/", { redirects = 1, body = "x" }).body)
  end)
end)

describe("chatty.http of a server that stops", function()
  it("ends with its handlers", function()
    local shop = upstream.open(function() end)
    local chatty = server.start{ settings = SETTINGS, plugins = { ask = plugin_named("ask", '"127.0.0.1"') } }
    local connections = {}
    for i = 1, 6 do
      connections[i] = tcp.open(chatty.port)
      connections[i]:write(http.encode({ path = "/ask", json = { url = shop.url, options = {} } }, "x"))
    end
    assert(shop:wait_requests(4))
    assert.equal(0, chatty:stop())
    wait.until_(function() return shop.open == 0 end)
    assert.equal(0, shop.open)
    shop:close()
  end)
end)

describe("chatty.http of plugins that are reloaded", function()
  it("ends with the handlers that are cancelled", function()
    local shop = upstream.open(function() end)
    local settings = { RELOAD_TIMEOUT = "100ms" }
    for name, value in pairs(SETTINGS) do settings[name] = value end
    local chatty = server.start{ settings = settings, plugins = { ask = plugin_named("ask", '"127.0.0.1"') } }
    local connection = tcp.open(chatty.port)
    connection:write(http.encode({ path = "/ask", json = { url = shop.url, options = { timeout = 60 } } }, "x"))
    assert(shop:wait_requests(1))
    assert.equal(200, chatty:control("POST", "/control/reload").status)
    assert.equal(0, chatty:wait_metric("http_calls", 0))
    assert.truthy(wait.until_(function() return shop.open == 0 end))
    shop:close()
  end)
end)

describe("chatty.http over TLS", function()
  local folder, secure

  setup(function()
    folder = server.run{ args = { "version" } }.folder
    local made = process.run{ command = "openssl", folder = folder, args = { "req",
      "-x509", "-newkey", "ec", "-pkeyopt",
      "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "key.pem", "-out", "cert.pem", "-days", "2", "-subj",
      "/CN=localhost", "-addext", "subjectAltName=DNS:localhost" } }
    assert.equal(0, made.code, made.err)
    secure = process.start{ command = "openssl", folder = folder,
      args = { "s_server", "-accept", "127.0.0.1:0", "-cert", "cert.pem", "-key", "key.pem", "-www" } }
    wait.until_(function() return secure.out[1] and table.concat(secure.out):find("ACCEPT 127.0.0.1:%d+") end)
  end)
  teardown(function() secure:kill() end)

  local function ask(host, settings)
    local port = table.concat(secure.out):match("ACCEPT 127.0.0.1:(%d+)")
    local all = { WORKERS = 1 }
    for name, value in pairs(settings or {}) do all[name] = value end
    local chatty = server.start{ settings = all, plugins = { ask = plugin_named("ask", '"127.0.0.1", "localhost"') } }
    return chatty:request{ path = "/ask", json = { url = ("https://%s:%s/"):format(host, port) } }.json()
  end

  it("takes no certificate of an authority that nobody trusts", function()
    local got = ask("localhost")
    assert.equal("UNAVAILABLE", got.code)
    assert.matches("certificate", got.message)
  end)

  it("takes those of the authorities in HTTP_CA_FILE, for their name only", function()
    local trusted = { HTTP_CA_FILE = folder .. "/cert.pem" }
    assert.equal(200, ask("localhost", trusted).status)
    assert.equal("UNAVAILABLE", ask("127.0.0.1", trusted).code)
  end)

  it("tells of a file of authorities that is not there", function()
    local got = ask("localhost", { HTTP_CA_FILE = folder .. "/nothing.pem" })
    assert.equal("UNAVAILABLE", got.code)
  end)
end)
