-- SPDX-License-Identifier: Apache-2.0
local json = require("core.test").json

local SACRED = [[{"id":12345678901234567890,"tags":[],"o":{},"x":1.0,"e":1e400,"s":"\u0000\ud83d\ude00"}]]
local REPLACEMENT = "\u{FFFD}"

-- The items of a value, with their names if they have any, as one text: `"a"=1 "b"=[]`.
local function walk(value)
  local seen = {}
  for i, member in ipairs(json.members(value)) do
    seen[i] = (member.key and member.key .. "=" or "") .. member.item
  end
  return table.concat(seen, " ")
end

-- The list { {text, offset}, ... } as json.check tells it: with the value where it accepts the text.
local function faults_of(faults)
  local found = {}
  for i, fault in ipairs(faults) do
    local value, name, offset = json.check(fault[1])
    found[i] = value == nil and name == "INVALID" and { fault[1], offset } or { fault[1], value }
  end
  return found
end

local function nested(depth)
  return ("["):rep(depth) .. ("]"):rep(depth)
end

describe("json.check", function()
  it("gives the value as it was written, without the blanks around it", function()
    assert.equal(SACRED, json.check(SACRED))
    assert.equal(SACRED, json.check(" \t\r\n" .. SACRED .. "\n \r\t"))
    assert.equal("[ 1 , 2 ]", json.check(" [ 1 , 2 ] "))
  end)

  it("accepts every kind of value, also alone", function()
    local values = {
      "{}", "[]", '""', "0", "true", "false", "null", "{ }", "[\n]", '{"":""}', "[[],{}]", '{"a":{"a":{}}}',
      "-0", "10", "0.5", "-0.0e-0", "1E+5", "1e400", "123456789012345678901234567890.12345678901234567890",
    }
    for _, value in ipairs(values) do assert.equal(value, json.check(value)) end
  end)

  it("accepts every escape and every character beyond ASCII", function()
    local values = {
      [["\"\\\/\b\f\n\r\t"]], [["\u0000\uABCD\uabcd\u007f"]], '"\x7f"', '"\u{80}\u{7FF}\u{800}\u{FFFF}"',
      '"\u{D7FF}\u{E000}\u{10000}\u{10FFFF}"', '"\u{2028}\u{FEFF}"',
    }
    for _, value in ipairs(values) do assert.equal(value, json.check(value)) end
  end)

  it("accepts a lone surrogate when it is escaped", function()
    assert.equal([["\ud800"]], json.check([["\ud800"]]))
    assert.equal([["\udc00\ud800x"]], json.check([["\udc00\ud800x"]]))
  end)

  it("says where a text that is no value goes wrong", function()
    local faults = {
      { "", 0 }, { "  ", 2 }, { "nul", 0 }, { "True", 0 }, { "NaN", 0 }, { "-Infinity", 1 }, { "'a'", 0 },
      { "1 2", 2 }, { "{}{}", 2 }, { "[]]", 2 }, { "1,", 1 }, { "null\0", 4 }, { "truefalse", 4 },
      { "[", 1 }, { "[1", 2 }, { "[1,", 3 }, { "[1,]", 3 }, { "[,1]", 1 }, { "[1 2]", 3 }, { "[1}", 2 },
      { "{", 1 }, { "{1:2}", 1 }, { "{a:2}", 1 }, { '{"a"}', 4 }, { '{"a":}', 5 }, { '{"a":1', 6 },
      { '{"a":1,}', 7 }, { '{"a":1]', 6 }, { '{"a" 1}', 5 }, { '{,}', 1 }, { '{"a":1 "b":2}', 7 },
      { '["a":1]', 4 }, { "[/**/]", 1 }, { "[\f]", 1 }, { "[\v]", 1 }, { "[\u{A0}]", 1 },
    }
    assert.same(faults, faults_of(faults))
  end)

  it("says what is wrong", function()
    assert.equal("a colon is missing", (select(4, json.check('{"a" 1}'))))
    assert.equal("a string is not closed", (select(4, json.check('["a'))))
  end)

  it("refuses a number that is none", function()
    local faults = {
      { "-", 1 }, { "+1", 0 }, { "01", 1 }, { "-01", 2 }, { "00", 1 }, { ".5", 0 }, { "1.", 2 },
      { "1.e5", 2 }, { "1e", 2 }, { "1e+", 3 }, { "1e1.5", 3 }, { "0x10", 1 }, { "1_000", 1 },
      { "--1", 1 }, { "1.2.3", 3 },
    }
    assert.same(faults, faults_of(faults))
  end)

  it("refuses a string that is none", function()
    local faults = {
      { '"', 1 }, { '"a', 2 }, { '"a\\"', 4 }, { '"a\\', 2 }, { '"\\x41"', 1 }, { '"\\U0041"', 1 },
      { '"\\u12"', 1 }, { '"\\u12g4"', 1 }, { '"\\u', 1 }, { '"\\\0"', 1 }, { '"ab\\ c"', 3 },
      { '"\\\n"', 1 },
    }
    for byte = 0, 31 do faults[#faults + 1] = { '"abc' .. string.char(byte) .. '"', 4 } end
    assert.same(faults, faults_of(faults))
  end)

  it("refuses bytes that are not UTF-8, and a byte order mark", function()
    local wrong = {
      "\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC2", "\xC2\x41", "\xE0\x9F\xBF", "\xE2\x82", "\xED\xA0\x80",
      "\xED\xBF\xBF", "\xF0\x8F\xBF\xBF", "\xF0\x9F\x98", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF",
    }
    local faults = { { "\u{FEFF}1", 0 } }
    for _, bytes in ipairs(wrong) do
      for before = 0, 20 do
        faults[#faults + 1] = { '"' .. ("x"):rep(before) .. bytes .. 'yyyyyyyyyyyyyyyy"', before + 1 }
      end
    end
    assert.same(faults, faults_of(faults))
  end)

  it("sees a special byte at every place of a string", function()
    local faults = {}
    for before = 0, 40 do
      local plain = ("x"):rep(before)
      assert.equal('"' .. plain .. '\\n!"', json.check('"' .. plain .. '\\n!"'))
      faults[#faults + 1] = { '"' .. plain .. '\x1F!!!!!!!!"', before + 1 }
      faults[#faults + 1] = { '"' .. plain .. '"!!!!!!!!', before + 2 }
    end
    assert.same(faults, faults_of(faults))
  end)

  it("refuses every beginning of a text", function()
    for len = 0, #SACRED - 1 do assert.is_nil((json.check(SACRED:sub(1, len)))) end
  end)

  it("has a limit for the depth, and a fault of its own beyond it", function()
    assert.equal(nested(3), json.check(nested(3), 3))
    assert.same({ n = 4, nil, "LIMIT", 3, "it is nested too deep" }, table.pack(json.check(nested(4), 3)))
    assert.equal('{"a":[{}],"b":[{}]}', json.check('{"a":[{}],"b":[{}]}', 3))
    assert.equal("LIMIT", (select(2, json.check("{}", 0))))
    assert.equal("1", json.check("1", 0))
    assert.equal(nested(1024), json.check(nested(1024), 1024))
    assert.equal("LIMIT", (select(2, json.check(("["):rep(1000000), 1000))))
  end)
end)

describe("json.type", function()
  it("tells the kind of a value", function()
    local kinds = { ["{}"] = "object", ["[]"] = "array", ['"a"'] = "string", ["-1"] = "number" }
    for value, kind in pairs(kinds) do assert.equal(kind, json.type(value)) end
    for _, word in ipairs({ "true", "false", "null" }) do assert.equal(word, json.type(word)) end
  end)
end)

describe("json.members", function()
  it("walks an object in order and gives raw names and items", function()
    local members = [["id"=12345678901234567890 "tags"=[] "o"={} "x"=1.0 "e"=1e400 "s"="\u0000\ud83d\ude00"]]
    assert.equal(members, walk(SACRED))
    assert.equal([["a"=1 "a"=2 "\u0061"=3]], walk([[{"a":1,"a":2,"\u0061":3}]]))
  end)

  it("walks an array in order, without names", function()
    assert.equal('1 "a" [2,[3]] {"b":[4]} null', walk('[1,"a",[2,[3]],{"b":[4]},null]'))
  end)

  it("leaves blanks out wherever they stand", function()
    assert.equal('"a"=1 "b"=[ 2 , 3 ] "c"="x y"', walk('{ "a" : 1 ,\n\t"b":[ 2 , 3 ]\r\n, "c" :"x y" }'))
    assert.equal("1 2", walk("[ 1\n,\t2 ]"))
  end)

  it("finds nothing in an empty container", function()
    for _, value in ipairs({ "{}", "[]", "{ \n}", "[\t]" }) do assert.same({}, json.members(value)) end
  end)

  it("is not misled by quotes, brackets and commas inside strings", function()
    assert.equal([["}],\""="]\\" "b"=["[\\\"",{"}":"{"}] "c"=1]],
      walk([[{"}],\"":"]\\","b":["[\\\"",{"}":"{"}],"c":1}]]))
    assert.equal([["\\\\" "\\\\\"" 1]], walk([=[["\\\\","\\\\\"",1]]=]))
  end)

  it("stops early in a text that was not checked, and stays inside it", function()
    local beginnings = {
      "[", "{", "[[", '{"', '{"a', '{"a"', '{"a":', '{"a":[', '["\\', "[,", "{:1", "[}",
    }
    for _, text in ipairs(beginnings) do
      assert.same({}, json.members(text .. "]"))
    end
    assert.equal("1", walk("[1,[2}"))
    assert.equal('"a"=1', walk('{"a":1 "b":2}'))
    assert.equal("", walk('{a":1,"b":2}'))
  end)
end)

describe("json.string_equal", function()
  it("understands escapes in the raw string", function()
    assert.is_true(json.string_equal([["orig\u0069n"]], "origin"))
    assert.is_true(json.string_equal([["\u006frigin"]], "origin"))
    assert.is_true(json.string_equal([["\u00E9\u20ac\uD83D\ude00"]], "é€😀"))
    assert.is_true(json.string_equal([["\"\\\/\b\f\n\r\t\u0000"]], '"\\/\b\f\n\r\t\0'))
    assert.is_true(json.string_equal('"é"', "é"))
    assert.is_true(json.string_equal('""', ""))
  end)

  it("is false for every other text", function()
    for _, text in ipairs({ "", "origi", "origins", "Origin", [[orig\u0069n]], "orig\0n" }) do
      assert.is_false(json.string_equal([["orig\u0069n"]], text))
    end
    assert.is_false(json.string_equal([["\n"]], [[\n]]))
    assert.is_false(json.string_equal([["\u0061"]], ""))
    assert.is_false(json.string_equal('""', "a"))
  end)
end)

describe("json.find", function()
  it("gives the raw item of a member, whatever way its name is written", function()
    assert.equal("12345678901234567890", json.find(SACRED, "id"))
    assert.equal("[]", json.find(SACRED, "tags"))
    assert.equal('"x"', json.find([[{ "orig\u0069n" : "x" }]], "origin"))
    assert.equal("1", json.find('{"":1}', ""))
  end)

  it("gives the last one of duplicates, as JSON.parse does", function()
    assert.equal("3", json.find([[{"a":1,"b":2,"\u0061":3,"c":4}]], "a"))
  end)

  it("gives nothing when the member is not there, or only deeper", function()
    assert.is_nil(json.find("{}", "a"))
    assert.is_nil(json.find('{"b":{"a":1},"c":["a"],"d":"a"}', "a"))
  end)

  it("takes names such as __proto__ for ordinary ones", function()
    assert.is_nil(json.find("{}", "constructor"))
    assert.equal("1", json.find('{"__proto__":1}', "__proto__"))
  end)
end)

describe("json.set", function()
  it("replaces an item where it stands and leaves all other bytes alone", function()
    local object = '{ "a" : 1 , "b" : {"x":[2]}\n,\t"c":[ ] }'
    assert.equal('{ "a" : 1 , "b" : "new"\n,\t"c":[ ] }', json.set(object, "b", '"new"'))
    assert.equal((SACRED:gsub("1e400", "null")), json.set(SACRED, "e", "null"))
    assert.equal([[{"orig\u0069n":"room-1"}]], json.set([[{"orig\u0069n":0}]], "origin", '"room-1"'))
  end)

  it("adds a new member behind the last", function()
    assert.equal(SACRED:sub(1, -2) .. ',"origin":"room-1"}', json.set(SACRED, "origin", '"room-1"'))
    assert.equal('{ "a":1,"b":2\n}', json.set('{ "a":1\n}', "b", "2"))
    assert.equal('{"b":2}', json.set("{}", "b", "2"))
    assert.equal('{"b":2 \n}', json.set("{ \n}", "b", "2"))
  end)

  it("escapes the name of a new member", function()
    assert.equal([[{"\"\\\u0001é":1}]], json.set("{}", '"\\\1é', "1"))
  end)

  it("replaces the first of duplicates and drops the others", function()
    assert.equal('{"a":9,"b":2,"c":4}', json.set([[{"a":1,"b":2,"\u0061":3,"c":4,"a":5}]], "a", "9"))
    assert.equal('{"b":0, "a":9 }', json.set('{"b":0, "a":1 ,"a":2}', "a", "9"))
  end)

  it("sets no member that lies deeper", function()
    assert.equal('{"b":{"a":1},"a":2}', json.set('{"b":{"a":1}}', "a", "2"))
  end)
end)

describe("json.remove", function()
  it("takes the member and one comma away, and nothing else", function()
    assert.equal('{"b":2,"c":3}', json.remove('{"a":1,"b":2,"c":3}', "a"))
    assert.equal('{"a":1,"c":3}', json.remove('{"a":1,"b":2,"c":3}', "b"))
    assert.equal('{"a":1,"b":2}', json.remove('{"a":1,"b":2,"c":3}', "c"))
    assert.equal("{}", json.remove('{"a":1}', "a"))
    assert.equal((SACRED:gsub('"tags":%[%],', "")), json.remove(SACRED, "tags"))
  end)

  it("leaves the blanks that stood around the member", function()
    assert.equal("{ \n}", json.remove('{ "a" : 1\n}', "a"))
    assert.equal('{ \n "b":2 }', json.remove('{ "a":1\n, "b":2 }', "a"))
    assert.equal('{ "a":1\n  }', json.remove('{ "a":1\n, "b":2 }', "b"))
  end)

  it("takes duplicates away too, wherever they stand", function()
    assert.equal('{"b":2}', json.remove([[{"a":1,"\u0061":3,"b":2,"a":5}]], "a"))
    assert.equal('{"b":2,"c":4}', json.remove('{"b":2,"a":1,"a":3,"c":4}', "a"))
    assert.equal("{}", json.remove('{"a":1,"a":2,"a":3}', "a"))
  end)

  it("changes nothing when the member is not there", function()
    for _, object in ipairs({ "{}", "{ }", SACRED, '{ "a" : {"b":1} , "c":"b" }' }) do
      assert.equal(object, json.remove(object, "b"))
    end
  end)

  it("undoes what json.set added", function()
    for _, object in ipairs({ "{}", "{ \n}", SACRED, '{ "a" : 1 , "c":2\n}' }) do
      assert.equal(object, json.remove(json.set(object, "origin", "[1,2]"), "origin"))
    end
  end)
end)

describe("json.decode_string", function()
  it("gives the bytes that the string says", function()
    assert.equal("plain", json.decode_string('"plain"'))
    assert.equal('"\\/\b\f\n\r\t', json.decode_string([["\"\\\/\b\f\n\r\t"]]))
    assert.equal("\0\u{7F}\u{80}\u{7FF}", json.decode_string([["\u0000\u007f\u0080\u07fF"]]))
    assert.equal("\u{800}\u{FFFF}", json.decode_string([["\u0800\uffff"]]))
    assert.equal("\u{10000}\u{1F600}", json.decode_string([["\ud800\udc00\uD83D\uDE00"]]))
    assert.equal("\u{10FFFF}", json.decode_string([["\udbff\udfff"]]))
    assert.equal("", json.decode_string('""'))
  end)

  it("turns each lone surrogate into U+FFFD", function()
    assert.equal(REPLACEMENT, json.decode_string([["\ud800"]]))
    assert.equal(REPLACEMENT .. "x", json.decode_string([["\udfffx"]]))
    assert.equal(REPLACEMENT .. "\u{10000}", json.decode_string([["\ud800\ud800\udc00"]]))
    assert.equal(REPLACEMENT .. "A" .. REPLACEMENT .. "\n", json.decode_string([["\udbff\u0041\ud83d\n"]]))
    assert.equal(REPLACEMENT:rep(2), json.decode_string([["\udc00\ud800"]]))
  end)
end)

describe("json.encode_string", function()
  it("escapes what must be escaped and nothing else", function()
    local raw = [["a\"b\\c/\u0000\b\t\n\u000b\f\r\u001f]] .. '\x7Fé😀"'
    assert.equal(raw, json.encode_string('a"b\\c/\0\b\t\n\v\f\r\x1F\x7Fé😀'))
    assert.equal('""', json.encode_string(""))
  end)

  it("turns every byte that is no UTF-8 into U+FFFD", function()
    assert.equal('"a' .. REPLACEMENT .. 'b"', json.encode_string("a\xFFb"))
    assert.equal('"' .. REPLACEMENT:rep(3) .. '"', json.encode_string("\xED\xA0\x80"))
    assert.equal('"' .. REPLACEMENT:rep(2) .. '"', json.encode_string("\xE2\x82"))
  end)

  it("is read back by json.check and json.decode_string", function()
    local bytes = {}
    for byte = 0, 127 do bytes[#bytes + 1] = string.char(byte) end
    local text = table.concat(bytes) .. "é€😀"
    local raw = json.encode_string(text)
    assert.equal(raw, json.check(raw))
    assert.equal(text, json.decode_string(raw))
    assert.is_true(json.string_equal(raw, text))
  end)
end)
