-- Every client sees exactly what it must, in order, each event once, or is told of a gap: random connects, cuts and
-- comebacks over all transports, changes, reloads and notifies of several callers on several workers, against a model.
-- The seed is told when it fails; CHATTY_SPEC_SEED repeats it as far as threads allow, CHATTY_SPEC_STEPS makes it
-- longer.
local caller = require "spec.support.caller"
local cjson = require "cjson"
local delivery_model = require "spec.support.delivery_model"
local delivery_tab = require "spec.support.delivery_tab"
local server = require "spec.support.server"

local STEPS = tonumber(os.getenv "CHATTY_SPEC_STEPS") or 10000
local SEED = tonumber(os.getenv "CHATTY_SPEC_SEED") or os.time()
local SIZE <const>, NOTIFIES <const>, CALLERS <const> = 25, 40, 4

local PLUGIN = ([[
return { api = 1, setup = function(app)
  app:channel("log-*", { history = { size = %d } })
  app:channel("log-3", { history = { size = %d, durable = true } })
end }
]]):format(SIZE, SIZE)

local USERS <const> = { "ann", "bob", "eve", "joe", "kim", "lee" }
local KINDS <const> = { "ws", "ws", "sse", "sio" }
local KEPT <const>, PASSING <const> = { "log-1", "log-2", "log-3", "log-4" }, { "room-1", "room-2" }
local KEYS <const> = { "k1", "k2", "k3" }

local random = math.random

