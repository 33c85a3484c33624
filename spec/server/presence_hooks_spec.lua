-- The hooks online and offline: once per user, whatever his tabs and reconnects do.
local server = require "spec.support.server"
local wait = require "spec.support.wait"

local PLUGIN = [[
local chatty = require "chatty"
local plugin = { api = 1 }
function plugin.setup(app)
  app:on("online", function(user, generation) chatty.log.info("came " .. user, { generation = generation }) end)
  app:on("offline", function(user, generation) chatty.log.info("went " .. user, { generation = generation }) end)
end
return plugin
]]

local function start(grace, workers)
  return server.start{ settings = { OFFLINE_GRACE = grace, WORKERS = workers or 4 }, plugins = { watch = PLUGIN } }
end

local function count(chatty, what)
  local found = 0
  for _, line in ipairs(chatty:log()) do
    if line:find(" " .. what, 1, true) then found = found + 1 end
  end
  return found
end

local function connect(chatty, user)
  local session = chatty:connect(user)
  session:next()
  return session
end

describe("the hooks online and offline", function()
  it("run once for a user with several tabs on several workers #threads", function()
    local chatty, tabs = start("50ms"), {}
    for i = 1, 8 do tabs[i] = connect(chatty, "ann") end
    assert.is_truthy(chatty:wait_log("came ann"))
    for _, tab in ipairs(tabs) do tab:abort() end
    assert.is_truthy(chatty:wait_log("went ann"))
    assert.equal(1, count(chatty, "came ann"))
    assert.equal(1, count(chatty, "went ann"))
  end)

  it("do not run for a user who comes back within the grace #threads", function()
    local chatty = start("30s")
    for _ = 1, 5 do
      connect(chatty, "ann"):abort()
      assert.equal(0, chatty:wait_metric("sessions", 0))
    end
    connect(chatty, "bob")
    assert.is_truthy(chatty:wait_log("came bob"))
    assert.equal(1, count(chatty, "came ann"))
    assert.equal(0, count(chatty, "went ann"))
  end)

  it("run again, with a higher generation, for a user who comes back after it", function()
    local chatty = start("0s")
    for i = 1, 3 do
      connect(chatty, "ann"):abort()
      assert.is_true(wait.until_(function() return count(chatty, "went ann") == i end))
    end
    local last = 0
    for _, line in ipairs(chatty:log()) do
      local generation = tonumber(line:match("came ann.-generation=(%d+)"))
      assert.is_true(not generation or generation > last)
      last = generation or last
    end
    assert.equal(3, count(chatty, "came ann"))
  end)

  it("leave no user behind in the searches while the grace lasts", function()
    local chatty = start("30s")
    chatty:subscribe("users:ann", { "room-1" })
    connect(chatty, "ann"):abort()
    assert.equal(0, chatty:wait_metric("users_online", 0))
    assert.same({}, chatty:control("GET", "/control/search/users").json())
    assert.same({}, chatty:control("GET", "/control/search/participants?channel=room-1").json())
  end)
end)
