-- POST /control/notify: whom an event reaches, and what is no event.
local fault = require "spec.support.fault"
local fresh = require "spec.support.fresh"
local listener = require "spec.support.listener"
local server = require "spec.support.server"

describe("notify", function()
  local chatty

  setup(function() chatty = server.start() end)
  teardown(function() chatty:stop() end)

  local function post(body, method)
    return chatty:control("POST", "/control/notify?method=" .. (method or "channels:nobody-1"), body)
  end

  it("answers with the seed's message", function()
    assert.same({ msg = "Notified." }, chatty:notify("channels:nobody-1", "tick").json())
  end)

  it("brings an event of a channel to all its users and to nobody else", function()
    local room, other = fresh "room", fresh "room"
    local ann = listener.open(chatty, fresh "ann", { room })
    local bob = listener.open(chatty, fresh "bob", { room })
    local eve = listener.open(chatty, fresh "eve", { other })
    chatty:notify("channels:" .. room, "tick")
    assert.same({ { "tick" }, { "tick" }, {} }, { ann:heard_names(), bob:heard_names(), eve:heard_names() })
  end)

  it("brings an event once per named channel to a user who is in several, in request order", function()
    local first, second = fresh "room", fresh "room"
    local ann = listener.open(chatty, fresh "ann", { first, second })
    chatty:notify(("channels:%s,%s"):format(second, first), "tick", nil, "add=origin")
    assert.same({ ('{"origin":"%s"}'):format(second), ('{"origin":"%s"}'):format(first) }, ann:heard_attributes())
  end)

  it("brings an event of a channel to both tabs of a user", function()
    local room, user = fresh "room", fresh "ann"
    local one, two = listener.open(chatty, user, { room }), listener.open(chatty, user)
    chatty:notify("channels:" .. room, "tick")
    assert.same({ { "tick" }, { "tick" } }, { one:heard_names(), two:heard_names() })
  end)

  it("with channels-efficient brings it to each session once", function()
    local first, second, user = fresh "room", fresh "room", fresh "ann"
    local one, two = listener.open(chatty, user, { first, second }), listener.open(chatty, user)
    chatty:notify(("channels-efficient:%s,%s"):format(first, second), "tick")
    assert.same({ { "tick" }, { "tick" } }, { one:heard_names(), two:heard_names() })
  end)

  it("with channels-efficient reaches the users of every named channel", function()
    local first, second = fresh "room", fresh "room"
    local ann = listener.open(chatty, fresh "ann", { first })
    local bob = listener.open(chatty, fresh "bob", { second })
    chatty:notify(("channels-efficient:%s,%s"):format(first, second), "tick")
    assert.same({ { "tick" }, { "tick" } }, { ann:heard_names(), bob:heard_names() })
  end)

  it("with channels-efficient counts each request on its own", function()
    local room = fresh "room"
    local ann = listener.open(chatty, fresh "ann", { room })
    chatty:notify("channels-efficient:" .. room, "one")
    chatty:notify("channels-efficient:" .. room, "two")
    assert.same({ "one", "two" }, ann:heard_names())
  end)

  it("with users brings it to every session of each named user, and to nobody else", function()
    local room, user = fresh "room", fresh "ann"
    local one, two = listener.open(chatty, user, { room }), listener.open(chatty, user)
    local bob = listener.open(chatty, fresh "bob")
    local eve = listener.open(chatty, fresh "eve", { room })
    chatty:notify(("users:%s,%s"):format(user, bob.user), "tick")
    assert.same({ { "tick" }, { "tick" }, { "tick" }, {} },
      { one:heard_names(), two:heard_names(), bob:heard_names(), eve:heard_names() })
  end)

  it("with users needs no subscription", function()
    local ann = listener.open(chatty, fresh "ann")
    chatty:notify("users:" .. ann.user, "tick")
    assert.same({ "tick" }, ann:heard_names())
  end)

  for _, kind in ipairs({ "channels", "channels-efficient", "users" }) do
    it(("counts a name that stands twice in %s once"):format(kind), function()
      local room = fresh "room"
      local ann = listener.open(chatty, fresh "ann", { room })
      local name = kind == "users" and ann.user or room
      chatty:notify(("%s:%s,%s"):format(kind, name, name), "tick")
      assert.same({ "tick" }, ann:heard_names())
    end)

    it(("takes names that nobody knows in %s for ordinary ones"):format(kind), function()
      assert.equal(200, chatty:notify(kind .. ":never-seen", "tick").status)
    end)
  end

  for _, name in ipairs({ "constructor", "__proto__", "toString", "__index", "nil" }) do
    it(("has a user and a channel named %s like any other"):format(name), function()
      local channel = "room-" .. name
      local user = listener.open(chatty, name, { channel })
      assert.same({ channel }, chatty:control("GET", "/control/search/subscriptions?userId=" .. name).json())
      chatty:notify("channels:" .. channel, "one")
      chatty:notify("users:" .. name, "two")
      assert.same({ "one", "two" }, user:heard_names())
      user:close()
    end)
  end

  it("is not kept for a user who is not there", function()
    local room, user = fresh "room", fresh "ann"
    chatty:subscribe("users:" .. user, { room })
    chatty:notify("channels:" .. room, "missed")
    assert.same({}, listener.open(chatty, user):heard_names())
  end)

  it("takes any attributes but null", function()
    local ann = listener.open(chatty, fresh "ann")
    local values = { "[]", "{}", "[1,2]", '"text"', "17", "-0.5", "true", "false", '""', "0" }
    for _, value in ipairs(values) do
      assert.equal(200, chatty:notify("users:" .. ann.user, "tick", value).status)
    end
    assert.same(values, ann:heard_attributes())
  end)

  it("ignores members of the body that it does not know", function()
    local ann = listener.open(chatty, fresh "ann")
    post('{"acks":7,"event":"tick","number":9,"attributes":{"a":1},"data":null}', "users:" .. ann.user)
    assert.same({ '{"event":"tick","attributes":{"a":1}}' }, ann:heard())
  end)

  it("takes the members of the body in any order and with escaped names", function()
    local ann = listener.open(chatty, fresh "ann")
    post([[ { "attribut\u0065s" : [ ] , "\u0065vent" : "tick" } ]], "users:" .. ann.user)
    assert.same({ '{"event":"tick","attributes":[ ]}' }, ann:heard())
  end)

  it("takes the last of doubled members, as JSON.parse does", function()
    local ann = listener.open(chatty, fresh "ann")
    post('{"event":"one","attributes":1,"event":"two","attributes":2}', "users:" .. ann.user)
    assert.same({ '{"event":"two","attributes":2}' }, ann:heard())
  end)

  for _, name in ipairs({ "a b", "größe", "😀", 'quo"te', "back\\slash", "line\nbreak", ("x"):rep(255), "0" }) do
    it(("takes the event name %q"):format(name:sub(1, 20)), function()
      local ann = listener.open(chatty, fresh "ann")
      assert.equal(200, chatty:notify("users:" .. ann.user, name).status)
      assert.same({ name }, ann:heard_names())
    end)
  end

  for _, name in ipairs({ "connect", "connect_error", "disconnect", "disconnecting", "newListener",
    "removeListener", "chatty:error", "chatty:", "chatty:anything" }) do
    it(("refuses the reserved event name %s"):format(name), function()
      assert.equal("400 event-reserved #/event", fault.of(chatty:notify("users:ann", name)))
    end)
  end

  it("refuses a reserved event name that is written with escapes", function()
    assert.equal("400 event-reserved #/event",
      fault.of(post([[{"event":"\u0063onnect","attributes":{}}]])))
  end)

  for _, name in ipairs({ "Connect", "connected", "chatty", "chatty-message", "my:chatty:event", "CHATTY:x" }) do
    it(("takes the event name %s, which is not reserved"):format(name), function()
      assert.equal(200, chatty:notify("users:nobody", name).status)
    end)
  end

  local refused = {
    ["without event"] = { '{"attributes":{}}', "400 event-missing #/event" },
    ["with an empty event"] = { '{"event":"","attributes":{}}', "400 event-invalid #/event" },
    ["with a number as event"] = { '{"event":1,"attributes":{}}', "400 event-invalid #/event" },
    ["with null as event"] = { '{"event":null,"attributes":{}}', "400 event-invalid #/event" },
    ["with an object as event"] = { '{"event":{},"attributes":{}}', "400 event-invalid #/event" },
    ["with an event of 256 bytes"] = {
      ('{"event":"%s","attributes":{}}'):format(("x"):rep(256)), "400 event-invalid #/event",
    },
    ["without attributes"] = { '{"event":"tick"}', "400 attributes-missing #/attributes" },
    ["with null as attributes"] = { '{"event":"tick","attributes":null}', "400 attributes-missing #/attributes" },
    ["whose last attributes are null"] = {
      '{"event":"tick","attributes":1,"attributes":null}', "400 attributes-missing #/attributes",
    },
    ["that is an array"] = { '[{"event":"tick","attributes":{}}]', "400 event-invalid #" },
    ["that is a string"] = { '"tick"', "400 event-invalid #" },
    ["that is null"] = { "null", "400 event-invalid #" },
  }
  for what, example in pairs(refused) do
    it(("refuses a body %s"):format(what), function()
      assert.equal(example[2], fault.of(post(example[1])))
    end)
  end

  it("asks for the key anew, however often the same was asked before", function()
    local function status_with(key)
      return chatty:request({
        method = "POST", path = "/control/notify?method=channels:nobody-1", body = '{"event":"e","attributes":1}',
        headers = { ["Content-Type"] = "application/json", ["X-API-Key"] = key },
      }).status
    end
    for _ = 1, 2 do
      assert.same({ 200, 401 }, { status_with(chatty.settings.CONTROL_KEY), status_with("of nobody") })
    end
  end)

  it("sends nothing of a request that it refuses", function()
    local ann = listener.open(chatty, fresh "ann")
    post('{"event":"connect","attributes":{}}', "users:" .. ann.user)
    post('{"event":"tick","attributes":null}', "users:" .. ann.user)
    post('{"event":"tick","attributes":{}}', ("users:%s,"):format(ann.user))
    assert.same({}, ann:heard())
  end)

  it("brings one event to a user in many channels as often as they are named", function()
    local channels, expected = {}, {}
    for i = 1, 500 do channels[i], expected[i] = "few-" .. i, "tick" end
    local ann = listener.open(chatty, fresh "ann", channels)
    assert.equal(200, chatty:notify("channels:" .. table.concat(channels, ","), "tick").status)
    assert.same(expected, ann:heard_names())
  end)
end)
