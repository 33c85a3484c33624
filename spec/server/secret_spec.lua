-- PUT /auth/update-jwt-secret: on all workers at once, through a restart, with and without grace.
local server = require "spec.support.server"
local token = require "spec.support.token"

local NEXT = "the next secret of the specs 0123456789"

local function update(chatty, body)
  return chatty:control("PUT", "/auth/update-jwt-secret", body)
end

local function status(chatty, bearer)
  return chatty:request{ path = "/auth/test-jwt", headers = { Authorization = "Bearer " .. bearer } }.status
end

local function statuses(chatty, bearer)
  local seen = {}
  for _ = 1, 8 do seen[status(chatty, bearer)] = true end
  local list = {}
  for one in pairs(seen) do list[#list + 1] = one end
  return list
end

describe("a new secret", function()
  it("counts on all workers at once, and the old one no longer", function()
    local chatty = server.start{ settings = { WORKERS = 4 } }
    local old, new = chatty:token("ann"), token.make("ann", NEXT)
    assert.same({ 401 }, statuses(chatty, new))
    assert.equal(200, update(chatty, { secret = NEXT }).status)
    assert.same({ 200 }, statuses(chatty, new))
    assert.same({ 401 }, statuses(chatty, old))
  end)

  it("ends the sessions of old tokens with 4504, and tells how many", function()
    local chatty = server.start{ settings = { WORKERS = 4 } }
    local ann, bob = chatty:connect("ann"), chatty:connect("bob")
    ann:next()
    bob:next()
    assert.same({ msg = "Secret updated.", sessions = 2 }, update(chatty, { secret = NEXT }).json())
    assert.equal(4504, (ann:expect_closed()))
    assert.equal(4504, (bob:expect_closed()))
  end)

  it("with grace leaves the old one good so long; its sessions are warned, and stay with a new token", function()
    local chatty = server.start()
    local ann = chatty:connect("ann")
    ann:next()
    assert.same({ msg = "Secret updated.", sessions = 0 }, update(chatty, { secret = NEXT, grace = 5 }).json())
    assert.same({ 200 }, statuses(chatty, chatty:token("ann")))
    assert.same({ 200 }, statuses(chatty, token.make("ann", NEXT)))
    assert.equal("chatty:expiring", ann:next().event)
    ann:send_event("chatty:auth", ('{"token":"%s"}'):format(token.make("ann", NEXT, 600)))
    assert.equal("chatty:auth", ann:next().event)
  end)

  it("with grace that is over ends the sessions that did not renew with 4001", function()
    local chatty = server.start()
    local ann = chatty:connect("ann")
    ann:next()
    update(chatty, { secret = NEXT, grace = 0.2 })
    assert.equal("chatty:expiring", ann:next().event)
    assert.equal(4001, (ann:expect_closed()))
    assert.same({ 401 }, statuses(chatty, chatty:token("ann")))
  end)

  it("survives a crash, with the grace of the one before", function()
    local store = { STORE = "sqlite:chatty.db" }
    local before = server.start{ settings = store }
    update(before, { secret = NEXT, grace = 3600 })
    before:kill()
    local after = server.start{ settings = store, folder = before.folder }
    assert.same({ 200 }, statuses(after, token.make("ann", NEXT)))
    assert.same({ 200 }, statuses(after, after:token("ann")))
    update(after, { secret = NEXT .. "2" })
    after:kill()
    local last = server.start{ settings = store, folder = before.folder }
    assert.same({ 200 }, statuses(last, token.make("ann", NEXT .. "2")))
    assert.same({ 401 }, statuses(last, token.make("ann", NEXT)))
    assert.same({ 401 }, statuses(last, last:token("ann")))
  end)

  it("gives way to another JWT_SECRET in the settings", function()
    local before = server.start{ settings = { STORE = "sqlite:chatty.db" } }
    update(before, { secret = NEXT })
    before:stop()
    local other = "another secret in the settings 0123456789"
    local after = server.start{
      settings = { STORE = "sqlite:chatty.db", JWT_SECRET = other }, folder = before.folder }
    assert.same({ 200 }, statuses(after, token.make("ann", other)))
    assert.same({ 401 }, statuses(after, token.make("ann", NEXT)))
  end)

  it("needs control rights", function()
    local chatty = server.start()
    local answer = chatty:request{ method = "PUT", path = "/auth/update-jwt-secret", json = { secret = NEXT } }
    assert.equal(401, answer.status)
    assert.same({ 200 }, statuses(chatty, chatty:token("ann")))
  end)

  for what, body in pairs{
    ["is too short"] = { secret = "short" }, ["is missing"] = { grace = 1 }, ["is no string"] = { secret = 1 },
    ["comes with a wrong grace"] = { secret = NEXT, grace = -1 }, ["comes in a list"] = { NEXT },
  } do
    it("that " .. what .. " is refused with 400, and nothing changes", function()
      local chatty = server.start()
      assert.equal(400, update(chatty, body).status)
      assert.same({ 200 }, statuses(chatty, chatty:token("ann")))
    end)
  end

  it("appears in no log line", function()
    local chatty = server.start{ settings = { LOG_LEVEL = "debug" } }
    update(chatty, { secret = NEXT })
    update(chatty, { secret = "short" })
    chatty:stop()
    assert.is_nil(table.concat(chatty:log(), "\n"):find(NEXT, 1, true))
  end)
end)
