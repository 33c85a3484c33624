-- RFC 6455, case by case as a strict client sees it, over real connections: at a plugin's WebSocket that
-- sends back what comes, and at the endpoint of sessions. Each case goes out whole, frame by frame, and byte
-- by byte: how the bytes are cut must not matter.
local client = require "spec.support.client"
local digest = require "openssl.digest"
local server = require "spec.support.server"
local websocket = require "spec.support.websocket"

local CONTINUATION, TEXT, BINARY = websocket.CONTINUATION, websocket.TEXT, websocket.BINARY
local CLOSE, PING, PONG = websocket.CLOSE, websocket.PING, websocket.PONG
local KINDS = { [TEXT] = "text", [BINARY] = "binary", [PING] = "ping", [PONG] = "pong" }

local FRAME_MAX, FRAGMENTS_MAX = 1024 * 1024, 4096
local EURO, LONG = "€", "κόσμε " .. ("Grüße "):rep(30)

local function frame(opcode, payload, more)
  local fields = { opcode = opcode, payload = payload }
  for name, value in pairs(more or {}) do fields[name] = value end
  return websocket.encode(fields)
end

local function text(payload) return frame(TEXT, payload) end
local function binary(payload) return frame(BINARY, payload) end
local function ping(payload) return frame(PING, payload) end
local function pong(payload) return frame(PONG, payload) end
local function part(opcode, payload) return frame(opcode, payload, { fin = false }) end
local function last(payload) return frame(CONTINUATION, payload) end
local function close(code, reason)
  return frame(CLOSE, code and string.pack(">I2", code) .. (reason or "") or "")
end

