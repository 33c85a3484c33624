-- Cookies come by themselves from any page, so a cookie's token counts only from an allowed origin. Tokens
-- that a page must hold itself may come from anywhere.
local client = require "spec.support.client"
local server = require "spec.support.server"

local LISTED = "https://app.example.com"

describe("the origin of a page", function()
  local chatty

  setup(function()
    chatty = server.start{ settings = { ALLOWED_ORIGINS = LISTED .. ", http://localhost:8080" } }
  end)

  teardown(function() chatty:stop() end)

  -- A handshake with a cookie's token, from a page of this origin (false: no header Origin).
  local function with_cookie(origin, host)
    local headers = { Cookie = "jwt=" .. chatty:token("ann"), Origin = origin, Host = host }
    return client.ws{ port = chatty.port, headers = headers }
  end

  local function assert_refused(socket)
    assert.equal(403, socket.status)
    local fault = socket.body:match('"code":"([^"]+)"')
    assert.equal("origin-not-allowed", fault)
  end

  it("may use a cookie when it is listed", function()
    assert.equal(101, with_cookie(LISTED).status)
    assert.equal(101, with_cookie("http://localhost:8080").status)
  end)

  it("may use a cookie when it is the server's own", function()
    assert.equal(101, with_cookie("http://127.0.0.1:" .. chatty.port).status)
  end)

  it("may use a cookie when it is the server's own, with the default port left out", function()
    assert.equal(101, with_cookie("https://chat.example.com", "chat.example.com").status)
    assert.equal(101, with_cookie("https://chat.example.com", "chat.example.com:443").status)
    assert.equal(101, with_cookie("http://chat.example.com", "chat.example.com:80").status)
  end)

  it("is the server's own in any case of letters", function()
    assert.equal(101, with_cookie("http://chat.example.com", "Chat.Example.COM").status)
  end)

  for name, origin in pairs{
    ["another one"] = "https://evil.example",
    ["a listed one with another scheme"] = "http://app.example.com",
    ["a listed one with another port"] = "https://app.example.com:444",
    ["below a listed one"] = "https://x.app.example.com",
    ["one that begins like a listed one"] = "https://app.example.com.evil.example",
    ["the server's own with another port"] = "http://127.0.0.1:1",
    ["the word null"] = "null",
    ["empty"] = "",
  } do
    it("may use no cookie when it is " .. name, function() assert_refused(with_cookie(origin)) end)
  end

  it("may use no cookie in a handshake that does not name it", function()
    assert_refused(with_cookie(nil))
  end)

  it("is refused before the cookie's token is looked at", function()
    local headers = { Cookie = "jwt=forged", Origin = "https://evil.example" }
    assert_refused(client.ws{ port = chatty.port, headers = headers })
  end)

  it("does not matter to a bearer, a query or a subprotocol", function()
    local token, headers = chatty:token("ann"), { Origin = "https://evil.example" }
    local port = chatty.port
    assert.equal(101, client.ws{ port = port, token = token, headers = headers }.status)
    assert.equal(101, client.ws{ port = port, path = "/ws?token=" .. token, headers = headers }.status)
    local protocols = { "chatty.v1", "bearer." .. token }
    assert.equal(101, client.ws{ port = port, protocols = protocols, headers = headers }.status)
  end)

  it("does not matter to one who sends his token in a frame", function()
    assert.equal(101, client.ws{ port = chatty.port, headers = { Origin = "https://evil.example" } }.status)
  end)

  it("does not matter when a better place holds a token beside the cookie", function()
    local headers = { Cookie = "jwt=forged", Origin = "https://evil.example" }
    assert.equal(101, client.ws{ port = chatty.port, token = chatty:token("ann"), headers = headers }.status)
  end)
end)
