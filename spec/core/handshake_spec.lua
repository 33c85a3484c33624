-- The opening handshake of WebSocket, and the digests it needs.
local ws = require("core.test").ws

-- RFC 6455 1.2, with changes: a header set to false is left out.
local function request(changes)
  local values = {
    host = "server.example.com", upgrade = "websocket", connection = "Upgrade",
    ["sec-websocket-key"] = "dGhlIHNhbXBsZSBub25jZQ==", ["sec-websocket-version"] = "13",
    ["sec-websocket-protocol"] = "chat, superchat",
  }
  local result = { headers = {} }
  for name, value in pairs(changes or {}) do
    if name == "method" or name == "version_minor" or name == "body" then
      result[name] = value
    else
      values[name] = value
    end
  end
  for name, value in pairs(values) do
    if value then table.insert(result.headers, { name, value }) end
  end
  return result
end

describe("The opening handshake", function()
  it("is accepted as RFC 6455 gives it", function()
    assert.is_true(ws.handshake_check(request()))
    assert.is_true(ws.handshake_check(request { upgrade = "WebSocket", connection = "keep-alive, UPGRADE" }))
    assert.is_true(ws.handshake_check(request { upgrade = "foo/2, websocket" }))
  end)

  it("is answered with the digest of the key", function()
    assert.equal("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" ..
      "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n", ws.handshake_answer(request()))
  end)

  it("is answered with the chosen protocol and further headers", function()
    assert.equal("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" ..
      "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: chat\r\n" ..
      "Set-Cookie: a=b\r\n\r\n", ws.handshake_answer(request(), "chat", "a=b"))
  end)

  it("is refused with 426 when WebSocket is not asked for", function()
    for _, changes in ipairs {
      { upgrade = false }, { upgrade = "h2c" }, { upgrade = false, connection = false },
    } do
      local is_valid, status, code = ws.handshake_check(request(changes))
      assert.same({ false, 426, "upgrade-required" }, { is_valid, status, code })
    end
  end)

  it("is refused with 426 for another version", function()
    for _, version in ipairs { false, "8", "14", "13, 13", "013" } do
      local is_valid, status, code = ws.handshake_check(request { ["sec-websocket-version"] = version })
      assert.same({ false, 426, "websocket-version" }, { is_valid, status, code })
    end
  end)

  it("is refused with 400 for a fault of form", function()
    for _, changes in ipairs {
      { connection = false }, { connection = "keep-alive" }, { method = "POST" }, { method = "get" },
      { version_minor = 0 }, { host = false }, { body = "x" }, { ["transfer-encoding"] = "chunked" },
    } do
      local is_valid, status, code = ws.handshake_check(request(changes))
      assert.same({ false, 400, "websocket-handshake" }, { is_valid, status, code })
    end
  end)

  it("is refused with 400 when the key is not 16 bytes in base64", function()
    for _, key in ipairs {
      false, "", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25j",
      "dGhlIHNhbXBsZSBub25jZQ==, dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZTE=",
      "dGhlIHNhbXBsZSBub25jZTEy", "dGhlIHNhbXBsZSBub25j*Q==", "dGhlIHNhbXBsZSBub25jZQ=a",
    } do
      local is_valid, status = ws.handshake_check(request { ["sec-websocket-key"] = key })
      assert.same({ false, 400 }, { is_valid, status })
    end
  end)

  it("offers the protocols of its list, told apart by case", function()
    assert.is_true(ws.handshake_offers(request(), "chat"))
    assert.is_true(ws.handshake_offers(request(), "superchat"))
    assert.is_false(ws.handshake_offers(request(), "Chat"))
    assert.is_false(ws.handshake_offers(request(), "super"))
    assert.is_false(ws.handshake_offers(request { ["sec-websocket-protocol"] = false }, "chat"))
  end)
end)

describe("A digest", function()
  it("is SHA-1 in base64", function()
    assert.equal("qZk+NkcGgWq6PiVxeFDCbJzQ2J0=", ws.sha1_base64("abc"))
    assert.equal("2jmj7l5rSw0yVb/vlWAYkK/YBwk=", ws.sha1_base64(""))
  end)
end)
