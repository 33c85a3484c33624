local base64 = require("core.test").base64
local secret = require("core.test").token.secret

describe("two secrets", function()
  it("are equal when every byte is", function()
    for _, text in ipairs{ "", "a", "a\0b", ("x"):rep(10000) } do assert.is_true(secret.equal(text, text)) end
    local others = {
      { "", "a" }, { "a", "" }, { "a", "b" }, { "a\0b", "a\0c" }, { "a", "a\0" }, { "ab", "a" },
    }
    for _, pair in ipairs(others) do assert.is_false(secret.equal(pair[1], pair[2])) end
  end)
end)

describe("random text", function()
  it("is base64 for URLs, without padding, of so many bytes", function()
    for bytes = 1, 40 do
      local text = secret.random_text(bytes)
      assert.truthy(text:find("^[%w_-]+$"))
      assert.equal((bytes * 8 + 5) // 6, #text)
      assert.equal(bytes, #base64.decode("url", text))
    end
  end)

  it("is another each time, and so are random numbers and bytes", function()
    local seen = {}
    for _ = 1, 1000 do
      local text, number = secret.random_text(16), secret.random_number()
      local bytes = secret.random(24) -- of a pool whose size they do not divide
      assert.equal(24, #bytes)
      assert(not seen[text] and not seen[number] and not seen[bytes])
      seen[text], seen[number], seen[bytes] = true, true, true
    end
  end)
end)

-- RFC 4231.
describe("HMAC-SHA256", function()
  local hmac = require("core.test").ws.hmac_sha256

  it("is that of the RFC", function()
    assert.equal("b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7", hmac(("\x0b"):rep(20), "Hi There"))
    assert.equal("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
      hmac("Jefe", "what do ya want for nothing?"))
    assert.equal("60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
      hmac(("\xaa"):rep(131), "Test Using Larger Than Block-Size Key - Hash Key First"))
  end)

  it("takes an empty key and an empty text", function()
    assert.equal("b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad", hmac("", ""))
  end)
end)
