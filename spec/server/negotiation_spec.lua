-- Content types: what bodies may be, and what answers are (JSON:API 1.1, Content Negotiation).
local cjson = require "cjson"
local fault = require "spec.support.fault"
local http = require "spec.support.http"
local server = require "spec.support.server"
local tcp = require "spec.support.tcp"

local JSON, DOCUMENT = "application/json", "application/vnd.api+json"
local EVENT = '{"event":"tick","attributes":{}}'

describe("negotiation", function()
  local chatty

  setup(function() chatty = server.start() end)
  teardown(function() chatty:stop() end)

  local function request(method, path, headers, body)
    headers["X-API-Key"] = headers["X-API-Key"] or server.control_key
    return chatty:request{ method = method, path = path, headers = headers, body = body }
  end

  local function post(content_type, body)
    return request("POST", "/control/notify?method=users:nobody", { ["Content-Type"] = content_type }, body or EVENT)
  end

  local function get(accept)
    return request("GET", "/control/search/subscriptions?userId=nobody", { Accept = accept })
  end

  for _, content_type in ipairs({
    JSON, DOCUMENT, "Application/JSON", "APPLICATION/VND.API+JSON", "application/json; charset=utf-8",
    "application/json;charset=UTF-8", 'application/json; charset="utf-8"', "application/json ;charset=utf-8",
    "application/json; profile=x", "application/vnd.api+json; profile=\"https://example.com/a b\"",
    'application/vnd.api+json;profile="https://a.example/p;q,r"', " application/json ",
    'application/vnd.api+json; profile="a\\"; ext=b"',
  }) do
    it(("takes a body of %s"):format(content_type), function()
      assert.equal(200, post(content_type).status)
    end)
  end

  for _, content_type in ipairs({
    "text/plain", "text/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
    "application/jsonp", "application/json5", "application/xml", "application/problem+json", "json", "*/*", "",
    "application", "application/json, text/plain", "application/json; charset=iso-8859-1",
    "application/json; charset=utf-16", "application/vnd.api+json; charset=utf-8",
    'application/vnd.api+json; ext="https://jsonapi.org/ext/atomic"', "application/vnd.api+json; version=1",
    "application/vnd.api+json; q=1", 'application/vnd.api+json; profile="a\\\\"; ext="b"',
  }) do
    it(("refuses a body of '%s'"):format(content_type), function()
      local response = post(content_type)
      assert.equal("415 content-type-unsupported Content-Type:", fault.of(response))
      assert.equal("application/json, application/vnd.api+json", response.headers.accept)
    end)
  end

  it("refuses a body without content type", function()
    local connection = tcp.open(chatty.port)
    connection:write("POST /control/notify?method=users:a HTTP/1.1\r\nHost: x\r\nX-API-Key: "
      .. server.control_key .. "\r\nContent-Length: 2\r\n\r\n{}")
    assert.equal("415 content-type-unsupported Content-Type:", fault.of(http.read(connection)))
    connection:close()
  end)

  it("wants no content type where there is no body", function()
    assert.equal(200, request("POST", "/control/disconnect?method=users:nobody", {}).status)
  end)

  it("looks at the content type before it looks at the body", function()
    assert.equal("415 content-type-unsupported Content-Type:", fault.of(post("text/plain", "{")))
  end)

  local answers = {
    [JSON] = {
      JSON, "*/*", "application/*", "text/html", "text/html, */*;q=0.1", "application/json, " .. DOCUMENT .. ";q=0.5",
      DOCUMENT .. ";q=0", DOCUMENT .. ";q=0.2, application/json;q=0.3", "application/vnd.api+jsonx", "",
      "x-" .. DOCUMENT,
    },
    [DOCUMENT] = {
      DOCUMENT, "APPLICATION/VND.API+JSON", DOCUMENT .. ", application/json", "text/html, " .. DOCUMENT,
      DOCUMENT .. ";q=0.5", DOCUMENT .. '; profile="https://example.com/p"', "*/*, " .. DOCUMENT,
      DOCUMENT .. "; charset=utf-8, " .. DOCUMENT, DOCUMENT .. '; ext="https://x", ' .. DOCUMENT,
      DOCUMENT .. ";q=0.3, application/json;q=0.2", "application/json;q=0.9 , " .. DOCUMENT,
    },
  }
  for content_type, accepts in pairs(answers) do
    for _, accept in ipairs(accepts) do
      it(("answers %s to Accept '%s'"):format(content_type, accept), function()
        local response = get(accept)
        assert.same({ 200, content_type }, { response.status, response.headers["content-type"] })
      end)
    end
  end

  for _, accept in ipairs({
    DOCUMENT .. "; charset=utf-8", DOCUMENT .. ';ext="https://jsonapi.org/ext/atomic"', DOCUMENT .. "; version=1",
    DOCUMENT .. "; charset=utf-8, " .. DOCUMENT .. ';ext="https://x"', DOCUMENT .. "; charset=utf-8, */*",
  }) do
    it(("accepts no answer to Accept '%s'"):format(accept), function()
      assert.equal("406 not-acceptable Accept:", fault.of(get(accept)))
    end)
  end

  it("does nothing when no answer is acceptable", function()
    local headers = { Accept = DOCUMENT .. "; charset=utf-8" }
    request("POST", "/control/subscription/subscribe?method=users:quiet", headers,
      '{"data":{"type":"room","id":"1"}}')
    assert.equal("[]", chatty:control("GET", "/control/search/subscriptions?userId=quiet").body)
  end)

  it("answers JSON when nothing is said", function()
    assert.equal(JSON, chatty:control("GET", "/control/search/users").headers["content-type"])
  end)

  local varying = {
    ["a plain answer"] = { "GET", "/control/search/users", {} },
    ["a JSON:API answer"] = { "GET", "/control/search/users", { Accept = DOCUMENT } },
    ["the answer to a notify"] = { "POST", "/control/notify?method=users:nobody", {}, EVENT },
    ["a 400"] = { "GET", "/control/search/participants", {} },
    ["a 401"] = { "GET", "/control/search/users", { ["X-API-Key"] = "wrong" } },
    ["a 406"] = { "GET", "/control/search/users", { Accept = DOCUMENT .. ";v=1" } },
    ["a 415"] = { "POST", "/control/notify?method=users:nobody", { ["Content-Type"] = "text/plain" }, EVENT },
    ["a 404"] = { "GET", "/nowhere", {} },
    ["a 405"] = { "GET", "/control/notify", {} },
    ["a 401 of an endpoint without documents"] = { "GET", "/auth/test-jwt", {} },
  }
  for what, example in pairs(varying) do
    it(("says in %s that it varies with Accept"):format(what), function()
      local response = request(example[1], example[2], example[3], example[4])
      assert.matches("Accept", response.headers.vary or "nothing", 1, true)
    end)
  end

  it("names both Accept and Origin in Vary when a page of our own asks", function()
    local response = request("GET", "/control/search/users", { Origin = "http://127.0.0.1:" .. chatty.port })
    assert.equal("Accept, Origin", response.headers.vary)
  end)

  describe("as JSON:API documents", function()
    local headers = { Accept = DOCUMENT }

    local function document(method, path, body)
      local response = request(method, path, headers, body)
      assert.equal(DOCUMENT, response.headers["content-type"])
      return response.json()
    end

    it("has lists as resource identifiers", function()
      chatty:subscribe("users:lister", { "room-2", "room-1" })
      assert.same({ data = { { type = "channels", id = "room-1" }, { type = "channels", id = "room-2" } } },
        document("GET", "/control/search/subscriptions?userId=lister"))
      assert.same({ data = { { type = "users", id = "lister" } } },
        document("GET", "/control/search/participants?include=offline&channel=room-1"))
    end)

    it("has empty lists as empty arrays", function()
      assert.equal('{"data":[]}', request("GET", "/control/search/users", headers).body)
    end)

    it("has messages under meta", function()
      assert.same({ meta = { msg = "Notified." } }, document("POST", "/control/notify?method=users:a", EVENT))
      assert.same({ meta = { msg = "Subscribed", channels = { "room-9" } } }, document("POST",
        "/control/subscription/subscribe?method=users:metered", '{"data":{"type":"room","id":9}}'))
      assert.same({ meta = { msg = "Disconnected.", sessions = 0 } },
        document("POST", "/control/disconnect?method=users:a"))
    end)

    it("has reports under meta", function()
      local found = document("POST", "/control/notify?method=users:a&report=true", EVENT)
      assert.equal(0, found.meta.report.users)
    end)

    local refused = {
      ["/control/search/participants"] = "400 parameter-missing ?channel",
      ["/nowhere"] = "404 not-found",
      ["/control/notify"] = "405 method-not-allowed",
      ["/auth/test-jwt"] = "401 credentials-missing Authorization:",
    }
    for path, expected in pairs(refused) do
      it(("has the error of %s"):format(path), function()
        local response = request("GET", path, headers)
        assert.same({ expected, DOCUMENT }, { fault.of(response), response.headers["content-type"] })
      end)
    end
  end)

  it("says 406 as JSON:API, which JSON is too", function()
    local response = get(DOCUMENT .. ";v=1")
    assert.equal(JSON, response.headers["content-type"])
    assert.is_table(cjson.decode(response.body).errors)
  end)
end)
