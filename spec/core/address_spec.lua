local address = require("core.test").address

-- Each range from its first to its last address, and its neighbours where those are public.
local PRIVATE = {
  "0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255", "127.0.0.1",
  "127.255.255.255", "169.254.169.254", "172.16.0.0", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1",
  "192.168.0.0", "192.168.255.255", "198.18.0.0", "198.19.255.255", "198.51.100.7", "203.0.113.7", "224.0.0.1",
  "239.255.255.255", "240.0.0.1", "255.255.255.255",
  "::", "::1", "::ffff:127.0.0.1", "::ffff:10.1.2.3", "64:ff9b::7f00:1", "64:ff9b:1::1", "100::1", "2001::1",
  "2001:1ff::1",
  "2001:db8::1", "2002:7f00:1::1", "3fff::1", "5f00::1", "fc00::1", "fd12:3456::1", "fe80::1", "febf::1", "fec0::1",
  "ff02::1", "::127.0.0.1", "::ffff:0:7f00:1",
  "", "x", "1.2.3", "1.2.3.4.5", "0x7f.1", "2130706433", "1.2.3.4 ", "[2606:4700::1]",
}
local PUBLIC = {
  "1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
  "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.0.3.0", "192.167.255.255",
  "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255", "8.8.8.8",
  "2606:4700::1111", "2001:4860:4860::8888", "2001:200::1", "2003::1", "::ffff:8.8.8.8", "64:ff9b::808:808", "2a00::1",
}

describe("an address", function()
  it("is private when only this machine or its network knows it", function()
    for _, text in ipairs(PRIVATE) do
      assert.is_false(address.is_public(text), text)
      assert.is_false(address.is_public_socket(text), text)
    end
  end)

  it("is public when it is one of the open Internet", function()
    for _, text in ipairs(PUBLIC) do
      assert.is_true(address.is_public(text), text)
      assert.is_true(address.is_public_socket(text), text)
    end
  end)
end)

describe("the addresses of a host", function()
  it("are those of this machine for localhost and what ends in it, whether anybody says so or not", function()
    for _, host in ipairs{ "localhost", "chatty.localhost", "a.b.LocalHost", "" } do
      local found = assert(address.find(host), host)
      assert.is_true(#found > 0)
      for _, text in ipairs(found) do assert.is_true(text == "::1" or text:find("^127%.") ~= nil, text) end
    end
  end)

  it("are the host itself when it is one", function()
    assert.same({ "192.0.2.1" }, address.find "192.0.2.1")
    assert.same({ "2001:db8::1" }, address.find "2001:db8::1")
  end)

  it("are none when nobody knows it", function()
    for _, host in ipairs{ "nowhere.invalid", "notlocalhost", "localhost.invalid" } do
      assert.is_nil(address.find(host), host)
    end
  end)
end)

describe("the URL of a request of ours", function()
  it("is taken apart", function()
    assert.same({ "http://a.example/", "a.example", 80, false }, { address.parse_url("http://a.example") })
    assert.same({ "https://a.example:8443/b?c=d", "a.example", 8443, true },
      { address.parse_url("https://a.example:8443/b?c=d#e") })
    assert.same({ "http://[::1]/", "[::1]", 80, false }, { address.parse_url("http://[::1]/") })
    assert.equal(443, select(3, address.parse_url("https://a.example/")))
  end)

  it("tells the host that will be asked, however it is written", function()
    for _, text in ipairs{ "http://0x7f.1/", "http://2130706433/", "http://127.1/", "http://0177.0.0.1/" } do
      assert.equal("127.0.0.1", select(2, address.parse_url(text)), text)
    end
    assert.equal("a.example", select(2, address.parse_url("http://%61.example/")))
  end)

  it("may be relative to another", function()
    assert.equal("http://a.example/b", (address.parse_url("/b", "http://a.example/c/d")))
    assert.equal("http://a.example/c/b", (address.parse_url("b", "http://a.example/c/d")))
    assert.equal("http://b.example/", (address.parse_url("//b.example/", "http://a.example/")))
    assert.equal("https://b.example/", (address.parse_url("https://b.example/", "http://a.example/")))
  end)

  it("is none without host, with a user, or of another protocol", function()
    local wrong = {
      "", "/b", "http://", "ftp://a.example/", "file:///etc/passwd", "gopher://a.example/", "javascript:x",
      "http://u@a.example/", "http://u:p@a.example/", "http://a.example:99999/", "http://a b/", "http://a.example\n/",
    }
    for _, text in ipairs(wrong) do assert.is_nil((address.parse_url(text)), text) end
    assert.is_nil((address.parse_url("//u:p@b.example/", "http://a.example/")))
  end)
end)
