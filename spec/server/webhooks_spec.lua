-- The plugin webhooks against a real app server: what its own specs, without a network, cannot show.
local hmac = require "openssl.hmac"
local server = require "spec.support.server"
local upstream = require "spec.support.upstream"
local wait = require "spec.support.wait"

local SECRET = "a secret that only we two know"

local function hex(bytes)
  return (bytes:gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end

describe("webhooks", function()
  local shop

  before_each(function() shop = upstream.open() end)
  after_each(function() shop:close() end)

  local function start(more)
    local settings = {
      WORKERS = 2, ENABLE = "webhooks", PLUGIN_WEBHOOKS_URL = shop.url .. "/told", PLUGIN_WEBHOOKS_SECRET = SECRET,
      PLUGIN_WEBHOOKS_EVENTS = "online",
    }
    for name, value in pairs(more or {}) do settings[name] = value end
    return server.start{ settings = settings }
  end

  it("reach the app server that the operator names, also in this network, and can be checked", function()
    local chatty = start()
    chatty:connect("ann")
    local call = assert(shop:wait_requests(1))[1]
    local mac = hmac.new(SECRET, "sha256")
    local expected = "sha256=" .. hex(mac:final(call.headers["x-chatty-timestamp"] .. "." .. call.body))
    assert.same({ "POST", "/told", expected }, { call.method, call.path, call.headers["x-chatty-signature"] })
    assert.equal(1, chatty:wait_metric('plugin_webhooks_sent_total{plugin="webhooks",event="online"}', 1))
  end)

  it("go on after a reload, none is lost", function()
    shop.answer = function() return { status = 503 } end
    local chatty = start{ PLUGIN_WEBHOOKS_PAUSE = 0.2, PLUGIN_WEBHOOKS_PAUSE_MAX = 0.2, PLUGIN_WEBHOOKS_TRIES = 20 }
    for i = 1, 20 do chatty:connect("user-" .. i) end
    assert.equal(20, chatty:wait_metric('plugin_webhooks_waiting{plugin="webhooks"}', 20))
    assert.equal(200, chatty:control("POST", "/control/reload").status)
    shop.answer = function() return { status = 204 } end
    shop:forget()
    assert.equal(0, chatty:wait_metric('plugin_webhooks_waiting{plugin="webhooks"}', 0))
    local users, count = {}, 0
    wait.until_(function() return #shop.requests >= 20 end)
    for _, request in ipairs(shop.requests) do
      local user = request.json().data.user
      if not users[user] then count = count + 1 end
      users[user] = true
    end
    assert.equal(20, count)
  end)

  it("need a URL and a secret", function()
    local result = server.run{ settings = { ENABLE = "webhooks" } }
    assert.equal(1, result.code)
    assert.matches("plugin webhooks: .*option 'secret' is required: set PLUGIN_WEBHOOKS_SECRET", result.err)
    local settings = { ENABLE = "webhooks", PLUGIN_WEBHOOKS_SECRET = SECRET, PLUGIN_WEBHOOKS_URL = "shop" }
    result = server.run{ settings = settings }
    assert.matches("plugin webhooks: .*the option url must be an http or https URL", result.err)
  end)
end)
