-- Frames of clients: what is no event, what is refused, and what the message hook gets.
local server = require "spec.support.server"
local websocket = require "spec.support.websocket"

-- Answers each frame with what it was; "slow" ones after a while.
local PLUGIN = [[
  local chatty = require "chatty"
  local plugin = { api = 1 }
  function plugin.setup(app)
    app:on("message", function(session, event)
      if event.name == "slow" then chatty.sleep(0.1) end
      session:send("seen", { name = event.name, raw = event:raw(), n = event:get("n") })
    end)
  end
  return plugin
]]

describe("a frame of a client", function()
  local chatty

  setup(function() chatty = server.start{ plugins = { seen = PLUGIN } } end)

  teardown(function() chatty:stop() end)

  local function open()
    local socket = chatty:connect("ann")
    socket:next()
    return socket
  end

  local function answer_to(text)
    local socket = open()
    socket:send(text)
    return (socket:next())
  end

  it("comes to the message hook as an event", function()
    assert.same({ event = "seen", attributes = { name = "chat-message", raw = '{"n": 1}', n = 1 } },
      answer_to('{"event":"chat-message","attributes":{"n": 1}}'))
  end)

  it("keeps its attributes byte for byte", function()
    local raw = '{"b":12345678901234567890,"a":[],"o":{},"t":"\\u00e9\\/\\ud83d\\ude00","f":1.10 }'
    assert.equal(raw, answer_to('{"event":"e","attributes":' .. raw .. "}").attributes.raw)
  end)

  it("may have its members in any order, and others beside them", function()
    local seen = answer_to(' {"v":2,"attributes":{"n":3},"time":{"event":"x"},"event":"e"} ').attributes
    assert.same({ "e", 3 }, { seen.name, seen.n })
  end)

  it("may leave attributes out, which are then an empty object", function()
    assert.equal("{}", answer_to('{"event":"e"}').attributes.raw)
  end)

  for name, raw in pairs{ list = "[1,2]", text = '"x"', number = "-1.5e3", truth = "true" } do
    it("may have attributes that are a " .. name, function()
      assert.equal(raw, answer_to('{"event":"e","attributes":' .. raw .. "}").attributes.raw)
    end)
  end

  it("may be named as clients of other protocols must not", function()
    assert.equal("connect", answer_to('{"event":"connect"}').attributes.name)
  end)

  it("may have a name of 255 bytes, in any script", function()
    local name = ("ж"):rep(127) .. "x"
    assert.equal(name, answer_to('{"event":"' .. name .. '"}').attributes.name)
  end)

  for name, text in pairs{
    ["nothing"] = "",
    ["a blank"] = " ",
    ["half an object"] = '{"event":"e"',
    ["two objects"] = '{"event":"e"}{"event":"e"}',
    ["a list"] = '["e",{}]',
    ["a string"] = '"e"',
    ["null"] = "null",
    ["an object without event"] = '{"attributes":{}}',
    ["an object whose event is a number"] = '{"event":1}',
    ["an object whose event is null"] = '{"event":null}',
    ["an event without a name"] = '{"event":""}',
    ["an event with a name of 256 bytes"] = '{"event":"' .. ("x"):rep(256) .. '"}',
    ["an event with a comma too much"] = '{"event":"e",}',
    ["an event nested too deep"] = '{"event":"e","attributes":' .. ("["):rep(200) .. ("]"):rep(200) .. "}",
    ["an event in single quotes"] = "{'event':'e'}",
  } do
    it("that is " .. name .. " is answered with chatty:error, and the session lives", function()
      local socket = open()
      socket:send(text)
      local event = socket:next()
      assert.equal("chatty:error", event.event)
      assert.equal("frame-malformed", event.attributes.code)
      assert.matches("%S", event.attributes.detail)
      socket:send('{"event":"e"}')
      assert.equal("seen", socket:next().event)
    end)
  end

  for _, name in ipairs{ "chatty:connected", "chatty:error", "chatty:expiring", "chatty:gap", "chatty:" } do
    it("named " .. name .. " is refused, as the name is ours", function()
      local event = answer_to('{"event":"' .. name .. '","ack":1}')
      assert.same({ "chatty:error", "event-reserved", 1 }, { event.event, event.attributes.code, event.ack })
    end)
  end

  it("waits until the one before it is done, and none is lost or overtaken", function()
    local socket = open()
    socket:send_event("slow", '{"n":0}')
    for i = 1, 200 do socket:send_event("quick", ('{"n":%d}'):format(i)) end
    for i = 0, 200 do assert.equal(i, socket:next().attributes.n) end
  end)

  it("does not wait for those of other sessions", function()
    local slow, quick = open(), open()
    slow:send_event("slow", '{"n":0}')
    for i = 1, 20 do
      quick:send_event("quick", ('{"n":%d}'):format(i))
      assert.equal(i, quick:next().attributes.n)
    end
    assert.equal("slow", slow:next().attributes.name)
  end)

  it("that its client sent before it closed still comes to the hook", function()
    local socket = open()
    socket:send_event("slow", '{"n":1}')
    socket:send_event("quick", '{"n":2}')
    socket:close(1000)
    assert.same({ "slow", "quick" }, { socket:next().attributes.name, socket:next().attributes.name })
    assert.equal(1000, (socket:expect_closed()))
  end)

  it("may come before the handshake was answered", function()
    local socket = websocket.start{ port = chatty.port, token = chatty:token("ann") }
    socket:send_event("e", '{"n":1}')
    assert.equal("chatty:connected", socket:finish():next().event)
    assert.equal(1, socket:next().attributes.n)
  end)
end)

describe("a frame of a client that no plugin wants", function()
  it("is answered with chatty:error", function()
    local chatty = server.start()
    local socket = chatty:connect("ann")
    socket:next()
    socket:send_event("hello", "{}", 3)
    assert.same({
      event = "chatty:error", ack = 3,
      attributes = { status = 404, code = "no-handler", detail = "No plugin takes messages from clients." },
    }, (socket:next()))
  end)
end)

describe("a frame that comes while the connect hooks are at work", function()
  it("waits until the session is live", function()
    local chatty = server.start{ plugins = { late = [[
      local chatty = require "chatty"
      local plugin = { api = 1 }
      function plugin.setup(app)
        app:on("connect", function(session)
          chatty.sleep(0.1)
          session.data.is_ready = true
        end)
        app:on("message", function(session) return { is_ready = session.data.is_ready or false } end)
      end
      return plugin
    ]] } }
    local socket = chatty:connect("ann")
    socket:send_event("hello", "{}", 1)
    assert.equal("chatty:connected", socket:next().event)
    assert.same({ event = "chatty:ack", attributes = { is_ready = true }, ack = 1 }, (socket:next()))
  end)
end)
