local fake_core = require "spec.support.fake_core"

describe("reply", function()
  local core, reply, requests, refusal

  local function install(settings)
    core = fake_core.install(settings)
    reply = require "http.reply"
    requests = require "http.request"
    refusal = require "refusal"
  end

  before_each(function() install() end)

  -- What goes over the wire.
  local function send(response, headers, route)
    local raw = fake_core.request({ headers = headers })
    local request = requests.new(raw, { method = "GET", path = "/", route = route })
    reply.check(response)
    reply.send(request, response)
    return fake_core.state(raw).reply
  end

  it("sends JSON, text, HTML, raw JSON and documents", function()
    local cases = {
      { { json = { a = 1 } }, "application/json", '{"a":1}' },
      { { json = false }, "application/json", "false" },
      { { raw_json = '{"n": 1.0}' }, "application/json", '{"n": 1.0}' },
      { { text = "hi" }, "text/plain; charset=utf-8", "hi" },
      { { html = "<p>" }, "text/html; charset=utf-8", "<p>" },
      { { document = { meta = {} } }, "application/vnd.api+json", '{"meta":{}}' },
    }
    for _, case in ipairs(cases) do
      local sent = send(case[1])
      assert.same({ 200, case[2], case[3] }, { sent.status, sent.headers["content-type"], sent.body })
    end
  end)

  it("sends the document or the JSON, as it was asked", function()
    local both = { json = { a = 1 }, document = { meta = { a = 1 } } }
    assert.equal('{"a":1}', send(both).body)
    assert.equal('{"meta":{"a":1}}', send(both, { accept = "application/vnd.api+json" }).body)
  end)

  it("is 204 without a body", function()
    local sent = send({})
    assert.same({ 204, {} }, { sent.status, sent.headers })
    assert.is_nil(sent.body)
  end)

  it("sends status, headers and cookies", function()
    local sent = send({ status = 201, json = {}, headers = { Location = "/x", ["X-Count"] = 7 },
      cookies = { jwt = { value = "abc", max_age = 60 } } })
    assert.same({ 201, "/x", "7", "jwt=abc; Path=/; Max-Age=60; HttpOnly; Secure; SameSite=Lax" },
      { sent.status, sent.headers.location, sent.headers["x-count"], sent.headers["set-cookie"] })
  end)

  it("lets a handler say the content type", function()
    local sent = send({ text = "a,b", headers = { ["Content-Type"] = "text/csv" } })
    assert.equal("text/csv", sent.headers["content-type"])
  end)

  it("says that negotiated answers vary", function()
    assert.equal("Accept", send({ json = {} }, {}, { is_jsonapi = true }).headers.vary)
    assert.equal("Accept, Cookie",
      send({ json = {}, headers = { Vary = "Cookie" } }, {}, { is_jsonapi = true }).headers.vary)
  end)

  it("lets pages of all origins read it, with cookies those that are allowed", function()
    local sent = send({ json = {} }, { origin = "http://other.example", host = "here" })
    assert.equal("*", sent.headers["access-control-allow-origin"])
    assert.is_nil(sent.headers["access-control-allow-credentials"])
    install({ ALLOWED_ORIGINS = { "http://other.example" } })
    sent = send({ json = {} }, { origin = "http://other.example", host = "here" })
    assert.same({ "http://other.example", "true", "Origin" }, { sent.headers["access-control-allow-origin"],
      sent.headers["access-control-allow-credentials"], sent.headers.vary })
    assert.is_nil(send({ json = {} }).headers["access-control-allow-origin"])
  end)

  it("refuses what is no response", function()
    for _, wrong in ipairs({ "text", 7, true, { jason = {} } }) do
      assert.has_error(function() reply.check(wrong) end)
    end
  end)

  it("refuses headers that would break the answer", function()
    assert.has_error(function() send({ headers = { ["X-A"] = "a\r\nB: c" } }) end)
    assert.has_error(function() send({ headers = { ["X A"] = "a" } }) end)
    assert.has_error(function() send({ cookies = { a = "b; c" } }) end)
    assert.has_error(function() send({ cookies = { a = { value = "b", expires = 1 } } }) end)
  end)

  it("turns a refusal into an error object, with its headers", function()
    local response = reply.of_refusal(refusal.of("not-found", "Nothing.", nil, { "X-Why", "because" }))
    local sent = send(response)
    assert.same({ 404, "because" }, { sent.status, sent.headers["x-why"] })
    assert.same({ errors = {
      { status = "404", code = "not-found", title = "Not found", detail = "Nothing." },
    } }, core.json.decode(sent.body))
    sent = send(response, { accept = "application/vnd.api+json" })
    assert.equal("application/vnd.api+json", sent.headers["content-type"])
  end)

  it("counts limits that were hit", function()
    reply.of_refusal(refusal.of("list-too-long"))
    reply.of_refusal(refusal.of("not-found"))
    assert.equal(1, core.metrics.counts.limit_hits_total)
  end)

  describe("file", function()
    local function ask(headers)
      return send({ file = "page.html" }, headers, { folder = "plugins/shop" })
    end

    before_each(function() core.files.tree["plugins/shop/page.html"] = "<p>hi</p>" end)

    it("is sent with its type and what caches need", function()
      local sent = ask()
      assert.same({ 200, "<p>hi</p>", "text/html; charset=utf-8" },
        { sent.status, sent.body, sent.headers["content-type"] })
      assert.same({ "no-cache", "Tue, 14 Nov 2023 22:13:20 GMT" },
        { sent.headers["cache-control"], sent.headers["last-modified"] })
    end)

    it("is not sent again to who has it", function()
      local etag = ask().headers.etag
      local sent = ask({ ["if-none-match"] = 'W/"x", ' .. etag })
      assert.same({ 304, etag }, { sent.status, sent.headers.etag })
      assert.is_nil(sent.body)
      assert.equal(304, ask({ ["if-modified-since"] = "Tue, 14 Nov 2023 22:13:20 GMT" }).status)
      assert.equal(200, ask({ ["if-none-match"] = '"old"' }).status)
    end)

    it("that is missing is an error", function()
      assert.has_error(function() send({ file = "nothing.html" }, {}, { folder = "plugins/shop" }) end)
    end)
  end)
end)
