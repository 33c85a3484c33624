local recent = require "http.recent"

describe("recent", function()
  local store

  before_each(function() store = recent.new() end)

  it("keeps what was made of a text", function()
    recent.keep(store, "a=1", "one")
    assert.equal("one", store.by_text["a=1"])
    assert.is_nil(store.by_text["a=2"])
  end)

  it("keeps nothing of long texts", function()
    recent.keep(store, ("a"):rep(128), 1)
    recent.keep(store, ("a"):rep(129), 1)
    assert.equal(1, store.count)
  end)

  it("begins anew when it has kept 500", function()
    for i = 1, 501 do recent.keep(store, tostring(i), i) end
    assert.same({ ["501"] = 501 }, store.by_text)
  end)
end)
