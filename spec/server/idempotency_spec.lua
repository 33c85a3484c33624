-- The same key within five minutes: the same answer and no second event, on whichever worker it comes.
local caller = require "spec.support.caller"
local cjson = require "cjson"
local fault = require "spec.support.fault"
local fresh = require "spec.support.fresh"
local listener = require "spec.support.listener"
local plugin_source = require "spec.support.plugin_source"
local server = require "spec.support.server"

local PLUGIN = [[
local chatty = require "chatty"
return { api = 1, setup = function(app)
  app:channel("log-*", { history = {} })
  app:on("notify", function(event)
    if event.name == "slow" then chatty.sleep(0.05) end
    if event.name == "refused" and not chatty.shared.get("allowed") then
      chatty.shared.set("allowed", true)
      return chatty.refuse(403, "not-now", "Come again.")
    end
  end)
end }
]]

-- Holds an event up until somebody says go.
local GATE = plugin_source [[
  app:on("notify", function(event)
    while event.name == "held" and not chatty.shared.get("go") do chatty.sleep(0.005) end
  end)
  chatty.shared.set("go", false)
  app:post("/go", { auth = "none" }, function() chatty.shared.set("go", true) end)
]]

describe("an idempotency key", function()
  local chatty

  setup(function() chatty = server.start{ settings = { WORKERS = 4 }, plugins = { log = PLUGIN } } end)
  teardown(function() chatty:stop() end)

  local function post(channel, event, key, more, query)
    return chatty:request{
      method = "POST", path = ("/control/notify?method=channels:%s%s"):format(channel, query or ""),
      headers = { ["X-API-Key"] = chatty.settings.CONTROL_KEY, ["Idempotency-Key"] = key },
      json = { event = event, attributes = { n = 1 }, id = more and more.id },
    }
  end

  it("emits once and gives the same answer", function()
    local room, key = fresh "log", fresh "key"
    local ann = listener.open(chatty, fresh "ann", { room })
    local first = post(room, "x", key)
    assert.equal(200, first.status)
    assert.is_string(first.json().id)
    for _ = 1, 5 do assert.same(first.json(), post(room, "x", key).json()) end
    assert.same({ "x" }, ann:heard_names())
  end)

  it("may stand in the body", function()
    local room, key = fresh "room", fresh "key"
    local ann = listener.open(chatty, fresh "ann", { room })
    post(room, "x", nil, { id = key })
    post(room, "x", nil, { id = key })
    post(room, "y", key)
    post(room, "z", nil, { id = fresh "key" })
    assert.same({ "x", "z" }, ann:heard_names())
  end)

  it("repeats a report too", function()
    local room, key = fresh "room", fresh "key"
    local ann = listener.open(chatty, fresh "ann", { room })
    local first = post(room, "x", key, nil, "&report=true").json()
    assert.equal(1, first.report.sessions)
    ann:close()
    assert.same(first, post(room, "x", key, nil, "&report=true").json())
  end)

  it("repeats the answer without a report that is too long to be kept", function()
    local names = {}
    for i = 1, 9900 do names[i] = ("n-%05d%s"):format(i, ("x"):rep(88)) end
    local ann = listener.open(chatty, fresh "ann", { names[1] })
    local operation = {
      op = "notify", method = "channels:" .. table.concat(names, ","), report = true, id = fresh "key",
      body = { event = "x", attributes = { n = 1 } },
    }
    local function result() return chatty:control("POST", "/control/batch", { operation }).json().results[1] end
    assert.equal(1, result().report.sessions)
    assert.same({ status = 200, msg = "Notified." }, result())
    assert.same({ "x" }, ann:heard_names())
  end)

  it("of one is not that of another, whatever they are called", function()
    local room, key = fresh "room", fresh "key"
    local ann = listener.open(chatty, fresh "ann", { room })
    local function post_as(user, own)
      return chatty:request{
        method = "POST", path = "/control/notify?method=channels:" .. room,
        headers = {
          Authorization = "Bearer " .. chatty:token{ sub = user, role = "control" }, ["Idempotency-Key"] = own,
        },
        json = { event = user, attributes = { n = 1 } },
      }
    end
    assert.equal(200, post_as("a:b", key).status)
    assert.equal(200, post_as("a", "b:" .. key).status)
    assert.same({ "a:b", "a" }, ann:heard_names())
  end)

  it("lets those who come at once wait for the first, on all workers #threads", function()
    local room, key = fresh "log", fresh "key"
    local ann = listener.open(chatty, fresh "ann", { room })
    local callers, bodies = {}, {}
    for i = 1, 12 do
      callers[i] = caller.open(chatty)
      callers[i]:send("POST", "/control/notify?method=channels:" .. room,
        cjson.encode{ event = "slow", attributes = { n = i }, id = key })
    end
    for i, one in ipairs(callers) do
      local answer = one:read()
      assert.equal(200, answer.status)
      bodies[i] = answer.json()
    end
    for i = 2, #bodies do assert.same(bodies[1], bodies[i]) end
    assert.equal(1, #ann:heard_names())
  end)

  it("is free again when the operation was refused", function()
    local room, key = fresh "room", fresh "key"
    local ann = listener.open(chatty, fresh "ann", { room })
    assert.equal(403, post(room, "refused", key).status)
    assert.equal(200, post(room, "refused", key).status)
    assert.equal(200, post(room, "refused", key).status)
    assert.same({ "refused" }, ann:heard_names())
  end)

  it("of a dry run is not remembered", function()
    local room, key = fresh "room", fresh "key"
    local ann = listener.open(chatty, fresh "ann", { room })
    assert.equal("Would notify", post(room, "x", key, nil, "&dryRun=true").json().msg)
    assert.equal("Notified.", post(room, "x", key).json().msg)
    assert.same({ "x" }, ann:heard_names())
  end)

  it("must be text of 1 to 255 bytes", function()
    assert.equal("400 event-term-invalid Idempotency-Key:", (fault.of(post("room-x", "x", ("k"):rep(256)))))
    assert.equal("400 event-term-invalid #/id", (fault.of(post("room-x", "x", nil, { id = 7 }))))
    assert.equal("400 event-term-invalid #/id", (fault.of(post("room-x", "x", nil, { id = "" }))))
  end)

  it("is refused when what workers share is full", function()
    local full = server.start{ settings = { SHARED_ENTRIES_MAX = 2 } }
    local function ask(key)
      return full:request{
        method = "POST", path = "/control/notify?method=channels:x",
        headers = { ["X-API-Key"] = full.settings.CONTROL_KEY, ["Idempotency-Key"] = key },
        json = { event = "x", attributes = { n = 1 } },
      }
    end
    assert.equal(200, ask("1").status)
    assert.equal(200, ask("2").status)
    local refused = ask("3")
    assert.same({ 503, "idempotency-full", "60" },
      { refused.status, refused.json().errors[1].code, refused.headers["retry-after"] })
    assert.equal(200, ask("1").status)
  end)

  it("is not lost when what workers share became full meanwhile", function()
    local full = server.start{
      settings = { WORKERS = 1, SHARED_MEMORY_MAX = "64kb" }, plugins = { log = GATE },
    }
    local function body_of(event, key) return cjson.encode{ event = event, attributes = { 1 }, id = key } end
    local first, others = caller.open(full), caller.open(full)
    local PATH <const> = "/control/notify?report=true&method=channels:" .. ("n"):rep(250)
    first:send("POST", PATH, body_of("held", "first"))
    local number, answer = 0
    repeat
      number = number + 1
      answer = others:call("POST", PATH, body_of("x", "k" .. number))
    until answer.status ~= 200
    assert.equal("503 idempotency-full", (fault.of(answer)))
    full:request{ method = "POST", path = "/go" }
    assert.equal(200, first:read().status)
    local again = first:call("POST", PATH, body_of("held", "first"))
    assert.same({ 200, "Notified." }, { again.status, again.json().msg })
    assert.equal(number, full:metric "notifies_total")
  end)
end)
