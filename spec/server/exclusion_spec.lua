-- What is not for a session is not for its client either when that comes back as another one: neither in what it is
-- brought nor live, whatever the transport and however often it came back.
local cjson = require "cjson"
local event_stream = require "spec.support.event_stream"
local raw_socketio = require "spec.support.raw_socketio"
local server = require "spec.support.server"

local PLUGIN = [[
return { api = 1, setup = function(app) app:channel("log-*", { history = { size = 50 } }) end }
]]

-- How a client of each transport comes, perhaps again: { session, id, next = function: name, id; close }.
local transports = {}

function transports.ws(chatty, user, former)
  local path = "/ws"
  if former then path = ("/ws?after=%s&session=%s"):format(former.id, former.session) end
  local socket = chatty:connect(user, { path = path })
  local connected = socket:next()
  return {
    session = connected.attributes.session, id = connected.id,
    close = function() socket:abort() end,
    next = function()
      local event = assert(socket:next())
      return event.event, event.id
    end,
  }
end

function transports.ws_auth(chatty, user, former)
  local socket = chatty:connect(user, { token = false })
  local auth = { token = chatty:token(user), after = former and former.id, session = former and former.session }
  socket:send_event("chatty:auth", cjson.encode(auth))
  local connected = socket:next()
  return {
    session = connected.attributes.session, id = connected.id,
    close = function() socket:abort() end,
    next = function() return assert(socket:next()).event end,
  }
end

-- An EventSource comes back with the URL that it was made with: it says a name of its own.
function transports.sse(chatty, user, former)
  local stream = event_stream.open{
    port = chatty.port, path = "/events?session=tab-of-" .. user, token = chatty:token(user),
    headers = { ["Last-Event-ID"] = former and former.id },
  }
  local connected = stream:next()
  return {
    session = connected.attributes.session, id = connected.id,
    close = function() stream:close() end,
    next = function() return assert(stream:next()).event end,
  }
end

-- Socket.IO's own recovery: the pid of the first connection, and the offset of the last event, if there was one.
function transports.sio(chatty, user, former)
  local socket, connect = raw_socketio.join(chatty, user, former)
  if former then assert.equal(former.pid, connect.pid) end
  return {
    session = connect.sid, pid = connect.pid,
    close = function() socket:abort() end,
    next = function() return cjson.decode(socket:next_raw():sub(3))[1] end,
  }
end

describe("an event that is not for a session", function()
  local chatty, count = nil, 0

  setup(function() chatty = server.start{ settings = { WORKERS = 2 }, plugins = { log = PLUGIN } } end)
  teardown(function() chatty:stop() end)

  local function fresh(kind)
    count = count + 1
    return ("%s-%d"):format(kind, count)
  end

  local function new_user()
    local user, room = fresh "ann", fresh "log"
    chatty:subscribe("users:" .. user, { room })
    return user, room
  end

  local function notify(room, name, session)
    local body = { event = name, attributes = {}, except = session and { sessions = { session } } }
    assert.equal(200, chatty:control("POST", "/control/notify?method=channels:" .. room, body).status)
  end

  for name, open in pairs(transports) do
    it("is not brought to its client when that comes back, by " .. name, function()
      local user, room = new_user()
      local first = open(chatty, user)
      first.close()
      notify(room, "own", first.session)
      notify(room, "theirs")
      local second = open(chatty, user, first)
      assert.equal("theirs", second.next())
      assert.not_equal(first.session, second.session)
    end)

    it("is not given to it live then, nor brought after a second time, by " .. name, function()
      local user, room = new_user()
      local first = open(chatty, user)
      first.close()
      local second = open(chatty, user, first)
      notify(room, "late", first.session)
      notify(room, "own", second.session)
      notify(room, "theirs")
      assert.equal("theirs", second.next())
      second.close()
      second.id = first.id
      local third = open(chatty, user, second)
      assert.equal("theirs", third.next())
    end)
  end

  it("is for the user's other sessions", function()
    local user, room = new_user()
    local one, other = transports.ws(chatty, user), transports.ws(chatty, user)
    notify(room, "own", one.session)
    assert.equal("own", other.next())
    other.close()
    assert.equal("own", transports.ws(chatty, user, { id = other.id, session = other.session }).next())
    assert.equal("own", transports.ws(chatty, user, { id = other.id, session = "" }).next())
  end)

  it("is for whoever names the session of another user, who loses nothing by that", function()
    local user, room = new_user()
    local eve = fresh "eve"
    chatty:subscribe("users:" .. eve, { room })
    local victim = transports.ws(chatty, user)
    local thief = transports.ws(chatty, eve, victim)
    notify(room, "not-for-victim", victim.session)
    assert.equal("not-for-victim", thief.next())
    notify(room, "not-for-thief", thief.session)
    assert.equal("not-for-thief", victim.next())
  end)

  it("is for who names a session that never was, or none", function()
    local user, room = new_user()
    local one = transports.ws(chatty, user)
    one.close()
    notify(room, "own", one.session)
    local foreign = one.session:reverse()
    for _, named in ipairs({ foreign, "x", "%00", ("x"):rep(2000), one.session .. "x" }) do
      assert.equal("own", transports.ws(chatty, user, { id = one.id, session = named }).next())
    end
  end)
end)
