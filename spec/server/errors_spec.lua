-- What is refused: the true status, exactly one error object, and the server well afterwards.
local errors = require "lua.errors"
local fault = require "spec.support.fault"
local http = require "spec.support.http"
local server = require "spec.support.server"
local sources = require "spec.support.sources"
local tcp = require "spec.support.tcp"

local NOTIFY = "/control/notify?method=users:nobody"
local SUBSCRIBE = "/control/subscription/subscribe?method=users:nobody"
local UNSUBSCRIBE = "/control/subscription/unsubscribe?method=users:nobody"
local GOOD = { [NOTIFY] = '{"event":"tick","attributes":{}}', [SUBSCRIBE] = '{"data":{"type":"a","id":"1"}}' }
GOOD[UNSUBSCRIBE] = GOOD[SUBSCRIBE]

local function nested(depth)
  return ('{"event":"tick","data":{"type":"a","id":"1"},"attributes":%s1%s}'):format(("["):rep(depth),
    ("]"):rep(depth))
end

-- Bodies that are no JSON, for every endpoint that takes one.
local malformed = {
  ["nothing"] = "",
  ["blanks"] = " \r\n\t ",
  ["a word"] = "hello",
  ["half an object"] = '{"event":"tick","attributes":{}',
  ["half a string"] = '{"event":"ti',
  ["a comma too much"] = '{"event":"tick","attributes":{},}',
  ["a comma too much in an array"] = '{"event":"tick","attributes":[1,]}',
  ["a missing comma"] = '{"event":"tick" "attributes":{}}',
  ["a missing colon"] = '{"event" "tick"}',
  ["single quotes"] = "{'event':'tick','attributes':{}}",
  ["a name without quotes"] = '{event:"tick","attributes":{}}',
  ["a comment"] = '{"event":"tick",/* hi */"attributes":{}}',
  ["two values"] = '{"event":"tick","attributes":{}}{"event":"tick","attributes":{}}',
  ["something behind the value"] = '{"event":"tick","attributes":{}} x',
  ["NUL behind the value"] = '{"event":"tick","attributes":{}}\0',
  ["a byte order mark"] = '\239\187\191{"event":"tick","attributes":{},"data":{"type":"a","id":"1"}}',
  ["UTF-16"] = "\255\254{\0}\0",
  ["bytes that are not UTF-8"] = '{"event":"tick","attributes":{"a":"\255"}}',
  ["an overlong encoding"] = '{"event":"tick","attributes":{"a":"\192\175"}}',
  ["a surrogate in UTF-8"] = '{"event":"tick","attributes":{"a":"\237\160\128"}}',
  ["a code point beyond Unicode"] = '{"event":"tick","attributes":{"a":"\244\144\128\128"}}',
  ["half a character at the end"] = '{"event":"tick","attributes":{"a":"\195"}}',
  ["bad UTF-8 in a name"] = '{"event":"tick","attributes":{"\255":1}}',
  ["a raw control character in a string"] = '{"event":"tick","attributes":{"a":"\1"}}',
  ["a raw line break in a string"] = '{"event":"tick","attributes":{"a":"\n"}}',
  ["an unknown escape"] = [[{"event":"tick","attributes":{"a":"\x41"}}]],
  ["half an escape"] = [[{"event":"tick","attributes":{"a":"\u00"}}]],
  ["a number with a leading zero"] = '{"event":"tick","attributes":01}',
  ["a number with a plus sign"] = '{"event":"tick","attributes":+1}',
  ["a number without digits behind the point"] = '{"event":"tick","attributes":1.}',
  ["hexadecimal"] = '{"event":"tick","attributes":0x10}',
  ["NaN"] = '{"event":"tick","attributes":NaN}',
  ["Infinity"] = '{"event":"tick","attributes":-Infinity}',
  ["True"] = '{"event":"tick","attributes":True}',
  ["a form feed as a blank"] = '{"event":"tick",\f"attributes":{}}',
  ["too many levels"] = nested(128),
  ["very many levels"] = nested(200000),
  ["very many opening brackets"] = ("["):rep(500000),
  ["very many opening braces"] = ('{"a":'):rep(100000),
}

