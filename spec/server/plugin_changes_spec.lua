-- The hooks subscribe and unsubscribe: who sees a change of subscriptions, and who may change or refuse it.
local plugin = require "spec.support.plugin_source"
local server = require "spec.support.server"

local function fault_of(response)
  local fault = response.json().errors[1]
  return { response.status, fault.status, fault.code, fault.detail }
end

describe("the hooks subscribe and unsubscribe", function()
  local chatty

  setup(function()
    chatty = server.start{ plugins = {
      gate = plugin([[
        local function watch(verb)
          app:on(verb, function(change)
            local by = change.by.user or change.by.name or change.by.kind
            chatty.log.info(("%s by %s %s: %s of %s"):format(verb, change.by.kind, by,
              table.concat(change.channels, ","), table.concat(change.users or change.users_of, ",")))
            if change.channels[1] == "vip-1" then return chatty.refuse(403, "vip", "VIPs only.") end
            if change.channels[1] == "add-1" then
              change.users[#change.users + 1] = "spy"
              change.channels[#change.channels + 1] = "log-1"
            end
            if change.channels[1] == "take-1" then
              table.remove(change.users, 1)
            end
            if change.channels[1] == "empty-1" then change.users = {} end
            if change.channels[1] == "twice-1" then change.users = { "dup", "dup" } end
            if change.channels[1] == "other-1" then change.channels = { "other-2" } end
            if change.channels[1] == "wrong-1" then change.users = { 42 } end
            if change.channels[1] == "none-1" then change.users = nil end
          end)
        end
        watch("subscribe")
        watch("unsubscribe")
        app:on("message", function(session, event)
          local done, message, code = chatty.subscribe({ session.user }, event:get("channels"))
          return { done = done and done.changed, message = message, code = code }
        end)
      ]]),
    } }
  end)

  teardown(function() chatty:stop() end)

  local function channels_of(user)
    return chatty:control("GET", "/control/search/subscriptions?userId=" .. user).json()
  end

  it("see who asks, for whom and for what", function()
    chatty:subscribe("users:ann,bob", { "seen-1", "seen-2" })
    assert.is_string(chatty:wait_log("subscribe by control control: seen%-1,seen%-2 of ann,bob"))
    chatty:unsubscribe("users:ann", { "seen-1" })
    assert.is_string(chatty:wait_log("unsubscribe by control control: seen%-1 of ann"))
  end)

  it("see the channels whose users are meant", function()
    chatty:subscribe("channels:seen-9", { "seen-10" })
    assert.is_string(chatty:wait_log("subscribe by control control: seen%-10 of seen%-9"))
  end)

  it("see the plugin that asks", function()
    local socket = chatty:join("cleo")
    socket:send_event("join", '{"channels":["free-1"]}', 1)
    assert.equal(1, socket:next().attributes.done)
    assert.is_string(chatty:wait_log("subscribe by plugin gate: free%-1 of cleo"))
  end)

  it("refuse to the caller, and nothing is changed", function()
    assert.same({ 403, "403", "vip", "VIPs only." }, fault_of(chatty:subscribe("users:ann", { "vip-1" })))
    assert.same({ 403, "403", "vip", "VIPs only." }, fault_of(chatty:unsubscribe("users:ann", { "vip-1" })))
    local path = "/control/search/participants?channel=vip-1&include=offline"
    assert.equal("[]", chatty:control("GET", path).body)
  end)

  it("refuse to a plugin as nil, message, code", function()
    local socket = chatty:join("cleo")
    socket:send_event("join", '{"channels":["vip-1"]}', 1)
    assert.same({ message = "VIPs only.", code = "vip" }, socket:next().attributes)
  end)

  it("add users and channels", function()
    local response = chatty:subscribe("users:dan", { "add-1" })
    assert.same({ "add-1", "log-1" }, response.json().channels)
    assert.same({ "add-1", "log-1" }, channels_of("dan"))
    assert.same({ "add-1", "log-1" }, channels_of("spy"))
  end)

  it("take users out", function()
    chatty:subscribe("users:eve,finn", { "take-1" })
    assert.same({}, channels_of("eve"))
    assert.same({ "take-1" }, channels_of("finn"))
  end)

  it("may leave nobody, and nothing is changed", function()
    assert.equal(200, chatty:subscribe("users:gus", { "empty-1" }).status)
    assert.same({}, channels_of("gus"))
  end)

  it("may name a user twice, who counts once", function()
    assert.equal(200, chatty:subscribe("users:gus", { "twice-1" }).status)
    assert.same({ "twice-1" }, channels_of("dup"))
  end)

  it("may put other channels in the place of those", function()
    assert.same({ "other-2" }, chatty:subscribe("users:hal", { "other-1" }).json().channels)
    assert.same({ "other-2" }, channels_of("hal"))
  end)

  for _, channel in ipairs{ "wrong-1", "none-1" } do
    it("that leave what cannot be make it fail, and nothing is changed: " .. channel, function()
      assert.equal(500, chatty:subscribe("users:ida", { channel }).status)
      assert.same({}, channels_of("ida"))
    end)
  end
end)
