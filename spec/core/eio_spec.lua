-- The packets of Engine.IO: single ones as a WebSocket carries them, and the bodies of polling.
local cjson = require "cjson"
local eio = require("core.test").eio

local SEPARATOR = "\x1e"

local function types(body)
  local packets, verdict = eio.read(body)
  local list = {}
  for i, packet in ipairs(packets) do list[i] = packet.type .. ":" .. packet.data end
  return table.concat(list, " "), verdict
end

describe("a packet of Engine.IO", function()
  it("is a digit and what follows", function()
    assert.same({ "message", "hello" }, { eio.parse("4hello") })
    assert.same({ "ping", "probe" }, { eio.parse("2probe") })
    for i, name in ipairs{ "open", "close", "ping", "pong", "message", "upgrade", "noop" } do
      assert.same({ name, "" }, { eio.parse(tostring(i - 1)) })
    end
  end)

  it("is nothing else", function()
    for _, text in ipairs{ "", "7", "a", "abc", " 4", "bAQ==", "\0" } do assert.is_nil(eio.parse(text)) end
  end)

  it("goes out as a text frame", function()
    assert.equal("\x81\x064hello", eio.encode("message", "hello"))
    assert.equal("\x81\x012", eio.encode("ping", ""))
    local long = ("x"):rep(300)
    assert.equal("\x81\x7e\x01\x2d4" .. long, eio.encode("message", long))
  end)
end)

describe("a polling body", function()
  it("holds one packet or several", function()
    assert.same({ "message:hello", "ok" }, { types("4hello") })
    assert.same({ "message:a ping: message:b", "ok" }, { types("4a" .. SEPARATOR .. "2" .. SEPARATOR .. "4b") })
  end)

  it("holds binary messages as base64", function()
    local packets, verdict = eio.read("4hello" .. SEPARATOR .. "bAQIDBA==" .. SEPARATOR .. "b")
    assert.equal("ok", verdict)
    assert.same({ type = "message", data = "\1\2\3\4", binary = true }, packets[2])
    assert.same({ type = "message", data = "", binary = true }, packets[3])
  end)

  it("gives what comes before a fault, and nothing behind it", function()
    assert.same({ "message:a", "invalid" }, { types("4a" .. SEPARATOR .. "abc" .. SEPARATOR .. "4b") })
    for _, body in ipairs{ "", SEPARATOR, "4a" .. SEPARATOR, "abc", "b*", "bAQ=", "4\xff", "4a\xed\xa0\x80" } do
      assert.equal("invalid", select(2, eio.read(body)))
    end
  end)

  it("is made of frames, whatever the length of their headers", function()
    local long = ("y"):rep(70000)
    local body = eio.payload{ eio.encode("message", "a"), eio.encode("noop", ""), eio.encode("message", long),
      "\x82\x04\1\2\3\4" }
    assert.equal(table.concat({ "4a", "6", "4" .. long, "bAQIDBA==" }, SEPARATOR), body)
  end)

  it("has a packet for each of several frames in one", function()
    local texts, frames = { "a", ("b"):rep(125), ("c"):rep(65535), "" }, {}
    for i, text in ipairs(texts) do frames[i], texts[i] = eio.encode("message", text), "4" .. text end
    assert.equal(table.concat(texts, SEPARATOR), eio.payload{ table.concat(frames) })
  end)
end)

describe("the handshake of Engine.IO", function()
  it("tells what the client must know", function()
    assert.same(
      { sid = "0abc", upgrades = { "websocket" }, pingInterval = 300, pingTimeout = 200, maxPayload = 1000000 },
      cjson.decode(eio.handshake("0abc", true, 300, 200, 1000000)))
    assert.matches('"upgrades":%[%]', eio.handshake("0abc", false, 300, 200, 1000000))
  end)
end)
