-- ack: true of a notify: clients confirm that they have the event, and each session counts once.
local fault = require "spec.support.fault"
local fresh = require "spec.support.fresh"
local polling = require "spec.support.polling"
local raw_socketio = require "spec.support.raw_socketio"
local server = require "spec.support.server"
local wait = require "spec.support.wait"

local PLUGIN = [[
local chatty = require "chatty"
return { api = 1, setup = function(app)
  app:namespace("/other", { auth = "jwt" })
  app:channel("log-*", { history = {} })
  app:on("message", function(session, event)
    if event.name ~= "ask-me" then return event end
    local value, message, code = session:ask("question", {})
    return value or code
  end)
end }
]]

-- Clients of each kind: next() is the text that came, confirm(digits) what a client does with it.
local KINDS = {
  websocket = function(chatty, user)
    local session = chatty:join(user)
    return {
      next = function() return (session:next_raw()) end,
      confirm = function(digits) session:send(('{"event":"chatty:ack","ack":%s}'):format(digits)) end,
      say = function(digits) return ('{"event":"x","attributes":{"n":1},"ack":%s}'):format(digits) end,
      echo = function()
        session:send_event("echo", "{}", 1)
        return (session:next_raw()):find("chatty:ack", 1, true) ~= nil
      end,
    }
  end,
}

local function of_socketio(prefix, send, next)
  return {
    next = next,
    confirm = function(digits) send(("43%s%s[]"):format(prefix, digits)) end,
    say = function(digits) return ('42%s%s["x",{"n":1}]'):format(prefix, digits) end,
    echo = function()
      send(('42%s7["echo",{}]'):format(prefix))
      return next() == ("43%s7[{}]"):format(prefix)
    end,
  }
end

local function open_socketio(prefix)
  return function(chatty, user)
    local socket = raw_socketio.join(chatty, user, { prefix = prefix })
    return of_socketio(prefix, function(text) socket:send(text) end, function() return (socket:next_raw()) end)
  end
end

KINDS["Socket.IO on a WebSocket"] = open_socketio("")
KINDS["Socket.IO in another namespace"] = open_socketio("/other,")

KINDS["Socket.IO that polls"] = function(chatty, user)
  local session = polling.join(chatty, user)
  return of_socketio("", function(text) session:post(text) end, function() return (session:next()) end)
end

describe("an event that is to be confirmed", function()
  local chatty

  setup(function() chatty = server.start{ plugins = { answer = PLUGIN } } end)
  teardown(function() chatty:stop() end)

  local function notify(method)
    local answer = chatty:notify_with(method, "x", { ack = true }).json()
    assert.matches("^%d+$", answer.ack)
    return answer.ack, answer.id
  end

  local function count_of(ack)
    return chatty:control("GET", "/control/acks?ack=" .. ack).json().sessions
  end

  local function wait_count(ack, count)
    wait.until_(function() return count_of(ack) == count end)
    return count_of(ack)
  end

  for name, open in pairs(KINDS) do
    describe("by " .. name, function()
      it("counts each session once", function()
        local ann, bob, eve = fresh "ann", fresh "bob", fresh "eve"
        local sessions = { open(chatty, ann), open(chatty, bob), open(chatty, eve) }
        local before = chatty:metric "acks_total"
        local ack = notify(("users:%s,%s,%s"):format(ann, bob, eve))
        for _, session in ipairs(sessions) do assert.equal(session.say(ack), session.next()) end
        assert.equal(0, count_of(ack))
        for _ = 1, 3 do sessions[1].confirm(ack) end
        assert.equal(1, wait_count(ack, 1))
        sessions[2].confirm(ack)
        assert.equal(2, wait_count(ack, 2))
        for _, session in ipairs(sessions) do assert.is_true(session.echo()) end
        assert.equal(2, count_of(ack))
        assert.equal(before + 2, chatty:metric "acks_total")
      end)

      it("counts nothing for a number that is none, and goes on", function()
        local ann = fresh "ann"
        local session = open(chatty, ann)
        for _, digits in ipairs{ "0", "1", "12345", "4294967296", "17592186044416", "999999999999999" } do
          session.confirm(digits)
        end
        assert.is_true(session.echo())
      end)
    end)
  end

  it("is counted for all of them together", function()
    local sessions, users = {}, {}
    for _, open in pairs(KINDS) do
      users[#users + 1] = fresh "user"
      sessions[#sessions + 1] = open(chatty, users[#users])
    end
    local ack = notify("users:" .. table.concat(users, ","))
    for _, session in ipairs(sessions) do
      assert.equal(session.say(ack), session.next())
      session.confirm(ack)
    end
    assert.equal(#sessions, wait_count(ack, #sessions))
  end)

  it("counts a client once that comes back and confirms again", function()
    local ann, room = fresh "ann", fresh "log"
    chatty:subscribe("users:" .. ann, { room })
    local session = chatty:connect(ann)
    local connected = session:next()
    local ack = notify("channels:" .. room)
    local path = ("/ws?after=%s&session=%s"):format(connected.id, connected.attributes.session)
    for _ = 1, 3 do
      assert.equal("x", session:next().event)
      session:send(('{"event":"chatty:ack","ack":%s}'):format(ack))
      session:send_event("echo", "{}", 1)
      assert.equal("chatty:ack", session:next().event)
      session:abort()
      session = chatty:connect(ann, { path = path })
      session:next()
    end
    assert.equal(1, count_of(ack))
  end)

  it("does not meet what plugins ask the client", function()
    local ann = fresh "ann"
    local socket = raw_socketio.join(chatty, ann)
    local ack = notify("users:" .. ann)
    socket:next_raw()
    socket:send('420["ask-me",{}]')
    assert.equal('421["question",{}]', (socket:next_raw()))
    socket:send(("43%s[1]"):format(ack))
    socket:send('431["yes"]')
    assert.equal('430["yes"]', (socket:next_raw()))
    assert.equal(1, wait_count(ack, 1))
  end)

  it("brings the id of a kept event to Socket.IO behind it", function()
    for _, kind in ipairs{ "on a WebSocket", "in another namespace", "that polls" } do
      local ann, channel = fresh "ann", fresh "log"
      chatty:subscribe("users:" .. ann, { channel })
      local session = KINDS["Socket.IO " .. kind](chatty, ann)
      local ack, id = notify("channels:" .. channel)
      assert.equal(session.say(ack), session.next())
      local prefix = kind == "in another namespace" and "/other," or ""
      assert.equal(('42%s["chatty:offset","%s"]'):format(prefix, id), session.next())
    end
  end)

  it("is asked for by its number, of the last five minutes", function()
    assert.equal("404 ack-unknown ?ack", (fault.of(chatty:control("GET", "/control/acks?ack=12345"))))
  end)
end)
