-- Requests that two servers could read in two ways: what stands behind them must never be carried out as a
-- request of its own. Each is refused with one answer, and the connection ends.
local client = require "spec.support.client"
local http = require "spec.support.http"
local probe = require "spec.support.probe"
local server = require "spec.support.server"

local SMUGGLED = "GET /say/smuggled HTTP/1.1\r\nHost: a\r\n\r\n"

-- A POST with these headers, and behind them what one reader may take for the body.
local function post(headers, body)
  return "POST /echo HTTP/1.1\r\nHost: a\r\n" .. headers .. "\r\n\r\n" .. (body or "")
end

local function get(headers) return "GET /say/x HTTP/1.1\r\n" .. headers .. "\r\n\r\n" end

local function chunked(body) return post("Transfer-Encoding: chunked", body) end

local REFUSED = {
  lengths = {
    ["differ"] = post("Content-Length: 0\r\nContent-Length: 44"),
    ["come twice"] = post("Content-Length: 0\r\nContent-Length: 0"),
    ["are a list"] = post("Content-Length: 0, 44"),
    ["are a list of equal ones"] = post("Content-Length: 0, 0"),
    ["have a sign"] = post("Content-Length: +0"),
    ["are negative"] = post("Content-Length: -1"),
    ["are hexadecimal"] = post("Content-Length: 0x0"),
    ["are octal in C"] = post("Content-Length: 0o0"),
    ["are fractions"] = post("Content-Length: 0.0"),
    ["have an exponent"] = post("Content-Length: 0e1"),
    ["have blanks inside"] = post("Content-Length: 0 0"),
    ["are empty"] = post("Content-Length: "),
    ["are quoted"] = post('Content-Length: "0"'),
    ["end with a letter"] = post("Content-Length: 0x"),
    ["have digits of another script"] = post("Content-Length: \xD9\xA0"),
    ["overflow 64 bits"] = post("Content-Length: 18446744073709551616"),
    ["overflow 64 bits to a small number"] = post("Content-Length: 18446744073709551617"),
    ["stand in a folded line"] = post("Content-Length:\r\n 0"),
    ["have a blank behind the name"] = post("Content-Length : 0"),
    ["have a tab behind the name"] = post("Content-Length\t: 0"),
    ["have a blank before the name"] = post(" Content-Length: 0"),
    ["have a NUL in the name"] = post("Content-Length\0: 0"),
    ["have a NUL behind the number"] = post("Content-Length: 0\0"),
    ["have a vertical tab before the number"] = post("Content-Length: \v0"),
    ["have a form feed behind the number"] = post("Content-Length: 0\f"),
    ["have a bare CR behind them"] = post("Content-Length: 0\rX: y"),
    ["have a bare LF behind them"] = post("Content-Length: 0\nX: y"),
  },
  codings = {
    ["stand beside a length"] = post("Transfer-Encoding: chunked\r\nContent-Length: 5", "0\r\n\r\n"),
    ["stand behind a length"] = post("Content-Length: 5\r\nTransfer-Encoding: chunked", "0\r\n\r\n"),
    ["come twice"] = post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "0\r\n\r\n"),
    ["are chunked twice"] = post("Transfer-Encoding: chunked, chunked", "0\r\n\r\n"),
    ["are chunked and not last"] = post("Transfer-Encoding: chunked, identity", "0\r\n\r\n"),
    ["are unknown"] = post("Transfer-Encoding: xchunked", "0\r\n\r\n"),
    ["are identity"] = post("Transfer-Encoding: identity"),
    ["are gzip and chunked"] = post("Transfer-Encoding: gzip, chunked", "0\r\n\r\n"),
    ["are chunked with a parameter"] = post("Transfer-Encoding: chunked;foo=bar", "0\r\n\r\n"),
    ["are quoted"] = post('Transfer-Encoding: "chunked"', "0\r\n\r\n"),
    ["are empty"] = post("Transfer-Encoding:", "0\r\n\r\n"),
    ["are a comma"] = post("Transfer-Encoding: ,", "0\r\n\r\n"),
    ["have a vertical tab before them"] = post("Transfer-Encoding: \vchunked", "0\r\n\r\n"),
    ["have a NUL behind them"] = post("Transfer-Encoding: chunked\0", "0\r\n\r\n"),
    ["have a blank behind the name"] = post("Transfer-Encoding : chunked", "0\r\n\r\n"),
    ["have a blank before the name"] = post(" Transfer-Encoding: chunked", "0\r\n\r\n"),
    ["stand in a folded line"] = post("Transfer-Encoding:\r\n chunked", "0\r\n\r\n"),
    ["are folded"] = post("X: y\r\n Transfer-Encoding: chunked", "0\r\n\r\n"),
    ["hide behind a bare LF"] = post("X: y\nTransfer-Encoding: chunked", "0\r\n\r\n"),
    ["hide behind a bare CR"] = post("X: y\rTransfer-Encoding: chunked", "0\r\n\r\n"),
    ["come in HTTP/1.0"] = "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ["come in HTTP/1.0 that is kept alive"] =
      "POST /echo HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  },
  chunks = {
    ["have no size"] = chunked("\r\nhello\r\n0\r\n\r\n"),
    ["have a negative size"] = chunked("-1\r\nhello\r\n0\r\n\r\n"),
    ["have a size with 0x"] = chunked("0x5\r\nhello\r\n0\r\n\r\n"),
    ["have a size with a sign"] = chunked("+5\r\nhello\r\n0\r\n\r\n"),
    ["have a size with an underscore"] = chunked("0_5\r\nhello\r\n0\r\n\r\n"),
    ["have a blank behind the size"] = chunked("5 \r\nhello\r\n0\r\n\r\n"),
    ["have a blank before the size"] = chunked(" 5\r\nhello\r\n0\r\n\r\n"),
    ["have a size that overflows 64 bits"] = chunked("10000000000000005\r\nhello\r\n0\r\n\r\n"),
    ["have a size that is no number"] = chunked("five\r\nhello\r\n0\r\n\r\n"),
    ["end their size with a bare LF"] = chunked("5\nhello\r\n0\r\n\r\n"),
    ["end their size with a bare CR"] = chunked("5\rXhello\r\n0\r\n\r\n"),
    ["end their extension with a bare LF"] = chunked("5;a\nhello\r\n0\r\n\r\n"),
    ["have a NUL in an extension"] = chunked("5;a\0\r\nhello\r\n0\r\n\r\n"),
    ["end their data with a bare LF"] = chunked("5\r\nhello\n0\r\n\r\n"),
    ["end their data with a bare CR"] = chunked("5\r\nhello\r0\r\n\r\n"),
    ["end their data with something else"] = chunked("5\r\nhelloXX0\r\n\r\n"),
    ["have more data than size"] = chunked("4\r\nhello\r\n0\r\n\r\n"),
    ["end with a bare LF"] = chunked("5\r\nhello\r\n0\r\n\n"),
    ["end with a bare LF behind the last size"] = chunked("5\r\nhello\r\n0\n\r\n"),
    ["have trailers that end with a bare LF"] = chunked("0\r\nA: b\n\r\n"),
    ["have folded trailers"] = chunked("0\r\nA: b\r\n c\r\n\r\n"),
    ["have trailers without a colon"] = chunked("0\r\nA\r\n\r\n"),
    ["have trailers with a blank in the name"] = chunked("0\r\nA b: c\r\n\r\n"),
  },
  hosts = {
    ["come twice"] = get("Host: a\r\nHost: b"),
    ["come twice alike"] = get("Host: a\r\nHost: a"),
    ["are missing"] = get("X: y"),
    ["are empty"] = get("Host:"),
    ["have a blank"] = get("Host: a b"),
    ["have a path"] = get("Host: a/b"),
    ["have a user"] = get("Host: b@a"),
    ["are a list"] = get("Host: a, b"),
    ["have a port that is no number"] = get("Host: a:b"),
    ["have a blank behind the name"] = get("Host : a"),
    ["are folded"] = get("Host: a\r\n b"),
    ["are missing beside an absolute target"] = "GET http://a/say/x HTTP/1.1\r\n\r\n",
  },
  lines = {
    ["end with a bare LF"] = "GET /say/x HTTP/1.1\nHost: a\n\n",
    ["end with a bare LF once"] = "GET /say/x HTTP/1.1\r\nHost: a\nX: y\r\n\r\n",
    ["end the head with a bare LF"] = "GET /say/x HTTP/1.1\r\nHost: a\r\n\n",
    ["end with CR CR LF"] = "GET /say/x HTTP/1.1\r\nHost: a\r\r\n\r\n",
    ["have a NUL"] = get("Host: a\r\nX: \0"),
    ["have a NUL in the target"] = "GET /say/\0x HTTP/1.1\r\nHost: a\r\n\r\n",
    ["have a header without a name"] = get("Host: a\r\n: y"),
    ["have a header without a colon"] = get("Host: a\r\nX"),
    ["have a name in parentheses"] = get("Host: a\r\n(X): y"),
    ["have a name with a line break of Unicode"] = get("Host: a\r\nX\xC2\x85: y"),
    ["have two blanks in the request line"] = "GET  /say/x HTTP/1.1\r\nHost: a\r\n\r\n",
    ["have a tab in the request line"] = "GET\t/say/x\tHTTP/1.1\r\nHost: a\r\n\r\n",
    ["have a blank in the target"] = "GET /say/x y HTTP/1.1\r\nHost: a\r\n\r\n",
    ["have a blank behind the version"] = "GET /say/x HTTP/1.1 \r\nHost: a\r\n\r\n",
    ["have no version"] = "GET /say/x\r\n",
    ["have a version that is none"] = "GET /say/x HTTP/1.1x\r\nHost: a\r\n\r\n",
    ["have a lower-case version"] = "GET /say/x http/1.1\r\nHost: a\r\n\r\n",
    ["have another protocol"] = "GET /say/x RTSP/1.0\r\nHost: a\r\n\r\n",
    ["are those of HTTP/2"] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ["have a future version"] = "GET /say/x HTTP/9.9\r\nHost: a\r\n\r\n",
    ["have an unknown method"] = "SMUGGLE /say/x HTTP/1.1\r\nHost: a\r\n\r\n",
    ["have a method in lower case"] = "get /say/x HTTP/1.1\r\nHost: a\r\n\r\n",
    ["begin with a bare LF"] = "\n" .. get("Host: a"),
    ["begin with TLS"] = "\x16\x03\x01\x00\xA5\x01\x00\x00\xA1\x03\x03",
    ["ask for a tunnel"] = "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n",
    ["have a target with a fragment"] = "GET /say/x#y HTTP/1.1\r\nHost: a\r\n\r\n",
    ["have a target without a slash"] = "GET say/x HTTP/1.1\r\nHost: a\r\n\r\n",
    ["have a target of another scheme"] = "GET ftp://a/say/x HTTP/1.1\r\nHost: a\r\n\r\n",
    ["have a target with a NUL in disguise"] = "GET /say/%00x HTTP/1.1\r\nHost: a\r\n\r\n",
    ["have a target with a broken escape"] = "GET /say/%x HTTP/1.1\r\nHost: a\r\n\r\n",
  },
}