local function pick(list)
  return list[random(#list)]
end

-- Tabs --------------------------------------------------------------------------------------------------

-- Two of each user; they remember what they saw since they were checked.
local function new_tabs()
  local tabs = {}
  for i = 1, 2 * #USERS do
    local tab = delivery_tab.new(pick(KINDS), USERS[(i - 1) % #USERS + 1], "tab-" .. i)
    tab.ids, tab.counts = {}, {}
    tabs[i] = tab
  end
  return tabs
end

-- Looks at one event. True at a mark.
local function see(tab, event)
  if event.event == "mark" then return true end
  if event.event == "chatty:gap" then
    assert.equal(tab.asked, event.attributes.after)
    tab.gap_after, tab.ids, tab.checked = tab.checked, {}, event.id
  elseif event.event == "chatty:connected" then
    tab.is_joined = true
    tab.checked = tab.checked or event.id
  elseif event.event == "tick" and event.id then
    tab.ids[#tab.ids + 1] = event.id
  elseif event.event == "tick" then
    tab.counts[event.attributes.n] = (tab.counts[event.attributes.n] or 0) + 1
  end
end

local function connect(chatty, tab)
  tab.is_joined, tab.is_steady = false, false
  tab:connect(chatty)
  tab.checked = tab.checked or tab.asked
end

-- Looks at a part of what came, and cuts the connection without looking at the rest.
local function cut(tab)
  tab.is_steady = false
  if tab.kind ~= "ws" or tab.socket.status then
    for _ = 1, random(0, 12) do
      local event = tab:next(0)
      if not event then break end
      see(tab, event)
    end
  end
  tab:cut()
end

local function read_to(tab, is_there)
  repeat
    local event, reason = tab:next()
    assert(event, reason)
    local is_mark = see(tab, event)
  until is_there(tab, is_mark)
end

-- An event that each channel emits comes once per channel to who is live.
local function without_copies(model, tab)
  local ids, count = {}, 0
  for _, id in ipairs(tab.ids) do
    if id == ids[#ids] and count < model:copies_of(tab, id) then
      count = count + 1
    else
      ids[#ids + 1], count = id, 1
    end
  end
  return ids
end

local function check(model, tab, hint)
  hint = ("%s, %s of %s over %s"):format(hint, tab.name, tab.user, tab.kind)
  if tab.gap_after then assert(model:may_have_gap(tab, tab.gap_after), "a gap without a cause, " .. hint) end
  local fault = model:fault_of(tab, tab.checked, without_copies(model, tab))
    or model:fault_of_passing(tab, tab.counts, tab.is_steady)
  assert(not fault, ("%s: %s"):format(hint, fault))
  tab.checked, tab.ids, tab.gap_after = tab.id or tab.checked, {}, nil
end

-- Rounds ------------------------------------------------------------------------------------------------

local function pick_change()
  return random() < 0.6 and "subscribe" or "unsubscribe", pick(USERS), random() < 0.7 and pick(KEPT) or pick(PASSING)
end

local function change(one, model)
  local verb, user, channel = pick_change()
  assert.equal(200, one:change(verb, user, channel).status)
  model[verb](model, user, channel)
end

-- To whom: the part of the URL.
local function aim(event)
  if random() < 0.1 then
    event.users = { pick(USERS) }
    return "users:" .. event.users[1]
  end
  local channels = random() < 0.8 and KEPT or PASSING
  event.channels = { pick(channels) }
  local other = random() < 0.3 and pick(channels)
  if not other or other == event.channels[1] then return "channels:" .. event.channels[1] end
  event.channels[2] = other
  event.is_each = random() < 0.5
  return ("%s:%s"):format(event.is_each and "channels" or "channels-efficient", table.concat(event.channels, ","))
end

-- On what terms: the members of the body beside event and attributes.
local function agree(event, tabs)
  local body = { event = "tick", attributes = { n = event.n } }
  event.except = random() < 0.15 and pick(USERS) or nil
  event.except_tab = random() < 0.15 and pick(tabs) or nil
  local session = event.except_tab and event.except_tab.session
  if not session then event.except_tab = nil end
  if event.except or session then body.except = { users = { event.except }, sessions = { session } } end
  event.key = event.channels and random() < 0.15 and pick(KEYS) or nil
  event.is_brief = random() < 0.05
  body.key, body.ttl = event.key, event.is_brief and 0.001 or random() < 0.05 and 60 or nil
  body.id = random() < 0.1 and "once-" .. event.n or nil
  return body
end

-- Sends one event, perhaps twice; `sent` has what each caller's next answer is about.
local function notify(callers, sent, tabs, event)
  local path = "/control/notify?method=" .. aim(event)
  local body = agree(event, tabs)
  for _ = 1, body.id and 2 or 1 do
    local index = random(#callers)
    callers[index]:send("POST", path, cjson.encode(body))
    table.insert(sent[index], event)
  end
end

-- Under way, beside the notifies.
local function change_soon(callers, sent, model)
  local verb, user, channel = pick_change()
  if model:is_blurred(user, channel) then return end
  local index = random(#callers)
  callers[index]:send_change(verb, user, channel)
  table.insert(sent[index], {})
  model:blur(verb, user, channel)
end

local function read_answers(callers, sent, events)
  for i, one in ipairs(callers) do
    for _, event in ipairs(sent[i]) do
      local answer = one:read()
      assert.equal(200, answer.status, answer.body)
      local id = answer.json().id
      assert.equal(event.id or id, id)
      event.id = id
    end
  end
  return events
end

-- What happens at once in a round; the number of steps.
local function stir(chatty, callers, tabs, model)
  local sent, events, steps = {}, {}, NOTIFIES
  for i = 1, #callers do sent[i] = {} end
  for i = 1, NOTIFIES do
    local event = { n = model.round * NOTIFIES + i, round = model.round }
    events[i] = event
    notify(callers, sent, tabs, event)
    if random() < 0.05 then change_soon(callers, sent, model) end
    if random() < 0.2 then
      local tab = pick(tabs)
      if tab.is_here then cut(tab) else connect(chatty, tab) end
      steps = steps + 1
    end
  end
  if random() < 0.05 then
    callers[1]:send("POST", "/control/reload")
    table.insert(sent[1], {})
  end
  return read_answers(callers, sent, events), steps
end

-- Whoever is not live yet has no mark to come, so all wait for chatty:connected first.
local function settle(chatty, tabs)
  for _, tab in ipairs(tabs) do
    if tab.is_here and not tab.is_joined then read_to(tab, function() return tab.is_joined end) end
  end
  assert.equal(200, chatty:notify("users:" .. table.concat(USERS, ","), "mark").status)
  for _, tab in ipairs(tabs) do
    if tab.is_here then read_to(tab, function(_, is_mark) return is_mark end) end
  end
end

local function run(steps, settings)
  math.randomseed(SEED)
  local chatty = server.start{ settings = settings, plugins = { log = PLUGIN } }
  local model, callers, tabs, done = delivery_model.new(SIZE), {}, new_tabs(), 0
  for i = 1, CALLERS do callers[i] = caller.open(chatty) end
  while done < steps do
    for _ = 1, random(4) do change(pick(callers), model) end
    local events, count = stir(chatty, callers, tabs, model)
    settle(chatty, tabs)
    model:next_round(events)
    local hint = ("seed %d, round %d"):format(SEED, model.round)
    for _, tab in ipairs(tabs) do
      if tab.checked then check(model, tab, hint) end
      tab.counts, tab.is_steady = {}, tab.is_here
    end
    done = done + count + 2
  end
  return chatty
end

describe("every client", function()
  it("sees exactly what it must, or is told of a gap #threads", function()
    local chatty = run(STEPS, { WORKERS = 3, STORE = "sqlite:chatty.db" })
    assert.is_true(chatty:metric "replayed_total" > 0)
    assert.is_true(chatty:metric "gaps_total" > 0)
  end)
end)
