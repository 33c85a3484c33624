-- The plugin rate_limit: messages and connects of a user, counted.
local test = require "chatty.test"

describe("the plugin rate_limit", function()
  local t = test.plugins({ "rate_limit", "spec/trial/plugins/lobby.lua" }, {
    options = { rate_limit = { messages = 3, connects = 2, window = 10 } },
  })

  -- How many of so many messages are refused, and the last refusal.
  local function send(session, count)
    local refusals, last = 0, nil
    for _ = 1, count do
      local answer, refused = session:ask("hello", {})
      if not answer and refused.code == "rate-limited" then refusals, last = refusals + 1, refused end
    end
    return refusals, last
  end

  it("lets some messages through, and refuses the others", function()
    local refusals, last = send(t:connect("ann"), 5)
    assert.equal(2, refusals)
    assert.same({ 429, "Too many messages: try again in 10 s." }, { last.status, last.detail })
  end)

  it("counts anew when the window is over", function()
    local ann = t:connect("ann")
    send(ann, 5)
    t:advance(9)
    assert.equal(1, (send(ann, 1)))
    t:advance(1)
    assert.equal(0, (send(ann, 3)))
  end)

  it("counts all sessions of a user together, and each user alone", function()
    local one, two, bob = t:connect("ann"), t:connect("ann"), t:connect("bob")
    assert.equal(0, (send(one, 2)))
    assert.equal(1, (send(two, 2)))
    assert.equal(0, (send(bob, 3)))
  end)

  it("refuses who connects too often", function()
    t:connect("ann")
    t:connect("ann")
    local third = t:connect("ann")
    assert.same({ 4501, "Too many connects: try again in 10 s." }, { third:closed() })
    assert.equal(101, t:connect("bob").status)
    t:advance(10)
    assert.is_nil(t:connect("ann"):closed())
  end)

  it("counts what it refuses", function()
    send(t:connect("ann"), 5)
    local line = 'chatty_plugin_rate_limit_refused_total{plugin="rate_limit",what="message"} 2'
    assert.matches(line, t:get("/metrics").body, 1, true)
  end)

  describe("that is told so", function()
    local free = test.plugin("rate_limit", { options = { messages = 0, connects = 0 } })

    it("limits nothing", function()
      local ann = free:connect("ann")
      for _ = 1, 40 do ann = free:connect("ann") end
      assert.equal(0, (send(ann, 200)))
    end)
  end)
end)
