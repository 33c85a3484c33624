local glob = require "glob"

describe("a pattern of names", function()
  local function check(pattern, good, bad, values)
    for _, text in ipairs(good) do assert.is_true(glob.matches(pattern, text, values), pattern .. " ~ " .. text) end
    for _, text in ipairs(bad) do assert.is_false(glob.matches(pattern, text, values), pattern .. " ~ " .. text) end
  end

  it("without a star is one name", function()
    check("room-1", { "room-1" }, { "room-2", "room-1x", "xroom-1", "" })
    check("a.b%d", { "a.b%d" }, { "axb1" })
    check("", { "" }, { "a" })
  end)

  it("has stars for any characters, also none", function()
    check("*", { "", "a", "a*b" }, {})
    check("room-*", { "room-", "room-1-2" }, { "room", "xroom-1" })
    check("*-room", { "-room", "a-room", "-room-room" }, { "room", "a-roomy" })
    check("a*b", { "ab", "axb", "abb", "a*b" }, { "a", "b", "ba", "abc" })
    check("aa*aa", { "aaaa", "aaxaa" }, { "aaa", "aa" })
    check("a*b*c", { "abc", "axbxc", "abbcc", "aabcbc" }, { "acb", "ac", "abcd", "ab" })
    check("**", { "", "x" }, {})
    check("*a*b*", { "ab", "xaxbx" }, { "ba", "a" })
    check("a*ab*b", { "aabb", "axabxb" }, { "aab", "ab" })
  end)

  it("has places for values, in which a star is none", function()
    check("user-{user}-*", { "user-ann-1" }, { "user-bob-1", "user-{user}-1" }, { user = "ann" })
    check("user-{user}-*", { "user-*-1" }, { "user-ann-1" }, { user = "*" })
    check("{a}{b}", { "x{b}" }, { "{a}{b}" }, { a = "x" })
    check("{user}", { "%1" }, { "x" }, { user = "%1" })
    check("{user}", { "{user}" }, { "ann" })
  end)
end)
