-- The hook notify: what plugins do to an event on its way.
local cjson = require "cjson"
local plugin = require "spec.support.plugin_source"
local server = require "spec.support.server"

-- The next event, found out not to be there by one that follows for sure.
local function is_silent(socket)
  socket:ping("now")
  return socket:next_frame().opcode == 10
end

describe("the hook notify", function()
  local chatty, ann, bob

  setup(function()
    chatty = server.start{ plugins = {
      post = plugin([[
        local acts = {
          set = function(event) event:set("added", { true, n = nil }) event:set("kept", "new") end,
          remove = function(event) event:remove("secret") end,
          replace = function(event) event:replace({ all = "new" }) end,
          raw = function(event) event:replace(chatty.json.raw('{"z":1, "a":12345678901234567890}')) end,
          rename = function(event) event.name = "renamed" end,
          reserve = function(event) event.name = "chatty:connected" end,
          redirect = function(event) event.channels, event.users = nil, { "bob" } end,
          more = function(event) event.channels[#event.channels + 1] = "bobs-1" end,
          nobody = function(event) event.channels = {} end,
          except = function(event) event.except = { "ann" } end,
          efficient = function(event) event.efficient = true end,
          both = function(event) event.users = { "ann" } end,
          neither = function(event) event.channels = nil end,
          numbers = function(event) event.channels = { 1 } end,
          refuse = function()
            return chatty.refuse(422, "no-swearing", "Mind your words.", { pointer = "/attributes" })
          end,
          view = function(event)
            local a = event.attributes
            event:set("seen", {
              list = #a.list, is_array = chatty.json.is_array(a.list), empty = next(a.object) == nil,
              large = tostring(a.large), get = event:get("list"),
            })
          end,
          write = function(event) event.attributes.list = 1 end,
          another = function(event)
            if event.by.kind == "plugin" then return end
            local name = "copy-of-" .. event.name
            chatty.notify{ users = { "bob" }, event = name, attributes = event.attributes }
          end,
          tell = function(event)
            event:set("told", {
              name = event.name, channels = event.channels, efficient = event.efficient, by = event.by.kind,
            })
          end,
          reserved = function(event)
            local _, message, code = chatty.notify{ users = { "bob" }, event = "connect" }
            event:set("failed", { message = message, code = code })
          end,
          wait = function(event) chatty.sleep(0.02) event:set("waited", true) end,
        }
        app:on("notify", { on_error = "closed" }, function(event)
          local act = acts[event.name]
          if act then return act(event) end
        end)
      ]]),
    } }
    chatty:subscribe("users:ann,bob", { "both-1", "both-2" })
    chatty:subscribe("users:bob", { "bobs-1" })
  end)

  teardown(function() chatty:stop() end)

  before_each(function()
    ann, bob = chatty:join("ann"), chatty:join("bob")
  end)

  after_each(function()
    ann:abort()
    bob:abort()
    chatty:wait_metric("sessions", 0)
  end)

  local function notify(name, attributes, method)
    return chatty:notify(method or "channels:both-1", name, attributes)
  end

  -- What comes to ann after this, as text.
  local function text_of(name, attributes)
    assert.equal(200, notify(name, attributes).status)
    local _, text = ann:next()
    return text
  end

  it("that looks at nothing leaves all as it was", function()
    local raw = '{"b": 1,"a":[],"o":{},"n":12345678901234567890}'
    assert.equal('{"event":"other","attributes":' .. raw .. "}", text_of("other", raw))
  end)

  it("sets members and leaves the others byte for byte", function()
    assert.equal('{"event":"set","attributes":{"z": 1.0,"kept":"new","a":[],"added":[true]}}',
      text_of("set", '{"z": 1.0,"kept":"old","a":[]}'))
  end)

  it("takes members out", function()
    assert.equal('{"event":"remove","attributes":{"a":1,"b":[]}}',
      text_of("remove", '{"a":1,"secret":2,"b":[]}'))
  end)

  it("says the attributes anew", function()
    assert.equal('{"event":"replace","attributes":{"all":"new"}}', text_of("replace", '{"all":"old"}'))
  end)

  it("says the attributes anew as raw JSON", function()
    assert.equal('{"event":"raw","attributes":{"z":1, "a":12345678901234567890}}', text_of("raw", "{}"))
  end)

  it("gives the event another name", function()
    assert.equal('{"event":"renamed","attributes":{}}', text_of("rename", "{}"))
  end)

  it("shows the attributes as they are", function()
    local raw = '{"list":[],"object":{},"large":12345678901234567890}'
    assert.same({ list = 0, is_array = true, empty = true, large = "12345678901234567890", get = {} },
      cjson.decode(text_of("view", raw)).attributes.seen)
  end)

  it("tells where the event goes and who sent it", function()
    assert.same({ name = "tell", channels = { "both-1" }, efficient = false, by = "control" },
      cjson.decode(text_of("tell", "{}")).attributes.told)
  end)

  it("may wait", function()
    assert.equal('{"event":"wait","attributes":{"waited":true}}', text_of("wait", "{}"))
  end)

  it("sends the event to others", function()
    notify("redirect")
    assert.equal("redirect", bob:next().event)
    assert.is_true(is_silent(ann))
  end)

  it("sends the event by one channel more", function()
    notify("more")
    assert.equal("more", bob:next().event)
    assert.equal("more", bob:next().event)
    assert.equal("more", ann:next().event)
    assert.is_true(is_silent(ann))
  end)

  it("sends the event to nobody, which is no error", function()
    assert.equal(200, notify("nobody").status)
    assert.is_true(is_silent(ann))
  end)

  it("keeps the event from some", function()
    notify("except")
    assert.equal("except", bob:next().event)
    assert.is_true(is_silent(ann))
  end)

  it("sends the event to each session once", function()
    notify("efficient", "{}", "channels:both-1,both-2")
    assert.equal("efficient", ann:next().event)
    assert.is_true(is_silent(ann))
  end)

  it("is not asked about an event whose name is reserved, which no plugin may send", function()
    notify("reserved")
    local failed = ann:next().attributes.failed
    assert.equal("event-reserved", failed.code)
    assert.matches("^Choose another name than 'connect'", failed.message)
  end)

  it("sends another event besides", function()
    notify("another", '{"n":[]}')
    local _, text = bob:next()
    assert.equal('{"event":"copy-of-another","attributes":{"n":[]}}', text)
    assert.equal("another", bob:next().event)
  end)

  it("refuses to the caller, with status, code, text and place", function()
    local response = notify("refuse")
    assert.same({ errors = { {
      status = "422", code = "no-swearing", title = "Unprocessable Content", detail = "Mind your words.",
      source = { pointer = "/attributes" },
    } } }, response.json())
    assert.equal(422, response.status)
    assert.is_true(is_silent(ann))
  end)

  for _, name in ipairs{ "reserve", "both", "neither", "numbers", "write" } do
    it("that leaves what cannot be makes the notify fail: " .. name, function()
      assert.equal(500, notify(name, '{"list":[]}').status)
      assert.is_true(is_silent(ann))
    end)
  end

  it("does not act where attributes are no object, and says so", function()
    assert.equal(500, notify("set", "[1]").status)
    assert.is_string(chatty:wait_log("plugin post, hook notify: plugins/post.lua:%d+: "
      .. "the event's attributes are no object"))
  end)
end)

describe("a notify where not all workers are there", function()
  local function try(place)
    return ([[
      local chatty = require "chatty"
      local function try(what)
        print(what, pcall(chatty.notify, { channels = { "c" }, event = "e", attributes = {} }))
      end
      return { api = 1, setup = function(app) %s end }
    ]]):format(place)
  end
  local message = "nothing can be emitted while the server is set up or taken apart"

  it("is an error in setup", function()
    local chatty = server.start{ settings = { WORKERS = 4 }, plugins = { try = try 'try "early"' } }
    assert.is_string(chatty:wait_log("early.*" .. message))
    assert.equal(0, chatty:stop())
  end)

  it("is an error in what is left to be closed when the server ends #threads", function()
    local chatty = server.start{ settings = { WORKERS = 4, STOP_TIMEOUT = "100ms" }, plugins = { try = try [[
      app:on("start", function()
        chatty.spawn(function()
          local _ <close> = setmetatable({}, { __close = function() try "late" end })
          print("it waits")
          chatty.sleep(3600)
        end)
      end)
    ]] } }
    assert.is_string(chatty:wait_log("it waits"))
    assert.equal(0, chatty:stop())
    assert.is_string(chatty:wait_log("late.*" .. message))
    assert.is_string(chatty:wait_log(" stopped$"))
  end)
end)
