local client = require "spec.support.client"
local server = require "spec.support.server"

local TEXT, BINARY = 1, 2

describe("the echo", function()
  local chatty

  setup(function() chatty = server.start{ settings = { ENABLE = "echo" } } end)

  teardown(function() chatty:stop() end)

  local function connect()
    return client.ws{ port = chatty.port, path = "/echo" }
  end

  it("takes everybody, without a token", function()
    assert.equal(101, connect().status)
  end)

  it("sends text back as text", function()
    local socket = connect()
    socket:send("grüezi")
    assert.same({ "grüezi", TEXT }, { socket:next_raw() })
  end)

  it("sends bytes back as bytes", function()
    local socket = connect()
    socket:send_binary("\0\255\n")
    assert.same({ "\0\255\n", BINARY }, { socket:next_raw() })
  end)

  it("sends an empty message back", function()
    local socket = connect()
    socket:send("")
    assert.same({ "", TEXT }, { socket:next_raw() })
  end)

  it("sends a message that came in fragments back as one", function()
    local socket = connect()
    socket:send_fragments{ "one ", "", "two" }
    assert.same({ "one two", TEXT }, { socket:next_raw() })
  end)

  it("keeps the order of many messages", function()
    local socket = connect()
    local sent, came = {}, {}
    for i = 1, 200 do
      sent[i] = "message " .. i
      socket:send(sent[i])
    end
    for i = 1, 200 do came[i] = socket:next_raw() end
    assert.same(sent, came)
  end)

  it("takes messages up to FRAME_MAX and closes with 1009 beyond", function()
    local socket = connect()
    local largest = ("x"):rep(64 * 1024)
    socket:send(largest)
    assert.equal(largest, (socket:next_raw()))
    socket:send(largest .. "x")
    assert.equal(1009, (socket:expect_closed()))
  end)

  it("closes with 1007 when text is not UTF-8", function()
    local socket = connect()
    socket:send("\xC3\x28")
    assert.equal(1007, (socket:expect_closed()))
  end)

  it("answers a close with the same code", function()
    local socket = connect()
    socket:close(3001, "done")
    assert.equal(3001, (socket:expect_closed()))
  end)

  it("asks for an upgrade when the request is none", function()
    assert.equal(426, chatty:request{ path = "/echo" }.status)
  end)
end)
