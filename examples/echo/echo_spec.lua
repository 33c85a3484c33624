-- The echo: chatty test examples/echo
describe("the echo", function()
  local t = require("chatty.test").plugin("echo")

  it("sends messages back as they came, to everybody", function()
    local socket = t:websocket("/echo")
    for _, message in ipairs({ "grüezi", "", ("x"):rep(60000) }) do
      socket:send(message)
      assert.same({ message, false }, { socket:next() })
    end
    socket:send("\0\255\n", true)
    assert.same({ "\0\255\n", true }, { socket:next() })
    socket:none()
  end)
end)
