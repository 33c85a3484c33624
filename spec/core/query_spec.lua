-- core.query and core.names, and that their fakes for the specs of the Lua half do the same.
local fake_text = require "spec.support.fake_text"

local MODULES = { C = require("core.test").api, ["the fake"] = fake_text.modules() }

for who, modules in pairs(MODULES) do
  describe(("query.parse of %s"):format(who), function()
    local parse = modules.query.parse

    it("decodes names and values", function()
      assert.same({ ["page[size]"] = "1", name = "a b+c ü", empty = "", bare = "", a = "b=c" },
        parse("page%5Bsize%5D=1&name=a+b%2Bc%20%C3%BC&empty=&bare&&a=b=c&"))
      assert.same({}, parse(""))
    end)

    it("takes the first of repeated parameters that nobody declared", function()
      assert.same({ a = "1" }, parse("a=1&a=2"))
    end)

    it("lists those that are not plain, or come again, in order", function()
      local values, others = parse("b=1&a=2&c=3&a=4&d", { a = true, c = true, d = false })
      assert.same({ a = "2", c = "3" }, values)
      assert.same({ "b", "1", "a", "4", "d", "" }, others)
      assert.is_nil(select(2, parse("a=1", { a = true })))
    end)

    it("tells what is malformed", function()
      for _, text in ipairs({ "a=%", "a=%4", "a=%zz", "a=%4g", "a=%41%", "a=%ff", "a=\xff" }) do
        assert.same({ nil, "a", text }, { parse("b=1&" .. text .. "&c=1") })
      end
      assert.same({ nil, nil, "%c3=1" }, { parse("%c3=1", {}) })
    end)
  end)

  describe(("names of %s"):format(who), function()
    local names = modules.names

    it("may be any UTF-8 without control characters", function()
      for _, name in ipairs({ "a", "a b", "ü", "a,b", "__proto__", "a\u{80}" }) do
        assert.is_nil(names.fault(name))
      end
      assert.equal("is empty", names.fault(""))
      assert.equal("is not UTF-8", names.fault("a\xff"))
      for _, name in ipairs({ "\0", "a\n", "a\x7f", "\x1f" }) do
        assert.equal("has control characters", names.fault(name))
      end
    end)

    it("stand between commas, without blanks around them", function()
      assert.same({ "a" }, names.split("a"))
      assert.same({ "a", "b c", "" }, names.split(" \ta ,b c\t,"))
      assert.same({ "", "" }, names.split(","))
      assert.same({}, names.split(""))
      assert.same({}, names.split(" \t "))
    end)
  end)
end
