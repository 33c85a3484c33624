local fake_core = require "spec.support.fake_core"

describe("cookie", function()
  local cookie

  before_each(function()
    fake_core.install()
    cookie = require "http.cookie"
  end)

  it("is found by its exact name", function()
    assert.equal("b", cookie.find("a=b", "a"))
    assert.equal("x.y-z=", cookie.find("xjwt=1; jwt=x.y-z=; jwt2=3", "jwt"))
    assert.equal("quoted", cookie.find('jwt="quoted"', "jwt"))
    assert.is_nil(cookie.find("ajwt=1; b=jwt=2", "jwt"))
    assert.is_nil(cookie.find(nil, "jwt"))
  end)

  it("is safe unless it says otherwise", function()
    assert.equal("a=b; Path=/; HttpOnly; Secure; SameSite=Lax", cookie.encode("a", "b"))
    assert.equal("a=b; Path=/x; Domain=example.com; Max-Age=0; SameSite=Strict", cookie.encode("a", {
      value = "b", path = "/x", domain = "example.com", max_age = 0, secure = false, http_only = false,
      same_site = "Strict",
    }))
  end)

  it("cannot smuggle in attributes or headers", function()
    assert.has_error(function() cookie.encode("a", "b; Domain=evil") end)
    assert.has_error(function() cookie.encode("a", "b\r\nX: y") end)
    assert.has_error(function() cookie.encode("a b", "c") end)
    assert.has_error(function() cookie.encode("a", { value = "b", same_site = "none" }) end)
  end)
end)
