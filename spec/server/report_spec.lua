-- report=true and dryRun=true on the control calls: what was done, and what would be.
local fault = require "spec.support.fault"
local fresh = require "spec.support.fresh"
local listener = require "spec.support.listener"
local server = require "spec.support.server"
local wait = require "spec.support.wait"

local function counts(users, sessions) return { users = users, sessions = sessions } end

describe("a report", function()
  local chatty

  setup(function() chatty = server.start() end)
  teardown(function() chatty:stop() end)

  -- Two rooms: ann (two tabs) is in both, bob in the second, and one user of the second is not here.
  local function scene()
    local one, two = fresh "room", fresh "room"
    local ann = listener.open(chatty, fresh "ann", { one, two })
    local tab = listener.open(chatty, ann.user)
    local bob = listener.open(chatty, fresh "bob", { two })
    chatty:subscribe("users:" .. fresh "offline", { two })
    return { one = one, two = two, ann = ann, tab = tab, bob = bob, all = { ann, tab, bob } }
  end

  local function heard(all)
    local names = {}
    for i, each in ipairs(all) do names[i] = each:heard_names() end
    return names
  end

  describe("of notify", function()
    it("tells the users and sessions that each channel reached", function()
      local rooms = scene()
      local response = chatty:notify(("channels:%s,%s"):format(rooms.one, rooms.two), "tick", "{}", "report=true")
      assert.same({ msg = "Notified.", report = {
        users = 2, sessions = 5, channels = { [rooms.one] = counts(1, 2), [rooms.two] = counts(2, 3) },
      } }, response.json())
    end)

    it("tells with channels-efficient each session where it was reached", function()
      local rooms = scene()
      local method = ("channels-efficient:%s,%s"):format(rooms.one, rooms.two)
      assert.same({ users = 2, sessions = 3, channels = { [rooms.one] = counts(1, 2), [rooms.two] = counts(1, 1) } },
        chatty:notify(method, "tick", "{}", "report=true").json().report)
    end)

    it("tells the sessions that each user has", function()
      local rooms = scene()
      local method = ("users:%s,%s,nobody"):format(rooms.ann.user, rooms.bob.user)
      assert.same({ users = 2, sessions = 3, recipients = {
        [rooms.ann.user] = { sessions = 2 }, [rooms.bob.user] = { sessions = 1 }, nobody = { sessions = 0 },
      } }, chatty:notify(method, "tick", "{}", "report=true").json().report)
    end)

    it("tells of channels that nobody knows that they reached nobody", function()
      assert.same({ users = 0, sessions = 0, channels = { ["__proto__"] = counts(0, 0) } },
        chatty:notify("channels:__proto__", "tick", "{}", "report=true").json().report)
    end)

    it("is the same when add makes an event for each channel", function()
      local rooms = scene()
      local method = ("channels:%s,%s"):format(rooms.one, rooms.two)
      assert.same({ [rooms.one] = counts(1, 2), [rooms.two] = counts(2, 3) },
        chatty:notify(method, "tick", "{}", "report=true&add=origin,date-time").json().report.channels)
    end)

    it("comes when the event was sent", function()
      local rooms = scene()
      chatty:notify("channels:" .. rooms.two, "tick", "{}", "report=true")
      assert.same({ { "tick" }, { "tick" }, { "tick" } }, heard(rooms.all))
    end)

    it("does not come when nobody asks", function()
      assert.same({ msg = "Notified." }, chatty:notify("users:a", "tick", "{}", "report=false").json())
    end)

    it("does not count who has left", function()
      local rooms = scene()
      chatty:unsubscribe("users:" .. rooms.ann.user, { rooms.two })
      assert.same({ [rooms.two] = counts(1, 1) },
        chatty:notify("channels:" .. rooms.two, "tick", "{}", "report=true").json().report.channels)
    end)

    it("is not known to the other calls", function()
      local path = "/control/subscription/subscribe?method=users:ann&report=true"
      assert.equal("400 parameter-unknown ?report",
        fault.of(chatty:control("POST", path, '{"data":{"type":"room","id":"1"}}')))
    end)
  end)

  describe("without the deed", function()
    it("tells whom notify would reach, and sends nothing", function()
      local rooms = scene()
      local method = ("channels:%s,%s"):format(rooms.one, rooms.two)
      assert.same({ msg = "Would notify", dryRun = true, report = {
        users = 2, sessions = 5, channels = { [rooms.one] = counts(1, 2), [rooms.two] = counts(2, 3) },
      } }, chatty:notify(method, "tick", "{}", "dryRun=true").json())
      assert.same({ {}, {}, {} }, heard(rooms.all))
    end)

    it("counts with channels-efficient each session once, and leaves the next event alone", function()
      local rooms = scene()
      local method = ("channels-efficient:%s,%s"):format(rooms.two, rooms.one)
      local report = chatty:notify(method, "tick", "{}", "dryRun=true").json().report
      chatty:notify(method, "real")
      assert.same({ 3, { { "real" }, { "real" }, { "real" } } }, { report.sessions, heard(rooms.all) })
    end)

    it("is no event in the metrics", function()
      local before = { chatty:metric "notifies_total", chatty:metric "deliveries_total" }
      chatty:notify("users:a", "tick", "{}", "dryRun=true")
      assert.same(before, { chatty:metric "notifies_total", chatty:metric "deliveries_total" })
    end)

    it("refuses what would be refused", function()
      assert.equal("400 add-unknown ?add", fault.of(chatty:notify("users:a", "tick", "{}", "dryRun=true&add=x")))
      assert.equal("400 add-needs-object ?add",
        fault.of(chatty:notify("users:a", "tick", "[]", "dryRun=true&add=origin")))
      assert.equal("400 event-reserved #/event", fault.of(chatty:notify("users:a", "connect", "{}", "dryRun=true")))
    end)

    local function change(verb, method, channels)
      local data = {}
      for i, channel in ipairs(channels) do
        local kind, id = channel:match("^(%a+)%-(.+)$")
        data[i] = { type = kind, id = id }
      end
      return chatty:control("POST", ("/control/subscription/%s?dryRun=true&method=%s"):format(verb, method),
        { data = data }).json()
    end

    local function subscriptions(user)
      return chatty:control("GET", "/control/search/subscriptions?userId=" .. user).json()
    end

    it("tells what subscribe would change, and changes nothing", function()
      local rooms, news, newcomer = scene(), fresh "news", fresh "new"
      local method = ("users:%s,%s"):format(rooms.ann.user, newcomer)
      assert.same({
        msg = "Would subscribe", dryRun = true, channels = { rooms.one, news }, users = 2, changed = 3,
      }, change("subscribe", method, { rooms.one, news }))
      local before = { rooms.one, rooms.two }
      table.sort(before)
      assert.same({ before, {} }, { subscriptions(rooms.ann.user), subscriptions(newcomer) })
      chatty:notify("channels:" .. news, "tick")
      assert.same({}, rooms.ann:heard())
    end)

    it("tells what subscribe by channels would change, and changes nothing", function()
      local rooms, news = scene(), fresh "news"
      local found = change("subscribe", "channels:" .. rooms.two, { news })
      assert.same({ 3, 3, {} }, { found.users, found.changed,
        chatty:control("GET", "/control/search/participants?include=offline&channel=" .. news).json() })
    end)

    it("tells what unsubscribe would change, and changes nothing", function()
      local rooms = scene()
      local method = ("users:%s,%s,nobody"):format(rooms.ann.user, rooms.bob.user)
      assert.same({
        msg = "Would unsubscribe", dryRun = true, channels = { rooms.one, rooms.two }, users = 2, changed = 3,
      }, change("unsubscribe", method, { rooms.one, rooms.two }))
      chatty:notify("channels:" .. rooms.two, "tick")
      assert.same({ { "tick" }, { "tick" }, { "tick" } }, heard(rooms.all))
    end)

    it("tells what unsubscribe by the same channel would change, and changes nothing", function()
      local rooms = scene()
      local found = change("unsubscribe", "channels:" .. rooms.two, { rooms.two })
      assert.same({ 3, 3 }, { found.users, found.changed })
      chatty:notify("channels:" .. rooms.two, "tick")
      assert.same({ { "tick" }, { "tick" }, { "tick" } }, heard(rooms.all))
    end)

    it("leaves no trace in the metrics", function()
      local before = { chatty:metric "subscriptions", chatty:metric "changes_total" }
      change("subscribe", "users:" .. fresh "ann", { fresh "room", fresh "room" })
      assert.same(before, { chatty:metric "subscriptions", chatty:metric "changes_total" })
    end)

    it("tells how many sessions disconnect would close, and closes none", function()
      local rooms = scene()
      local method = ("users:%s,%s,nobody"):format(rooms.ann.user, rooms.bob.user)
      local response = chatty:control("POST", "/control/disconnect?dryRun=true&method=" .. method)
      assert.same({ msg = "Would disconnect", dryRun = true, sessions = 3 }, response.json())
      assert.same({ {}, {}, {} }, heard(rooms.all))
    end)

    it("does the deed with dryRun=false", function()
      local ann = listener.open(chatty, fresh "ann")
      chatty:notify("users:" .. ann.user, "tick", "{}", "dryRun=false")
      assert.same({ "tick" }, ann:heard_names())
    end)

    it("tells plugins so, and what they cause does not happen either", function()
      local own = server.start{ plugins = { echo = [[
        local chatty = require "chatty"
        local plugin = { api = 1 }
        function plugin.setup(app)
          app:on("notify", function(event)
            if event.name == "tick" then chatty.notify{ users = { "bob" }, event = "copy", attributes = {} } end
          end)
          app:on("subscribe", function(change) chatty.subscribe({ "bob" }, { "shadow" }) end)
        end
        return plugin]] } }
      local bob = listener.open(own, "bob")
      own:notify("users:ann", "tick", "{}", "dryRun=true")
      own:control("POST", "/control/subscription/subscribe?dryRun=true&method=users:ann",
        '{"data":{"type":"room","id":"1"}}')
      assert.same({ {}, {} },
        { bob:heard(), own:control("GET", "/control/search/subscriptions?userId=bob").json() })
      own:notify("users:ann", "tick")
      own:subscribe("users:ann", { "room-1" })
      assert.same({ { "copy" }, { "shadow" } },
        { bob:heard_names(), own:control("GET", "/control/search/subscriptions?userId=bob").json() })
    end)
  end)

  it("does nothing by a coroutine or a spawned function of a hook either", function()
    local own = server.start{ plugins = { echo = [[
      local chatty = require "chatty"
      local plugin = { api = 1 }
      local function copy(name)
        chatty.notify{ users = { "bob" }, event = name, attributes = {} }
        chatty.subscribe({ "bob" }, { name })
      end
      function plugin.setup(app)
        app:on("notify", function(event)
          if event.name ~= "tick" then return end
          coroutine.wrap(copy)("wrapped")
          chatty.spawn(copy, "spawned")
        end)
      end
      return plugin]] } }
    local bob = listener.open(own, "bob")
    local function subscriptions()
      return own:control("GET", "/control/search/subscriptions?userId=bob").json()
    end
    own:notify("users:ann", "tick", "{}", "dryRun=true")
    assert.same({ {}, {} }, { bob:heard(), subscriptions() })
    own:notify("users:ann", "tick")
    wait.until_(function() return #subscriptions() == 2 end)
    assert.same({ "wrapped", "spawned" }, bob:heard_names())
  end)

  it("has its channels as an object, also when a hook takes all away", function()
    local own = server.start{ plugins = { silence = [[
      local plugin = { api = 1 }
      function plugin.setup(app)
        app:on("notify", function(event) event.channels = {} end)
      end
      return plugin]] } }
    local response = own:notify("channels:room-1", "tick", "{}", "report=true")
    assert.equal('{"msg":"Notified.","report":{"channels":{},"sessions":0,"users":0}}', response.body)
  end)
end)
