local lua_half = require "spec.support.lua_half"

describe("GET /control/search", function()
  local core

  before_each(function() core = lua_half.start({ settings = { PAGE_SIZE_MAX = 50 } }) end)

  local function search(target, headers)
    return lua_half.control(core, "GET", "/control/search/" .. target, nil, headers)
  end

  it("tells the channels of a user", function()
    core.bus.answers.subscriptions = { { "post-1" } }
    local reply = search("subscriptions?userId=ann")
    assert.same({ 200, '["post-1"]' }, { reply.status, reply.body })
  end)

  it("answers [] for those that nobody knows", function()
    assert.equal("[]", search("subscriptions?userId=__proto__").body)
    assert.equal("[]", search("participants?channel=constructor").body)
    assert.equal("[]", search("users").body)
  end)

  it("tells the users of a channel, with those who are away if asked", function()
    core.bus.answers.participants = { { "ann", "bob" }, false }
    assert.same({ "ann", "bob" }, search("participants?channel=post-1").json)
    local _, call = lua_half.last_call(core, "participants")
    assert.same({ "post-1", { offline = false, size = 50 } }, { call[1], call[2] })
    search("participants?channel=post-1&include=offline&page[size]=2&page[after]=ann")
    _, call = lua_half.last_call(core, "participants")
    assert.same({ offline = true, size = 2, after = "ann" }, call[2])
  end)

  it("links to the next page when more follow", function()
    core.bus.answers.participants = { { "ann", "b&b" }, true }
    local reply = search("participants?channel=a%20b&include=offline&page[size]=2")
    assert.equal('</control/search/participants?channel=a%20b&include=offline&page%5Bsize%5D=2'
      .. '&page%5Bafter%5D=b%26b>; rel="next"', reply.headers.link)
    core.bus.answers.users = { { "ann" }, true }
    reply = search("users?page%5Bsize%5D=1", { accept = "application/vnd.api+json" })
    assert.equal("/control/search/users?page%5Bsize%5D=1&page%5Bafter%5D=ann", reply.json.links.next)
    core.bus.answers.users = { { "ann" }, false }
    assert.is_nil(search("users").headers.link)
  end)

  it("answers resource identifiers to those who want documents", function()
    local headers = { accept = "application/vnd.api+json" }
    core.bus.answers.subscriptions = { { "post-1" } }
    assert.same({ data = { { type = "channels", id = "post-1" } } },
      search("subscriptions?userId=ann", headers).json)
    core.bus.answers.users = { { "ann" } }
    assert.same({ data = { { type = "users", id = "ann" } } }, search("users", headers).json)
    core.bus.answers.users = { {} }
    assert.equal('{"data":[]}', search("users", headers).body)
  end)

  it("refuses what is missing or not allowed", function()
    local cases = {
      ["subscriptions"] = "parameter-missing userId",
      ["participants"] = "parameter-missing channel",
      ["participants?channel="] = "parameter-missing channel",
      ["participants?channel=a&include=all"] = "parameter-invalid include",
      ["subscriptions?userid=ann"] = "parameter-unknown userid",
      ["subscriptions?userId=a%0Ab"] = "name-invalid userId",
      ["users?page[size]=0"] = "parameter-invalid page[size]",
      ["users?page[size]=51"] = "parameter-invalid page[size]",
    }
    for target, expected in pairs(cases) do
      local reply = search(target)
      local found = reply.error.code .. " " .. reply.error.source.parameter
      assert.same({ 400, expected }, { reply.status, found })
    end
  end)

  it("says when the index does not answer", function()
    core.bus.answers.users = { nil, "the roster is gone", "UNAVAILABLE" }
    assert.equal(503, search("users").status)
  end)

  it("needs the right to search", function()
    core.token.known = { a = { user = "ann", claims = '{"scope":"control:notify"}' } }
    assert.equal(403, search("users", { authorization = "Bearer a" }).status)
  end)
end)
