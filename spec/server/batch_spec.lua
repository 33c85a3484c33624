-- POST /control/batch: several operations in one request, in order, answered one by one.
local cjson = require "cjson"
local fault = require "spec.support.fault"
local fresh = require "spec.support.fresh"
local listener = require "spec.support.listener"
local server = require "spec.support.server"

describe("a batch", function()
  local chatty

  setup(function() chatty = server.start{ settings = { BATCH_MAX = 5 } } end)
  teardown(function() chatty:stop() end)

  local function post(body, headers)
    local all = { ["X-API-Key"] = chatty.settings.CONTROL_KEY, ["Content-Type"] = "application/json" }
    for name, value in pairs(headers or {}) do all[name] = value or nil end
    return chatty:request{ method = "POST", path = "/control/batch", headers = all, body = body }
  end

  local function change(op, user, channel)
    local kind, id = channel:match("^(.-)%-(.+)$")
    return ('{"op":"%s","method":"users:%s","body":{"data":{"type":"%s","id":"%s"}}}'):format(op, user, kind, id)
  end

  local function notify(channel, event, attributes, more)
    return ('{"op":"notify","method":"channels:%s"%s,"body":{"event":"%s","attributes":%s}}'):format(
      channel, more or "", event, attributes or "{}")
  end

  local function results(...)
    local answer = post("[" .. table.concat({ ... }, ",") .. "]")
    assert.equal(200, answer.status)
    return answer.json().results
  end

  -- Their status, and the code of the refused.
  local function told(list)
    local out = {}
    for i, result in ipairs(list) do out[i] = result.errors and result.errors[1].code or result.msg end
    return out
  end

  it("is carried out in order, so that each operation finds what those before it did", function()
    local user, room = fresh "ann", fresh "room"
    local ann = listener.open(chatty, user)
    local list = results(notify(room, "too-early"), change("subscribe", user, room), notify(room, "in-time"),
      change("unsubscribe", user, room), notify(room, "too-late"))
    assert.same({ "Notified.", "Subscribed", "Notified.", "Unsubscribed", "Notified." }, told(list))
    assert.same({ 200, { room } }, { list[2].status, list[2].channels })
    assert.same({ "in-time" }, ann:heard_names())
  end)

  it("brings attributes byte for byte", function()
    local room = fresh "room"
    local ann = listener.open(chatty, fresh "ann", { room })
    local attributes = '{"n":12345678901234567890, "e":[],"d":1.10}'
    results(notify(room, "x", attributes))
    assert.same({ attributes }, ann:heard_attributes())
  end)

  it("goes on behind an operation that is refused", function()
    local room = fresh "room"
    local ann = listener.open(chatty, fresh "ann", { room })
    local list = results('{"op":"dance"}', notify(room, "connect"), '7', notify(room, "x", "null"),
      notify(room, "last"))
    assert.same({ "operation-invalid", "event-reserved", "operation-invalid", "attributes-missing", "Notified." },
      told(list))
    assert.same({ 400, "/op" }, { list[1].status, list[1].errors[1].source.pointer })
    assert.equal("/body/attributes", list[4].errors[1].source.pointer)
    assert.same({ "last" }, ann:heard_names())
  end)

  it("takes what the endpoints take in their queries", function()
    local room, other = fresh "room", fresh "room"
    local ann = listener.open(chatty, fresh "ann", { room })
    local list = results(
      notify(room .. "," .. other, "x", "{}", ',"add":["origin"]'),
      notify(room, "y", "{}", ',"add":"origin","report":true'),
      notify(room, "z", "{}", ',"dryRun":true'))
    assert.same({ 1, 1 }, { list[2].report.users, list[3].report.users })
    assert.equal("Would notify", list[3].msg)
    assert.same({ ('{"origin":"%s"}'):format(room), ('{"origin":"%s"}'):format(room) }, ann:heard_attributes())
  end)

  it("refuses members that an operation does not have, or of a wrong type", function()
    assert.same({ "operation-invalid", "operation-invalid", "operation-invalid", "operation-invalid",
      "operation-invalid" },
      told(results('{"op":"notify","dryrun":true}', '{"op":"notify","method":7}', '{"op":"notify","method":"users:a"}',
        '{"op":"notify","method":"users:a","add":7,"body":{}}',
        '{"op":"notify","method":"users:a","add":[7],"body":{"event":"x","attributes":1}}')))
  end)

  it("is refused as a whole when it is no array, or too long", function()
    assert.equal("400 batch-invalid #", (fault.of(post('{"op":"notify"}'))))
    assert.equal("400 body-malformed", (fault.of(post("[1,"))))
    assert.equal("400 batch-too-long", (fault.of(post("[1,2,3,4,5,6]"))))
    assert.matches("^415 content%-type%-unsupported", (fault.of(post("[]", { ["Content-Type"] = "text/plain" }))))
    assert.equal('{"results":[]}', post("[]").body)
  end)

  it("needs for each operation the right of its endpoint", function()
    local user, room = fresh "ann", fresh "room"
    local token = chatty:token{ sub = "app", scope = "control:notify" }
    local answer = post(("[%s,%s]"):format(notify(room, "x"), change("subscribe", user, room)),
      { ["X-API-Key"] = false, Authorization = "Bearer " .. token })
    assert.same({ "Notified.", "control-required" }, told(answer.json().results))
    local refused = post("[]", { ["X-API-Key"] = false, Authorization = "Bearer " .. chatty:token("ann") })
    assert.equal("403 control-required", (fault.of(refused)))
    assert.equal(401, chatty:request{ method = "POST", path = "/control/batch", json = {} }.status)
  end)

  it("is answered as a JSON:API document when asked so", function()
    local answer = post("[" .. notify("room-x", "x") .. "]", { Accept = "application/vnd.api+json" })
    assert.same({ meta = { results = { { msg = "Notified.", status = 200 } } } }, cjson.decode(answer.body))
  end)
end)
