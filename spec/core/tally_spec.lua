local hub = require("core.test").hub

describe("a tally", function()
  it("is nothing when nobody was reached", function()
    assert.same({ users = 0, sessions = 0, per_name = { { users = 0, sessions = 0 } } }, hub.tally(1, {}, {}))
  end)

  it("counts a user once who has sessions on several workers", function()
    local all = hub.tally(1, { { 1, "u", 2 }, { 1, "v", 1 } }, { { 1, "u", 3 } }, {})
    assert.same({ users = 2, sessions = 6, per_name = { { users = 2, sessions = 6 } } }, all)
  end)

  it("counts a user once in all who was reached by several names", function()
    local all = hub.tally(3, { { 1, "u", 1 }, { 2, "u", 1 } }, { { 2, "v", 1 }, { 2, "u", 2 } })
    assert.equal(2, all.users)
    assert.equal(5, all.sessions)
    assert.same({ { users = 1, sessions = 1 }, { users = 2, sessions = 4 }, { users = 0, sessions = 0 } },
      all.per_name)
  end)

  it("tells thousands of users apart", function()
    local first, second = {}, {}
    for i = 1, 3000 do
      first[i] = { 1, "user-" .. i, 1 }
      second[i] = { 1, "user-" .. i + 1000, 1 }
    end
    local all = hub.tally(1, first, second)
    assert.equal(4000, all.users)
    assert.equal(6000, all.sessions)
  end)
end)