describe("an error", function()
  local chatty

  setup(function() chatty = server.start() end)
  teardown(function() chatty:stop() end)

  for path, good in pairs(GOOD) do
    describe("of " .. path:match("^[^?]*"), function()
      for what, body in pairs(malformed) do
        it(("for a body that is %s is 400 body-malformed"):format(what), function()
          assert.equal("400 body-malformed", fault.of(chatty:control("POST", path, body)))
          assert.equal(200, chatty:control("POST", path, good).status)
        end)
      end

      it("for a body that is too large is 413", function()
        local body = good .. (" "):rep(1024 * 1024)
        assert.equal("413 body-too-large", fault.of(chatty:control("POST", path, body)))
      end)

      it("is not made of a body of exactly MAX_REQ_SIZE", function()
        assert.equal(200, chatty:control("POST", path, good .. (" "):rep(1024 * 1024 - #good)).status)
      end)

      it("for an unknown parameter names the known ones", function()
        local short, object = fault.of(chatty:control("POST", path .. "&colour=red", good))
        assert.equal("400 parameter-unknown ?colour", short)
        assert.matches("dryRun, method", object.detail, 1, true)
      end)
    end)
  end

  it("for bad JSON says where it is", function()
    local _, object = fault.of(chatty:control("POST", NOTIFY, '{"event":"tick",}'))
    assert.matches("at byte 16", object.detail, 1, true)
  end)

  it("leaves the connection as it is", function()
    local connection = tcp.open(chatty.port)
    local function ask(body)
      connection:write(http.encode({
        path = NOTIFY, body = body, headers = { ["X-API-Key"] = server.control_key },
      }, "x"))
      return http.read(connection)
    end
    assert.equal("400 body-malformed", fault.of(ask("{")))
    assert.equal("400 event-missing #/event", fault.of(ask("{}")))
    assert.equal(200, ask(GOOD[NOTIFY]).status)
    connection:close()
  end)

  it("is answered once per request, in order, when requests come at once", function()
    local connection, statuses = tcp.open(chatty.port), {}
    local headers = { ["X-API-Key"] = server.control_key }
    local all = {}
    for i, body in ipairs({ "{", GOOD[NOTIFY], "[]", GOOD[NOTIFY], "" }) do
      all[i] = http.encode({ path = NOTIFY, body = body, headers = headers }, "x")
    end
    connection:write(table.concat(all))
    for i = 1, 5 do statuses[i] = http.read(connection).status end
    assert.same({ 400, 200, 400, 200, 400 }, statuses)
    connection:half_close()
    assert.equal("", connection:read_all())
  end)

  local broken_queries = {
    ["report=maybe"] = "400 parameter-invalid ?report",
    ["report"] = "400 parameter-invalid ?report",
    ["report=true&report=true"] = "400 parameter-repeated ?report",
    ["dryRun=TRUE"] = "400 parameter-invalid ?dryRun",
    ["dryrun=true"] = "400 parameter-unknown ?dryrun",
    ["%6Dethod=users:a"] = "400 parameter-repeated ?method",
    ["a%zz=1"] = "400 query-malformed ?a",
    ["x=%FF"] = "400 query-malformed ?x",
    ["__index=1"] = "400 parameter-unknown ?__index",
    ["=1"] = "400 parameter-unknown ?",
  }
  for query, expected in pairs(broken_queries) do
    it(("for the query %s is %s"):format(query, expected), function()
      assert.equal(expected, fault.of(chatty:control("POST", NOTIFY .. "&" .. query, GOOD[NOTIFY])))
    end)
  end

  it("is not made of needless ampersands", function()
    assert.equal(200, chatty:control("POST", "/control/notify?&&method=users:a&&", GOOD[NOTIFY]).status)
  end)

  for _, path in ipairs({ "/nowhere", "/control", "/control/", "/control/notify/", "/Control/Notify",
    "/control/notify/x", "//control/notify", "/control/../control/notify", "/auth/nothing", "/..", "/%2e%2e/etc/passwd",
    "/plugins/origin.lua", "/favicon.ico" }) do
    it(("for the path %s is 404"):format(path), function()
      assert.equal("404 not-found", fault.of(chatty:control("POST", path, "{}")))
      assert.equal("404 not-found", fault.of(chatty:control("GET", path)))
    end)
  end

  local allowed = {
    ["/control/notify"] = "OPTIONS, POST",
    ["/control/subscription/subscribe"] = "OPTIONS, POST",
    ["/control/subscription/unsubscribe"] = "OPTIONS, POST",
    ["/control/disconnect"] = "OPTIONS, POST",
    ["/control/search/subscriptions"] = "GET, HEAD, OPTIONS",
    ["/control/search/participants"] = "GET, HEAD, OPTIONS",
    ["/control/search/users"] = "GET, HEAD, OPTIONS",
    ["/auth/test-jwt"] = "GET, HEAD, OPTIONS",
    ["/"] = "GET, HEAD, OPTIONS",
    ["/healthz"] = "GET, HEAD, OPTIONS",
    ["/readyz"] = "GET, HEAD, OPTIONS",
    ["/metrics"] = "GET, HEAD, OPTIONS",
  }
  for path, methods in pairs(allowed) do
    it(("for other methods at %s is 405 and names those that are allowed"):format(path), function()
      for _, method in ipairs({ "PUT", "DELETE", "PATCH", methods:find("GET") and "POST" or "GET" }) do
        local response = chatty:control(method, path)
        assert.same({ "405 method-not-allowed", methods }, { fault.of(response), response.headers.allow })
      end
    end)

    it(("is not made of OPTIONS at %s"):format(path), function()
      local response = chatty:request{ method = "OPTIONS", path = path }
      assert.same({ 204, methods, "" }, { response.status, response.headers.allow, response.body })
    end)
  end

  it("for OPTIONS at a path that is not there is 404", function()
    assert.equal("404 not-found", fault.of(chatty:request{ method = "OPTIONS", path = "/nowhere" }))
  end)

  it("is not made of OPTIONS for the server as a whole", function()
    assert.equal(204, chatty:request{ method = "OPTIONS", path = "*" }.status)
  end)

  it("has for HEAD the head that it has for GET, and no body", function()
    for _, path in ipairs({ "/nowhere", "/control/search/participants", "/control/notify", "/auth/test-jwt" }) do
      local key = { ["X-API-Key"] = server.control_key }
      local get = chatty:request{ method = "GET", path = path, headers = key }
      local head = chatty:request{ method = "HEAD", path = path, headers = key }
      get.headers.date, head.headers.date = nil, nil
      assert.same({ get.status, get.headers, "" }, { head.status, head.headers, head.body })
    end
  end)

  it("is not made of HEAD where GET is good", function()
    for _, path in ipairs({ "/", "/healthz", "/readyz", "/control/search/users" }) do
      local get, head = chatty:control("GET", path), chatty:control("HEAD", path)
      get.headers.date, head.headers.date = nil, nil
      assert.same({ 200, get.headers, "" }, { head.status, head.headers, head.body })
    end
  end)

  it("for a method that nobody knows is 501 and not 500", function()
    assert.equal("501 method-unknown", fault.of(chatty:request{ method = "FROB", path = "/control/notify" }))
  end)

  it("for an URL that is too long is 414", function()
    local path = "/control/search/participants?channel=" .. ("x"):rep(8 * 1024)
    assert.equal("414 url-too-long", fault.of(chatty:control("GET", path)))
  end)

  it("for headers that are too large is 431", function()
    assert.equal("431 headers-too-large",
      fault.of(chatty:request{ path = "/healthz", headers = { ["X-Large"] = ("x"):rep(20000) } }))
  end)

  it("for a handler that fails is 500, says nothing of the inside, and is logged", function()
    local own = server.start{ plugins = { faulty = [[
      local plugin = { api = 1 }
      function plugin.setup(app)
        app:get("/faulty", { auth = "none" }, function() local secret = nil; return secret.field end)
        app:on("notify", { on_error = "closed" }, function() error("a secret of the inside") end)
      end
      return plugin]] } }
    local short, object = fault.of(own:request{ path = "/faulty" })
    assert.equal("500 internal", short)
    assert.is_nil(object.detail:find("secret", 1, true))
    assert.is_string(own:wait_log("faulty.lua:3"))
    assert.equal("500 hook-failed", fault.of(own:notify("users:nobody", "tick")))
    assert.equal(200, own:request{ path = "/healthz" }.status)
  end)

  it("of an option of add that fails is 500, and the server goes on", function()
    local own = server.start{ plugins = { faulty = [[
      local plugin = { api = 1 }
      function plugin.setup(app) app:option("add", "broken", function() error("secret") end) end
      return plugin]] } }
    assert.equal("500 internal", fault.of(own:notify("users:nobody", "tick", "{}", "add=broken")))
    assert.equal(200, own:notify("users:nobody", "tick").status)
    assert.equal(1, own:metric "script_errors_total")
  end)

  it("of a hook's own is what the hook says", function()
    local own = server.start{ plugins = { strict = [[
      local chatty = require "chatty"
      local plugin = { api = 1 }
      function plugin.setup(app)
        app:on("notify", function() return chatty.refuse(422, "too-loud", "Speak softly.") end)
        app:on("subscribe", function() return chatty.refuse(403, "members-only", "Ask first.",
          { pointer = "/data" }) end)
      end
      return plugin]] } }
    local short, object = fault.of(own:notify("users:nobody", "tick"))
    assert.same({ "422 too-loud", "Speak softly.", "Unprocessable Content" }, { short, object.detail, object.title })
    assert.equal("403 members-only #/data", fault.of(own:subscribe("users:ann", { "room-1" })))
  end)

  it("is counted", function()
    local own = server.start()
    local before = own:metric "http_errors_total"
    own:request{ path = "/nowhere" }
    own:control("POST", NOTIFY, "{")
    assert.equal(before + 2, own:metric "http_errors_total")
  end)

  it("has, wherever C makes it, a code of the catalogue", function()
    local unknown = {}
    for _, file in ipairs(sources.list({ "core/net" }, "%.[ch]$")) do
      for status, code in file.text:gmatch("(%d%d%d),%s*\"(%l+%-[%l-]+)\"") do
        local known = errors.codes[code]
        if not known or known.status ~= tonumber(status) then unknown[#unknown + 1] = file.path .. ": " .. code end
      end
    end
    assert.same({}, unknown)
  end)
end)
