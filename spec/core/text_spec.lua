-- SPDX-License-Identifier: Apache-2.0
local text = require("core.test").json.text

describe("text.parse_number", function()
  it("reads decimal digits up to the largest 64-bit integer", function()
    assert.equal(0, text.parse_number("0"))
    assert.equal(7, text.parse_number("007"))
    assert.equal(math.maxinteger, text.parse_number("9223372036854775807"))
  end)

  it("refuses a larger one with LIMIT", function()
    local large = { "9223372036854775808", "9223372036854775810", "18446744073709551616", ("9"):rep(100) }
    for _, digits in ipairs(large) do
      assert.same({ nil, "LIMIT", n = 2 }, table.pack(text.parse_number(digits)))
    end
  end)

  it("refuses all that is not digits, however long", function()
    local others = { "", " 1", "1 ", "+1", "-1", "1.0", "1e3", "0x1", "1\0", ("9"):rep(100) .. "x" }
    for _, other in ipairs(others) do
      assert.same({ nil, "INVALID", n = 2 }, table.pack(text.parse_number(other)))
    end
  end)
end)

describe("text.percent_decode", function()
  it("decodes escapes to bytes and leaves the rest", function()
    assert.equal("a b+c/é", text.percent_decode("a%20b+c%2F%c3%A9"))
    assert.equal("%41\0\xFF", text.percent_decode("%2541%00%ff"))
    assert.equal("", text.percent_decode(""))
  end)

  it("takes '+' for a blank in forms only", function()
    assert.equal("a b+", text.percent_decode("a+b%2B", true))
    assert.equal("a+b+", text.percent_decode("a+b%2B", false))
  end)

  it("refuses a broken escape and gives what came before it", function()
    for _, broken in ipairs({ "%", "%4", "%g1", "%1g", "%%41", "% 41", "%-1" }) do
      assert.same({ nil, "INVALID", "ab", n = 3 }, table.pack(text.percent_decode("ab" .. broken)))
    end
  end)
end)

describe("text.utf8_len", function()
  it("is the length of the first character", function()
    for len, character in ipairs({ "\0", "\u{80}", "\u{800}", "\u{10000}" }) do
      assert.equal(len, text.utf8_len(character .. "more"))
    end
    for len, character in ipairs({ "\u{7F}", "\u{7FF}", "\u{FFFF}", "\u{10FFFF}" }) do
      assert.equal(len, text.utf8_len(character))
    end
  end)

  it("is 0 for overlong forms, surrogates, what is cut off and what is beyond Unicode", function()
    local wrong = {
      "", "\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC2", "\xC2A", "\xE0\x9F\xBF", "\xE1\x80", "\xE1\x80A",
      "\xED\xA0\x80", "\xED\xBF\xBF", "\xF0\x8F\xBF\xBF", "\xF1\x80\x80", "\xF1\x80\x80A", "\xF4\x90\x80\x80",
      "\xF5\x80\x80\x80", "\xFE", "\xFF",
    }
    for _, bytes in ipairs(wrong) do assert.equal(0, text.utf8_len(bytes)) end
  end)
end)

describe("text.is_utf8", function()
  it("says whether all of the bytes are characters", function()
    assert.is_true(text.is_utf8(""))
    assert.is_true(text.is_utf8("a\0é€😀\u{D7FF}\u{E000}"))
    assert.is_false(text.is_utf8("aé\xC3"))
    assert.is_false(text.is_utf8("a\xED\xA0\x80"))
  end)
end)

describe("text.encode_utf8", function()
  it("writes code points as Lua does", function()
    for _, code in ipairs({ 0, 0x7F, 0x80, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xFFFF, 0x10000, 0x10FFFF }) do
      assert.equal(utf8.char(code), text.encode_utf8(code))
    end
  end)
end)
