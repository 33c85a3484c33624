local fake_core = require "spec.support.fake_core"

describe("a proxy", function()
  local proxy, requests

  before_each(function()
    fake_core.install()
    proxy = require "http.proxy"
    requests = require "http.request"
  end)

  local function request_with(headers, remote)
    local made = requests.new(fake_core.request({ headers = headers }), { method = "POST", path = "/" })
    made.remote = remote
    return made
  end

  local function address(header, remote)
    return proxy.address(request_with({ ["x-forwarded-for"] = header }, remote))
  end

  it("on this machine is believed the address that it adds", function()
    assert.equal("10.0.0.9", address("1.2.3.4, 10.0.0.9", "127.0.0.1"))
    assert.equal("2001:db8::1", address("2001:db8::1", "::1"))
    assert.equal("10.0.0.9", address(" 10.0.0.9 ", "::ffff:127.0.0.1"))
  end)

  it("elsewhere is not, and nonsense never", function()
    assert.equal("8.8.8.8", address("1.2.3.4", "8.8.8.8"))
    for _, header in ipairs({ "", "unknown", "1.2.3.4,", ("1"):rep(46) }) do
      assert.equal("127.0.0.1", address(header, "127.0.0.1"))
    end
    assert.equal("127.0.0.1", address(nil, "127.0.0.1"))
  end)

  it("says whether the client came over TLS", function()
    for header, is_tls in pairs({ https = true, ["HTTPS, http"] = true, http = false, ["http, https"] = false }) do
      assert.equal(is_tls, proxy.is_tls(request_with({ ["x-forwarded-proto"] = header })))
    end
    assert.is_false(proxy.is_tls(request_with({})))
  end)
end)
