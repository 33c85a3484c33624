-- The packets of Socket.IO, read from messages and written.
local sio = require("core.test").sio

local PLACE = '{"_placeholder":true,"num":%d}'

local function read(text)
  return sio.new{}:feed(text)
end

describe("a packet of Socket.IO", function()
  it("may be a connect, with an auth object or without", function()
    assert.same({ "connect", "/", nil }, { read("0").type, read("0").namespace, read("0").auth })
    assert.same({ "/", '{"token":"123"}' }, { read('0{"token":"123"}').namespace, read('0{"token":"123"}').auth })
    assert.same({ "/admin", '{"a":1}' }, { read('0/admin,{"a":1}').namespace, read('0/admin,{"a":1}').auth })
    assert.equal("/admin", read("0/admin").namespace)
    assert.equal("/admin", read("0/admin,").namespace)
    assert.equal("/admin", read("0/admin?x=1,").namespace)
  end)

  it("may be a disconnect", function()
    assert.same({ "disconnect", "/" }, { read("1").type, read("1").namespace })
    assert.equal("/admin", read("1/admin,").namespace)
  end)

  it("may be an event with any number of arguments", function()
    local packet = read('2["message",1,"2",{"3":[true]}]')
    assert.same({ "event", '"message"', '1,"2",{"3":[true]}', 3 },
      { packet.type, packet.event, packet.arguments, packet.count })
    packet = read('2 [ "a" , [ ] ] ')
    assert.same({ '"a"', "[ ]", 1 }, { packet.event, packet.arguments, packet.count })
    assert.same({ nil, 0 }, { read('2["a"]').arguments, read('2["a"]').count })
    assert.equal("7", read("2[7]").event)
  end)

  it("may ask for an acknowledgement, in a namespace too", function()
    assert.equal(456, read('2456["a",1]').ack)
    local packet = read('2/admin,12["a",1]')
    assert.same({ "/admin", 12 }, { packet.namespace, packet.ack })
  end)

  it("may be an acknowledgement", function()
    local packet = read('345[1,"2"]')
    assert.same({ "ack", 45, '1,"2"', 2 }, { packet.type, packet.ack, packet.arguments, packet.count })
    assert.same({ 0, 0 }, { read("30[]").ack, read("30[]").count })
  end)

  it("may have binaries behind it", function()
    local machine = sio.new{}
    assert.equal("more", machine:feed(("52-[\"message\",%s,%s]"):format(PLACE:format(0), PLACE:format(1))))
    assert.equal("more", machine:feed("\1\2\3", true))
    local packet = machine:feed("", true)
    assert.same({ "event", '"message"', 2, { "\1\2\3", "" } },
      { packet.type, packet.event, packet.count, packet.binaries })
    assert.equal("event", machine:feed('2["next"]').type)
  end)

  it("may be an acknowledgement with binaries", function()
    local machine = sio.new{}
    assert.equal("more", machine:feed("61-/admin,7[" .. PLACE:format(0) .. "]"))
    local packet = machine:feed("x", true)
    assert.same({ "ack", 7, "/admin", { "x" } }, { packet.type, packet.ack, packet.namespace, packet.binaries })
  end)

  for name, text in pairs{
    ["nothing"] = "", ["a letter"] = "abc", ["an unknown type"] = "7", ["a refusal"] = '4{"message":"no"}',
    ["an event without data"] = "2", ["an event that is an object"] = "2{}", ["an event without a name"] = "2[]",
    ["an event named by an object"] = "2[{}]", ["broken JSON"] = '2["a"', ["text behind the JSON"] = '2["a"]x',
    ["an ack id with letters"] = '2abc["a"]', ["an ack id that is too long"] = '21234567890123456["a"]',
    ["an acknowledgement without id"] = "3[]", ["an acknowledgement that is no array"] = "31{}",
    ["a connect with an array"] = "0[]", ["a connect with a string"] = '0"x"', ["a connect with an ack id"] = "01{}",
    ["a disconnect with data"] = "1{}", ["a count without a dash"] = '5["a"]', ["a count that is none"] = '5x-["a"]',
    ["a namespace that is too long"] = "0/" .. ("n"):rep(255), ["JSON that is too deep"] = "2" .. ("["):rep(40),
  } do
    it("is not " .. name, function() assert.equal("fault", read(text)) end)
  end

  it("is not named like a happening of the connection", function()
    for _, name in ipairs{
      "connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener",
    } do
      assert.equal("fault", read(('2["%s"]'):format(name)))
    end
    assert.equal("fault", read([[2["\u0063onnect"] ]]))
    assert.equal("event", read('2["connected"]').type)
  end)

  it("has only placeholders of binaries that it has", function()
    assert.equal("fault", read("51-[\"a\"," .. PLACE:format(1) .. "]"))
    assert.equal("fault", read('51-["a",{"_placeholder":true}]'))
    assert.equal("fault", read('51-["a",{"b":[{"_placeholder":true,"num":-1}]}]'))
    assert.equal("more", read('51-["a",{"b":[{"_placeholder":false,"num":9}]}]'))
    assert.equal("fault", read('51-["a",' .. ("["):rep(17) .. ("]"):rep(17) .. "]"))
  end)

  it("has at most so many binaries", function()
    local machine = sio.new{ attachments_max = 2 }
    assert.equal("fault", machine:feed('53-["a"]'))
    assert.equal("more", sio.new{ attachments_max = 2 }:feed('52-["a"]'))
    assert.equal("fault", machine:feed('599999999999-["a"]'))
  end)

  it("does not begin before the one before it has its binaries", function()
    local machine = sio.new{}
    machine:feed('51-["a"]')
    assert.equal("fault", machine:feed('2["b"]'))
  end)

  it("does not begin with a binary", function()
    assert.equal("fault", sio.new{}:feed("x", true))
    local machine = sio.new{}
    machine:feed('51-["a"]')
    assert.equal("event", machine:feed("x", true).type)
    assert.equal("fault", machine:feed("y", true))
  end)
end)

