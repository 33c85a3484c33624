-- The crash drill: the server is killed at random moments while several app servers change subscriptions, and now and
-- then one registers a user. After each restart every change that was answered is there, and of one that was not, all
-- or nothing.
local caller = require "spec.support.caller"
local server = require "spec.support.server"
local uv = require "luv"

local KILLS = tonumber(os.getenv "CHATTY_SPEC_KILLS") or (server.is_sanitized and 50 or 200)
local DRIVERS, CHANNELS = 4, 6
local LIVES_PER_REGISTER = 4 -- a password takes long
local REGISTER_SECONDS = 0.2 -- within which the server is killed then: some are answered, some are not
local SETTINGS = { STORE = "sqlite:chatty.db" }

-- One app server with a user of its own, and what it knows of him: `channels` as answered, `asked` not yet answered.
local function new_driver(number)
  return { user = "driver-" .. number, channels = {} }
end

local function document(channels)
  local items = {}
  for i, channel in ipairs(channels) do items[i] = ('{"type":"room","id":"%d"}'):format(channel) end
  return ('{"data":[%s]}'):format(table.concat(items, ","))
end

-- Asks for a change of two channels at once, so that half of it would show.
local function ask(driver)
  local first = math.random(CHANNELS)
  local channels = { first, first % CHANNELS + 1 }
  driver.asked = { verb = math.random(2) == 1 and "subscribe" or "unsubscribe", channels = channels }
  driver.caller:send("POST", ("/control/subscription/%s?method=users:%s"):format(driver.asked.verb, driver.user),
    document(channels))
end

local function apply(channels, change)
  local after = {}
  for channel in pairs(channels) do after[channel] = true end
  for _, channel in ipairs(change.channels) do after[channel] = change.verb == "subscribe" or nil end
  return after
end

-- Takes the answer to what was asked; false when the server died before it.
local function take_answer(driver)
  local answer = driver.caller:read()
  if not answer then return false end
  assert(answer.status == 200, answer.body)
  driver.channels, driver.asked = apply(driver.channels, driver.asked), nil
  return true
end

local function names_of(channels)
  local names = {}
  for channel in pairs(channels) do names[#names + 1] = "room-" .. channel end
  table.sort(names)
  return table.concat(names, " ")
end

-- What the server says must be what was answered, or that with all of what was asked last.
local function check(chatty, driver)
  local found = chatty:control("GET", "/control/search/subscriptions?userId=" .. driver.user).json()
  local said = table.concat(found, " ")
  if driver.asked and said == names_of(apply(driver.channels, driver.asked)) then
    driver.channels = apply(driver.channels, driver.asked)
  end
  assert.equal(names_of(driver.channels), said)
  driver.asked = nil
end

-- The app server that registers: `names` of those who are there, `asked` not yet answered.
local function new_registrar()
  return { names = {}, count = 0 }
end

local function password_of(name)
  return "the password of " .. name
end

local function register(chatty, registrar)
  registrar.count = registrar.count + 1
  registrar.asked = "user-" .. registrar.count
  registrar.caller = caller.open(chatty)
  registrar.caller:send("POST", "/auth/register",
    ('{"username":"%s","password":"%s"}'):format(registrar.asked, password_of(registrar.asked)))
end

local function add_asked(registrar)
  registrar.names[#registrar.names + 1], registrar.asked = registrar.asked, nil
end

local function take_registered(registrar)
  local answer = registrar.caller:read()
  registrar.caller:close()
  if not answer then return end
  assert(answer.status == 200, answer.body)
  registrar.answered = registrar.asked
  add_asked(registrar)
end

local function login(chatty, name)
  return chatty:request{ path = "/auth/login", json = { username = name, password = password_of(name) } }.status
end

local function is_taken(chatty, name)
  return chatty:control("POST", "/auth/register", { username = name, password = "another one" }).status == 409
end

-- Who was answered can log in, and his name is taken; who was not is there as well, or not at all.
local function check_users(chatty, registrar)
  if registrar.asked then
    local status = login(chatty, registrar.asked)
    if status == 200 then add_asked(registrar) else assert.equal(401, status) end
  elseif registrar.answered then
    assert.equal(200, login(chatty, registrar.names[math.random(#registrar.names)]))
    assert.is_true(is_taken(chatty, registrar.answered))
  elseif #registrar.names > 0 then
    assert.is_true(is_taken(chatty, registrar.names[math.random(#registrar.names)]))
  end
  registrar.asked, registrar.answered = nil, nil
end

local function go_on(drivers, is_over)
  local answers = 0
  while not is_over(answers) do
    answers = answers + 1
    local driver = drivers[answers % #drivers + 1]
    take_answer(driver)
    ask(driver)
  end
end

-- When the server is to be killed: after so many answers, or at a moment while a user is registered.
local function choose_end(is_registering)
  local answers_max = math.random(0, 12)
  if not is_registering then return function(answers) return answers == answers_max end end
  local deadline = uv.hrtime() + math.random() * REGISTER_SECONDS * 1e9
  return function() return uv.hrtime() > deadline end
end

local function run_until_killed(chatty, drivers, registrar, is_registering)
  for _, driver in ipairs(drivers) do
    driver.caller = caller.open(chatty)
    ask(driver)
  end
  if is_registering then register(chatty, registrar) end
  go_on(drivers, choose_end(is_registering))
  chatty:kill()
  for _, driver in ipairs(drivers) do
    while driver.asked and take_answer(driver) do end -- answers that were on their way
    driver.caller:close()
  end
  if is_registering then take_registered(registrar) end
end

describe("a server that is killed at random moments", function()
  it("has every answered change after its restart, and no half of one", function()
    local drivers, registrar, folder = {}, new_registrar(), nil
    for i = 1, DRIVERS do drivers[i] = new_driver(i) end
    local function start_and_check()
      local chatty = server.start{ settings = SETTINGS, folder = folder }
      for _, driver in ipairs(drivers) do check(chatty, driver) end
      check_users(chatty, registrar)
      return chatty
    end
    for life = 1, KILLS do
      local chatty = start_and_check()
      folder = chatty.folder
      run_until_killed(chatty, drivers, registrar, life % LIVES_PER_REGISTER == 0)
    end
    local last = start_and_check()
    for _, name in ipairs(registrar.names) do assert.is_true(is_taken(last, name)) end
  end)
end)
