-- notify's query parameter `add`: origin, date-time, and how they meet what is there already.
local cjson = require "cjson"
local fault = require "spec.support.fault"
local fresh = require "spec.support.fresh"
local listener = require "spec.support.listener"
local server = require "spec.support.server"

local INSTANT = "%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%dZ"

describe("add", function()
  local chatty

  setup(function() chatty = server.start() end)
  teardown(function() chatty:stop() end)

  -- What a user in this channel gets of the attributes.
  local function through(add, attributes, channel)
    channel = channel or fresh "room"
    local ann = listener.open(chatty, fresh "ann", { channel })
    chatty:notify(listener.selector("channels", { channel }), "tick", attributes, "add=" .. add)
    local heard = ann:heard_attributes()
    ann:close()
    assert.equal(1, #heard)
    return heard[1], channel
  end

  describe("origin", function()
    it("is the channel through which the session got the event", function()
      local attributes, channel = through("origin", '{"a":1}')
      assert.equal(('{"a":1,"origin":"%s"}'):format(channel), attributes)
    end)

    it("is each channel for itself, for users who are in several", function()
      local one, two = fresh "room", fresh "room"
      local ann = listener.open(chatty, fresh "ann", { one, two })
      local bob = listener.open(chatty, fresh "bob", { two })
      chatty:notify(("channels:%s,%s"):format(one, two), "tick", "{}", "add=origin")
      assert.same({ ('{"origin":"%s"}'):format(one), ('{"origin":"%s"}'):format(two) }, ann:heard_attributes())
      assert.same({ ('{"origin":"%s"}'):format(two) }, bob:heard_attributes())
    end)

    it("is, with channels-efficient, the first in request order that has the session", function()
      local one, two, three = fresh "room", fresh "room", fresh "room"
      local ann = listener.open(chatty, fresh "ann", { one, two, three })
      local bob = listener.open(chatty, fresh "bob", { one, two })
      chatty:notify(("channels-efficient:%s,%s,%s"):format(three, two, one), "tick", "{}", "add=origin")
      assert.same({ ('{"origin":"%s"}'):format(three) }, ann:heard_attributes())
      assert.same({ ('{"origin":"%s"}'):format(two) }, bob:heard_attributes())
    end)

    it("is not added for users", function()
      local ann = listener.open(chatty, fresh "ann")
      chatty:notify("users:" .. ann.user, "tick", '{"a":1}', "add=origin")
      assert.same({ '{"a":1}' }, ann:heard_attributes())
    end)

    it("leaves a member of that name alone for users", function()
      local ann = listener.open(chatty, fresh "ann")
      chatty:notify("users:" .. ann.user, "tick", '{"origin":"mine"}', "add=origin")
      assert.same({ '{"origin":"mine"}' }, ann:heard_attributes())
    end)

    for _, id in ipairs({ 'a"b', "a\\b", "größe", "😀", "a,b:c", "a/b" }) do
      it(("says the channel room-%s as JSON"):format(id), function()
        local attributes, channel = through("origin", "{}", "room-" .. id)
        assert.same({ origin = channel }, cjson.decode(attributes))
      end)
    end
  end)

  describe("date-time", function()
    it("is the time of the request in UTC with milliseconds", function()
      local before = os.date("!%Y-%m-%dT%H:%M:%S.000Z", os.time() - 1)
      local attributes = through("date-time", '{"a":1}')
      local instant = attributes:match('^{"a":1,"date%-time":"(' .. INSTANT .. ')"}$')
      assert.is_truthy(instant, attributes)
      assert.is_true(before <= instant and instant <= os.date("!%Y-%m-%dT%H:%M:%S.999Z"), instant)
    end)

    it("is the same for all receivers of a request", function()
      local one, two = fresh "room", fresh "room"
      local ann = listener.open(chatty, fresh "ann", { one, two })
      local bob = listener.open(chatty, fresh "bob", { two })
      chatty:notify(("channels:%s,%s"):format(one, two), "tick", "{}", "add=origin,date-time")
      local seen = {}
      for _, each in ipairs({ ann, bob }) do
        for _, text in ipairs(each:heard_attributes()) do seen[cjson.decode(text)["date-time"]] = true end
      end
      assert.is_truthy(next(seen))
      assert.is_nil(next(seen, next(seen)))
    end)

    it("is added for users too", function()
      local ann = listener.open(chatty, fresh "ann")
      chatty:notify("users:" .. ann.user, "tick", "{}", "add=date-time")
      assert.matches('^{"date%-time":"' .. INSTANT .. '"}$', ann:heard_attributes()[1])
    end)
  end)

  for _, add in ipairs({
    "origin,date-time", "origin&add=date-time", "origin,%20date-time%20", "origin,date-time&add=origin",
    "origin,origin&add=date-time,date-time",
  }) do
    it(("adds both with add=%s, each once, in this order"):format(add), function()
      local attributes, channel = through(add, "{}")
      assert.matches(('^{"origin":"%s","date%%-time":"%s"}$'):format(channel:gsub("%-", "%%-"), INSTANT), attributes)
    end)
  end

  it("adds both in the other order when they are asked so", function()
    assert.matches('^{"date%-time":"[^"]*","origin":"[^"]*"}$', (through("date-time,origin", "{}")))
  end)

  -- Before, and behind: ORIGIN stands for the channel as a JSON string.
  local spliced = {
    ["adds to an empty object"] = { "{}", '{"origin":ORIGIN}' },
    ["adds to an empty object with blanks in it"] = { "{ \n }", '{"origin":ORIGIN \n }' },
    ["replaces the member of that name where it stands"] = {
      '{"a":1,"origin":"old","b":2}', '{"a":1,"origin":ORIGIN,"b":2}',
    },
    ["replaces a member whose name is written with escapes"] = {
      [[{"a":1,"ori\u0067in":"old","b":2}]], [[{"a":1,"ori\u0067in":ORIGIN,"b":2}]],
    },
    ["replaces a member that is an object"] = { '{"origin":{"origin":[1,{}]},"b":2}', '{"origin":ORIGIN,"b":2}' },
    ["leaves one member of two of that name"] = {
      '{"origin":1,"a":2,"origin":3}', '{"origin":ORIGIN,"a":2}',
    },
    ["leaves one member of many of that name, however it is written"] = {
      [[{"origin":1,"\u006frigin":2,"a":0,"o\u0072igin":3,"z":9}]], '{"origin":ORIGIN,"a":0,"z":9}',
    },
    ["leaves members of that name deeper down"] = {
      '{"a":{"origin":1},"b":[{"origin":2}]}', '{"a":{"origin":1},"b":[{"origin":2}],"origin":ORIGIN}',
    },
    ["leaves members of nearly that name"] = {
      '{"Origin":1,"origin ":2,"origi":3,"originn":4,"":5}',
      '{"Origin":1,"origin ":2,"origi":3,"originn":4,"":5,"origin":ORIGIN}',
    },
    ["is not misled by the name as a value"] = { '{"a":"origin","b":"\\"origin\\":1"}',
      '{"a":"origin","b":"\\"origin\\":1","origin":ORIGIN}' },
    ["leaves blanks and line breaks as they are"] = {
      '{\r\n\t"a" :\t1 ,\n "origin" : "old" ,"b":2 }', '{\r\n\t"a" :\t1 ,\n "origin" : ORIGIN ,"b":2 }',
    },
    ["leaves doubled members of other names"] = { '{"a":1,"a":2}', '{"a":1,"a":2,"origin":ORIGIN}' },
    ["leaves numbers as they are written"] = {
      '{"id":12345678901234567890,"x":1.0,"e":1e400,"z":-0,"d":0.10000000000000000555}',
      '{"id":12345678901234567890,"x":1.0,"e":1e400,"z":-0,"d":0.10000000000000000555,"origin":ORIGIN}',
    },
    ["leaves strings as they are written"] = {
      [[{"s":"\u0000\ud83d\ude00\/é\u00e9","t":"\ud800"}]],
      [[{"s":"\u0000\ud83d\ude00\/é\u00e9","t":"\ud800","origin":ORIGIN}]],
    },
  }
  for what, example in pairs(spliced) do
    it(what, function()
      local attributes, channel = through("origin", example[1])
      assert.equal((example[2]:gsub("ORIGIN", (cjson.encode(channel)))), attributes)
    end)
  end

  it("replaces both members where they stand", function()
    local attributes = through("date-time,origin", '{"origin":0,"x":[],"date-time":{},"origin":1}')
    assert.matches('^{"origin":"[^"]*","x":%[%],"date%-time":"' .. INSTANT .. '"}$', attributes)
  end)

  for _, attributes in ipairs({ "[]", '["origin"]', '"text"', "1", "true", "false" }) do
    for _, method in ipairs({ "channels:", "channels-efficient:", "users:" }) do
      it(("is refused for the attributes %s of %s"):format(attributes, method), function()
        local response = chatty:notify(method .. fresh "room", "tick", attributes, "add=date-time")
        assert.equal("400 add-needs-object ?add", fault.of(response))
      end)
    end
  end

  local unknown = {
    ["a name that is not known"] = "colour",
    ["a known one in capitals"] = "Origin",
    ["one of several"] = "origin,colour",
    ["one of repeated ones"] = "origin&add=colour",
    ["an empty one"] = "",
    ["an empty item"] = "origin,",
    ["a name of Lua's"] = "__index",
    ["a name of JavaScript's"] = "constructor",
  }
  for what, add in pairs(unknown) do
    it(("refuses %s and names the known ones"):format(what), function()
      local short, object = fault.of(chatty:notify("users:nobody", "tick", "{}", "add=" .. add))
      assert.equal("400 add-unknown ?add", short)
      assert.matches("date%-time, origin", object.detail)
    end)
  end

  it("sends nothing when it is refused", function()
    local ann = listener.open(chatty, fresh "ann")
    chatty:notify("users:" .. ann.user, "tick", "{}", "add=colour")
    chatty:notify("users:" .. ann.user, "tick", "[]", "add=date-time")
    assert.same({}, ann:heard())
  end)

  it("says none of options that no plugin brings", function()
    local bare = server.start{ settings = { ENABLE = "none" } }
    local short, object = fault.of(bare:notify("users:nobody", "tick", "{}", "add=origin"))
    assert.equal("400 add-unknown ?add", short)
    assert.matches("known options are: none", object.detail)
  end)
end)

describe("add with an event for each channel", function()
  it("is refused when they would take more memory than all bodies may", function()
    local chatty = server.start{
      settings = { REQUEST_MEMORY_MAX = "1mb", MAX_REQ_SIZE = "1mb", URL_MAX = "64kb", HEADER_MAX = "128kb" } }
    local channels = {}
    for i = 1, 200 do channels[i] = "room-" .. i end
    local list = "channels:" .. table.concat(channels, ",")
    local large = ('{"text":"%s"}'):format(("x"):rep(8000))
    local answer = chatty:notify(list, "big", large, "add=origin")
    assert.equal(413, answer.status)
    assert.equal("add-too-large", answer.json().errors[1].code)
    assert.equal(200, chatty:notify(list, "big", large, "add=date-time").status)
    assert.equal(200, chatty:notify(list, "small", '{"n":1}', "add=origin").status)
  end)
end)
