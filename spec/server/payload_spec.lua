-- Payloads are sacred (CONTRACT 1.4): attributes arrive byte for byte as they were sent.
local cjson = require "cjson"
local fault = require "spec.support.fault"
local listener = require "spec.support.listener"
local server = require "spec.support.server"

-- Texts that careless JSON libraries change.
local payloads = {
  ["numbers beyond 64 bits"] = '{"id":12345678901234567890,"tags":[],"o":{},"x":1.0,"e":1e400}',
  ["NUL and surrogate pairs as escapes"] = [[{"s":"\u0000\ud83d\ude00"}]],
  ["half a surrogate pair"] = [[{"a":"\ud83d","b":"\ude00\ud83d","\udc00":1}]],
  ["integers at the ends of 64 bits"] = '{"max":9223372036854775807,"min":-9223372036854775808}',
  ["decimals with many digits"] = '{"pi":3.141592653589793238462643383279502884197,"d":0.1000000000000000055511}',
  ["numbers in unusual forms"] = '{"a":1E5,"b":1e+5,"c":1.50,"d":-0,"e":-0.0,"f":1E-400,"g":0e0}',
  ["empty and nested containers"] = '{"a":[],"b":{},"c":[[],{},[{}]],"d":{"e":{"f":[]}}}',
  ["members in an odd order"] = '{"z":1,"a":2,"m":3,"10":4,"9":5,"":6}',
  ["doubled members"] = '{"a":1,"a":2,"b":3,"a":4}',
  ["escapes that are not needed"] = [[{"\u0061":"\/\u0041\u00e9","b":"\u003C\u003e&'<>"}]],
  ["all short escapes"] = [[{"a":"\"\\\/\b\f\n\r\t"}]],
  ["Unicode as it is"] = '{"größe":"日本 😀 \226\128\168\226\128\169 \239\187\191\194\133 \244\143\191\191\127"}',
  ["composed and decomposed characters"] = '{"a":"é","b":"e\204\129"}',
  ["blanks and line breaks"] = '{\r\n\t"a" :\t[ 1 ,\n2 ] ,\n\n  "b"\n:\n{ }\r\n}',
  ["an array"] = '[1, 2.0,[],{} ,"x",null,true]',
  ["an array of nulls"] = "[null,null]",
  ["an empty array"] = "[]",
  ["an empty array with blanks"] = "[ \n]",
  ["an empty object"] = "{}",
  ["a string"] = [["te\u0078t"]],
  ["an empty string"] = '""',
  ["a number"] = "1.0",
  ["a large number"] = "100000000000000000000",
  ["true"] = "true",
  ["false"] = "false",
  ["words that JavaScript knows"] = '{"__proto__":{"x":1},"constructor":null,"toJSON":1,"hasOwnProperty":[]}',
  ["members that chatty knows"] = '{"event":"x","attributes":{"attributes":null},"ack":1}',
  ["text that looks like JSON"] = [[{"a":"{\"b\":1}","c":"]}","d":"\\","e":"\\\""}]],
}

-- The most memory that the server ever had.
local function peak_megabytes(chatty)
  for line in io.lines(("/proc/%d/status"):format(chatty.pid)) do
    local kilobytes = line:match("^VmHWM:%s*(%d+) kB$")
    if kilobytes then return tonumber(kilobytes) / 1024 end
  end
end

