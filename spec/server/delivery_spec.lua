-- Every client sees exactly what it must, in order, each event once, or is told of a gap: random connects, cuts,
-- comebacks, changes and notifies of several callers on several workers, against a model. The seed is told when
-- it fails; CHATTY_SPEC_SEED repeats it as far as threads allow, CHATTY_SPEC_STEPS makes it longer.
local caller = require "spec.support.caller"
local cjson = require "cjson"
local delivery_model = require "spec.support.delivery_model"
local server = require "spec.support.server"
local websocket = require "spec.support.websocket"

local STEPS = tonumber(os.getenv "CHATTY_SPEC_STEPS") or 10000
local SEED = tonumber(os.getenv "CHATTY_SPEC_SEED") or os.time()
local SIZE <const>, NOTIFIES <const>, CALLERS <const> = 25, 40, 4

local PLUGIN = ([[
return { api = 1, setup = function(app)
  app:channel("log-*", { history = { size = %d } })
end }
]]):format(SIZE)

local USERS <const> = { "ann", "bob", "eve", "joe", "kim", "lee" }
local CHANNELS <const> = { "log-1", "log-2", "log-3", "log-4" }

local random = math.random

local function pick(list)
  return list[random(#list)]
end

-- Tabs --------------------------------------------------------------------------------------------------

-- A client: it remembers the last id, and what it saw since it was checked.
local function new_tab(user)
  return { user = user, seen = {} }
end

local function connect(chatty, tab)
  tab.asked = tab.id
  tab.socket = websocket.start{
    port = chatty.port, token = chatty:token(tab.user), path = tab.id and "/ws?after=" .. tab.id or "/ws",
  }
end

-- Looks at one event. True at a mark.
local function see(tab, event)
  if event.event == "mark" then return true end
  if event.event == "chatty:gap" then
    assert.equal(tab.asked, event.attributes.after)
    tab.gap_after, tab.seen, tab.checked = tab.checked, {}, event.id
  elseif event.event == "chatty:connected" and not tab.checked then
    tab.checked = event.id
  elseif event.event == "tick" then
    tab.seen[#tab.seen + 1] = event.id
  end
  tab.id = event.id or tab.id
end

-- Looks at a part of what came, and cuts the connection without looking at the rest.
local function cut(tab)
  local socket = tab.socket
  local count = random(0, socket.last - socket.first + 1)
  for _ = 1, count do
    local frame = socket:next_frame(0)
    if frame and frame.opcode == websocket.TEXT then see(tab, cjson.decode(frame.payload)) end
  end
  socket:abort()
  tab.socket = nil
end

local function read_to_mark(tab)
  repeat
    local event, reason = tab.socket:next()
    assert(event, reason)
  until see(tab, event)
end

-- An event that each channel emits comes once per channel to who is live.
local function without_copies(model, tab)
  local ids, count = {}, 0
  for _, id in ipairs(tab.seen) do
    if id == ids[#ids] and count < model:copies_of(tab.user, id) then
      count = count + 1
    else
      ids[#ids + 1], count = id, 1
    end
  end
  return ids
end

local function check(model, tab, hint)
  if tab.gap_after then assert(model:may_have_gap(tab.user, tab.gap_after), "a gap without a cause, " .. hint) end
  assert.same(model:expected(tab.user, tab.checked), without_copies(model, tab), hint)
  tab.checked, tab.seen, tab.gap_after = tab.id, {}, nil
end

-- Rounds ------------------------------------------------------------------------------------------------

local function change(one, model)
  local user, channel = pick(USERS), pick(CHANNELS)
  local verb = random() < 0.6 and "subscribe" or "unsubscribe"
  assert.equal(200, one:change(verb, user, channel).status)
  model[verb](model, user, channel)
end

local function notify(one, round)
  local event = { round = round, channels = { pick(CHANNELS) } }
  local kind = "channels"
  if random() < 0.3 then
    local other = pick(CHANNELS)
    if other ~= event.channels[1] then event.channels[2] = other end
    if random() < 0.5 then kind = "channels-efficient" else event.is_each = true end
  end
  local path = ("/control/notify?method=%s:%s"):format(kind, table.concat(event.channels, ","))
  event.except = random() < 0.2 and pick(USERS) or nil
  one:send("POST", path, cjson.encode{ event = "tick", attributes = { 1 }, except = { event.except } })
  return event
end

local function read_answers(callers, sent)
  local events = {}
  for i, one in ipairs(callers) do
    for _, event in ipairs(sent[i]) do
      event.id = one:read().json().id
      events[#events + 1] = event
    end
  end
  return events
end

-- What happens at once in a round; the number of steps.
local function stir(chatty, callers, tabs, round)
  local sent, steps = {}, NOTIFIES
  for i = 1, #callers do sent[i] = {} end
  for i = 1, NOTIFIES do
    local index = (i - 1) % #callers + 1
    table.insert(sent[index], notify(callers[index], round))
    if random() < 0.2 then
      local tab = pick(tabs)
      if not tab.socket then connect(chatty, tab) elseif tab.socket.status then cut(tab) end
      steps = steps + 1
    end
  end
  return read_answers(callers, sent), steps
end

local function settle(chatty, tabs)
  for _, tab in ipairs(tabs) do
    if tab.socket and not tab.socket.status then assert.equal(101, tab.socket:finish().status) end
  end
  -- Whoever is not live yet has no mark to come, so all wait for chatty:connected first.
  for _, tab in ipairs(tabs) do
    if tab.socket and tab.socket.messages == 0 then
      local event = assert(tab.socket:next())
      see(tab, event)
    end
  end
  assert.equal(200, chatty:notify("users:" .. table.concat(USERS, ","), "mark").status)
  for _, tab in ipairs(tabs) do
    if tab.socket then read_to_mark(tab) end
  end
end

local function run(steps, settings)
  math.randomseed(SEED)
  local chatty = server.start{ settings = settings, plugins = { log = PLUGIN } }
  local model, callers, tabs, done = delivery_model.new(SIZE), {}, {}, 0
  for i = 1, CALLERS do callers[i] = caller.open(chatty) end
  for i = 1, 2 * #USERS do tabs[i] = new_tab(USERS[(i - 1) % #USERS + 1]) end
  while done < steps do
    for _ = 1, random(4) do change(pick(callers), model) end
    local events, count = stir(chatty, callers, tabs, model.round)
    settle(chatty, tabs)
    model:next_round(events)
    local hint = ("seed %d, round %d"):format(SEED, model.round)
    for _, tab in ipairs(tabs) do
      if tab.socket then check(model, tab, hint) end
    end
    done = done + count + 2
  end
  return chatty
end

describe("every client", function()
  it("sees exactly what it must, or is told of a gap #threads", function()
    local chatty = run(STEPS, { WORKERS = 3 })
    assert.is_true(chatty:metric "replayed_total" > 0)
    assert.is_true(chatty:metric "gaps_total" > 0)
  end)
end)
