local lua_half = require "spec.support.lua_half"

describe("POST /control/subscription", function()
  local core

  before_each(function() core = lua_half.start() end)

  local BODY <const> = '{"data":{"type":"post","id":"1","relationships":'
    .. '{"author":{"data":{"type":"user","id":9}}}}}'

  local function ask(verb, query, body, headers)
    return lua_half.control(core, "POST", "/control/subscription/" .. verb .. query, body or BODY, headers)
  end

  local function made()
    return lua_half.last_call(core, "change")
  end

  it("subscribes users to the channels of the document", function()
    local reply = ask("subscribe", "?method=users:ann,bob")
    assert.equal(200, reply.status)
    assert.same({ msg = "Subscribed", channels = { "post-1", "user-9" } }, reply.json)
    assert.same({ "subscribe", { "ann", "bob" }, { "post-1", "user-9" } },
      { made().verb, made().users, made().channels })
    assert.is_nil(made().users_of)
  end)

  it("subscribes the users of other channels", function()
    ask("subscribe", "?method=channels:lobby")
    assert.same({ "lobby" }, made().users_of)
    assert.is_nil(made().users)
  end)

  it("unsubscribes", function()
    local reply = ask("unsubscribe", "?method=channels:lobby")
    assert.same({ msg = "Unsubscribed", channels = { "post-1", "user-9" } }, reply.json)
    assert.equal("unsubscribe", made().verb)
  end)

  it("only rehearses with dryRun", function()
    core.bus.answers.change = { { users = 3, changed = 2 } }
    local reply = ask("subscribe", "?method=users:ann&dryRun=true")
    assert.same({
      msg = "Would subscribe", dryRun = true, channels = { "post-1", "user-9" }, users = 3, changed = 2,
    }, reply.json)
    assert.is_true(made().dry)
    assert.equal("Would unsubscribe", ask("unsubscribe", "?method=users:ann&dryRun=true").json.msg)
  end)

  it("answers a document to those who want one", function()
    local reply = ask("subscribe", "?method=users:ann", BODY, { accept = "application/vnd.api+json" })
    assert.same({ meta = { msg = "Subscribed", channels = { "post-1", "user-9" } } }, reply.json)
  end)

  it("refuses documents without channels, with a pointer", function()
    local cases = {
      ["{}"] = "data-missing /data",
      ['{"data":[]}'] = "data-empty /data",
      ['{"data":{"type":"a"}}'] = "id-invalid /data/id",
      ['{"data":{"type":"a","id":"x\\ny"}}'] = "name-invalid /data",
    }
    for body, expected in pairs(cases) do
      local reply = ask("subscribe", "?method=users:ann", body)
      assert.same({ 400, expected }, { reply.status, reply.error.code .. " " .. reply.error.source.pointer })
    end
    assert.is_nil(made())
  end)

  it("refuses methods that are for notify", function()
    assert.equal("method-invalid", ask("subscribe", "?method=channels-efficient:a").error.code)
    assert.equal("parameter-unknown", ask("subscribe", "?method=users:a&report=true").error.code)
  end)

  it("says which limit is hit, and what is broken", function()
    core.bus.answers.change = { nil, "a limit was reached", "LIMIT" }
    assert.same({ 409, "subscriptions-max" }, { ask("subscribe", "?method=users:a").status,
      ask("subscribe", "?method=users:a").error.code })
    core.bus.answers.change = { nil, "the store is down", "UNAVAILABLE" }
    assert.equal(503, ask("subscribe", "?method=users:a").status)
  end)

  it("shows what hooks have made of it", function()
    core = lua_half.start({ plugins = { shop = [[
      local chatty = require "chatty"
      return { api = 1, setup = function(app)
        app:on("subscribe", function(change)
          if change.by.kind ~= "control" then return chatty.refuse(403, "no", "No.") end
          change.channels = {}
        end)
      end }
    ]] } })
    local reply = ask("subscribe", "?method=users:ann")
    assert.same({ msg = "Subscribed", channels = {} }, reply.json)
    assert.matches('"channels":%[%]', reply.body)
  end)
end)
