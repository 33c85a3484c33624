-- The plugin webhooks: what the app server is told.
local test = require "chatty.test"

local URL, SECRET = "http://shop.test/hooks", "a secret of the specs"

local function options(more)
  local all = { url = URL, secret = SECRET, pause = 1, pause_max = 4, tries = 4, lanes = 1, queue_max = 3 }
  for name, value in pairs(more or {}) do all[name] = value end
  return { options = all, settings = { OFFLINE_GRACE = "10s" } }
end

describe("the plugin webhooks", function()
  local t = test.plugin("webhooks", options { queue_max = 100 })

  local function calls(event)
    local found = {}
    for _, call in ipairs(t:http_calls()) do
      if not event or call.headers["x-chatty-event"] == event then found[#found + 1] = call end
    end
    return found
  end

  before_each(function() t:stub_http("POST " .. URL, { status = 204 }) end)

  it("tells when users come and go", function()
    t:connect("ann"):close()
    t:advance(11)
    assert.same({ user = "ann" }, calls("online")[1].json.data)
    assert.same({ user = "ann" }, calls("offline")[1].json.data)
  end)

  it("tells of sessions", function()
    local ann = t:connect("ann")
    ann:close(1000, "done")
    t:settle()
    local connect, disconnect = calls("connect")[1].json, calls("disconnect")[1].json
    assert.same({ "ann", ann.id, "ws", "connect" },
      { connect.data.user, connect.data.session, connect.data.transport, connect.event })
    assert.same({ ann.id, 1000, "done" }, { disconnect.data.session, disconnect.data.code, disconnect.data.reason })
  end)

  it("tells what clients say, byte for byte, and does not acknowledge it", function()
    t:connect("ann"):send_raw('{"event":"order","attributes":{ "n": 1.50, "b":12345678901234567890}}')
    local call = calls("message")[1]
    assert.matches('"attributes":{ "n": 1.50, "b":12345678901234567890}', call.body, 1, true)
    assert.equal("order", call.json.data.name)
  end)

  it("signs what it sends, with its time", function()
    t:connect("ann")
    local call = calls("online")[1]
    local timestamp = call.headers["x-chatty-timestamp"]
    assert.equal(("%d"):format(t:now()), timestamp)
    assert.equal("sha256=" .. t.chatty.secret.hmac(SECRET, timestamp .. "." .. call.body),
      call.headers["x-chatty-signature"])
    assert.same({ "application/json", call.json.id }, { call.headers["content-type"], call.headers["x-chatty-id"] })
    assert.matches("^2026%-01%-01T00:00:00%.%d+Z$", call.json.time)
  end)

  it("counts what it told", function()
    t:connect("ann")
    local body = t:get("/metrics").body
    assert.matches('chatty_plugin_webhooks_sent_total{plugin="webhooks",event="online"} 1', body, 1, true)
    assert.matches('chatty_plugin_webhooks_waiting{plugin="webhooks"} 0', body, 1, true)
  end)
end)

describe("the plugin webhooks, when the app server does not answer well", function()
  local t = test.plugin("webhooks", options { events = { "online" } })

  local function dropped(reason)
    local line = ('webhooks_dropped_total{plugin="webhooks",event="online",reason="%s"} (%%d+)'):format(reason)
    return tonumber(t:get("/metrics").body:match(line) or 0)
  end

  it("tries again, after longer and longer pauses, with the same id", function()
    t:stub_http(URL, { { status = 503 }, { error = "UNAVAILABLE" }, { status = 429 }, { status = 200 } })
    t:connect("ann")
    local times = {}
    t:advance(60)
    for i, call in ipairs(t:http_calls()) do
      times[i] = call.at - t:http_calls()[1].at
      assert.equal(t:http_calls()[1].headers["x-chatty-id"], call.headers["x-chatty-id"])
    end
    assert.equal(4, #times)
    assert.near(1, times[2], 0.1)
    assert.near(3, times[3], 0.1)
    assert.near(7, times[4], 0.1)
    assert.equal(0, dropped("no answer"))
  end)

  it("gives up in the end", function()
    t:stub_http(URL, { status = 500 })
    t:connect("ann")
    t:advance(60)
    assert.equal(4, #t:http_calls())
    assert.equal(1, dropped("no answer"))
    t:expect_log("a webhook is dropped")
  end)

  it("does not try again what is refused", function()
    t:stub_http(URL, { status = 400 })
    t:connect("ann")
    t:advance(60)
    assert.equal(1, #t:http_calls())
    assert.equal(1, dropped("refused"))
  end)

  it("lets so many wait, and drops the others", function()
    t:stub_http(URL, { { status = 503 }, { status = 503 }, { status = 204 } })
    for i = 1, 5 do t:connect("user-" .. i) end
    assert.equal(2, dropped("queue full"))
    t:advance(60)
    assert.equal(5, #t:http_calls())
    assert.equal("user-1", t:http_calls()[3].json.data.user)
    assert.equal("user-3", t:http_calls()[5].json.data.user)
  end)
end)
