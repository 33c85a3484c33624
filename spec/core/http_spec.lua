-- Every input is fed whole and byte by byte: how the network cuts the bytes makes no difference.
local http = require("core.test").http

local function cut(input, size)
  local pieces = {}
  for i = 1, #input, size do pieces[#pieces + 1] = input:sub(i, i + size - 1) end
  return pieces
end

local function whole(input, options) return http.feed({ input }, options or {}) end
local function bytewise(input, options) return http.feed(cut(input, 1), options or {}) end

local ways = { ["fed whole"] = whole, ["fed byte by byte"] = bytewise }

local function get(target) return "GET " .. target .. " HTTP/1.1\r\nHost: a\r\n\r\n" end
local function with_header(line) return "GET / HTTP/1.1\r\nHost: a\r\n" .. line .. "\r\n\r\n" end
local function chunked(body) return "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" .. body end
local function posted(body)
  return ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s"):format(#body, body)
end

local function fault_of(result) return result.fault and result.fault.status, result.fault and result.fault.code end

for way, feed in pairs(ways) do
  describe("an HTTP request " .. way, function()
    it("gives method, target, path, query and headers", function()
      local result = feed("GET /a/b?c=d&e HTTP/1.1\r\nHost: a:80\r\nX-Thing:  some thing \t\r\nEmpty:\r\n\r\n")
      local request = result.requests[1]
      assert.same({ "GET", "/a/b?c=d&e", "/a/b", "c=d&e" },
        { request.method, request.target, request.path, request.query })
      assert.same({ host = "a:80", ["x-thing"] = "some thing", empty = "" }, request.headers)
      assert.equal(1, request.version_minor)
    end)

    it("has the body that Content-Length announces", function()
      local result = feed(posted("hello\0\n"))
      assert.equal("hello\0\n", result.requests[1].body)
      assert.equal(7, result.announced)
      assert.is_false(result.is_busy)
    end)

    it("may follow blank lines", function()
      assert.equal("/x", feed("\r\n\r\n" .. get("/x")).requests[1].path)
    end)

    it("is not under way while only blank lines came", function()
      assert.is_false(feed("\r\n\r\n").is_busy)
      assert.is_true(feed("\r\nG").is_busy)
    end)

    it("is in its body between headers and end", function()
      assert.is_false(feed("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n").is_in_body)
      assert.is_true(feed("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhell").is_in_body)
      assert.is_false(feed(posted("hello")).is_in_body)
    end)

    it("may stand directly behind another", function()
      local result = feed(posted("one") .. get("/two") .. chunked("5\r\nthree\r\n0\r\n\r\n") .. get("/four") .. "GET")
      assert.equal(4, #result.requests)
      assert.same({ "one", "", "three", "" }, { result.requests[1].body, result.requests[2].body,
        result.requests[3].body, result.requests[4].body })
      assert.equal("/four", result.requests[4].path)
      assert.is_true(result.is_busy)
    end)

    it("joins headers of one name, cookies with a semicolon", function()
      local result = feed(with_header("Accept: a\r\nCookie: x=1\r\naccept: b\r\nCOOKIE: y=2"))
      assert.equal("a, b", result.requests[1].headers.accept)
      assert.equal("x=1; y=2", result.requests[1].headers.cookie)
    end)

    it("keeps bytes above 127 in header values", function()
      assert.equal("\xC3\xA9", feed(with_header("X: \xC3\xA9")).requests[1].headers.x)
    end)

    it("may have a tab, but no control character, wherever it stands in a header's value", function()
      for at = 0, 20 do
        local function with(char) return with_header("X: " .. ("y"):rep(at) .. char .. ("\x80z"):rep(10)) end
        assert.is_nil(feed(with("\t")).fault)
        for _, char in ipairs({ "\0", "\1", "\x1F", "\x7F" }) do
          assert.same({ 400, "header-invalid" }, { fault_of(feed(with(char))) })
        end
      end
    end)

    it("knows which bytes a header's name may have", function()
      local allowed = "!#$%&'*+-.^_`|~"
      for byte = 0, 255 do
        local char = string.char(byte)
        local is_good = char:find("%w") ~= nil or allowed:find(char, 1, true) ~= nil
        if char ~= ":" then
          assert.equal(is_good, feed(with_header("X" .. char .. ": y")).fault == nil, char)
        end
      end
    end)

    it("decodes the path and leaves the query as it is", function()
      local request = feed(get("/caf%C3%A9/a%2fb/../c?x=%41")).requests[1]
      assert.equal("/café/a/b/../c", request.path)
      assert.equal("x=%41", request.query)
    end)

    it("takes path, query and Host from a target in absolute form", function()
      local request = feed("GET HTTP://other.example:81/p?q HTTP/1.1\r\nHost: a\r\n\r\n").requests[1]
      assert.same({ "/p", "q", "other.example:81" }, { request.path, request.query, request.headers.host })
      assert.equal("/", feed(get("http://a")).requests[1].path)
      assert.same({ "/", "q" }, { feed(get("http://a?q")).requests[1].path, feed(get("http://a?q")).requests[1].query })
    end)

    it("may ask for options of the whole server", function()
      assert.equal("*", feed("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").requests[1].path)
    end)

    it("tells HEAD and upgrades", function()
      assert.is_true(feed("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n").requests[1].is_head)
      assert.is_true(feed(with_header("Connection: keep-alive, Upgrade\r\nUpgrade: websocket")).requests[1].is_upgrade)
      assert.is_false(feed(with_header("Connection: upgrade")).requests[1].is_upgrade)
      assert.is_false(feed(with_header("Upgrade: websocket")).requests[1].is_upgrade)
      assert.is_false(feed("GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n").requests[1].is_upgrade)
    end)

    it("leaves what comes behind an upgrade for others", function()
      local request = with_header("Connection: upgrade\r\nUpgrade: websocket")
      assert.equal("/", feed(request).requests[1].path)
      assert.equal(#request, http.feed({ request }, {}).taken)
    end)

    it("is kept alive as its version and Connection say", function()
      assert.is_true(feed(get("/")).requests[1].is_keep_alive)
      assert.is_false(feed(with_header("Connection: foo, CLOSE")).requests[1].is_keep_alive)
      assert.is_false(feed("GET / HTTP/1.0\r\n\r\n").requests[1].is_keep_alive)
      assert.is_true(feed("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").requests[1].is_keep_alive)
      assert.is_false(feed("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n").requests[1].is_keep_alive)
    end)

    it("may have any of the hosts that RFC 3986 allows", function()
      for _, host in ipairs { "a", "a:", "a:65535", "127.0.0.1:80", "[::1]", "[::1]:80", "a_b-c.d~", "%41" } do
        assert.equal(host, feed("GET / HTTP/1.1\r\nHost: " .. host .. "\r\n\r\n").requests[1].headers.host)
      end
    end)

    it("needs no Host in HTTP/1.0", function()
      assert.equal(0, feed("GET / HTTP/1.0\r\n\r\n").requests[1].header_count)
    end)
  end)

  describe("a chunked body " .. way, function()
    it("is joined", function()
      local body = chunked("5\r\nhello\r\n00000000000000000001\r\n \r\nA\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n")
      local result = feed(body)
      assert.equal("hello 01234567890123456789", result.requests[1].body)
      assert.equal(0, result.announced)
    end)

    it("may be empty, have extensions, and trailers that are dropped", function()
      assert.equal("", feed(chunked("0\r\n\r\n")).requests[1].body)
      local result = feed(chunked("5;a;b=\"c;d\"\r\nhello\r\n0;x\r\nTrailer: yes\r\nContent-Length: 9\r\n\r\n"))
      assert.equal("hello", result.requests[1].body)
      assert.is_nil(result.requests[1].headers.trailer)
    end)

    it("may come in chunks of one byte", function()
      local body = ("1\r\nx\r\n"):rep(1000)
      assert.equal(("x"):rep(1000), feed(chunked(body .. "0\r\n\r\n"), { header_bytes_max = 100 }).requests[1].body)
    end)

    local malformed = {
      ["a size that is no number"] = "x\r\nhello\r\n0\r\n\r\n",
      ["a size with a prefix"] = "0x5\r\nhello\r\n0\r\n\r\n",
      ["a size with a sign"] = "+5\r\nhello\r\n0\r\n\r\n",
      ["a negative size"] = "-5\r\nhello\r\n0\r\n\r\n",
      ["an empty size"] = "\r\nhello\r\n0\r\n\r\n",
      ["an extension without size"] = ";x\r\nhello\r\n0\r\n\r\n",
      ["a blank before the size"] = " 5\r\nhello\r\n0\r\n\r\n",
      ["a blank behind the size"] = "5 \r\nhello\r\n0\r\n\r\n",
      ["a size beyond 64 bits"] = "10000000000000005\r\nhello\r\n0\r\n\r\n",
      ["a bare LF behind the size"] = "5\nhello\r\n0\r\n\r\n",
      ["a bare CR behind the size"] = "5\rhello\r\n0\r\n\r\n",
      ["another byte for the LF behind the size"] = "5\rX\r\nhello\r\n0\r\n\r\n",
      ["a bare LF behind an extension"] = "5;a=b\nhello\r\n0\r\n\r\n",
      ["another byte for the LF behind an extension"] = "5;a\rXhello\r\n0\r\n\r\n",
      ["a NUL in an extension"] = "5;a\0\r\nhello\r\n0\r\n\r\n",
      ["a bare LF behind the data"] = "5\r\nhello\n0\r\n\r\n",
      ["a bare CR behind the data"] = "5\r\nhello\r0\r\n\r\n",
      ["nothing behind the data"] = "5\r\nhello0\r\n\r\n",
      ["two other bytes behind the data"] = "5\r\nhelloXY0\r\n\r\n",
      ["more data than announced"] = "5\r\nhello!\r\n0\r\n\r\n",
      ["a bare LF behind the last size"] = "5\r\nhello\r\n0\n\r\n",
      ["a bare LF at the end"] = "5\r\nhello\r\n0\r\n\n",
      ["another byte for the LF at the end"] = "5\r\nhello\r\n0\r\n\rX",
      ["a trailer that ends in a bare LF"] = "0\r\nA: b\n\r\n",
      ["a trailer with a blank in its name"] = "0\r\nA b: c\r\n\r\n",
      ["a trailer without name"] = "0\r\n: c\r\n\r\n",
      ["a trailer without colon"] = "0\r\nabc\r\n\r\n",
      ["a folded trailer"] = "0\r\nA: b\r\n c\r\n\r\n",
      ["a control character in a trailer"] = "0\r\nA: b\1\r\n\r\n",
    }
    for what, body in pairs(malformed) do
      it("is refused with " .. what, function()
        local result = feed(chunked(body .. get("/smuggled")))
        assert.equal(400, result.fault and result.fault.status)
        assert.equal(0, #result.requests)
      end)
    end

    it("is refused at the limit, when the chunk is announced", function()
      local options = { body_bytes_max = 10 }
      assert.equal(413, fault_of(feed(chunked("5\r\nhello\r\n6\r\n"), options)))
      assert.equal(413, fault_of(feed(chunked("fffffffffffffff\r\n"), options)))
      assert.equal("helloworld", feed(chunked("5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n"), options).requests[1].body)
    end)

    it("is refused when trailers or extensions are too long", function()
      local options = { header_bytes_max = 100 }
      local long = ("x"):rep(200)
      assert.equal(431, fault_of(feed(chunked("0\r\nA: " .. long .. "\r\n\r\n"), options)))
      assert.equal(431, fault_of(feed(chunked("1;" .. long .. "\r\nx\r\n0\r\n\r\n"), options)))
      assert.equal(431, fault_of(feed(chunked(("1;" .. ("x"):rep(20) .. "\r\nx\r\n"):rep(9)), options)))
      assert.equal(431, fault_of(feed(chunked(("0"):rep(200)), options)))
    end)
  end)

  describe("a request that could be read in two ways, " .. way, function()
    local refused = {
      { "two Host headers", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400, "host-invalid" },
      { "no Host in HTTP/1.1", "GET / HTTP/1.1\r\n\r\n", 400, "host-invalid" },
      { "no Host beside an absolute target", "GET http://a/ HTTP/1.1\r\n\r\n", 400, "host-invalid" },
      { "an empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400, "host-invalid" },
      { "a blank in Host", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400, "host-invalid" },
      { "a path in Host", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, "host-invalid" },
      { "a user in Host", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400, "host-invalid" },
      { "a port that is no number", "GET / HTTP/1.1\r\nHost: a:x\r\n\r\n", 400, "host-invalid" },
      { "two ports", "GET / HTTP/1.1\r\nHost: a:1:2\r\n\r\n", 400, "host-invalid" },
      { "an open bracket in Host", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400, "host-invalid" },
      { "text behind a bracket in Host", "GET / HTTP/1.1\r\nHost: [::1]x\r\n\r\n", 400, "host-invalid" },
      { "a broken escape in Host", "GET / HTTP/1.1\r\nHost: a%4\r\n\r\n", 400, "host-invalid" },
      { "bytes above 127 in Host", "GET / HTTP/1.1\r\nHost: \xC3\xA9\r\n\r\n", 400, "host-invalid" },
      { "a malformed Host in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a b\r\n\r\n", 400, "host-invalid" },
      { "two lengths that differ", with_header("Content-Length: 5\r\nContent-Length: 6"), 400, "length-invalid" },
      { "two equal lengths", with_header("Content-Length: 5\r\nContent-Length: 5"), 400, "length-invalid" },
      { "a list of lengths", with_header("Content-Length: 5, 5"), 400, "length-invalid" },
      { "a length with a sign", with_header("Content-Length: +5"), 400, "length-invalid" },
      { "a negative length", with_header("Content-Length: -5"), 400, "length-invalid" },
      { "a length in hexadecimal", with_header("Content-Length: 0x5"), 400, "length-invalid" },
      { "a fraction as length", with_header("Content-Length: 5.0"), 400, "length-invalid" },
      { "two words as length", with_header("Content-Length: 5 5"), 400, "length-invalid" },
      { "an empty length", with_header("Content-Length:"), 400, "length-invalid" },
      { "a length beyond 64 bits", with_header("Content-Length: 18446744073709551617"), 400, "length-invalid" },
      { "length and chunked", with_header("Content-Length: 5\r\nTransfer-Encoding: chunked"), 400, "length-invalid" },
      { "chunked and length", with_header("Transfer-Encoding: chunked\r\nContent-Length: 5"), 400, "length-invalid" },
      { "chunked twice", with_header("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"), 400 },
      { "chunked twice in a list", with_header("Transfer-Encoding: chunked, chunked"), 400 },
      { "chunked not last", with_header("Transfer-Encoding: chunked, gzip"), 400 },
      { "chunked with a parameter", with_header("Transfer-Encoding: chunked;q=1"), 400 },
      { "chunked behind a vertical tab", with_header("Transfer-Encoding: \vchunked"), 400 },
      { "chunked in a list of one", with_header("Transfer-Encoding: ,chunked"), 400 },
      { "an empty Transfer-Encoding", with_header("Transfer-Encoding:"), 400 },
      { "an unknown coding", with_header("Transfer-Encoding: xchunked"), 501 },
      { "identity", with_header("Transfer-Encoding: identity"), 501 },
      { "gzip before chunked", with_header("Transfer-Encoding: gzip, chunked"), 501 },
      { "gzip before chunked in two headers",
        with_header("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked"), 501 },
      { "Transfer-Encoding in HTTP/1.0",
        "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "transfer-encoding-invalid" },
      { "a bare LF behind the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", 400 },
      { "a bare LF behind a header", "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", 400, "line-end-invalid" },
      { "a bare LF for the empty line", "GET / HTTP/1.1\r\nHost: a\r\n\n", 400, "line-end-invalid" },
      { "a bare LF before the request", "\n" .. get("/"), 400, "line-end-invalid" },
      { "a bare CR in a header", "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", 400, "line-end-invalid" },
      { "two CR behind a header", "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", 400, "line-end-invalid" },
      { "a bare CR for the empty line", "GET / HTTP/1.1\r\nHost: a\r\n\rX", 400, "line-end-invalid" },
      { "a folded header", with_header("X: a\r\n b"), 400, "header-folded" },
      { "a header folded with a tab", with_header("X:\r\n\tb"), 400, "header-folded" },
      { "a blank before the first header", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400, "header-folded" },
      { "a blank in a header name", with_header("X y: z"), 400, "header-invalid" },
      { "a blank behind a header name", with_header("Content-Length : 5"), 400, "header-invalid" },
      { "a tab behind a header name", with_header("Content-Length\t: 5"), 400 },
      { "a bracket in a header name", with_header("X(y): z"), 400 },
      { "a byte above 127 in a header name", with_header("X\xC3\xA9: z"), 400 },
      { "no header name", with_header(": z"), 400, "header-invalid" },
      { "no colon", with_header("X"), 400 },
      { "a NUL in a header value", with_header("X: a\0b"), 400, "header-invalid" },
      { "DEL in a header value", with_header("X: a\127b"), 400, "header-invalid" },
      { "no version", "GET /\r\nHost: a\r\n\r\n", 400, "request-line-invalid" },
      { "HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505, "version-unsupported" },
      { "the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "version-unsupported" },
      { "the method of that preface", "PRI * HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
      { "HTTP/0.9", "GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505, "version-unsupported" },
      { "HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505, "version-unsupported" },
      { "HTTP/1", "GET / HTTP/1\r\nHost: a\r\n\r\n", 400, "request-line-invalid" },
      { "HTTP/1.10", "GET / HTTP/1.10\r\nHost: a\r\n\r\n", 400, "request-line-invalid" },
      { "http/1.1", "GET / http/1.1\r\nHost: a\r\n\r\n", 400, "request-line-invalid" },
      { "RTSP", "OPTIONS * RTSP/1.0\r\nHost: a\r\n\r\n", 400, "request-line-invalid" },
      { "ICE", "SOURCE / ICE/1.0\r\nHost: a\r\n\r\n", 400, "request-line-invalid" },
      { "a blank before the method", " " .. get("/"), 400, "request-line-invalid" },
      { "two blanks behind the method", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "request-line-invalid" },
      { "two blanks behind the target", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n", 400, "request-line-invalid" },
      { "a blank behind the version", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400, "request-line-invalid" },
      { "a blank in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400, "request-line-invalid" },
      { "a tab in the target", "GET /a\tb HTTP/1.1\r\nHost: a\r\n\r\n", 400, "request-line-invalid" },
      { "a TLS handshake", "\x16\x03\x01\x02\x00\x01\x00", 400, "request-line-invalid" },
      { "an unknown method", "BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501, "method-unknown" },
      { "a method in lower case", "get / HTTP/1.1\r\nHost: a\r\n\r\n", 501, "method-unknown" },
      { "a method of RTSP", "DESCRIBE / HTTP/1.1\r\nHost: a\r\n\r\n", 501, "method-unknown" },
      { "a method without end", ("A"):rep(33), 501, "method-unknown" },
      { "a method with a bracket", "G(T / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "request-line-invalid" },
    }
    for _, case in ipairs(refused) do
      it("is refused: " .. case[1], function()
        local result = feed(case[2] .. get("/smuggled"))
        assert.equal(case[3], result.fault and result.fault.status)
        if case[4] then assert.equal(case[4], result.fault.code) end
        assert.equal(0, #result.requests)
      end)
    end
  end)

  describe("a target " .. way, function()
    local refused = {
      ["a broken escape"] = "/a%4", ["an escape that is no number"] = "/%zz", ["an escaped NUL"] = "/a%00b",
      ["a fragment"] = "/a#b", ["bytes above 127"] = "/\xC3\xA9", ["no leading slash"] = "a/b",
      ["another scheme"] = "ftp://a/", ["https"] = "https://a/", ["no host"] = "http:///a", ["a user"] = "http://u@a/",
      ["a query only"] = "?a", ["an asterisk"] = "*",
    }
    for what, target in pairs(refused) do
      it("is refused with " .. what, function()
        local status, code = fault_of(feed(get(target)))
        assert.same({ 400, "target-invalid" }, { status, code })
      end)
    end

    it("is refused for CONNECT", function()
      assert.equal(400, fault_of(feed("CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n")))
    end)
  end)

  describe("a limit " .. way, function()
    it("of the URL is 414, as soon as it is reached", function()
      local options = { url_bytes_max = 10 }
      assert.equal("/123456789", feed(get("/123456789"), options).requests[1].path)
      assert.same({ 414, "url-too-long" }, { fault_of(feed("GET /1234567890", options)) })
    end)

    it("of the head's bytes is 431, as soon as it is reached", function()
      local head = with_header("X: y")
      assert.equal(1, #feed(head, { header_bytes_max = #head }).requests)
      assert.equal(431, fault_of(feed(head, { header_bytes_max = #head - 1 })))
      assert.equal(431, fault_of(feed("GET / HTTP/1.1\r\nX: " .. ("y"):rep(100), { header_bytes_max = 100 })))
    end)

    it("of the head's bytes counts blank lines before it", function()
      assert.equal(431, fault_of(feed(("\r\n"):rep(51), { header_bytes_max = 100 })))
    end)

    it("of the number of headers is 431", function()
      assert.equal(1, #feed(with_header("A: b\r\nC: d"), { headers_max = 3 }).requests)
      assert.equal(431, fault_of(feed(with_header("A: b\r\nC: d\r\nE: f"), { headers_max = 3 })))
    end)

    it("of the body is 413, before the body came", function()
      local options = { body_bytes_max = 10 }
      assert.equal("0123456789", feed(posted("0123456789"), options).requests[1].body)
      assert.same({ 413, "body-too-large" },
        { fault_of(feed("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n", options)) })
      assert.equal(413, fault_of(feed("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551615\r\n\r\n")))
    end)

    it("of the URL is not that of the next request", function()
      local result = feed(get("/12345678") .. get("/12345678"), { url_bytes_max = 10, header_bytes_max = 60 })
      assert.equal(2, #result.requests)
    end)
  end)

  describe("an expectation " .. way, function()
    local function expecting(value, rest)
      return "POST / HTTP/1.1\r\nHost: a\r\nExpect: " .. value .. "\r\nContent-Length: 5\r\n\r\n" .. rest
    end

    it("of 100-continue is told when the body is not here yet", function()
      assert.equal(1, feed(expecting("100-Continue", "")).continues)
      assert.equal(1, feed("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n" ..
        "Transfer-Encoding: chunked\r\n\r\n").continues)
    end)

    it("of 100-continue is not told when there is no body, nor in HTTP/1.0", function()
      assert.equal(0, feed(with_header("Expect: 100-continue")).continues)
      assert.equal(0, feed("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n").continues)
    end)

    it("of anything else is 417", function()
      assert.equal(417, fault_of(feed(expecting("200-ok", ""))))
      assert.equal(417, fault_of(feed(expecting("100-continue, x", ""))))
    end)
  end)

  describe("the owner of the parser, " .. way, function()
    it("may refuse a request when its headers are complete", function()
      local result = feed(posted("hello"), { headers_refuse = 503 })
      assert.same({ 503, 0 }, { result.fault.status, #result.requests })
    end)

    it("may refuse a body", function()
      local result = feed(chunked("5\r\nhello\r\n0\r\n\r\n"), { body_refuse = 503 })
      assert.same({ 503, 0 }, { result.fault.status, #result.requests })
    end)
  end)
end

describe("an HTTP parser", function()
  it("does not tell an expectation when the body is here", function()
    local request = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello"
    assert.equal(0, whole(request).continues)
    assert.equal("hello", whole(request).requests[1].body)
  end)

  it("takes nothing of what follows a complete request but when asked again", function()
    local result = http.feed({ get("/a") .. get("/b"), get("/c") }, {})
    assert.equal(3, #result.requests)
    assert.equal(#get("/a") * 3, result.taken)
  end)

  it("takes nothing after a fault", function()
    local result = http.feed({ "GET\n", get("/") }, {})
    assert.equal(400, result.fault.status)
    assert.is_true(result.taken <= 4)
  end)

  it("gives the same for every cut in two", function()
    local input = posted("hello") .. chunked("5;x=y\r\nhello\r\n2\r\n\r\n\r\n0\r\nA: b\r\n\r\n") .. get("/end")
    for at = 1, #input - 1 do
      local result = http.feed({ input:sub(1, at), input:sub(at + 1) }, {})
      assert.is_nil(result.fault)
      assert.same({ "hello", "hello\r\n", "" },
        { result.requests[1].body, result.requests[2].body, result.requests[3].body })
    end
  end)
end)
