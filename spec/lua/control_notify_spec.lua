local lua_half = require "spec.support.lua_half"

-- What was sent before goes another way (http.lines), and is answered alike.
for _, times in ipairs({ "for the first time", "again" }) do describe("POST /control/notify " .. times, function()
  local core

  before_each(function() core = lua_half.start({ shipped = { "origin", "date_time" } }) end)

  local BODY <const> = '{"event":"chat-message","attributes":{"n":12345678901234567890,"list":[] }}'
  local ATTRIBUTES <const> = '{"n":12345678901234567890,"list":[] }'

  local function notify(query, body, headers)
    if times == "again" then
      lua_half.control(core, "POST", "/control/notify" .. query, BODY)
      core.bus.calls = {}
    end
    return lua_half.control(core, "POST", "/control/notify" .. query, body or BODY, headers)
  end

  local function sent()
    return lua_half.last_call(core, "notify")
  end

  it("emits to channels, byte for byte", function()
    local reply = notify("?method=channels:a,b")
    assert.same({ 200, '{"msg":"Notified."}', "application/json", "Accept" },
      { reply.status, reply.body, reply.headers["content-type"], reply.headers.vary })
    assert.same({ "channels", { "a", "b" }, false, "chat-message", ATTRIBUTES },
      { sent().by, sent().names, sent().efficient, sent().event:name(), sent().event:raw() })
  end)

  it("emits to channels so that each session gets it once", function()
    notify("?method=channels-efficient:[a,%20b]")
    assert.same({ "channels", { "a", "b" }, true }, { sent().by, sent().names, sent().efficient })
  end)

  it("emits to users", function()
    notify("?method=users:ann")
    assert.same({ "users", { "ann" } }, { sent().by, sent().names })
  end)

  it("adds the channel as origin", function()
    notify("?method=channels:a,b&add=origin")
    assert.equal('{"n":12345678901234567890,"list":[] ,"origin":"a"}', sent().events[1]:raw())
    assert.equal('{"n":12345678901234567890,"list":[] ,"origin":"b"}', sent().events[2]:raw())
  end)

  it("adds no origin for users", function()
    notify("?method=users:a,b&add=origin")
    assert.equal(ATTRIBUTES, sent().event:raw())
  end)

  it("adds one time per request, and replaces an attribute of that name", function()
    notify("?method=channels:a,b&add=date-time,origin", '{"event":"e","attributes":{"date-time":"x","a":1}}')
    for i, channel in ipairs({ "a", "b" }) do
      assert.equal(('{"date-time":"2023-11-14T22:13:20.250Z","a":1,"origin":"%s"}'):format(channel),
        sent().events[i]:raw())
    end
  end)

  it("takes add in several pieces", function()
    notify("?method=channels:a&add=origin&add=date-time")
    assert.equal("a", sent().event:get("origin"))
    assert.is_string(sent().event:get("date-time"))
  end)

  it("refuses options that nobody knows and names those that are known", function()
    for _, query in ipairs({ "&add=orgin", "&add=", "&add=origin,", "&add=origin&add=x" }) do
      local reply = notify("?method=channels:a" .. query)
      assert.same({ 400, "add-unknown", { parameter = "add" } },
        { reply.status, reply.error.code, reply.error.source })
      assert.matches("the known options are: date%-time, origin", reply.error.detail)
    end
    assert.is_nil(sent())
  end)

  it("refuses options when attributes is no object", function()
    local body = '{"event":"e","attributes":[1]}'
    assert.equal("add-needs-object", notify("?method=users:a&add=date-time", body).error.code)
    assert.equal(200, notify("?method=users:a", body).status)
  end)

  it("refuses bodies that are no event, and points at what is wrong", function()
    local cases = {
      ['{"event":'] = "body-malformed -",
      ["[]"] = "event-missing /event",
      ["{}"] = "event-missing /event",
      ['{"event":7,"attributes":{}}'] = "event-invalid /event",
      ['{"event":"e"}'] = "attributes-missing /attributes",
      ['{"event":"e","attributes":null}'] = "attributes-missing /attributes",
      ['{"event":"chatty:x","attributes":{}}'] = "event-reserved /event",
      ['{"event":"disconnect","attributes":{}}'] = "event-reserved /event",
    }
    for body, expected in pairs(cases) do
      local reply = notify("?method=users:a", body)
      local source = reply.error.source
      local found = reply.error.code .. " " .. (source and source.pointer or "-")
      assert.same({ 400, expected }, { reply.status, found })
    end
    assert.is_nil(sent())
  end)

  it("ignores other members of the body", function()
    assert.equal(200, notify("?method=users:a", '{"event":"e","attributes":0,"more":1}').status)
  end)

  it("refuses a missing or wrong method", function()
    assert.equal("method-missing", notify("").error.code)
    assert.equal("method-invalid", notify("?method=rooms:a").error.code)
    assert.equal("list-empty", notify("?method=users:").error.code)
    assert.equal("parameter-repeated", notify("?method=users:a&method=users:b").error.code)
    assert.equal("parameter-unknown", notify("?method=users:a&dryrun=true").error.code)
  end)

  it("wants JSON", function()
    assert.equal(415, notify("?method=users:a", BODY, { ["content-type"] = "text/plain" }).status)
    local document = { ["content-type"] = "application/vnd.api+json" }
    assert.equal(200, notify("?method=users:a", BODY, document).status)
  end)

  it("needs control rights", function()
    assert.equal(401, notify("?method=users:a", BODY, { authorization = "Bearer x" }).status)
    core.token.known = { a = { user = "ann", claims = '{"scope":"control:notify"}' },
      b = { user = "bob", claims = '{"scope":"control:search"}' } }
    assert.equal(200, notify("?method=users:a", BODY, { authorization = "Bearer a" }).status)
    assert.equal(403, notify("?method=users:a", BODY, { authorization = "Bearer b" }).status)
  end)

  it("reports who was reached", function()
    core.bus.answers.notify = { { users = 2, sessions = 3, per_name = { { users = 2, sessions = 3 } } } }
    local reply = notify("?method=channels:a&report=true")
    assert.is_true(sent().report)
    assert.same({ msg = "Notified.", report = { users = 2, sessions = 3,
      channels = { a = { users = 2, sessions = 3 } } } }, reply.json)
    reply = notify("?method=users:ann&report=true")
    assert.same({ ann = { sessions = 3 } }, reply.json.report.recipients)
  end)

  it("only rehearses with dryRun", function()
    core.bus.answers.notify = { { users = 0, sessions = 0, per_name = { { users = 0, sessions = 0 } } } }
    local reply = notify("?method=channels:a&dryRun=true")
    assert.is_true(sent().dry)
    assert.same({ msg = "Would notify", dryRun = true, report = { users = 0, sessions = 0,
      channels = { a = { users = 0, sessions = 0 } } } }, reply.json)
  end)

  it("answers a document to those who want one", function()
    local headers = { accept = "application/vnd.api+json" }
    local reply = notify("?method=users:a", BODY, headers)
    assert.same({ { meta = { msg = "Notified." } }, "application/vnd.api+json" },
      { reply.json, reply.headers["content-type"] })
    reply = notify("?method=", BODY, headers)
    assert.same({ "application/vnd.api+json", "method-missing" },
      { reply.headers["content-type"], reply.error.code })
  end)

  it("knows no other method", function()
    local reply = lua_half.control(core, "GET", "/control/notify")
    assert.same({ 405, "OPTIONS, POST" }, { reply.status, reply.headers.allow })
  end)

  it("takes what stands beside the event", function()
    assert.equal(200, notify("?method=users:a", '{"event":"e","attributes":0,"key":"k","except":["b"]}').status)
    assert.same({ "k", { "b" } }, { sent().terms.key, sent().except })
  end)

  it("answers with the id of an event that is kept", function()
    core.bus.answers.notify = { true, "01-02" }
    assert.same({ msg = "Notified.", id = "01-02" }, notify("?method=channels:a").json)
  end)

  it("emits once for an idempotency key", function()
    local headers = { ["idempotency-key"] = "one" }
    assert.same({ 200, 200 }, { notify("?method=users:a", BODY, headers).status,
      lua_half.control(core, "POST", "/control/notify?method=users:a", BODY, headers).status })
    assert.equal(1, #core.bus.calls)
  end)

  it("says no when too much waits for slow sessions", function()
    core.bus.answers.notify = { nil, "too much waits for slow sessions", "LIMIT" }
    local reply = notify("?method=users:a")
    assert.same({ 503, "queues-full", "1" }, { reply.status, reply.error.code, reply.headers["retry-after"] })
  end)

  it("answers 500 when it fails, and logs which route it was", function()
    core.bus.emit = function() error("no bus") end
    assert.same({ 500, "internal" }, { notify("?method=users:a").status, notify("?method=users:a").error.code })
    assert.matches("^plugin chatty, POST /control/notify: .*no bus$", core.log.lines[#core.log.lines].message)
  end)
end) end
