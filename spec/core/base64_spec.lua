-- RFC 4648, whose examples these are.
local base64 = require("core.test").base64

describe("base64", function()
  it("is padded to whole fours", function()
    for bytes, text in pairs {
      [""] = "", f = "Zg==", fo = "Zm8=", foo = "Zm9v", foob = "Zm9vYg==", fooba = "Zm9vYmE=",
      foobar = "Zm9vYmFy", ["\xfb\xff\xbf"] = "+/+/",
    } do
      assert.equal(text, base64.encode("padded", bytes))
      assert.equal(bytes, base64.decode("padded", text))
    end
  end)

  it("is not padded for URLs, and has two other characters", function()
    for bytes, text in pairs {
      [""] = "", ["\0"] = "AA", fo = "Zm8", ["\xFB\xFF\xBE"] = "-_--", ["light work."] = "bGlnaHQgd29yay4",
    } do
      assert.equal(text, base64.encode("url", bytes))
      assert.equal(bytes, base64.decode("url", text))
    end
  end)

  it("gives back all bytes, wherever they stand", function()
    local all = {}
    for i = 0, 255 do all[i + 1] = string.char(i) end
    local bytes = table.concat(all)
    for _, form in ipairs { "padded", "url" } do
      for first = 1, 3 do
        for last = 254, 256 do
          local part = bytes:sub(first, last)
          assert.equal(part, base64.decode(form, base64.encode(form, part)))
        end
      end
    end
  end)

  it("has one form only: a text of another one is refused, and nothing of it is given", function()
    local texts = {
      padded = {
        "Z", "Zg", "Zg=", "Zg==Zg==", "Zm9v\n", "Zm 9v", "Zm-v", "Zm_v", "=", "====", "A===", "Zh==", "Zm9=", "Zm9vé",
      },
      url = {
        "AA==", "AA=", "AAA=", "A", "AAAAA", "+A", "/A", "AAA+", "A/AA", "A A", "AA\n", "\0", "AB", "AAB", "é", "AAAAé",
      },
    }
    for form, list in pairs(texts) do
      for _, text in ipairs(list) do
        assert.same({ nil, "INVALID", 0 }, { base64.decode(form, text) })
      end
    end
  end)
end)
