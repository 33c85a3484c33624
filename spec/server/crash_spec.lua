-- The crash drill: the server is killed at random moments while several app servers change subscriptions. After each
-- restart every change that was answered is there, and of one that was not, all or nothing.
local caller = require "spec.support.caller"
local server = require "spec.support.server"

local KILLS = tonumber(os.getenv "CHATTY_SPEC_KILLS") or 200
local DRIVERS, CHANNELS = 4, 6

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

local function run_until_killed(chatty, drivers)
  local answers = math.random(0, 12)
  for _, driver in ipairs(drivers) do
    driver.caller = caller.open(chatty)
    ask(driver)
  end
  for i = 1, answers do
    local driver = drivers[i % #drivers + 1]
    take_answer(driver)
    ask(driver)
  end
  chatty:kill()
  for _, driver in ipairs(drivers) do
    while driver.asked and take_answer(driver) do end -- answers that were on their way
    driver.caller:close()
  end
end

describe("a server that is killed at random moments", function()
  it("has every answered change after its restart, and no half of one", function()
    local drivers, folder = {}, nil
    for i = 1, DRIVERS do drivers[i] = new_driver(i) end
    for _ = 1, KILLS do
      local chatty = server.start{ settings = { STORE = "sqlite:chatty.db" }, folder = folder }
      folder = chatty.folder
      for _, driver in ipairs(drivers) do check(chatty, driver) end
      run_until_killed(chatty, drivers)
    end
    local chatty = server.start{ settings = { STORE = "sqlite:chatty.db" }, folder = folder }
    for _, driver in ipairs(drivers) do check(chatty, driver) end
  end)
end)
