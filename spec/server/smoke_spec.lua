-- The first story: the program starts, does what it is for, and ends in good order.
local server = require "spec.support.server"

describe("the server", function()
  it("listens on the port that it logs, and is healthy and ready", function()
    local chatty = server.start()
    assert.equal(200, chatty:request{ path = "/healthz" }.status)
    assert.equal(200, chatty:request{ path = "/readyz" }.status)
  end)

  it("brings a notified event to the sessions of a channel's users", function()
    local chatty = server.start()
    assert.equal(200, chatty:subscribe("users:ann", { "room-1" }).status)
    local ann = chatty:connect("ann")
    assert.equal("chatty:connected", ann:next().event)
    assert.equal(200, chatty:notify("channels:room-1", "chat-message", '{"content":"hi"}').status)
    assert.same({ event = "chat-message", attributes = { content = "hi" } }, (ann:next()))
  end)

  it("refuses a session without a token", function()
    local chatty = server.start()
    assert.equal(401, chatty:connect("ann", { token = "forged" }).status)
  end)

  it("counts its sessions #threads", function()
    local chatty = server.start{ settings = { WORKERS = 4 } }
    local sessions = {}
    for i = 1, 20 do sessions[i] = chatty:connect("user-" .. i) end
    assert.equal(20, chatty:wait_metric("sessions", 20))
    for _, session in ipairs(sessions) do session:abort() end
    assert.equal(0, chatty:wait_metric("sessions", 0))
  end)

  it("closes its sessions with 1012 and ends with code 0 when it is told to stop #threads", function()
    local chatty = server.start()
    local ann = chatty:connect("ann")
    assert.equal(0, chatty:stop())
    assert.equal(1012, (ann:expect_closed()))
  end)

  it("does not start without a secret, and says so in one line", function()
    local result = server.run{ args = { "serve" }, settings = { JWT_SECRET = false } }
    assert.equal(1, result.code)
    assert.matches("^[^\n]*JWT_SECRET[^\n]*$", result.err)
  end)
end)