local STATUSES = { [400] = true, [413] = true, [501] = true, [505] = true }

describe("a request", function()
  local chatty

  setup(function()
    chatty = server.start{ settings = { WORKERS = 1, STOP_TIMEOUT = "1s" }, plugins = { probe = probe } }
  end)
  teardown(function() chatty:stop() end)

  local function smuggled() return chatty:request{ path = "/count/smuggled" }.body end

  for what, cases in pairs(REFUSED) do
    for how, bytes in pairs(cases) do
      it(("whose %s %s is refused, and nothing behind it is carried out"):format(what, how), function()
        local before, connection = smuggled(), assert(client.tcp(chatty.port))
        connection:write(bytes .. SMUGGLED .. SMUGGLED)
        local response = assert(http.read(connection))
        assert.is_true(STATUSES[response.status], response.head)
        assert.equal(1, #response.json().errors)
        assert.equal("close", response.headers.connection)
        assert.equal("", connection:read_all())
        assert.equal(before, smuggled())
      end)
    end
  end
end)

describe("what looks like a request", function()
  local chatty

  setup(function()
    chatty = server.start{ settings = { WORKERS = 1, STOP_TIMEOUT = "1s" }, plugins = { probe = probe } }
  end)
  teardown(function() chatty:stop() end)

  -- The statuses of the answers to bytes that are followed by one request that closes.
  local function statuses(bytes)
    local connection, found = assert(client.tcp(chatty.port)), {}
    connection:write(bytes .. "GET /say/last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    local response = http.read(connection)
    while response do
      found[#found + 1] = response.status
      response = http.read(connection)
    end
    return found
  end

  local function count() return tonumber(chatty:request{ path = "/count/inner" }.body) end

  local INNER = "GET /say/inner HTTP/1.1\r\nHost: a\r\n\r\n"

  it("is body when it lies within the length", function()
    assert.same({ 200, 200 }, statuses(post("Content-Length: " .. #INNER, INNER)))
    assert.equal(0, count())
  end)

  it("is body when it lies within a chunk", function()
    assert.same({ 200, 200 }, statuses(chunked(("%x\r\n%s\r\n0\r\n\r\n"):format(#INNER, INNER))))
    assert.equal(0, count())
  end)

  it("is body also of GET, HEAD, DELETE and OPTIONS", function()
    for _, method in ipairs{ "GET", "DELETE", "OPTIONS" } do
      assert.equal(2, #statuses(("%s /say/x HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s")
        :format(method, #INNER, INNER)))
    end
    assert.equal(0, count())
  end)

  it("is body when a route that takes none is asked, or none is there", function()
    assert.same({ 404, 200 }, statuses(("POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s")
      :format(#INNER, INNER)))
    assert.equal(0, count())
  end)

  it("is a request of its own behind an upgrade to a protocol that nobody speaks", function()
    local upgrade = "Host: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQ"
    assert.same({ 200, 200 }, statuses(get(upgrade)))
  end)
end)
