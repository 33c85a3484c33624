local ws = require("core.test").ws

local CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
local MASK = "\x37\xfa\x21\x3d"

local function masked(payload, mask)
  local key = { mask:byte(1, 4) }
  return (payload:gsub("()(.)", function(at, char)
    return string.char(char:byte() ~ key[(at - 1) % 4 + 1])
  end))
end

-- The header of a client's frame. options: fin, rsv, mask (false: none), form (of the length: 7, 16 or 64)
local function header(opcode, len, options)
  options = options or {}
  local first = (options.fin == false and 0 or 0x80) | (options.rsv or 0) << 4 | opcode
  local form = options.form or (len < 126 and 7 or len < 65536 and 16 or 64)
  local mask_bit = options.mask == false and 0 or 0x80
  local mask = options.mask == false and "" or options.mask or MASK
  if form == 7 then return string.pack("BB", first, mask_bit | len) .. mask end
  if form == 16 then return string.pack(">BBI2", first, mask_bit | 126, len) .. mask end
  return string.pack(">BBI8", first, mask_bit | 127, len) .. mask
end

local function frame(opcode, payload, options)
  local mask = options and options.mask
  if mask == nil then mask = MASK end
  return header(opcode, #payload, options) .. (mask and masked(payload, mask) or payload)
end

local function part(opcode, payload)
  return frame(opcode, payload, { fin = false })
end

local function close(code, reason)
  return frame(CLOSE, string.pack(">I2", code) .. (reason or ""))
end

local function append(list, more)
  for _, item in ipairs(more) do list[#list + 1] = item end
  return list
end

-- The events of all bytes fed at once.
local function feed(bytes, limits)
  return ws.new(limits or {}):feed(bytes)
end

local function feed_each_byte(bytes, limits)
  local machine, events = ws.new(limits or {}), {}
  for i = 1, #bytes do append(events, machine:feed(bytes:sub(i, i))) end
  return events
end

-- The events as one text, once it is sure that they do not depend on how the bytes were cut.
local function told(bytes, limits)
  local function tell(events)
    local lines = {}
    for i, event in ipairs(events) do
      lines[i] = event.kind .. (event.code and " " .. event.code or "") ..
        (event.payload and " <" .. event.payload .. ">" or "")
    end
    return table.concat(lines, ", ")
  end
  local whole = tell(feed(bytes, limits))
  assert.equal(whole, tell(feed_each_byte(bytes, limits)))
  return whole
end

-- The number of bytes after which the fault comes, and its code.
local function fault_at(bytes, limits)
  local machine = ws.new(limits or {})
  for i = 1, #bytes do
    for _, event in ipairs(machine:feed(bytes:sub(i, i))) do
      if event.kind == "fault" then return i, event.code end
    end
  end
end

local EURO = "\xe2\x82\xac"
local NOT_UTF8 = {
  ["a lone continuation byte"] = "\x80",
  ["an overlong two-byte form"] = "\xc0\xaf",
  ["an overlong three-byte form"] = "\xe0\x80\xaf",
  ["an overlong four-byte form"] = "\xf0\x80\x80\xaf",
  ["a surrogate"] = "\xed\xa0\x80",
  ["a code point above U+10FFFF"] = "\xf4\x90\x80\x80",
  ["the lead byte F5"] = "\xf5\x80\x80\x80",
  ["a five-byte form"] = "\xf8\x88\x80\x80\x80",
  ["the byte FE"] = "\xfe",
  ["the byte FF"] = "\xff",
  ["a character broken off by another"] = "\xe2\x82A",
  ["a character broken off by the end"] = "\xe2\x82",
  ["bad bytes behind a long run of ASCII"] = ("a"):rep(100) .. "\xff" .. ("a"):rep(100),
}
local UTF8 = {
  ["nothing"] = "",
  ["ASCII with NUL and DEL"] = "\0 ~\x7f",
  ["the first and the last of each length"] =
    "\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf",
  ["both sides of the surrogates"] = "\xed\x9f\xbf\xee\x80\x80",
  ["non-characters"] = "\xef\xbf\xbe\xef\xbf\xbf\xf0\x9f\xbf\xbe",
  ["ASCII runs between long characters"] = ("0123456789" .. EURO):rep(50),
}

describe("A WebSocket message", function()
  it("comes whole from one frame", function()
    assert.equal("text <Hello>", told(frame(TEXT, "Hello")))
    assert.equal("binary <\0\xff>", told(frame(BINARY, "\0\xff")))
    assert.equal("text <>, binary <>", told(frame(TEXT, "") .. frame(BINARY, "")))
  end)

  it("is unmasked with the frame's own key", function()
    assert.equal("text <abcdefg>, text <abcdefg>, text <abcdefg>", told(
      frame(TEXT, "abcdefg", { mask = "\0\0\0\0" }) ..
      frame(TEXT, "abcdefg", { mask = "\1\2\3\4" }) ..
      frame(TEXT, "abcdefg", { mask = "\xff\xff\xff\xff" })))
  end)

  it("has any length up to the limit, at each form of the length", function()
    for _, len in ipairs { 125, 126, 127, 128, 4095, 4096, 4097, 65535, 65536, 65537, 200000 } do
      local payload = ("x"):rep(len)
      local events = feed(frame(BINARY, payload) .. frame(TEXT, payload), { message_bytes_max = len })
      assert.equal(2, #events)
      assert.is_true(events[1].payload == payload and events[2].payload == payload)
    end
  end)

  it("is put together from fragments", function()
    assert.equal("text <Hello>",
      told(part(TEXT, "He") .. part(CONTINUATION, "ll") .. frame(CONTINUATION, "o")))
    assert.equal("text <>", told(part(TEXT, "") .. part(CONTINUATION, "") .. frame(CONTINUATION, "")))
    assert.equal("binary <b>, text <c>",
      told(part(BINARY, "") .. frame(CONTINUATION, "b") .. frame(TEXT, "c")))
  end)

  it("lets control frames through between its fragments", function()
    assert.equal("ping <1>, pong <2>, ping <>, text <Hello>, ping <3>", told(
      part(TEXT, "He") .. frame(PING, "1") .. frame(PONG, "2") .. part(CONTINUATION, "") ..
      frame(PING, "") .. frame(CONTINUATION, "llo") .. frame(PING, "3")))
  end)

  it("is not continued when none was begun", function()
    assert.equal("fault 1002", told(frame(CONTINUATION, "x")))
    assert.equal("fault 1002", told(part(CONTINUATION, "x") .. frame(TEXT, "y")))
    assert.equal("text <a>, fault 1002", told(frame(TEXT, "a") .. frame(CONTINUATION, "x")))
    assert.equal("ping <>, fault 1002", told(frame(PING, "") .. frame(CONTINUATION, "")))
  end)

  it("is complete before another begins", function()
    assert.equal("fault 1002", told(part(TEXT, "a") .. frame(TEXT, "b")))
    assert.equal("fault 1002", told(part(TEXT, "") .. part(BINARY, "b")))
    assert.equal("ping <>, fault 1002", told(part(TEXT, "a") .. frame(PING, "") .. frame(BINARY, "b")))
  end)

  it("may hold any bytes when it is binary", function()
    for _, payload in pairs(NOT_UTF8) do
      assert.equal("binary <" .. payload .. ">", told(frame(BINARY, payload)))
    end
  end)
end)

describe("A WebSocket text", function()
  for name, text in pairs(UTF8) do
    it("may hold " .. name, function()
      assert.equal("text <" .. text .. ">", told(frame(TEXT, text)))
      local fragments = { part(TEXT, "") }
      for i = 1, #text do fragments[i + 1] = part(CONTINUATION, text:sub(i, i)) end
      assert.equal("ping <>, text <" .. text .. ">",
        told(table.concat(fragments) .. frame(PING, "") .. frame(CONTINUATION, "")))
    end)
  end

  for name, text in pairs(NOT_UTF8) do
    it("is refused with 1007 for " .. name, function()
      assert.equal("fault 1007", told(frame(TEXT, text)))
      assert.equal("fault 1007", told(part(TEXT, text) .. frame(CONTINUATION, "")))
    end)
  end

  it("is refused at its first wrong byte, in an unfinished frame too", function()
    local head = header(TEXT, 100)
    assert.same({ #head + 3, 1007 }, { fault_at(head .. masked("ab\xff" .. ("c"):rep(97), MASK)) })
    assert.same({ #head + 2, 1007 }, { fault_at(head .. masked("\xed\xa0", MASK)) })
    local open = part(TEXT, EURO:sub(1, 2))
    assert.same({ #open + 6 + 1, 1007 }, { fault_at(open .. part(CONTINUATION, "aaaa")) })
  end)

  it("may break a character between fragments but not at its end", function()
    local open = part(TEXT, EURO:sub(1, 1))
    assert.equal("text <" .. EURO .. ">", told(open .. frame(CONTINUATION, EURO:sub(2))))
    assert.equal("fault 1007", told(open .. frame(CONTINUATION, EURO:sub(2, 2))))
    assert.equal("fault 1007", told(open .. frame(CONTINUATION, "")))
  end)
end)

describe("A WebSocket frame", function()
  it("has no reserved bit", function()
    for rsv = 1, 7 do
      for _, opcode in ipairs { TEXT, BINARY, CLOSE, PING, PONG } do
        assert.equal("fault 1002", told(frame(opcode, "", { rsv = rsv })))
      end
      assert.equal("fault 1002", told(part(TEXT, "") .. frame(CONTINUATION, "x", { rsv = rsv })))
    end
  end)

  it("has no reserved opcode", function()
    for _, opcode in ipairs { 3, 4, 5, 6, 7, 11, 12, 13, 14, 15 } do
      assert.equal("fault 1002", told(frame(opcode, "")))
      assert.equal("fault 1002", told(frame(opcode, "x")))
      assert.equal("fault 1002", told(part(TEXT, "a") .. frame(opcode, "x")))
    end
  end)

  it("is masked", function()
    for _, opcode in ipairs { TEXT, BINARY, CLOSE, PING, PONG } do
      assert.equal("fault 1002", told(frame(opcode, "", { mask = false })))
      assert.equal("fault 1002", told(frame(opcode, "hi", { mask = false })))
    end
  end)

  it("states its length in the shortest form", function()
    assert.equal("fault 1002", told(frame(TEXT, "hi", { form = 16 })))
    assert.equal("fault 1002", told(frame(TEXT, ("x"):rep(125), { form = 16 })))
    assert.equal("fault 1002", told(frame(TEXT, "hi", { form = 64 })))
    assert.equal("fault 1002", told(frame(BINARY, ("x"):rep(65535), { form = 64 })))
  end)

  it("has a length below 2^63", function()
    assert.equal("fault 1002", told(header(BINARY, math.mininteger, { form = 64 })))
    assert.equal("fault 1002", told(header(BINARY, -1, { form = 64 })))
    assert.equal("fault 1009", told(header(BINARY, math.maxinteger, { form = 64 })))
  end)

  it("is judged by its header, before any of its payload came", function()
    for _, head in ipairs {
      header(TEXT, 5, { rsv = 4 }), header(3, 5), header(TEXT, 5, { mask = false }),
      header(CONTINUATION, 5), header(PING, 5, { fin = false }), header(PING, 126),
      header(TEXT, 5, { form = 64 }),
    } do
      local at, code = fault_at(head)
      assert.is_true(at <= #head)
      assert.equal(1002, code)
    end
  end)

  it("is followed by nothing once it was faulty", function()
    local machine = ws.new {}
    assert.equal("fault", machine:feed(frame(3, "") .. frame(TEXT, "a"))[1].kind)
    assert.same({}, machine:feed(frame(TEXT, "b")))
    assert.same({ false, 0 }, { machine:contexts() })
  end)
end)

describe("A WebSocket control frame", function()
  it("gives its application data", function()
    assert.equal("ping <>, pong <>, ping <\0\xff\xfe>",
      told(frame(PING, "") .. frame(PONG, "") .. frame(PING, "\0\xff\xfe")))
    assert.equal("pong <>, pong <>, text <ab>, pong <>",
      told(frame(PONG, "") .. part(TEXT, "a") .. frame(PONG, "") .. frame(CONTINUATION, "b") .. frame(PONG, "")))
    assert.equal("ping <" .. ("p"):rep(125) .. ">", told(frame(PING, ("p"):rep(125))))
  end)

  it("has at most 125 bytes", function()
    for _, opcode in ipairs { CLOSE, PING, PONG } do
      assert.equal("fault 1002", told(frame(opcode, ("p"):rep(126))))
      assert.equal("fault 1002", told(frame(opcode, ("p"):rep(70000))))
    end
  end)

  it("is not fragmented", function()
    for _, opcode in ipairs { CLOSE, PING, PONG } do
      assert.equal("fault 1002", told(part(opcode, "p")))
      assert.equal("fault 1002", told(part(TEXT, "a") .. part(opcode, "")))
    end
  end)
end)

describe("A WebSocket close", function()
  it("gives code and reason", function()
    assert.equal("close 1000 <>", told(close(1000)))
    assert.equal("close 4999 <bye " .. EURO .. ">", told(close(4999, "bye " .. EURO)))
    assert.equal("close 1001 <" .. ("r"):rep(123) .. ">", told(close(1001, ("r"):rep(123))))
  end)

  it("without a code gives 1005", function()
    assert.equal("close 1005 <>", told(frame(CLOSE, "")))
  end)

  it("has no half code", function()
    assert.equal("fault 1002", told(frame(CLOSE, "\3")))
  end)

  it("has a code that may be in a frame", function()
    for _, code in ipairs {
      1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999,
    } do
      assert.equal("close " .. code .. " <>", told(close(code)))
    end
    for _, code in ipairs { 0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535 } do
      assert.equal("fault 1002", told(close(code)))
    end
  end)

  it("has a reason in UTF-8", function()
    for _, reason in pairs(NOT_UTF8) do
      assert.equal("fault 1007", told(close(1000, reason:sub(1, 101))))
    end
    for _, reason in pairs(UTF8) do
      if #reason <= 123 then assert.equal("close 1000 <" .. reason .. ">", told(close(1000, reason))) end
    end
  end)

  it("ends all, whatever follows, and between fragments too", function()
    assert.equal("close 1000 <>", told(close(1000) .. close(1001)))
    assert.equal("close 1000 <>", told(close(1000) .. frame(3, "")))
    assert.equal("close 1000 <>", told(part(TEXT, "a") .. close(1000) .. frame(CONTINUATION, "b")))
  end)
end)

describe("The limits of a WebSocket", function()
  it("refuse a message that is too big by its header alone", function()
    local head = header(TEXT, 11)
    assert.same({ #head, 1009 }, { fault_at(head, { message_bytes_max = 10 }) })
    assert.equal("text <0123456789>", told(frame(TEXT, "0123456789"), { message_bytes_max = 10 }))
    assert.equal("fault 1009", told(header(BINARY, 1 << 40), { message_bytes_max = 1 << 24 }))
  end)

  it("hold for the sum of the fragments", function()
    local open = part(TEXT, "0123456") .. frame(PING, "ping")
    assert.equal("ping <ping>, text <0123456789>",
      told(open .. frame(CONTINUATION, "789"), { message_bytes_max = 10 }))
    local head = header(CONTINUATION, 4)
    assert.same({ #open + #head, 1009 }, { fault_at(open .. head, { message_bytes_max = 10 }) })
  end)

  it("count each message anew", function()
    local limits = { message_bytes_max = 4, fragments_max = 2 }
    local message = part(TEXT, "ab") .. frame(CONTINUATION, "cd")
    assert.equal("text <abcd>, text <abcd>", told(message .. message, limits))
  end)

  it("do not count control frames", function()
    assert.equal("ping <12345>, text <1234>", told(
      part(TEXT, "1234") .. frame(PING, "12345") .. frame(CONTINUATION, ""),
      { message_bytes_max = 4, fragments_max = 2 }))
  end)

  it("refuse too many fragments, empty ones too", function()
    local limits = { fragments_max = 3 }
    local two = part(TEXT, "") .. part(CONTINUATION, "")
    assert.equal("text <>", told(two .. frame(CONTINUATION, ""), limits))
    assert.equal("fault 1008", told(two .. part(CONTINUATION, "") .. frame(CONTINUATION, ""), limits))
  end)
end)

describe("The contexts of WebSockets", function()
  it("are attached only while bytes of a message are in flight", function()
    local machine = ws.new {}
    assert.same({ false, 0 }, { machine:contexts() })
    local bytes = part(TEXT, "ab") .. frame(PING, "x") .. frame(CONTINUATION, "cd")
    for i = 1, #bytes - 1 do
      machine:feed(bytes:sub(i, i))
      assert.is_true((machine:contexts()))
    end
    machine:feed(bytes:sub(-1))
    assert.same({ false, 1 }, { machine:contexts() })
    machine:feed(bytes .. bytes)
    assert.same({ false, 1 }, { machine:contexts() })
    machine:feed(frame(PING, "x") .. "\x81")
    assert.same({ true, 0 }, { machine:contexts() })
  end)

  it("are not kept beyond the pool's limit", function()
    local machine = ws.new { pool_max = 0 }
    machine:feed(frame(TEXT, "a"))
    assert.same({ false, 0 }, { machine:contexts() })
  end)

  it("are let go when their owner stops, at once and in the middle of all", function()
    local machine = ws.new { stop_after = 1 }
    assert.equal(1, #machine:feed(part(TEXT, "a") .. frame(PING, "") .. frame(CONTINUATION, "b")))
    assert.same({ false, 0 }, { machine:contexts() })
    machine = ws.new { stop_after = 2 }
    assert.equal(2, #machine:feed(frame(TEXT, "a") .. frame(TEXT, "b") .. frame(TEXT, "c")))
    assert.same({}, machine:feed(frame(TEXT, "d")))
    assert.same({ false, 1 }, { machine:contexts() })
  end)
end)

describe("A frame for a client", function()
  it("is unmasked, whole, and has the shortest length", function()
    assert.equal("\x81\x05Hello", ws.encode(TEXT, "Hello"))
    assert.equal("\x82\x00", ws.encode(BINARY, ""))
    assert.equal("\x8a\x7d" .. ("p"):rep(125), ws.encode(PONG, ("p"):rep(125)))
    assert.equal("\x81\x7e\x00\x7e" .. ("x"):rep(126), ws.encode(TEXT, ("x"):rep(126)))
    assert.equal("\x82\x7e\xff\xff" .. ("x"):rep(65535), ws.encode(BINARY, ("x"):rep(65535)))
    assert.equal("\x82\x7f\0\0\0\0\0\1\0\0" .. ("x"):rep(65536), ws.encode(BINARY, ("x"):rep(65536)))
  end)

  it("has the same header when it is built in place", function()
    for _, len in ipairs { 0, 125, 126, 65535, 65536 } do
      assert.equal(ws.encode(TEXT, ("x"):rep(len)), ws.header(TEXT, len) .. ("x"):rep(len))
    end
    assert.equal("\x81\x7f\0\0\0\1\0\0\0\2", ws.header(TEXT, (1 << 32) + 2))
  end)

  it("closes with code and reason, or with neither for 1005", function()
    assert.equal("\x88\x05\x03\xe8bye", ws.encode_close(1000, "bye"))
    assert.equal("\x88\x02\x0f\xa2", ws.encode_close(4002, ""))
    assert.equal("\x88\x00", ws.encode_close(1005, "not said"))
  end)

  it("closes with a reason of at most 123 bytes, cut at a character", function()
    assert.equal("\x88\x7d\x03\xe8" .. ("r"):rep(123), ws.encode_close(1000, ("r"):rep(200)))
    assert.equal("\x88\x7c\x03\xe8" .. ("r"):rep(122), ws.encode_close(1000, ("r"):rep(122) .. EURO))
    assert.equal("\x88\x7d\x03\xe8" .. EURO:rep(41), ws.encode_close(1000, EURO:rep(50)))
  end)

  it("closes without a reason that is no UTF-8", function()
    assert.equal("\x88\x02\x03\xe8", ws.encode_close(1000, "\xff"))
  end)

  it("may bear only some close codes", function()
    for _, code in ipairs { 1000, 1003, 1007, 1012, 1014, 3000, 4500, 4999 } do
      assert.is_true(ws.code_is_valid(code))
    end
    for _, code in ipairs { 0, 999, 1004, 1005, 1006, 1015, 2999, 5000 } do
      assert.is_false(ws.code_is_valid(code))
    end
  end)
end)
