local fake_core = require "spec.support.fake_core"

describe("chatty.http", function()
  local core, http, calls

  local function use(hosts, settings)
    core = fake_core.install(settings)
    local plugin_http = require "plugin.http"
    assert(plugin_http.grant("shop", hosts))
    http, calls = plugin_http.of("shop"), core.http.calls
  end

  before_each(function() use({ "a.example", "b.example" }) end)

  local function answer(url, status, headers, body)
    core.http.answers[url] = { status, headers or {}, body or "" }
  end

  local function headers_of(call)
    local headers = {}
    for i = 1, #call.headers, 2 do headers[call.headers[i]] = call.headers[i + 1] end
    return headers
  end

  it("gives the answer", function()
    answer("http://a.example/x", 404, { "X-A", "1", "Set-Cookie", "b", "set-cookie", "c" }, "no")
    local got = http.get("http://a.example/x")
    assert.same({ 404, "no", { ["x-a"] = "1", ["set-cookie"] = "b, c" } }, { got.status, got.body, got.headers })
    assert.is_nil(got.json)
    assert.is_nil(got.other)
  end)

  it("decodes the body when asked for", function()
    answer("http://a.example/", 200, {}, '{"n":[]}')
    assert.same({ n = {} }, http.get("http://a.example/").json)
  end)

  it("sends what the options say", function()
    answer("http://a.example/", 204)
    http.request("http://a.example/", { method = "PUT", body = "x", timeout = 2, body_max = 10,
      headers = { ["X-N"] = 5, ["X-L"] = { "a" } } })
    assert.same({ "PUT", "x", 10, false }, { calls[1].method, calls[1].body, calls[1].body_max, calls[1].public_only })
    assert.is_true(calls[1].timeout <= 2 and calls[1].timeout > 1.9)
    assert.same({ ["X-N"] = "5", ["X-L"] = "a", ["user-agent"] = "chatty/0.1.0" }, headers_of(calls[1]))
  end)

  it("sends JSON as such, with POST, unless told otherwise", function()
    answer("http://a.example/", 204)
    http.request("http://a.example/", { json = { a = 1 } })
    assert.same({ "POST", '{"a":1}', "application/json" },
      { calls[1].method, calls[1].body, headers_of(calls[1])["content-type"] })
    http.post("http://a.example/", { json = false, headers = { ["Content-Type"] = "x/y", ["User-Agent"] = "me" } })
    assert.same({ ["Content-Type"] = "x/y", ["User-Agent"] = "me" }, headers_of(calls[2]))
    assert.same({ "POST", "false" }, { calls[2].method, calls[2].body })
    http.get("http://a.example/")
    assert.same({ "GET", 10 }, { calls[3].method, math.floor(calls[3].timeout + 0.01) })
  end)

  it("gives nil, message and code for what fails", function()
    local got, message, code = http.get("http://a.example/nobody")
    assert.same({ nil, "nobody is there", "UNAVAILABLE" }, { got, message, code })
    assert.equal("INVALID", select(3, http.get("ftp://a.example/")))
  end)

  it("asks nobody whom the plugin has not named", function()
    local _, message, code = http.get("http://c.example/")
    assert.same({ "the plugin may not ask c.example: neither needs.http nor an option names it", "DENIED" },
      { message, code })
    assert.same({}, calls)
  end)

  it("reaches private addresses only of hosts that are named", function()
    use({ "*", "a.example" })
    answer("http://a.example/", 200)
    http.get("http://a.example/")
    http.get("http://anywhere.example/")
    assert.same({ false, true }, { calls[1].public_only, calls[2].public_only })
    use({ "*" }, { HTTP_PRIVATE = true })
    http.get("http://anywhere.example/")
    assert.is_false(calls[1].public_only)
  end)

  it("is nothing without needs", function()
    local other = require("plugin.http").of("other")
    assert.matches('plugin_http_spec.lua:%d+: chatty.http.get: say plugin.needs',
      select(2, pcall(function() other.get("http://a.example/") end)))
  end)

  it("sends nothing that changes something for a dry run", function()
    local hooks, codes = require "hooks", {}
    answer("http://a.example/", 200)
    hooks.add("notify", function()
      codes[1] = select(3, http.post("http://a.example/", { body = "x" }))
      codes[2] = http.get("http://a.example/").status
    end, {}, { name = "shop", priority = 1 }, 1)
    hooks.run("notify", { dry_run = true })
    assert.same({ "CANCELED", 200 }, codes)
  end)

  describe("that is redirected", function()
    it("gives the redirect as the answer, unless asked to follow", function()
      answer("http://a.example/", 302, { "Location", "/b" })
      assert.equal(302, http.get("http://a.example/").status)
    end)

    it("follows to hosts that are allowed", function()
      answer("http://a.example/", 302, { "Location", "/b" })
      answer("http://a.example/b", 301, { "Location", "http://b.example/" })
      answer("http://b.example/", 200, {}, "here")
      assert.equal("here", http.get("http://a.example/", { redirects = 2 }).body)
      assert.equal("LIMIT", select(3, http.get("http://a.example/", { redirects = 1 })))
      answer("http://b.example/", 302, { "Location", "http://c.example/" })
      assert.equal("DENIED", select(3, http.get("http://a.example/", { redirects = 5 })))
      answer("http://b.example/", 302, { "Location", "ftp://a.example/" })
      assert.equal("INVALID", select(3, http.get("http://a.example/", { redirects = 5 })))
    end)

    it("takes a private address only when the host is named", function()
      use({ "*" })
      answer("http://a.example/", 302, { "Location", "http://169.254.169.254/" })
      http.get("http://a.example/", { redirects = 1 })
      assert.same({ "http://169.254.169.254/", true }, { calls[2].url, calls[2].public_only })
    end)

    it("does not leave TLS", function()
      answer("https://a.example/", 302, { "Location", "http://a.example/" })
      assert.equal("DENIED", select(3, http.get("https://a.example/", { redirects = 1 })))
    end)

    it("ends when there is no place to go", function()
      answer("http://a.example/", 302)
      assert.equal(302, http.get("http://a.example/", { redirects = 1 }).status)
    end)

    it("sends the body again only where that is meant", function()
      for status, method in pairs({ [301] = "GET", [302] = "GET", [303] = "GET", [307] = "POST", [308] = "POST" }) do
        use({ "a.example" })
        answer("http://a.example/", status, { "Location", "/b" })
        answer("http://a.example/b", 200)
        http.post("http://a.example/", { body = "x", redirects = 1 })
        assert.same({ method, method == "POST" and "x" or nil }, { calls[2].method, calls[2].body })
      end
    end)

    it("keeps what is secret to its origin", function()
      local secrets = { Authorization = "a", Cookie = "b", ["X-Other"] = "c" }
      answer("http://a.example/", 307, { "Location", "/b" })
      answer("http://a.example/b", 307, { "Location", "http://b.example/" })
      http.get("http://a.example/", { redirects = 2, headers = secrets })
      assert.equal("a", headers_of(calls[2]).Authorization)
      assert.same({ ["X-Other"] = "c", ["user-agent"] = "chatty/0.1.0" }, headers_of(calls[3]))
    end)

    it("has one time for all", function()
      answer("http://a.example/", 302, { "Location", "/" })
      local call = core.http.call
      core.http.call = function(query)
        core.time.clock = core.time.clock + 3
        return call(query)
      end
      assert.equal("TIMEOUT", select(3, http.get("http://a.example/", { redirects = 9, timeout = 7 })))
      assert.equal(3, #calls)
    end)
  end)

  it("blames the author's line for a mistake", function()
    local mistakes = {
      ["get: the URL must be a string"] = function() http.get() end,
      ["get: the options must be a table"] = function() http.get("http://a.example/", 5) end,
      ["get: the method is said already"] = function() http.get("http://a.example/", { method = "PUT" }) end,
      ["post does not know 'bdy', did you mean 'body'"] = function() http.post("http://a.example/", { bdy = 1 }) end,
      ["request: method must be a word"] = function() http.request("http://a.example/", { method = "a b" }) end,
      ["request: say either body or json"] = function() http.request("u", { body = "x", json = 1 }) end,
      ["request: timeout must be from 0.001 to 600"] = function() http.request("u", { timeout = 0 }) end,
      ["request: redirects must be from 0 to 10"] = function() http.request("u", { redirects = 11 }) end,
      ["request: body_max must be from 0"] = function() http.request("u", { body_max = "x" }) end,
      ["get: the header 'Host' is the server's own"] = function() http.get("u", { headers = { Host = "x" } }) end,
      ["get: 'a b' cannot be the name of a header"] = function() http.get("u", { headers = { ["a b"] = "x" } }) end,
      ["get: the header 'X' must be a text"] = function() http.get("u", { headers = { X = "a\r\nb" } }) end,
      ["get: the header 'Y' must be a text"] = function() http.get("u", { headers = { Y = { {} } } }) end,
    }
    for line, mistake in pairs(mistakes) do
      assert.matches("plugin_http_spec.lua:%d+: chatty.http." .. line, select(2, pcall(mistake)))
    end
  end)
end)
