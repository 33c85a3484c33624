-- The drill of durable channels: the server is killed at random moments while app servers notify and clients come and
-- go. Whoever comes back has had everything that was answered with 200, in order, each event once, under one id in all
-- lives, whichever of them brought it; who is in other channels too may be told of a gap. The seed is told when it
-- fails; CHATTY_SPEC_SEED repeats it as far as threads allow, CHATTY_SPEC_KILLS makes it longer.
local caller = require "spec.support.caller"
local server = require "spec.support.server"

local KILLS = tonumber(os.getenv "CHATTY_SPEC_KILLS") or 50
local SEED = tonumber(os.getenv "CHATTY_SPEC_SEED") or os.time()
local PUBLISHERS <const>, ANSWERS_MAX <const> = 6, 40
local SETTINGS = { STORE = "sqlite:chatty.db", WORKERS = 2, REPLAY_MAX = 100000 }

local PLUGIN = [[
return { api = 1, setup = function(app)
  app:channel("log-*", { history = { size = 100000, durable = true } })
  app:channel("note-*", { history = { size = 100000 } })
end }
]]

local METHODS <const> = { "channels:log-1", "channels:log-2", "channels-efficient:log-1,log-2",
  "channels-efficient:note-1,log-1", "channels:note-1" }

local random = math.random

-- Clients -----------------------------------------------------------------------------------------------

-- `names` are those of the events that came, with their ids; behind as many answered events as `whole_since` nothing
-- may be missing.
local function new_client(user, channels)
  local client = { user = user, channels = {}, names = {}, whole_since = 0 }
  for _, channel in ipairs(channels) do client.channels[channel] = true end
  return client
end

local function see(client, frame)
  if frame.event == "chatty:gap" then
    client.gaps = (client.gaps or 0) + 1
  elseif frame.event:find "^e" then
    assert(not client.last or frame.id > client.last, frame.event .. " came too late, or once more")
    assert(not client.names[frame.event], frame.event .. " came twice")
    client.names[frame.event], client.last = frame.id, frame.id
  end
  client.id = frame.id or client.id
end

-- Comes back, and reads all that it missed.
local function come_back(chatty, client, answered)
  local gaps = client.gaps
  client.session = chatty:connect(client.user, client.id and { path = "/ws?after=" .. client.id })
  see(client, assert(client.session:next()))
  assert(chatty:notify("users:" .. client.user, "mark").status == 200)
  repeat
    local frame = assert(client.session:next())
    see(client, frame)
  until frame.event == "mark"
  if client.gaps ~= gaps then
    assert(client.channels["note-1"], client.user .. " was told of a gap")
    client.whole_since = #answered
  end
end

-- Reads a part of what came, and is gone.
local function leave(client)
  for _ = 1, random(0, 20) do
    local frame = client.session:next(0)
    if not frame then break end
    see(client, frame)
  end
  client.session:abort()
  client.session = nil
end

local function is_for(client, event)
  for channel in event.method:match(":(.*)"):gmatch("[^,]+") do
    if client.channels[channel] then return true end
  end
  return false
end

-- Everything that was answered is there, under the id that the answer told.
local function check(client, answered)
  for i = client.whole_since + 1, #answered do
    local event = answered[i]
    if is_for(client, event) then assert.equal(event.id, client.names[event.name], client.user .. " " .. event.name) end
  end
end

-- Publishers --------------------------------------------------------------------------------------------

local function ask(publisher, sent)
  publisher.asked = { name = "e" .. #sent + 1, method = METHODS[random(#METHODS)] }
  sent[#sent + 1] = publisher.asked
  publisher.caller:send("POST", "/control/notify?method=" .. publisher.asked.method,
    ('{"event":"%s","attributes":{}}'):format(publisher.asked.name))
end

-- False when the server died before it answered. What came of the event then is open, but the same for all.
local function take_answer(publisher, answered)
  local answer = publisher.caller:read()
  if not answer then return false end
  assert(answer.status == 200, answer.body)
  publisher.asked.id = answer.json().id
  answered[#answered + 1], publisher.asked = publisher.asked, nil
  return true
end

-- Runs ----------------------------------------------------------------------------------------------------

local function stir(chatty, publishers, clients, answered, sent)
  for i = 1, random(0, ANSWERS_MAX) do
    local publisher = publishers[i % #publishers + 1]
    take_answer(publisher, answered)
    ask(publisher, sent)
    if random() < 0.1 then
      local client = clients[random(#clients)]
      if client.session then leave(client) else come_back(chatty, client, answered) end
    end
  end
end

local function live(chatty, publishers, clients, answered, sent)
  for _, publisher in ipairs(publishers) do
    publisher.caller = caller.open(chatty)
    ask(publisher, sent)
  end
  stir(chatty, publishers, clients, answered, sent)
  chatty:kill()
  for _, publisher in ipairs(publishers) do
    if publisher.asked then take_answer(publisher, answered) end -- one that was on its way
    publisher.caller:close()
  end
  for _, client in ipairs(clients) do
    if client.session then leave(client) end
  end
end

-- Of what was not answered either all have it, but for who was told of a gap, or nobody.
local function agree(clients, sent)
  for _, event in ipairs(sent) do
    local first
    for _, client in ipairs(clients) do
      if not client.gaps and is_for(client, event) then
        first = first or client
        assert.equal(first.names[event.name], client.names[event.name], event.name)
      end
    end
  end
end

local function new_clients()
  return {
    new_client("ann", { "log-1" }), new_client("bob", { "log-1", "log-2" }), new_client("eve", { "log-2" }),
    new_client("kim", { "log-1", "note-1" }), new_client("lee", { "log-2", "note-1" }),
  }
end

local function enroll(chatty, client, answered)
  local channels = {}
  for channel in pairs(client.channels) do channels[#channels + 1] = channel end
  assert.equal(200, chatty:subscribe("users:" .. client.user, channels).status)
  come_back(chatty, client, answered)
end

local function run()
  local clients, publishers, sent, answered, folder = new_clients(), {}, {}, {}, nil
  for i = 1, PUBLISHERS do publishers[i] = {} end
  local function start()
    local chatty = server.start{ settings = SETTINGS, plugins = { log = PLUGIN }, folder = folder }
    folder = chatty.folder
    return chatty
  end
  local chatty = start()
  for _, client in ipairs(clients) do enroll(chatty, client, answered) end
  for kill = 1, KILLS do
    live(chatty, publishers, clients, answered, sent)
    chatty = start()
    for _, client in ipairs(clients) do
      if random() < 0.7 or kill == KILLS then come_back(chatty, client, answered) end
    end
  end
  for _, client in ipairs(clients) do check(client, answered) end
  agree(clients, sent)
  return #answered
end

describe("a server with durable channels that is killed at random moments", function()
  it("brings all that it answered for to who comes back", function()
    math.randomseed(SEED)
    local ok, result = pcall(run)
    assert(ok, ("seed %d: %s"):format(SEED, tostring(result)))
    assert.is_true(result > KILLS)
  end)
end)
