-- What a client missed is brought when it comes back with the id of the last event that it had: in order, each
-- once, before anything new; or it is told of a gap.
local cjson = require "cjson"
local event_stream = require "spec.support.event_stream"
local fresh = require "spec.support.fresh"
local listener = require "spec.support.listener"
local raw_socketio = require "spec.support.raw_socketio"
local server = require "spec.support.server"
local wait = require "spec.support.wait"
local websocket = require "spec.support.websocket"

local PLUGIN = [[
local chatty = require "chatty"
return { api = 1, setup = function(app)
  app:channel("log-*", { history = { size = 5 } })
  app:channel("log-brief-*", { history = { ttl = 0.2 } })
  app:channel("log-thin-*", { history = { bytes = 200 } })
end }
]]

describe("catching up", function()
  local chatty

  setup(function() chatty = server.start{ settings = { REPLAY_MAX = 8 }, plugins = { log = PLUGIN } } end)
  teardown(function() chatty:stop() end)

  local function come_back(user, after)
    return chatty:connect(user, { path = "/ws?after=" .. after })
  end

  -- The names of the events up to `mark`, which is notified to the user now. The session is live already.
  local function names_of(session, user)
    assert.equal(200, chatty:notify(listener.selector("users", { user }), "mark").status)
    local names = {}
    while true do
      local name = assert(session:next()).event
      if name == "mark" then return names end
      names[#names + 1] = name
    end
  end

  local function missed(user, after)
    local session = come_back(user, after)
    assert.equal("chatty:connected", session:next().event)
    local names = names_of(session, user)
    session:abort()
    return names
  end

  -- A user of channels, and the id that his session began with; the session is gone.
  local function new_user(channels)
    local user = fresh "ann"
    chatty:subscribe("users:" .. user, channels)
    local session = chatty:connect(user)
    local id = session:next().id
    session:abort()
    return user, id
  end

  local function notify(channels, name, query)
    local answer = chatty:notify("channels:" .. channels, name, nil, query)
    assert.equal(200, answer.status)
    return answer.json().id
  end

  it("brings what was missed, in order, behind chatty:connected and before anything new", function()
    local room = fresh "log"
    local user, id = new_user({ room })
    for _, name in ipairs({ "one", "two", "three" }) do notify(room, name) end
    local session = come_back(user, id)
    assert.equal("chatty:connected", session:next().event)
    notify(room, "four")
    local names = { "one", "two", "three", "four" }
    for _, name in ipairs(names) do assert.equal(name, session:next().event) end
  end)

  it("goes on behind the id that the client names", function()
    local room = fresh "log"
    local user = new_user({ room })
    local first, second = notify(room, "one"), notify(room, "two")
    notify(room, "three")
    assert.is_true(first < second)
    assert.same({ "three" }, missed(user, second))
    assert.same({ "two", "three" }, missed(user, first))
  end)

  it("gives the same id in the frame and in the answer of notify, and none where nothing is kept", function()
    local room, plain = fresh "log", fresh "room"
    local ann = listener.open(chatty, fresh "ann", { room, plain })
    local id = notify(room, "one")
    assert.matches("^[0-9a-v]+$", id)
    assert.is_nil(notify(plain, "one"))
    assert.same({ ('{"event":"one","attributes":{},"id":"%s"}'):format(id), '{"event":"one","attributes":{}}' },
      ann:heard())
  end)

  it("goes on over a reload of the plugins", function()
    local room = fresh "log"
    local user, id = new_user({ room })
    notify(room, "before")
    assert.equal(200, chatty:control("POST", "/control/reload").status)
    assert.is_string(notify(room, "behind"))
    assert.same({ "before", "behind" }, missed(user, id))
  end)

  it("gives it with a report too", function()
    local room = fresh "log"
    local ann = listener.open(chatty, fresh "ann", { room })
    local id = notify(room, "one", "report=true")
    assert.equal(('{"event":"one","attributes":{},"id":"%s"}'):format(id), ann:heard()[1])
  end)

  it("takes the id in chatty:auth too", function()
    local room = fresh "log"
    local user, id = new_user({ room })
    notify(room, "one")
    local session = chatty:connect(user, { token = false })
    session:send_event("chatty:auth", cjson.encode{ token = chatty:token(user), after = id })
    assert.equal("chatty:connected", session:next().event)
    assert.equal("one", session:next().event)
  end)

  it("names in chatty:connected the id behind which events go on", function()
    local room = fresh "log"
    local user, id = new_user({ room })
    local last = notify(room, "one")
    assert.equal(id, come_back(user, id):next().id)
    assert.equal(last, chatty:connect(user):next().id)
  end)

  it("brings an event of several channels once", function()
    local first, second, third = fresh "log", fresh "log", fresh "log"
    local user, id = new_user({ first, second, third })
    notify(first .. "," .. second .. "," .. third, "one")
    chatty:notify(("channels-efficient:%s,%s"):format(third, second), "two", nil, "add=origin")
    local session = come_back(user, id)
    session:next()
    assert.equal("one", session:next().event)
    assert.same({ origin = third }, session:next().attributes)
    assert.same({}, names_of(session, user))
  end)

  it("brings both copies where the channels made them differ", function()
    local first, second = fresh "log", fresh "log"
    local user, id = new_user({ first, second })
    notify(first .. "," .. second, "one", "add=origin")
    local session = come_back(user, id)
    session:next()
    assert.same({ first, second }, { session:next().attributes.origin, session:next().attributes.origin })
  end)

  it("brings nothing of what was emitted before the user was subscribed", function()
    local old, new = fresh "log", fresh "log"
    local user, id = new_user({ old })
    notify(new, "not-his")
    notify(old, "his")
    chatty:subscribe("users:" .. user, { new })
    notify(new, "his-too")
    assert.same({ "his", "his-too" }, missed(user, id))
  end)

  it("brings nothing of channels that the user has left", function()
    local room = fresh "log"
    local user, id = new_user({ room })
    notify(room, "one")
    chatty:unsubscribe("users:" .. user, { room })
    assert.same({}, missed(user, id))
    chatty:subscribe("users:" .. user, { room })
    assert.same({}, missed(user, id))
  end)

  local function gap_of(session)
    session:next()
    local gap = session:next()
    return { gap.event, gap.attributes.reason }, gap
  end

  it("tells of a gap when a channel does not hold all of it any more, and brings nothing then", function()
    local room = fresh "log"
    local user, id = new_user({ room })
    for i = 1, 6 do notify(room, "event-" .. i) end
    local session = come_back(user, id)
    local told, gap = gap_of(session)
    assert.same({ "chatty:gap", "lost" }, told)
    assert.equal(id, gap.attributes.after)
    assert.same({}, names_of(session, user))
    assert.same({}, missed(user, gap.id))
  end)

  it("tells of it again when the client was cut before it could read that", function()
    local room = fresh "log"
    local user, id = new_user({ room })
    for i = 1, 6 do notify(room, "event-" .. i) end
    assert.is_nil(come_back(user, id):next().id)
    local stream = event_stream.open{
      port = chatty.port, token = chatty:token(user), headers = { ["Last-Event-ID"] = id },
    }
    assert.is_nil(stream:next().id)
  end)

  it("tells of it again when a client of Socket.IO was", function()
    local room = fresh "log"
    local user = new_user({ room })
    local function connect(pid)
      local socket = raw_socketio.open(chatty, user, { pid = pid })
      return cjson.decode(socket:next_raw():sub(3)).pid, socket
    end
    local first, socket = connect()
    socket:abort()
    for i = 1, 6 do notify(room, "event-" .. i) end
    local second
    second, socket = connect(first)
    assert.not_equal(first, second)
    socket:abort()
    local _, again = connect(second)
    local connected, gap = cjson.decode(again:next_raw():sub(3)), cjson.decode(again:next_raw():sub(3))
    assert.same({ "chatty:connected", "chatty:gap", "string" }, { connected[1], gap[1], type(gap[3]) })
    assert.is_nil(connected[3])
  end)

  it("tells of a gap when there is more than REPLAY_MAX", function()
    local first, second = fresh "log", fresh "log"
    local user, id = new_user({ first, second })
    for i = 1, 5 do notify(first, "event-" .. i) end
    for i = 1, 4 do notify(second, "event-" .. i) end
    assert.same({ "chatty:gap", "too-many" }, (gap_of(come_back(user, id))))
  end)

  it("tells of a gap for an id that is not of this life of the server, or none", function()
    local user, id = new_user({ fresh "log" })
    for _, after in ipairs({ "x", "0" .. id:sub(2), id .. "0", id:sub(1, 9) .. "vvvvvvvvvvv", "%00" }) do
      assert.same({ "chatty:gap", "unknown" }, (gap_of(come_back(user, after))))
    end
  end)

  it("keeps a channel's events for its time", function()
    local room = fresh "log-brief"
    local user, id = new_user({ room })
    notify(room, "one")
    wait.until_(function()
      local session = come_back(user, id)
      session:next()
      local event = session:next().event
      session:abort()
      return event == "chatty:gap"
    end)
    assert.same({ "chatty:gap", "lost" }, (gap_of(come_back(user, id))))
  end)

  it("keeps a channel's events within its bytes", function()
    local room = fresh "log-thin"
    local user, id = new_user({ room })
    notify(room, "one")
    assert.same({ "one" }, missed(user, id))
    local after = notify(room, "two")
    chatty:notify("channels:" .. room, "large", '"' .. ("x"):rep(100) .. '"')
    assert.same({ "large" }, missed(user, after))
    assert.same({ "chatty:gap", "lost" }, (gap_of(come_back(user, id))))
  end)

  it("works over an event stream, by Last-Event-ID", function()
    local room = fresh "log"
    local user, id = new_user({ room })
    local last = notify(room, "one")
    local stream = event_stream.open{
      port = chatty.port, token = chatty:token(user), headers = { ["Last-Event-ID"] = id },
    }
    assert.equal("chatty:connected", stream:next().event)
    local event = stream:next()
    assert.same({ "one", last }, { event.event, event.id })
  end)

  it("goes on without loss or double wherever the connection was cut, also within a frame", function()
    local room = fresh "log"
    local user, start = new_user({ room })
    for i = 1, 3 do notify(room, "event-" .. i) end
    local raw = websocket.start{ port = chatty.port, token = chatty:token(user), path = "/ws?after=" .. start }
    local bytes = raw.connection:read_until('"event-3"')
    bytes = bytes .. raw.connection:read_until('"}')
    raw.connection:abort()
    local first = bytes:find("event%-1")
    for k = first - 12, #bytes do
      local id, seen = start, {}
      -- What a client has understood when it got k bytes: whole frames.
      for name, own, last in bytes:gmatch('{"event":"(event%-%d)","attributes":{},"id":"(%w+)"}()') do
        if last - 1 <= k then id, seen[#seen + 1] = own, name end
      end
      for _, name in ipairs(missed(user, id)) do seen[#seen + 1] = name end
      assert.same({ "event-1", "event-2", "event-3" }, seen)
    end
  end)

  it("counts what it brings, keeps and could not bring", function()
    local room = fresh "log"
    local user, id = new_user({ room })
    local function counts()
      return { chatty:metric "replayed_total", chatty:metric "gaps_total", chatty:metric "history_events" }
    end
    local before = counts()
    notify(room, "one")
    missed(user, id)
    missed(user, "x")
    assert.same({ before[1] + 1, before[2] + 1, before[3] + 1 }, counts())
    assert.is_true(chatty:metric "history_bytes" > 0)
  end)
end)
