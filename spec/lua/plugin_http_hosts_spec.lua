local fake_core = require "spec.support.fake_core"

describe("the hosts that a plugin may ask", function()
  local http_hosts

  before_each(function()
    fake_core.install()
    http_hosts = require "plugin.http_hosts"
  end)

  local function permit(list, host, port)
    return http_hosts.permit(assert(http_hosts.compile(list)), host, port or 80)
  end

  it("are those that it names, on any port or on one", function()
    assert.equal("named", permit({ "Shop.internal" }, "shop.internal", 8080))
    assert.is_nil(permit({ "shop.internal" }, "x.shop.internal"))
    assert.is_nil(permit({ "shop.internal" }, "shop.internal.evil.example"))
    assert.equal("named", permit({ "shop.internal:8080" }, "shop.internal", 8080))
    assert.is_nil(permit({ "shop.internal:8080" }, "shop.internal", 80))
    assert.equal("named", permit({ "[::1]:80" }, "[::1]", 80))
    assert.equal("named", permit({ "127.0.0.1" }, "127.0.0.1", 80))
  end)

  it("may be all below one", function()
    assert.equal("named", permit({ "*.shop.example" }, "a.b.shop.example"))
    assert.is_nil(permit({ "*.shop.example" }, "shop.example"))
    assert.is_nil(permit({ "*.shop.example" }, "myshop.example"))
    assert.is_nil(permit({ "*.shop.example:81" }, "a.shop.example", 80))
  end)

  it("may be any, which is less than being named", function()
    assert.equal("any", permit({ "*" }, "anywhere.example"))
    assert.equal("named", permit({ "*", "shop.internal" }, "shop.internal"))
    assert.equal("named", permit({ "shop.internal", "*" }, "shop.internal"))
  end)

  it("are those of the URLs that options say too", function()
    local rules = http_hosts.of_options({ url = "http://Shop.internal:8080/told", name = "x", count = 5, is_on = true })
    assert.same({ { host = "shop.internal", port = 8080 } }, rules)
    assert.equal("named", http_hosts.permit(rules, "shop.internal", 8080))
    assert.is_nil(http_hosts.permit(rules, "shop.internal", 80))
    assert.same({ { host = "a", port = 80 }, { host = "b", port = 443 } },
      http_hosts.of_options({ urls = { "http://a/", "x", "https://b/" } }))
    assert.same({}, http_hosts.of_options({}))
  end)

  it("are a list of hosts and nothing else", function()
    local wrong = {
      "x", 5, {}, { x = 1 }, { "a", x = 1 }, { 5 }, { "" }, { "http://a" }, { "a/b" }, { "*a" }, { "a.*" },
      { "**" }, { "a:0" },
      { "a:70000" }, { "a:b" }, { ".a" }, { "*." }, { "a b" }, { "a@b" },
    }
    for _, list in ipairs(wrong) do
      local rules, line = http_hosts.compile(list)
      assert.is_nil(rules)
      assert.matches("^needs: http must be a list of hosts", line)
    end
  end)
end)
