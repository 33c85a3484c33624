-- Acknowledgements: a frame with a member "ack" is answered with the same ack, and with what the hook said.
local cjson = require "cjson"
local server = require "spec.support.server"

local PLUGIN = [[
  local chatty = require "chatty"
  local plugin = { api = 1 }

  local values = {
    object = { name = "Ann", age = 7 },
    list = chatty.json.array(),
    text = "grüezi",
    number = 42,
    fraction = 1.5,
    large = chatty.json.raw("12345678901234567890"),
    no = false,
    null = chatty.json.null,
  }

  local function answer(session, event)
    local what = event:get("what")
    if what == "refusal" then return chatty.refuse(403, "not-yours", "It is somebody else's.") end
    if what == "raised" then error(chatty.refuse(409, "taken", "It is taken.")) end
    if what == "error" then error("I am broken") end
    if what == "function" then return print end
    if what == "echo" then return event.attributes end
    if what == "late" then chatty.sleep(0.05) return "late" end
    return values[what]
  end

  function plugin.setup(app) app:on("message", answer) end
  return plugin
]]

describe("a frame with an ack", function()
  local chatty, socket

  setup(function() chatty = server.start{ plugins = { answer = PLUGIN } } end)

  teardown(function() chatty:stop() end)

  before_each(function()
    socket = chatty:connect("ann")
    socket:next()
  end)

  after_each(function() socket:abort() end)

  -- Sends a frame whose ack is raw JSON; the raw ack of the answer, and the answer.
  local function ask(what, ack)
    socket:send(('{"event":"ask","attributes":{"what":%s},"ack":%s}'):format(cjson.encode(what), ack))
    local event, text = socket:next()
    return text:match('"ack":(.*)}$'), event, text
  end

  for _, ack in ipairs{
    "1", "0", "-1", "1.5", "1e3", "12345678901234567890", '"a"', '""', '"\\u00e9\\n"',
    '"' .. ("x"):rep(1000) .. '"',
  } do
    it(("is answered with the same: %.20s"):format(ack), function()
      local echoed, event = ask("text", ack)
      assert.same({ ack, "chatty:ack" }, { echoed, event.event })
    end)
  end

  for _, ack in ipairs{ "null", "true", "{}", "[1]" } do
    it(("is not answered when the ack is %s, which is neither number nor string"):format(ack), function()
      socket:send(('{"event":"ask","attributes":{"what":"text"},"ack":%s}'):format(ack))
      assert.equal("2", (ask("text", "2")))
    end)
  end

  for what, raw in pairs{
    object = '{"age":7,"name":"Ann"}', list = "[]", text = '"grüezi"', number = "42", fraction = "1.5",
    large = "12345678901234567890", no = "false", null = "{}", nothing = "{}",
  } do
    it("brings the hook's return value: " .. what, function()
      local _, _, text = ask(what, "1")
      assert.equal('{"event":"chatty:ack","attributes":' .. raw .. ',"ack":1}', text)
    end)
  end

  it("brings back attributes as they were", function()
    local raw = '{"what":"echo","list":[],"object":{},"large":12345678901234567890}'
    socket:send(('{"event":"ask","attributes":%s,"ack":1}'):format(raw))
    local _, text = socket:next()
    assert.matches('"list":%[%]', text)
    assert.matches('"object":{}', text)
    assert.matches('"large":12345678901234567890', text)
  end)

  it("brings what a hook says that waited", function()
    local _, event = ask("late", "1")
    assert.equal("late", event.attributes)
  end)

  it("brings a refusal, with its code and text", function()
    local _, event = ask("refusal", "1")
    assert.same({
      event = "chatty:error", ack = 1,
      attributes = { status = 403, code = "not-yours", detail = "It is somebody else's." },
    }, event)
  end)

  it("brings a refusal that was raised", function()
    local _, event = ask("raised", "1")
    assert.same({
      event = "chatty:error", ack = 1, attributes = { status = 409, code = "taken", detail = "It is taken." },
    }, event)
  end)

  it("is told that the hook failed, and not why", function()
    local echoed, event, text = ask("error", "1")
    assert.same({ "1", "chatty:error", "hook-failed" }, { echoed, event.event, event.attributes.code })
    assert.is_nil(text:find("I am broken", 1, true))
  end)

  it("is told when the hook's value cannot be JSON", function()
    local _, event = ask("function", "1")
    assert.same({ "chatty:error", "internal" }, { event.event, event.attributes.code })
  end)

  it("is told when it is no event", function()
    socket:send('{"attributes":{},"ack":9}')
    local event = socket:next()
    assert.same({ "chatty:error", "frame-malformed", 9 }, { event.event, event.attributes.code, event.ack })
  end)
end)

describe("a frame without an ack", function()
  local chatty, socket

  setup(function() chatty = server.start{ plugins = { answer = PLUGIN } } end)

  teardown(function() chatty:stop() end)

  before_each(function()
    socket = chatty:connect("ann")
    socket:next()
  end)

  after_each(function() socket:abort() end)

  it("is not answered when all is well", function()
    socket:send_event("ask", '{"what":"text"}')
    socket:send_event("ask", '{"what":"number"}', 2)
    assert.equal(2, socket:next().ack)
  end)

  it("is answered when it was refused", function()
    socket:send_event("ask", '{"what":"refusal"}')
    local event = socket:next()
    assert.same({ "chatty:error", "not-yours" }, { event.event, event.attributes.code })
    assert.is_nil(event.ack)
  end)
end)