describe("a packet to a client of Socket.IO", function()
  it("has type, namespace, id and data, each where it belongs", function()
    assert.equal('40{"sid":"x"}', sio.encode{ type = "connect", namespace = "/", data = '{"sid":"x"}' })
    assert.equal('44/no,{"message":"x"}',
      sio.encode{ type = "connect_error", namespace = "/no", data = '{"message":"x"}' })
    assert.equal("41", sio.encode{ type = "disconnect", namespace = "/" })
    assert.equal("41/a,", sio.encode{ type = "disconnect", namespace = "/a" })
    assert.equal('43/a,7["x"]', sio.encode{ type = "ack", namespace = "/a", ack = 7, data = '["x"]' })
    assert.equal('452-0["x"]', sio.encode{ type = "event", namespace = "/", ack = 0, binaries = 2, data = '["x"]' })
    assert.equal('461-7["x"]', sio.encode{ type = "ack", namespace = "/", ack = 7, binaries = 1, data = '["x"]' })
  end)

  it("may be an event that all share, byte for byte", function()
    assert.equal('42["order-paid",{"b":12345678901234567890, "a":[]}]',
      sio.message{ namespace = "/", event = '"order-paid"', attributes = '{"b":12345678901234567890, "a":[]}' })
  end)

  it("has the id of an event as its last argument", function()
    assert.equal('42["a",1,"0042"]', sio.message{ namespace = "/", event = '"a"', attributes = "1", id = "0042" })
    assert.equal('42/n,["a",1,"0042"]', sio.message{ namespace = "/n", event = '"a"', attributes = "1", id = "0042" })
  end)

  it("asks for an acknowledgement of an event under its number", function()
    local event = { namespace = "/", event = '"a"', attributes = "1", ack = "17592186044416" }
    assert.same({ '4217592186044416["a",1]' }, { sio.message(event) })
    event.namespace = "/n"
    assert.same({ '42/n,17592186044416["a",1]' }, { sio.message(event) })
  end)

  it("brings the id behind an event that is to be acknowledged, where clients take it for the offset", function()
    assert.same({ '42/n,17592186044416["a",1]', '42/n,["chatty:offset","0042"]' },
      { sio.message{ namespace = "/n", event = '"a"', attributes = "1", ack = "17592186044416", id = "0042" } })
  end)

  it("has the items of a spread array as arguments", function()
    assert.equal('["a",1,2]', sio.arguments('"a"', "[1,2]", true))
    assert.equal('["a",[1,2]]', sio.arguments('"a"', "[1,2]", false))
    assert.equal('["a"]', sio.arguments('"a"', "[ ]", true))
    assert.equal('["a",{}]', sio.arguments('"a"', "{}", true))
    assert.equal("[1,2]", sio.arguments("", "[1,2]", true))
    assert.equal("[]", sio.arguments("", "[]", true))
  end)
end)
