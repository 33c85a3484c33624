-- GET /, /healthz, /readyz, /metrics: for those who watch the server.
local fault = require "spec.support.fault"
local listener = require "spec.support.listener"
local server = require "spec.support.server"

describe("GET", function()
  local chatty

  setup(function() chatty = server.start() end)
  teardown(function() chatty:stop() end)

  local function get(path, headers) return chatty:request{ path = path, headers = headers } end

  it("/healthz says that the process answers, to everybody", function()
    local response = get "/healthz"
    assert.same({ 200, "application/json", '{"status":"ok"}' },
      { response.status, response.headers["content-type"], response.body })
  end)

  it("/readyz says that the server wants requests, to everybody", function()
    local response = get "/readyz"
    assert.same({ 200, '{"status":"ready"}' }, { response.status, response.body })
  end)

  it("/ greets with a page that links to what there is", function()
    local response = get "/"
    assert.same({ 200, "text/html; charset=utf-8" }, { response.status, response.headers["content-type"] })
    for _, path in ipairs({ "/healthz", "/readyz", "/metrics" }) do
      assert.matches(('href="%s"'):format(path), response.body, 1, true)
      assert.equal(200, get(path).status)
    end
    assert.matches("^<!doctype html>.*</html>%s*$", response.body)
  end)

  it("/ takes any query", function()
    assert.equal(200, get("/?utm_source=x&a").status)
  end)

  it("/ is the sample page when the example is enabled", function()
    local own = server.start{ settings = { ENABLE = "origin,date_time,chat" } }
    local response = own:request{ path = "/" }
    assert.equal(200, response.status)
    assert.matches("text/html", response.headers["content-type"], 1, true)
    assert.are_not.equal(get("/").body, response.body)
  end)

  it("/ is a plugin's when it has one", function()
    local own = server.start{ plugins = { home = [[
      local plugin = { api = 1 }
      function plugin.setup(app) app:get("/", { auth = "none" }, function() return { text = "home" } end) end
      return plugin]] } }
    assert.equal("home", own:request{ path = "/" }.body)
  end)

  describe("/metrics", function()
    it("is Prometheus text: a type and help for each name, each name once", function()
      local response = get "/metrics"
      assert.equal("text/plain; version=0.0.4; charset=utf-8", response.headers["content-type"])
      local seen, types, wrong = {}, {}, {}
      for line in response.body:gmatch("([^\n]*)\n") do
        local name, kind = line:match("^# TYPE (chatty_[%l_]+) (%l+)$")
        if name then types[name] = kind end
        local sample = line:match("^(chatty_[%l_]+) %-?%d+%.?%d*$")
        if sample then
          if seen[sample] or not types[sample] then wrong[#wrong + 1] = line end
          seen[sample] = true
        elseif not name and not line:find("^# HELP chatty_[%l_]+ .+$") then
          wrong[#wrong + 1] = line
        end
      end
      assert.same({}, wrong)
      assert.equal("counter", types.chatty_notifies_total)
      assert.equal("gauge", types.chatty_sessions)
    end)

    it("has no counter below 0", function()
      assert.is_nil(get("/metrics").body:find(" %-%d"))
    end)

    it("follows what happens", function()
      local own = server.start()
      local ann = listener.open(own, "ann", { "room-1", "room-2" })
      listener.open(own, "ann")
      own:notify("channels:room-1,room-2", "tick", "{}", "report=true")
      assert.same({ 2, 1, 2, 1, 4, 1 }, {
        own:metric "sessions", own:metric "users_online", own:metric "subscriptions", own:metric "notifies_total",
        own:metric "deliveries_total", own:metric "changes_total",
      })
      ann:close()
      assert.equal(1, own:wait_metric("sessions", 1))
      assert.equal(1, own:metric "users_online")
      assert.equal(2, own:metric "sessions_opened_total")
    end)

    it("counts requests, errors and refused ones", function()
      local own = server.start()
      own:request{ path = "/healthz" }
      own:request{ path = "/nowhere" }
      own:request{ path = "/" .. ("x"):rep(9000) }
      assert.same({ 3, 2, 1, 1 }, {
        own:metric "http_requests_total", own:metric "http_errors_total", own:metric "http_refused_total",
        own:metric "limit_hits_total",
      })
    end)
  end)

  it("/auth/test-jwt is there beside them, for users only", function()
    assert.equal("401 credentials-missing Authorization:", fault.of(get "/auth/test-jwt"))
  end)
end)
