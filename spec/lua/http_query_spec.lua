local fake_core = require "spec.support.fake_core"

describe("query", function()
  local query, spec

  before_each(function()
    fake_core.install()
    query = require "http.query"
    spec = query.compile({
      method = { type = "string" },
      userId = { type = "string", required = true },
      add = { type = "list" },
      report = { type = "boolean", default = false },
      ["page[size]"] = { type = "integer", min = 1, max = 10 },
      include = { type = "string", one_of = { "offline" } },
    }, 1)
  end)

  local function refused(text)
    local values, refusal = query.read(text, spec)
    assert.is_nil(values)
    return refusal
  end

  it("decodes names and values", function()
    assert.same({ ["page[size]"] = "1", name = "a b+c ü", empty = "", bare = "" },
      query.all("page%5Bsize%5D=1&name=a+b%2Bc%20%C3%BC&empty=&bare&&"))
  end)

  it("keeps everything behind the first equals sign", function()
    assert.same({ a = "b=c" }, query.all("a=b=c"))
  end)

  it("takes the first of repeated parameters that nobody declared", function()
    assert.same({ a = "1" }, query.all("a=1&a=2"))
  end)

  it("refuses broken percent-encoding and bytes that are no UTF-8", function()
    for _, text in ipairs({ "a=%", "a=%4", "a=%zz", "a=%4g", "a=%41%", "a=%ff", "%c3=1", "a=\xff" }) do
      local values, refusal = query.all(text)
      assert.is_nil(values)
      assert.equal("query-malformed", refusal.code)
    end
  end)

  it("points at the parameter that is malformed", function()
    local _, refusal = query.all("method=%zz")
    assert.same({ parameter = "method" }, refusal.source)
  end)

  it("types what is declared and fills in defaults", function()
    assert.same({ userId = "ann", report = true, ["page[size]"] = 5, add = { "a", "b" } },
      query.read("userId=ann&report=true&page[size]=5&add=a, b", spec))
    assert.same({ userId = "ann", report = false }, query.read("userId=ann", spec))
  end)

  it("joins a list that comes in several pieces", function()
    assert.same({ "a", "b", "c" }, query.read("userId=ann&add=a&add=b,c", spec).add)
  end)

  it("refuses a parameter that it does not know, and names the known ones", function()
    local refusal = refused("userId=ann&metod=x")
    assert.equal("parameter-unknown", refusal.code)
    assert.same({ parameter = "metod" }, refusal.source)
    assert.equal("The known parameters are: add, include, method, page[size], report, userId.",
      refusal.detail)
  end)

  it("refuses a parameter that stands twice", function()
    assert.equal("parameter-repeated", refused("userId=ann&userId=bob").code)
    assert.equal("parameter-repeated", refused("userId=ann&report=false&report=true").code)
  end)

  it("refuses a parameter that is missing or empty", function()
    assert.equal("parameter-missing", refused("").code)
    assert.same({ parameter = "userId" }, refused("userId=").source)
  end)

  it("says what is allowed when a value is not", function()
    assert.equal("'report' must be true or false.", refused("userId=a&report=1").detail)
    assert.equal("'page[size]' must be a whole number.", refused("userId=a&page[size]=x").detail)
    assert.equal("'page[size]' must be at most 10.", refused("userId=a&page[size]=11").detail)
    assert.equal("'include' must be one of offline.", refused("userId=a&include=all").detail)
  end)

  it("encodes what it can decode", function()
    local text = query.encode({ "page[after]", "a&b=ü", "x", "1" })
    assert.equal("page%5Bafter%5D=a%26b%3D%C3%BC&x=1", text)
    assert.same({ ["page[after]"] = "a&b=ü", x = "1" }, query.all(text))
  end)

  it("does not compile a wrong declaration", function()
    assert.has_error(function() query.compile({ a = { type = "text" } }, 1) end)
    assert.has_error(function() query.compile({ a = { type = "string", defualt = "x" } }, 1) end)
  end)
end)
