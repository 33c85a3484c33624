-- Filters: what plugins do before and after the handlers of all routes below a path.
local client = require "spec.support.client"
local plugin = require "spec.support.plugin_source"
local server = require "spec.support.server"

local FIRST = plugin([[
  app:before("/shop/*", function(request)
    request.trail = "first"
    if request.params.id == "secret" then return chatty.refuse(403, "hidden", "Look elsewhere.") end
    if request.params.id == "raised" then error(chatty.refuse(410, "gone", "It is gone.")) end
    if request.params.id == "broken" then error("a broken filter") end
    if request.params.id == "slow" then chatty.sleep(0.02) end
  end)
  app:after("/shop/*", function(request, response)
    response.headers["X-Trail"] = (response.headers["X-Trail"] or "") .. "first "
    response.headers["X-Status"] = tostring(response.status)
    if request.params.id == "teapot" then response.status = 418 end
    if request.params.id == "after" then error("a broken filter behind") end
    if request.params.id == "later" then chatty.sleep(0.02) end
  end)
]], 200)

local SECOND = plugin([[
  app:before("/shop/*", function(request) request.trail = request.trail .. " second" end)
  app:before("/shop/exact", function(request) request.trail = request.trail .. " exact" end)
  app:after("/shop/*", function(request, response)
    response.headers["X-Trail"] = (response.headers["X-Trail"] or "") .. "second "
  end)
  app:after("/control/*", function(request, response) response.headers["X-Control"] = "seen" end)
  app:before("/ws", function(request)
    if request:header("x-app") == "old" then return chatty.refuse(426, "app-old", "Update the app.") end
  end)

  local shared = { json = { shared = true }, headers = { ["X-Own"] = "own" } }
  app:get("/shop/:id", { auth = "none" }, function(request)
    if request.params.id == "shared" then return shared end
    if request.params.id == "refused" then return chatty.refuse(404, "no-such-thing", "There is none.") end
    return { json = { trail = request.trail } }
  end)
  app:get("/private/x", { auth = "jwt" }, function() return { text = "in" } end)
  app:before("/private/*", function(request) chatty.log.info("filter saw " .. tostring(request.user)) end)
]])

describe("filters", function()
  local chatty

  setup(function() chatty = server.start{ plugins = { a_second = SECOND, z_first = FIRST } } end)

  teardown(function() chatty:stop() end)

  local function get(path, headers)
    return chatty:request{ path = path, headers = headers }
  end

  it("run by priority before the handler, those of the exact path too", function()
    assert.same({ trail = "first second" }, get("/shop/book").json())
    assert.same({ trail = "first second exact" }, get("/shop/exact").json())
  end)

  it("run by priority behind the handler and change its answer's headers", function()
    local response = get("/shop/book")
    assert.equal("first second ", response.headers["x-trail"])
    assert.equal(200, response.status)
  end)

  it("refuse before the handler, and those behind see the refusal", function()
    local response = get("/shop/secret")
    assert.same({ 403, "hidden", "Look elsewhere." },
      { response.status, response.json().errors[1].code, response.json().errors[1].detail })
    assert.equal("403", response.headers["x-status"])
  end)

  it("refuse by raising, too", function()
    local response = get("/shop/raised")
    assert.same({ 410, "gone" }, { response.status, response.json().errors[1].code })
  end)

  it("see the handler's refusal behind it", function()
    local response = get("/shop/refused")
    assert.equal(404, response.status)
    assert.equal("404", response.headers["x-status"])
  end)

  it("may wait, before and after", function()
    assert.equal(200, get("/shop/slow").status)
    assert.equal(200, get("/shop/later").status)
  end)

  it("may change the status", function()
    assert.equal(418, get("/shop/teapot").status)
  end)

  it("that fail before are answered with 500 and logged", function()
    assert.equal(500, get("/shop/broken").status)
    assert.is_string(chatty:wait_log("a broken filter"))
  end)

  it("that fail behind are answered with 500 and logged", function()
    local response = get("/shop/after")
    assert.same({ 500, "internal" }, { response.status, response.json().errors[1].code })
    assert.is_string(chatty:wait_log("a broken filter behind"))
  end)

  it("change a copy of the answer, so one that a plugin keeps stays as it was", function()
    assert.equal("first second ", get("/shop/shared").headers["x-trail"])
    local again = get("/shop/shared")
    assert.equal("first second ", again.headers["x-trail"])
    assert.equal("own", again.headers["x-own"])
  end)

  it("run for the shipped endpoints as well", function()
    local response = chatty:control("GET", "/control/search/users")
    assert.equal("seen", response.headers["x-control"])
  end)

  it("run behind the guard, which tells them the user", function()
    assert.equal(401, get("/private/x").status)
    assert.equal(200, get("/private/x", { Authorization = "Bearer " .. chatty:token("ann") }).status)
    assert.is_string(chatty:wait_log("filter saw ann"))
    assert.is_nil(chatty:wait_log("filter saw nil", 0))
  end)

  it("refuse a WebSocket's handshake", function()
    local headers = { ["X-App"] = "old" }
    local socket = client.ws{ port = chatty.port, token = chatty:token("ann"), headers = headers }
    assert.equal(426, socket.status)
    assert.matches('"code":"app%-old"', socket.body)
    assert.equal(101, client.ws{ port = chatty.port, token = chatty:token("ann") }.status)
  end)

  for name, line in pairs{
    ["a path without a slash"] = 'app:before("shop", print)',
    ["a star in the middle"] = 'app:after("/a/*/b", print)',
    ["a parameter"] = 'app:before("/a/:id", print)',
    ["no function"] = 'app:before("/a", 1)',
  } do
    it("for " .. name .. " end the start with one line that says where", function()
      local result = server.run{ plugins = { wrong = plugin(line) } }
      assert.equal(1, result.code)
      assert.matches("^[^\n]*plugins/wrong%.lua:4: [^\n]*$", result.err)
    end)
  end
end)
