-- Routes of plugins (CONTRACT 6): which one is meant, what its handler gets, what is checked before it, and what
-- its answer becomes.
local client = require "spec.support.client"
local http = require "spec.support.http"
local server = require "spec.support.server"

describe("the route", function()
  local chatty

  -- Each answers with its own pattern and what its parameters are.
  local PLUGIN = [[
local PATTERNS = { "/", "/a", "/a/", "/a/b", "/a/:x", "/a/:x/c", "/a/b/d", "/a/*rest", "/:first/:second/:third",
  "/files/*path", "/files/:name/raw", "/only/b", "/é/:x", "/deep/:a/b/:c/*d" }
return { api = 1, setup = function(app)
  for _, pattern in ipairs(PATTERNS) do
    app:get(pattern, { auth = "none" }, function(request)
      return { json = { pattern = pattern, params = request.params } }
    end)
  end
  app:post("/a/:x", { auth = "none" }, function() return { json = { pattern = "POST" } } end)
  app:put("/only/:x", { auth = "none" }, function() return { json = { pattern = "PUT" } } end)
  app:patch("/methods", { auth = "none" }, function() return { text = "patch" } end)
  app:delete("/methods", { auth = "none" }, function() return { text = "delete" } end)
end }]]

  setup(function() chatty = server.start{ plugins = { routes = PLUGIN } } end)
  teardown(function() chatty:stop() end)

  local function ask(path, method) return chatty:request{ path = path, method = method } end

  local found = {
    ["/"] = { "/", {} },
    ["/a"] = { "/a", {} },
    ["/a/"] = { "/a/", {} },
    ["/a/b"] = { "/a/b", {} },
    ["/a/b?x=y"] = { "/a/b", {} },
    ["/a/z"] = { "/a/:x", { x = "z" } },
    ["/a/b/c"] = { "/a/:x/c", { x = "b" } },
    ["/a/b/d"] = { "/a/b/d", {} },
    ["/a/z/c"] = { "/a/:x/c", { x = "z" } },
    ["/a/z/d"] = { "/a/*rest", { rest = "z/d" } },
    ["/a/z/d/"] = { "/a/*rest", { rest = "z/d/" } },
    ["/a//d"] = { "/a/*rest", { rest = "/d" } },
    ["/1/2/3"] = { "/:first/:second/:third", { first = "1", second = "2", third = "3" } },
    ["/files/"] = { "/files/*path", { path = "" } },
    ["/files/x"] = { "/files/*path", { path = "x" } },
    ["/files/x/raw"] = { "/files/:name/raw", { name = "x" } },
    ["/files/x/raw/y"] = { "/files/*path", { path = "x/raw/y" } },
    ["/%61/%7A"] = { "/a/:x", { x = "z" } },
    ["/a/%C3%A9%20%2B+"] = { "/a/:x", { x = "é ++" } },
    ["/%C3%A9/1"] = { "/é/:x", { x = "1" } },
    ["/deep/1/b/2/3/4"] = { "/deep/:a/b/:c/*d", { a = "1", c = "2", d = "3/4" } },
    ["/a/__proto__"] = { "/a/:x", { x = "__proto__" } },
  }
  for path, case in pairs(found) do
    it(("of %s is the most specific one, %s"):format(path, case[1]), function()
      for _ = 1, 2 do assert.same({ pattern = case[1], params = case[2] }, ask(path).json()) end
    end)
  end

  it("is found for every path, however many were asked before, and however long they are", function()
    for i = 1, 1100 do
      local name = ("x"):rep(i % 3 * 90) .. i % 550
      assert.equal(name, ask("/a/" .. name).json().params.x)
    end
  end)

  for _, path in ipairs{ "/b", "/A", "/1/2", "/1/2/3/4", "/1//3", "/files", "//", "/a%00", "/deep/1/b/2" } do
    it("of " .. path .. " is not there", function()
      local status = ask(path).status
      assert.is_true(status == 404 or (status == 400 and path:find("%00", 1, true) ~= nil), status)
    end)
  end

  it("depends on the method", function()
    assert.equal("POST", ask("/a/z", "POST").json().pattern)
    assert.equal("patch", ask("/methods", "PATCH").body)
    assert.equal("delete", ask("/methods", "DELETE").body)
  end)

  it("of a method may be a less specific one", function()
    assert.equal("PUT", ask("/only/b", "PUT").json().pattern)
    assert.equal("/only/b", ask("/only/b").json().pattern)
  end)

  it("of another method is 405, and Allow names those there are", function()
    local response = ask("/a/z", "DELETE")
    assert.same({ 405, "GET, HEAD, OPTIONS, POST" }, { response.status, response.headers.allow })
    assert.equal("method-not-allowed", response.json().errors[1].code)
    assert.equal("DELETE, OPTIONS, PATCH", ask("/methods").headers.allow)
  end)

  it("of GET answers HEAD too", function()
    local response = ask("/a/b", "HEAD")
    assert.same({ 200, "" }, { response.status, response.body })
    assert.equal(tostring(#ask("/a/b").body), response.headers["content-length"])
  end)

  it("of OPTIONS tells the methods", function()
    local response = ask("/a/b", "OPTIONS")
    assert.same({ 204, "GET, HEAD, OPTIONS, POST" }, { response.status, response.headers.allow })
  end)
end)

describe("a request of a plugin", function()
  local chatty

  setup(function()
    chatty = server.start{ plugins = { echo = [[
return { api = 1, setup = function(app)
  app:post("/echo/:x", { auth = "jwt" }, function(request)
    return { json = {
      method = request.method, path = request.path, target = request.target, params = request.params,
      query = request.query, body = request.body, user = request.user, claims = request.claims,
      remote = request.remote, thing = request:header("X-Thing"), things = request.headers["x-thing"],
      missing = request:header("X-Missing") == nil, identity = request.identity, ids = request.id == request.id,
    } }
  end)
  app:get("/id", { auth = "none" }, function(request) return { text = request.id } end)
  app:post("/json", { auth = "none" }, function(request) return { json = { request.json } } end)
  app:post("/raw", { auth = "none" }, function(request) return { raw_json = request:raw("attributes") or "null" } end)
  app:get("/query", { auth = "none" }, function(request) return { json = request.query } end)
end }]] } }
  end)
  teardown(function() chatty:stop() end)

  it("has method, path, parameters, query, headers, body, user and peer", function()
    local response = chatty:request{ method = "POST", path = "/echo/a%20b?c=d&e=%C3%A9", body = "hello", headers = {
      Authorization = "Bearer " .. chatty:token{ sub = "ann", team = "red", exp = 4000000000 }, ["x-thing"] = "1" } }
    local found = response.json()
    assert.same({ "POST", "/echo/a b", "/echo/a%20b?c=d&e=%C3%A9", "hello", "ann", "127.0.0.1", "1", "1", true, true },
      { found.method, found.path, found.target, found.body, found.user, found.remote, found.thing, found.things,
        found.missing, found.ids })
    assert.same({ { x = "a b" }, { c = "d", e = "é" } }, { found.params, found.query })
    assert.same({ "ann", "red" }, { found.claims.sub, found.claims.team })
    assert.same({ kind = "user", user = "ann" }, found.identity)
  end)

  it("has an id of its own", function()
    local first, second = chatty:request{ path = "/id" }.body, chatty:request{ path = "/id" }.body
    assert.is_true(#first >= 12 and first ~= second)
  end)

  it("is decoded when it is asked for, exactly", function()
    assert.equal('[{"a":[],"b":{},"c":12345678901234567,"d":"é"}]',
      chatty:request{ path = "/json", body = ' {"b":{},"a":[],"c":12345678901234567,"d":"\\u00e9"} ' }.body)
  end)

  it("that is no JSON is 400 when it is asked for", function()
    local response = chatty:request{ path = "/json", body = '{"a":' }
    assert.same({ 400, "body-malformed" }, { response.status, response.json().errors[1].code })
    assert.matches("at byte %d+", response.json().errors[1].detail)
  end)

  it("gives members byte for byte", function()
    local raw = '{ "a":1.00, "b":[ ] , "n":12345678901234567890}'
    assert.equal(raw, chatty:request{ path = "/raw", body = '{"event":"x","attributes":' .. raw .. "}" }.body)
  end)

  it("may have any query, the first of repeated ones counting", function()
    assert.same({ a = "1", b = "", c = "x y" }, chatty:request{ path = "/query?a=1&b&c=x+y&a=2&&" }.json())
  end)

  it("whose query is malformed is 400", function()
    for _, query in ipairs{ "a=%", "a=%4", "a=%zz", "%=a", "a=%FF" } do
      local response = chatty:request{ path = "/query?" .. query }
      assert.same({ 400, "query-malformed" }, { response.status, response.json().errors[1].code })
    end
  end)
end)

describe("what a route declares", function()
  local chatty

  setup(function()
    chatty = server.start{ settings = { WORKERS = 1 }, plugins = { declared = [[
local calls = 0
return { api = 1, setup = function(app)
  app:get("/query", { auth = "none", query = {
    text = { type = "string", min = 2, max = 5 }, count = { type = "integer", default = 7, min = 1, max = 10 },
    rate = { type = "number" }, flag = { type = "boolean", default = false }, list = { type = "list", max = 3 },
    kind = { type = "string", one_of = { "a", "b" } }, plain = { type = "string" },
  } }, function(request) return { json = request.query } end)
  app:get("/required", { auth = "none", query = { id = { type = "string", required = true } } }, function(request)
    calls = calls + 1
    return { json = request.query }
  end)
  app:get("/nothing", { auth = "none", query = {} }, function() return { text = "ok" } end)
  app:get("/calls", { auth = "none" }, function() return { text = tostring(calls) } end)
  app:post("/json", { auth = "none", body = "json", body_max = 30 }, function(request)
    return { json = request.json }
  end)
  app:post("/event", { auth = "none", body = "event" }, function(request)
    return { json = { name = request.event.name, text = request.event:get("text") } }
  end)
  app:post("/document", { auth = "none", body = "document" }, function(request)
    return { json = { request.document.resources[1].type, request.document.resources[1].id } }
  end)
end }]] } }
  end)
  teardown(function() chatty:stop() end)

  local function query(text) return chatty:request{ path = "/query?" .. text } end

  it("gives parameters their types and defaults", function()
    assert.same({ count = 7, flag = false }, query("").json())
    assert.same({ text = "héy", count = 10, rate = -1.5, flag = true, list = { "x", "y" }, kind = "b", plain = "" },
      query("text=h%C3%A9y&count=10&rate=-1.5&flag=true&list=x,y&kind=b&plain=").json())
  end)

  it("lets a list come in several pieces", function()
    assert.same({ "x", "y", "z" }, query("list=x&list=%20y%20,z").json().list)
  end)

  local wrong = {
    ["text=a"] = "at least 2 bytes", ["text=abcdef"] = "at most 5 bytes", ["count=0"] = "at least 1",
    ["count=11"] = "at most 10", ["count=1.5"] = "a whole number", ["count="] = "a whole number",
    ["count=0x5"] = "a whole number", ["count=99999999999999999999"] = "a whole number", ["rate=fast"] = "a number",
    ["rate=inf"] = "a number", ["rate=nan"] = "a number", ["rate=1e5"] = "a number", ["flag=yes"] = "true or false",
    ["list=a,b,c,d"] = "at most 3 items", ["kind=c"] = "one of a, b",
  }
  for text, allowed in pairs(wrong) do
    it("refuses " .. text .. " with 400 that says what is allowed", function()
      local response = query(text)
      local fault = response.json().errors[1]
      assert.same({ 400, "parameter-invalid", text:match("^%a+") },
        { response.status, fault.code, fault.source.parameter })
      assert.matches(allowed, fault.detail, 1, true)
    end)
  end

  it("refuses unknown parameters and names the known ones", function()
    local fault = query("cuont=1").json().errors[1]
    assert.same({ "parameter-unknown", "cuont" }, { fault.code, fault.source.parameter })
    assert.matches("count, flag, kind, list, plain, rate, text", fault.detail, 1, true)
    assert.matches("none", chatty:request{ path = "/nothing?x=1" }.json().errors[1].detail, 1, true)
  end)

  it("refuses a parameter that comes twice", function()
    assert.equal("parameter-repeated", query("count=1&count=2").json().errors[1].code)
    assert.equal("parameter-repeated", query("plain=1&plain=2").json().errors[1].code)
  end)

  it("refuses what lacks a required parameter, before the handler", function()
    for _, path in ipairs{ "/required", "/required?id=", "/required?id" } do
      local fault = chatty:request{ path = path }.json().errors[1]
      assert.same({ "parameter-missing", "id" }, { fault.code, fault.source.parameter })
    end
    assert.equal("0", chatty:request{ path = "/calls" }.body)
  end)

  it("takes JSON bodies of both types", function()
    for _, kind in ipairs{ "application/json", "application/json; charset=utf-8", "application/vnd.api+json" } do
      local response = chatty:request{ path = "/json", body = '{"a":1}', headers = { ["Content-Type"] = kind } }
      assert.equal('{"a":1}', response.body)
    end
  end)

  it("refuses bodies of other types with 415", function()
    for _, kind in ipairs{ "text/plain", "application/xml", "application/x-www-form-urlencoded", "",
      "application/json; charset=latin1" } do
      local response = chatty:request{ path = "/json", body = '{"a":1}', headers = { ["Content-Type"] = kind } }
      assert.same({ 415, "content-type-unsupported" }, { response.status, response.json().errors[1].code })
    end
  end)

  it("refuses bodies that are malformed, missing or too large", function()
    assert.equal("body-malformed", chatty:request{ path = "/json", body = "{" }.json().errors[1].code)
    assert.equal("body-malformed", chatty:request{ path = "/json", body = "" }.json().errors[1].code)
    assert.equal(413, chatty:request{ path = "/json", body = ('"%s"'):format(("x"):rep(29)) }.status)
    assert.equal(200, chatty:request{ path = "/json", body = ('"%s"'):format(("x"):rep(28)) }.status)
  end)

  it("may be an event", function()
    assert.same({ name = "hello", text = "hi" },
      chatty:request{ path = "/event", body = '{"event":"hello","attributes":{"text":"hi"}}' }.json())
    assert.equal("event-missing", chatty:request{ path = "/event", body = "{}" }.json().errors[1].code)
  end)

  it("may be a JSON:API document", function()
    assert.same({ "room", "1" },
      chatty:request{ path = "/document", body = '{"data":{"type":"room","id":1}}' }.json())
    assert.equal("data-missing", chatty:request{ path = "/document", body = "{}" }.json().errors[1].code)
  end)
end)

describe("an answer of a plugin", function()
  local chatty

  setup(function()
    chatty = server.start{ settings = { WORKERS = 1 }, files = {
      ["plugins/answers/page.html"] = "<p>hi</p>",
      ["plugins/answers/init.lua"] = [[
local chatty = require "chatty"
local ANSWERS = {
  json = { json = { a = 1, list = chatty.json.array(), nothing = chatty.json.null } },
  ["json-false"] = { json = false },
  raw = { raw_json = '{ "a" : 1.00 }' },
  text = { text = "héllo" },
  empty = { text = "" },
  html = { html = "<p>hi</p>" },
  file = { file = "page.html" },
  ["file-missing"] = { file = "nowhere.html" },
  document = { document = { data = { type = "room", id = "1" } } },
  both = { json = { "plain" }, document = { data = chatty.json.array() } },
  created = { status = 201, json = { id = 1 }, headers = { Location = "/x/1" } },
  status = { status = 202 },
  moved = { status = 302, headers = { Location = "/elsewhere" } },
  headers = { text = "x", headers = { ["X-One"] = 1, ["X-Many"] = { "a", "b" }, ["content-type"] = "text/x-mine" } },
  cookies = { text = "x", cookies = { plain = "a", full = { value = "b", max_age = 60, path = "/p", secure = false,
    http_only = false, same_site = "Strict" } } },
  nothing = {},
  mistyped = { jsno = {} },
  string = "text", number = 5, ["true"] = true,
  ["status-text"] = { status = "high" }, ["status-low"] = { status = 99 }, ["status-1xx"] = { status = 101 },
  ["status-high"] = { status = 600 }, ["status-fraction"] = { status = 200.5 },
  ["text-table"] = { text = {} }, ["json-function"] = { json = print }, ["json-bytes"] = { json = "\255" },
  ["json-nan"] = { json = 0/0 },
  split = { text = "x", headers = { ["X-One"] = "a\r\nX-Two: b" } },
  ["split-name"] = { text = "x", headers = { ["X-One: a\r\nX-Two"] = "b" } },
  ["split-cookie"] = { text = "x", cookies = { a = "b\r\nX-Two: c" } },
  ["cookie-list"] = { text = "x", cookies = { a = "b; Domain=evil.example" } },
  length = { text = "hello", headers = { ["Content-Length"] = "1" } },
  coding = { text = "hello", headers = { ["transfer-encoding"] = "chunked" } },
  connection = { text = "hello", headers = { Connection = "close" } },
  refusal = chatty.refuse(418, "teapot", "I am one.", { parameter = "pot" }),
}
local many = {}
for i = 1, 100 do many["X-" .. i] = "y" end
ANSWERS["headers-many"] = { text = "x", headers = many }
return { api = 1, setup = function(app)
  for name, answer in pairs(ANSWERS) do
    app:get("/" .. name, { auth = "none" }, function() return answer end)
  end
  app:get("/silent", { auth = "none" }, function() end)
  app:get("/raised", { auth = "none" }, function() error(chatty.refuse(409, "taken")) end)
  app:get("/world", { auth = "none" }, function() return nil, "the disk is full", "UNAVAILABLE" end)
  app:get("/world-odd", { auth = "none" }, function() return nil, "something else", "DISK_FULL" end)
  app:get("/refused-deep", { auth = "none" }, function()
    return chatty.notify { channels = { "" }, event = "x" }
  end)
end }]] } }
  end)
  teardown(function() chatty:stop() end)

  local function get(path, headers) return assert(chatty:request{ path = path, headers = headers }) end

  -- Status, content type and body.
  local function shape(path)
    local response = get(path)
    return { response.status, response.headers["content-type"], response.body }
  end

  it("may be JSON", function()
    assert.same({ 200, "application/json", '{"a":1,"list":[],"nothing":null}' }, shape "/json")
    assert.equal("false", get("/json-false").body)
    assert.equal('"\u{FFFD}"', get("/json-bytes").body)
  end)

  it("may be raw JSON, which goes out as it is", function()
    assert.same({ 200, "application/json", '{ "a" : 1.00 }' }, shape "/raw")
  end)

  it("may be text or HTML", function()
    assert.same({ 200, "text/plain; charset=utf-8", "héllo" }, shape "/text")
    assert.same({ 200, "text/plain; charset=utf-8", "" }, shape "/empty")
    assert.same({ 200, "text/html; charset=utf-8", "<p>hi</p>" }, shape "/html")
  end)

  it("may be a file of the plugin's folder", function()
    assert.same({ 200, "text/html; charset=utf-8", "<p>hi</p>" }, shape "/file")
  end)

  it("may be a JSON:API document", function()
    assert.same({ 200, "application/vnd.api+json", '{"data":{"id":"1","type":"room"}}' }, shape "/document")
  end)

  it("may be what the client asks for", function()
    assert.equal('["plain"]', get("/both").body)
    local response = get("/both", { Accept = "application/vnd.api+json" })
    assert.same({ "application/vnd.api+json", '{"data":[]}' }, { response.headers["content-type"], response.body })
  end)

  it("may have a status, with and without a body", function()
    local created = get "/created"
    assert.same({ 201, "/x/1", '{"id":1}' }, { created.status, created.headers.location, created.body })
    local status = get "/status"
    assert.same({ 202, "0", "" }, { status.status, status.headers["content-length"], status.body })
    local moved = get "/moved"
    assert.same({ 302, "/elsewhere" }, { moved.status, moved.headers.location })
  end)

  it("may have headers, also several of one name, and a content type of its own", function()
    local headers = get("/headers").headers
    assert.same({ "1", "a, b", "text/x-mine" }, { headers["x-one"], headers["x-many"], headers["content-type"] })
  end)

  it("may have cookies, which are careful unless it says otherwise", function()
    local head = get("/cookies").head
    assert.matches("\r\nSet-Cookie: plain=a; Path=/; HttpOnly; Secure; SameSite=Lax\r\n", head, 1, true)
    assert.matches("\r\nSet-Cookie: full=b; Path=/p; Max-Age=60; SameSite=Strict\r\n", head, 1, true)
  end)

  it("may be nothing, which is 204", function()
    for _, path in ipairs{ "/nothing", "/silent" } do
      local response = get(path)
      assert.same({ 204, "" }, { response.status, response.body })
      assert.is_nil(response.headers["content-length"])
    end
  end)

  it("may be a refusal, returned or raised", function()
    local response = get "/refusal"
    local fault = response.json().errors[1]
    assert.equal(418, response.status)
    assert.same({ "418", "teapot", "I am one.", "pot" },
      { fault.status, fault.code, fault.detail, fault.source.parameter })
    assert.same({ 409, "taken" }, { get("/raised").status, get("/raised").json().errors[1].code })
  end)

  it("may be what the world could not do", function()
    local response = get "/world"
    assert.same({ 503, "unavailable", "the disk is full" },
      { response.status, response.json().errors[1].code, response.json().errors[1].detail })
    assert.same({ 500, "disk-full" }, { get("/world-odd").status, get("/world-odd").json().errors[1].code })
    assert.same({ 400, "name-invalid" }, { get("/refused-deep").status, get("/refused-deep").json().errors[1].code })
  end)

  local broken = {
    mistyped = "a response does not know 'jsno', did you mean 'json'", string = "the handler returned a string",
    number = "the handler returned a number", ["true"] = "the handler returned a boolean",
    ["status-text"] = "", ["status-low"] = "status", ["status-1xx"] = "status", ["status-high"] = "status",
    ["status-fraction"] = "", ["text-table"] = "", ["json-function"] = "", ["json-nan"] = "",
    ["file-missing"] = "nowhere.html", split = "the header X-One has a line break",
    ["split-name"] = "is no name of a header", ["split-cookie"] = "cookie 'a'", ["cookie-list"] = "cookie 'a'",
    ["headers-many"] = "too many headers", length = "the header Content-Length",
    coding = "the header transfer-encoding", connection = "the header Connection",
  }
  for name, text in pairs(broken) do
    it(("that cannot be one, %s, is 500 with one error object, and logged"):format(name), function()
      local response = get("/" .. name)
      assert.same({ 500, 1, "internal" },
        { response.status, #response.json().errors, response.json().errors[1].code })
      assert.is_nil(response.head:find("X-Two", 1, true))
      local path = "/" .. name:gsub("%-", "%%-")
      local line = chatty:wait_log(" error .*plugin answers, GET " .. path .. " at plugins/answers/init.lua:%d+: ")
      assert.is_truthy(line)
      assert.matches(text, line, 1, true)
    end)
  end

  it("goes out whole on a kept connection, whatever came before", function()
    local connection = assert(client.tcp(chatty.port))
    for _, path in ipairs{ "length", "split", "nothing", "coding", "empty", "text" } do
      connection:write("GET /" .. path .. " HTTP/1.1\r\nHost: a\r\n\r\n")
    end
    local statuses = {}
    for i = 1, 6 do statuses[i] = http.read(connection).status end
    assert.same({ 500, 500, 204, 500, 200, 200 }, statuses)
  end)
end)
