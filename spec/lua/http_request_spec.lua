local fake_core = require "spec.support.fake_core"

describe("request", function()
  local core, requests, refusal

  before_each(function()
    core = fake_core.install()
    requests = require "http.request"
    refusal = require "refusal"
  end)

  local function new(fields)
    local raw = fake_core.request(fields)
    return requests.new(raw, fake_core.state(raw)), raw
  end

  local function refused(f)
    local ok, raised = pcall(f)
    assert.is_false(ok)
    assert.is_true(refusal.is(raised))
    return raised
  end

  it("tells what was asked", function()
    local request = new({ method = "PUT", target = "/a?b=c", headers = { ["x-a"] = "1" }, body = "text" })
    assert.same({ "PUT", "/a", "c", "1", "text", "127.0.0.1", "/a?b=c" }, {
      request.method, request.path, request.query.b, request.headers["x-a"], request.body, request.remote,
      request.target,
    })
    assert.equal("1", request:header("X-A"))
    assert.same({}, request.params)
    assert.is_nil(request.user)
    assert.is_nil(request.claims)
  end)

  it("has one id", function()
    local request = new({})
    assert.is_string(request.id)
    assert.equal(request.id, request.id)
  end)

  it("decodes its body when asked, once", function()
    local request = new({ body = '{"a":[]}' })
    assert.is_true(core.json.is_array(request.json.a))
    assert.equal(request.json, request.json)
  end)

  it("refuses what is malformed when it is asked for", function()
    assert.equal("body-malformed", refused(function() return new({ body = "{" }).json end).code)
    assert.equal("query-malformed", refused(function() return new({ target = "/?a=%" }).query end).code)
  end)

  it("gives the raw JSON of a member of its body", function()
    local request = new({ body = '{"event":"x","attributes":{"n": 12345678901234567890}}' })
    assert.equal('{"n": 12345678901234567890}', request:raw("attributes"))
    assert.equal('"x"', request:raw("event"))
    assert.is_nil(request:raw("other"))
  end)

  it("gives the event that its body is, and its raw attributes behind that", function()
    local request = new({ body = '{"event":"x","attributes":{"n": 1.0}}' })
    assert.equal("x", request.event.name)
    assert.equal('{"n": 1.0}', request:raw("attributes"))
    assert.equal(requests.core_event(request), requests.core_event(request))
  end)

  it("points at what is wrong with the event", function()
    local raised = refused(function() return new({ body = '{"event":"x","attributes":null}' }).event end)
    assert.same({ "attributes-missing", "Add the member attributes.", { pointer = "/attributes" } },
      { raised.code, raised.detail, raised.source })
    assert.equal("event-missing", refused(function() return new({ body = "{}" }).event end).code)
    assert.is_nil(refused(function() return new({ body = "{" }).event end).source)
  end)

  it("knows whose it is once a token was checked", function()
    local request = new({})
    requests.authenticate(request, { user = "ann", claims = '{"sub":"ann","level":7}' })
    assert.equal("ann", request.user)
    assert.equal(7, request.claims.level)
  end)
end)
