-- What takes the place of other servers in a test.
local test = require "chatty.test"

describe("the other servers of a test", function()
  local t = test.plugin("spec/trial/plugins/shop.lua")

  before_each(function() t:stub_http("POST http://shop.test/hello") end)

  it("answer what the test says", function()
    t:stub_http("http://shop.test/stock/7", { json = { count = 3 } })
    assert.same({ status = 200, stock = { count = 3 }, kind = "application/json" }, t:get("/stock/7").json)
  end)

  it("answer with a status, headers and a body", function()
    local headers = { ["Content-Type"] = "text/odd" }
    t:stub_http("http://shop.test/stock/7", { status = 404, body = "none", headers = headers })
    assert.same({ status = 404, kind = "text/odd" }, t:get("/stock/7").json)
  end)

  it("answer one after the other, the last again and again", function()
    t:stub_http("http://shop.test/stock/*", { { status = 503 }, { json = 1 }, { json = 2 } })
    local seen = {}
    for i = 1, 4 do seen[i] = t:get("/stock/7").json.stock or "none" end
    assert.same({ "none", 1, 2, 2 }, seen)
  end)

  it("are told anew while the server runs", function()
    t:stub_http("http://shop.test/stock/7", { json = 1 })
    assert.equal(1, t:get("/stock/7").json.stock)
    t:stub_http("http://shop.test/stock/7", { json = 2 })
    assert.equal(2, t:get("/stock/7").json.stock)
  end)

  it("fail as the test says", function()
    t:stub_http("http://shop.test/stock/7", { error = "UNAVAILABLE", message = "nobody listens" })
    local response = t:get("/stock/7")
    assert.equal(503, response.status)
  end)

  it("take their time", function()
    t:stub_http("http://shop.test/stock/7", { json = 1, delay = 2 })
    local pending = t:begin { method = "GET", path = "/stock/7" }
    t:advance(1.9)
    assert.is_nil(pending:response())
    t:advance(0.1)
    assert.equal(1, pending:response().json.stock)
  end)

  it("take too long", function()
    t:stub_http("http://shop.test/stock/7", { json = 1, delay = 60 })
    local pending = t:begin { method = "GET", path = "/stock/7" }
    t:advance(5)
    assert.equal(503, pending:response().status)
  end)

  it("are seen with what they were asked", function()
    t:stub_http("http://shop.test/stock/7", { json = 1 })
    t:get("/stock/7")
    t:advance(60)
    t:get("/stock/7")
    local calls = t:http_calls()
    assert.same({ "POST", "http://shop.test/hello", { node = "here" } },
      { calls[1].method, calls[1].url, calls[1].json })
    assert.equal("application/json", calls[1].headers["content-type"])
    assert.same({ 3, 60 }, { #calls, calls[3].at - calls[2].at })
  end)

  it("fail the test when nobody stubbed them", function()
    assert.equal(503, t:get("/stock/8").status)
    t:expect_log("the test has no stub for GET http://shop.test/stock/8")
  end)

  it("are not those of an earlier test", function()
    assert.equal(1, #t:http_calls())
  end)

  it("say what a stub does not know", function()
    assert.error_matches(function() t:stub_http("http://x/", { stauts = 1 }) end, "t:stub_http does not know 'stauts'")
  end)
end)