-- A text message, a frame for each byte.
local function shredded(payload)
  local frames = { part(TEXT, "") }
  for i = 1, #payload do frames[i + 1] = part(CONTINUATION, payload:sub(i, i)) end
  frames[#frames + 1] = last("")
  return table.unpack(frames)
end

local function show(payload)
  if #payload <= 60 then return payload end
  local sum = digest.new("sha1"):final(payload)
  return ("%d bytes, %02x%02x%02x"):format(#payload, sum:byte(1, 3))
end

-- Reads to the end of the connection; what came, as one line.
local function told_by(socket)
  local lines = {}
  for each in function() return (socket:next_frame()) end do
    if each.opcode == CLOSE then
      lines[#lines + 1] = "close " .. (#each.payload >= 2 and string.unpack(">I2", each.payload) or 1005)
    else
      lines[#lines + 1] = ("%s <%s>"):format(KINDS[each.opcode] or each.opcode, show(each.payload))
    end
  end
  lines[#lines + 1] = socket.fault or socket.connection.ended or "still open"
  return table.concat(lines, ", ")
end

local WAYS = {
  whole = function(socket, frames) socket:write(table.concat(frames)) end,
  ["frame by frame"] = function(socket, frames)
    for _, each in ipairs(frames) do socket:write(each) end
  end,
  ["byte by byte"] = function(socket, frames)
    local bytes = table.concat(frames)
    local step = #bytes > 4000 and 997 or 1
    for i = 1, #bytes, step do socket:write(bytes:sub(i, i + step - 1)) end
  end,
}

local NOT_UTF8 = {
  ["a lone continuation byte"] = "\x80",
  ["an overlong two-byte form"] = "\xc0\xaf",
  ["an overlong three-byte form"] = "\xe0\x80\xaf",
  ["an overlong four-byte form"] = "\xf0\x80\x80\xaf",
  ["an overlong NUL"] = "\xc0\x80",
  ["a surrogate"] = "\xed\xa0\x80",
  ["a surrogate pair"] = "\xed\xa0\x80\xed\xb0\x80",
  ["a code point above U+10FFFF"] = "\xf4\x90\x80\x80",
  ["the lead byte F5"] = "\xf5\x80\x80\x80",
  ["a five-byte form"] = "\xf8\x88\x80\x80\x80",
  ["a six-byte form"] = "\xfc\x84\x80\x80\x80\x80",
  ["the byte FE"] = "\xfe",
  ["the byte FF"] = "\xff",
  ["a character broken off by another"] = "\xe2\x82A",
  ["a character broken off by the end"] = "\xe2\x82",
  ["bad bytes between good ones"] = "κόσμε\xed\xa0\x80edited",
  ["bad bytes behind many good ones"] = ("a"):rep(100) .. "\xff" .. ("a"):rep(20),
}

local UTF8 = {
  ["in several scripts"] = "Hello-µ@ßöäüàá-UTF-8!! κόσμε 日本語 😀",
  ["with NUL and DEL"] = "\0 ~\x7f",
  ["with the first and the last of each length"] =
    "\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf",
  ["with both sides of the surrogates"] = "\xed\x9f\xbf\xee\x80\x80",
  ["with non-characters"] = "\xef\xbf\xbe\xef\xbf\xbf\xf0\x9f\xbf\xbe",
}

-- name -> { frames, what comes back }; a close of the client is added to both.
local ECHOED = {
  ["a text"] = { { text("Hello") }, "text <Hello>" },
  ["bytes"] = { { binary("\0\xff") }, "binary <\0\xff>" },
  ["empty messages"] = { { text(""), binary("") }, "text <>, binary <>" },
  ["a text in three fragments"] = {
    { part(TEXT, "He"), part(CONTINUATION, "ll"), last("o") }, "text <Hello>",
  },
  ["bytes in fragments"] = { { part(BINARY, "\0"), last("\xff") }, "binary <\0\xff>" },
  ["empty fragments"] = { { part(TEXT, ""), part(CONTINUATION, ""), last("") }, "text <>" },
  ["an empty fragment in the middle"] = {
    { part(TEXT, "a"), part(CONTINUATION, ""), last("b") }, "text <ab>",
  },
  ["fragments within characters"] = { { shredded(EURO .. "µ😀") }, "text <€µ😀>" },
  ["two messages in fragments"] = {
    { part(TEXT, "1"), last("2"), part(BINARY, "3"), last("4") }, "text <12>, binary <34>",
  },
  ["a ping"] = { { ping("Hello") }, "pong <Hello>" },
  ["a ping with nothing"] = { { ping("") }, "pong <>" },
  ["a ping with bytes"] = { { ping("\0\xff\xfe") }, "pong <\0\xff\xfe>" },
  ["a ping of 125 bytes"] = { { ping(("p"):rep(125)) }, "pong <" .. show(("p"):rep(125)) .. ">" },
  ["ten pings"] = { { ping("1"), ping("2"), ping("3"), ping("4"), ping("5"), ping("6"), ping("7"), ping("8"),
    ping("9"), ping("10") },
    "pong <1>, pong <2>, pong <3>, pong <4>, pong <5>, pong <6>, pong <7>, pong <8>, pong <9>, pong <10>" },
  ["a pong that nobody asked for"] = { { pong("unasked"), ping("asked") }, "pong <asked>" },
  ["a pong with nothing"] = { { pong(""), text("a") }, "text <a>" },
  ["pings between fragments"] = {
    { part(TEXT, "He"), ping("1"), part(CONTINUATION, "ll"), pong("x"), ping("2"), last("o") },
    "pong <1>, pong <2>, text <Hello>",
  },
  ["pings between messages"] = { { text("a"), ping("1"), text("b") }, "text <a>, pong <1>, text <b>" },
  ["a mask of zeros"] = { { frame(TEXT, "abcdefg", { mask = "\0\0\0\0" }) }, "text <abcdefg>" },
  ["a mask of ones"] = { { frame(TEXT, "abcdefg", { mask = "\xff\xff\xff\xff" }) }, "text <abcdefg>" },
}
for _, length in ipairs{ 125, 126, 127, 128, 65535, 65536, 65537, 262144, FRAME_MAX } do
  local payload = ("x"):rep(length)
  ECHOED[length .. " bytes"] = {
    { text(payload), binary(payload) }, ("text <%s>, binary <%s>"):format(show(payload), show(payload)),
  }
end
for name, payload in pairs(UTF8) do
  local twice = ("text <%s>"):format(payload):rep(2, ", ")
  ECHOED["a text " .. name] = { { text(payload), shredded(payload) }, twice }
end
for name, payload in pairs(NOT_UTF8) do
  ECHOED["bytes that would be " .. name] = { { binary(payload) }, ("binary <%s>"):format(show(payload)) }
end

-- name -> { frames, the code that the server closes with }
local FAULTS = {
  ["a frame that is not masked"] = { { frame(TEXT, "Hello", { mask = false }) }, 1002 },
  ["an empty frame that is not masked"] = { { frame(TEXT, "", { mask = false }) }, 1002 },
  ["a ping that is not masked"] = { { frame(PING, "", { mask = false }) }, 1002 },
  ["a close that is not masked"] = { { frame(CLOSE, "", { mask = false }) }, 1002 },
  ["a ping of 126 bytes"] = { { ping(("p"):rep(126)) }, 1002 },
  ["a pong of 65536 bytes"] = { { pong(("p"):rep(65536)) }, 1002 },
  ["a close of 126 bytes"] = { { close(1000, ("r"):rep(124)) }, 1002 },
  ["a ping in fragments"] = { { part(PING, "a"), last("b") }, 1002 },
  ["a pong in fragments"] = { { part(PONG, "a"), last("b") }, 1002 },
  ["a close in fragments"] = { { part(CLOSE, ""), last("") }, 1002 },
  ["a continuation of nothing"] = { { last("x") }, 1002 },
  ["a continuation of nothing that goes on"] = { { part(CONTINUATION, "x"), last("y") }, 1002 },
  ["a continuation of nothing behind a ping"] = { { pong(""), last("") }, 1002 },
  ["a text within a text"] = { { part(TEXT, "a"), text("b") }, 1002 },
  ["bytes within a text"] = { { part(TEXT, "a"), binary("b") }, 1002 },
  ["a fragmented text within a text"] = { { part(TEXT, ""), part(TEXT, "") }, 1002 },
  ["a length of 125 in two bytes"] = { { frame(TEXT, ("x"):rep(125), { width = 2 }) }, 1002 },
  ["a length of 2 in eight bytes"] = { { frame(TEXT, "hi", { width = 8 }) }, 1002 },
  ["a length of 65535 in eight bytes"] = { { frame(BINARY, ("x"):rep(65535), { width = 8 }) }, 1002 },
  ["a length of 2^63"] = { { frame(BINARY, "", { length = math.mininteger, width = 8 }) }, 1002 },
  ["a length of 2^63 - 1"] = { { frame(BINARY, "", { length = math.maxinteger, width = 8 }) }, 1009 },
  ["a length of FRAME_MAX + 1"] = { { frame(TEXT, "", { length = FRAME_MAX + 1, width = 8 }) }, 1009 },
  ["fragments of FRAME_MAX + 1 bytes together"] = {
    { part(TEXT, ("x"):rep(FRAME_MAX)), frame(CONTINUATION, "", { length = 1 }) }, 1009,
  },
  ["more than FRAGMENTS_MAX fragments"] = {
    { part(TEXT, "") .. part(CONTINUATION, ""):rep(FRAGMENTS_MAX - 1), last("") }, 1008,
  },
  ["a close with half a code"] = { { frame(CLOSE, "\3") }, 1002 },
  ["a bad text in an unfinished frame"] = {
    { frame(TEXT, "ab\xff", { length = 100 }) }, 1007,
  },
  ["a bad text in an unfinished message"] = { { part(TEXT, "κόσμε\xed\xa0") }, 1007 },
  ["a bad text in the second fragment"] = { { part(TEXT, "\xe2\x82"), part(CONTINUATION, "A") }, 1007 },
  ["a text that ends within a character, in fragments"] = { { part(TEXT, "\xe2"), last("\x82") }, 1007 },
  ["a text whose empty last fragment ends it within a character"] = {
    { part(TEXT, "\xe2\x82"), last("") }, 1007,
  },
}
for rsv = 1, 7 do
  FAULTS["a text with reserved bits " .. rsv] = { { frame(TEXT, "x", { rsv = rsv }) }, 1002 }
  FAULTS["a ping with reserved bits " .. rsv] = { { frame(PING, "", { rsv = rsv }) }, 1002 }
  FAULTS["a continuation with reserved bits " .. rsv] = {
    { part(TEXT, "x"), frame(CONTINUATION, "y", { rsv = rsv }) }, 1002,
  }
  FAULTS["a close with reserved bits " .. rsv] = { { frame(CLOSE, "", { rsv = rsv }) }, 1002 }
end
for _, opcode in ipairs{ 3, 4, 5, 6, 7, 11, 12, 13, 14, 15 } do
  FAULTS["the opcode " .. opcode] = { { frame(opcode, "x") }, 1002 }
  FAULTS["the opcode " .. opcode .. " with nothing"] = { { frame(opcode, "") }, 1002 }
  FAULTS["the opcode " .. opcode .. " between fragments"] = {
    { part(TEXT, "a"), frame(opcode, ""), last("b") }, 1002,
  }
end
for name, payload in pairs(NOT_UTF8) do
  FAULTS["a text with " .. name] = { { text(payload) }, 1007 }
  FAULTS["a text in fragments with " .. name] = { { shredded(payload) }, 1007 }
  FAULTS["a close reason with " .. name] = { { close(1000, payload) }, 1007 }
end
for _, code in ipairs{ 0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535 } do
  FAULTS["the close code " .. code] = { { close(code) }, 1002 }
  FAULTS["the close code " .. code .. " with a reason"] = { { close(code, "because") }, 1002 }
end

-- name -> { frames, the code that the server answers with }
local CLOSES = {
  ["without a code"] = { { close() }, 1005 },
  ["with a reason of 123 bytes"] = { { close(1000, ("r"):rep(123)) }, 1000 },
  ["with a reason in UTF-8"] = { { close(1000, LONG:sub(1, 11)) }, 1000 },
  ["between fragments"] = { { part(TEXT, "a"), close(1001), last("b") }, 1001 },
  ["twice"] = { { close(1000), close(1001) }, 1000 },
  ["and then a ping"] = { { close(1000), ping("late") }, 1000 },
  ["and then a text"] = { { close(1000), text('{"event":"late"}') }, 1000 },
  ["and then a fault"] = { { close(1000), frame(3, "") }, 1000 },
}
for _, code in ipairs{
  1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999,
} do
  CLOSES["with the code " .. code] = { { close(code) }, code }
  CLOSES["with the code " .. code .. " and a reason"] = { { close(code, "because") }, code }
end

describe("RFC 6455", function()
  local chatty

  setup(function()
    chatty = server.start{ settings = {
      ENABLE = "echo", FRAME_MAX = FRAME_MAX, FRAGMENTS_MAX = FRAGMENTS_MAX, SESSION_QUEUE_MAX = "8mb",
    } }
  end)

  teardown(function() chatty:stop() end)

  local OPEN = {
    ["/echo"] = function() return client.ws{ port = chatty.port, path = "/echo" } end,
    ["/ws"] = function()
      local socket = chatty:connect("ann")
      socket:next()
      return socket
    end,
  }

  -- What comes back when frames are sent in this way.
  local function told(path, frames, write)
    local socket = OPEN[path]()
    socket.answers = false
    socket.connection.handle:nodelay(true)
    write(socket, frames)
    return told_by(socket)
  end

  for way, write in pairs(WAYS) do
    describe("with frames sent " .. way, function()
      for name, case in pairs(ECHOED) do
        it("is kept for " .. name, function()
          local frames = { table.unpack(case[1]) }
          frames[#frames + 1] = close(1000)
          assert.equal(case[2] .. ", close 1000, EOF", told("/echo", frames, write))
        end)
      end

      for path in pairs(OPEN) do
        for name, case in pairs(FAULTS) do
          it(("is kept at %s against %s"):format(path, name), function()
            assert.equal(("close %d, EOF"):format(case[2]), told(path, case[1], write))
          end)
        end

        for name, case in pairs(CLOSES) do
          it(("is kept at %s for a close %s"):format(path, name), function()
            assert.equal(("close %d, EOF"):format(case[2]), told(path, case[1], write))
          end)
        end
      end
    end)
  end

  it("lets as many messages through as are sent, in order, however they are cut", function()
    local frames, expected = {}, {}
    for i = 1, 300 do
      local payload = ("%d %s"):format(i, LONG:sub(1, 12))
      frames[i] = i % 3 == 0 and part(TEXT, payload) .. last("") or text(payload)
      expected[i] = ("text <%s>"):format(payload)
    end
    frames[301] = close(1000)
    local bytes = table.concat(frames)
    for _, step in ipairs{ 1, 7, 100, 4096 } do
      local socket = OPEN["/echo"]()
      for i = 1, #bytes, step do socket:write(bytes:sub(i, i + step - 1)) end
      assert.equal(table.concat(expected, ", ") .. ", close 1000, EOF", told_by(socket))
    end
  end)

  it("takes a message of exactly FRAGMENTS_MAX fragments", function()
    local most = part(TEXT, "a") .. part(CONTINUATION, ""):rep(FRAGMENTS_MAX - 2)
    local frames = { most, last("z"), close(1000) }
    assert.equal("text <az>, close 1000, EOF", told("/echo", frames, WAYS["frame by frame"]))
  end)

  it("is kept against a fault behind good messages, which are answered first", function()
    local frames = { text("1"), ping("2"), text("3"), frame(3, ""), text("4") }
    assert.equal("text <1>, pong <2>, text <3>, close 1002, EOF", told("/echo", frames, WAYS.whole))
  end)

  it("counts what limits have refused", function()
    local before = chatty:metric "limit_hits_total"
    told("/echo", FAULTS["a length of FRAME_MAX + 1"][1], WAYS.whole)
    told("/echo", FAULTS["more than FRAGMENTS_MAX fragments"][1], WAYS.whole)
    assert.equal(before + 2, chatty:metric "limit_hits_total")
  end)

  it("leaves no socket open behind all of this", function()
    assert.equal(0, chatty:wait_metric("sockets", 0))
    assert.equal(0, chatty:metric "queue_bytes")
  end)
end)