describe("a payload", function()
  local chatty, ann
  local room, user = "room-1", "ann"

  setup(function()
    chatty = server.start()
    ann = listener.open(chatty, user, { room })
  end)
  teardown(function() chatty:stop() end)

  local function send(attributes, query, method)
    local path = ("/control/notify?method=%s%s"):format(method or "channels:" .. room, query or "")
    return chatty:control("POST", path, ('{"event":"tick","attributes":%s}'):format(attributes))
  end

  for what, attributes in pairs(payloads) do
    it(("with %s arrives byte for byte"):format(what), function()
      send(attributes)
      assert.same({ ('{"event":"tick","attributes":%s}'):format(attributes) }, ann:heard())
    end)

    it(("with %s arrives byte for byte when a report is asked for"):format(what), function()
      send(attributes, "&report=true", "users:" .. user)
      assert.same({ attributes }, ann:heard_attributes())
    end)

    if attributes:sub(1, 1) == "{" then
      it(("with %s stays so beside what is added"):format(what), function()
        assert.equal(200, send(attributes, "&add=origin").status)
        local comma = attributes:find('"', 1, true) and "," or ""
        local inside, tail = attributes:match("^(.-)(%s*)}$")
        assert.same({ ('%s%s"origin":"room-1"%s}'):format(inside, comma, tail) }, ann:heard_attributes())
      end)
    end
  end

  it("does not bring the blanks around it", function()
    send(' \r\n\t{ "a" : 1 } \n ')
    assert.same({ '{ "a" : 1 }' }, ann:heard_attributes())
  end)

  it("is the same for all sessions, on whichever worker", function()
    local others = {}
    for i = 1, 8 do others[i] = listener.open(chatty, user) end
    send(payloads["numbers beyond 64 bits"])
    for _, each in ipairs(others) do
      assert.same({ payloads["numbers beyond 64 bits"] }, each:heard_attributes())
      each:close()
    end
    ann:heard()
  end)

  it("passes a hook that does not touch it", function()
    local own = server.start{ plugins = { looker = [[
      local plugin = { api = 1 }
      function plugin.setup(app)
        app:on("notify", function(event) return event.attributes and nil end)
      end
      return plugin]] } }
    local bob = listener.open(own, "bob")
    for _, attributes in pairs(payloads) do
      assert.equal(200, own:notify("users:bob", "tick", attributes).status)
      assert.same({ attributes }, bob:heard_attributes())
    end
  end)

  it("keeps all that a hook does not touch", function()
    local own = server.start{ plugins = { setter = [[
      local plugin = { api = 1 }
      function plugin.setup(app)
        app:on("notify", function(event)
          if event.name ~= "tick" then return end
          event:set("seen", { true, event:get("id") })
          event:remove("secret")
        end)
      end
      return plugin]] } }
    local bob = listener.open(own, "bob")
    own:notify("users:bob", "tick", '{ "id" : 12345678901234567890, "secret" : {"a":[1]} ,"x":1.0 , "e":[ ] }')
    assert.same({ '{ "id" : 12345678901234567890  ,"x":1.0 , "e":[ ],"seen":[true,12345678901234567890] }' },
      bob:heard_attributes())
  end)

  for _, size in ipairs({ 100, 125, 126, 127, 128, 1000, 65535, 65536, 65537, 200000 }) do
    it(("of %d bytes arrives whole"):format(size), function()
      local attributes = ('"%s"'):format(("x"):rep(size - 2))
      send(attributes)
      assert.equal(attributes, ann:heard_attributes()[1])
    end)
  end

  -- No mark follows in these two: until a large frame has left, the session's queue is full.
  it("of as many bytes as a body may have arrives whole, with and without add", function()
    local frame = '{"event":"tick","attributes":{"a":"%s"}}'
    local text = ("\195\188"):rep((1024 * 1024 - #frame + 2) // 2)
    local body = frame:format(text)
    assert.is_true(#body > 1024 * 1024 - 2)
    for query, tail in pairs({ [""] = '"}}', ["&add=origin"] = '","origin":"room-1"}}' }) do
      assert.equal(200, chatty:control("POST", "/control/notify?method=channels:" .. room .. query, body).status)
      assert.is_true(ann.session:next_raw() == body:sub(1, -4) .. tail)
    end
  end)

  it("of a body that may be larger than a session's queue arrives whole", function()
    local own = server.start{ settings = { MAX_REQ_SIZE = "8mb", SESSION_QUEUE_MAX = "1mb" } }
    local bob = listener.open(own, "bob")
    local attributes = ('"%s"'):format(("x"):rep(7 * 1024 * 1024))
    assert.equal(200, own:notify("users:bob", "tick", attributes).status)
    assert.is_true(bob.session:next_raw() == ('{"event":"tick","attributes":%s}'):format(attributes))
  end)

  it("leaves no garbage that waits to be collected", function()
    local own = server.start{ settings = { MAX_REQ_SIZE = "16mb", WORKERS = 1 } }
    local attributes = ('"%s"'):format(("x"):rep(8 * 1024 * 1024))
    for _ = 1, 64 do assert.equal(200, own:notify("users:nobody", "tick", attributes).status) end
    assert.is_true(peak_megabytes(own) < 450)
  end)

  it("may be nested so deep as JSON_DEPTH_MAX says, the body counted", function()
    local function nested(depth) return ("["):rep(depth) .. ("]"):rep(depth) end
    assert.equal(200, send(nested(127)).status)
    assert.same({ nested(127) }, ann:heard_attributes())
    assert.equal("400 body-malformed", fault.of(send(nested(128))))
  end)

  it("is understood the same by another JSON library", function()
    send([[{"s":"\u0000\ud83d\ude00","n":[1,{"a":null}]}]])
    local attributes = cjson.decode(ann:heard()[1]).attributes
    assert.same({ "\0😀", 1, cjson.null }, { attributes.s, attributes.n[1], attributes.n[2].a })
  end)
end)
