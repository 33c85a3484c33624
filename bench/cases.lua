-- The loads of the table. A case is put on each of its servers in turns, round by round.

local cases = {}

---@class bench.Case
---@field name string
---@field servers string[]     of peers.NAMES
---@field flags string[]       of the load tool
---@field rounds? integer      when it is not to be as often as the others
---@field times? integer       so many times as often, and as short
---@field group? string        those that follow each other in one group are measured in turns, and as often
---@field is_together? boolean all servers at the same time
---@field settings? string[]   further arguments of chatty; {bench} is this folder
---@field floor? string[]      further arguments of the floor

-- In the order of measuring: those that are compared with each other, one after the other.
local ALL = { "floor", "chatty", "floor_batched", "bun", "nchan", "ws", "socketio", "centrifugo" }
local OURS = { "chatty" }

-- Limits that the loads would meet with the defaults; and the store that chatty has by default, for one in memory
-- holds what it keeps a second time.
local LARGE = { "--subscriptions-max=100000000", "--header-max=64kb" }
local DURABLE = { "--store=sqlite:chatty.db", table.unpack(LARGE) }

local function case(name, servers, flags, more)
  local made = { name = name, servers = servers, flags = flags }
  for key, value in pairs(more or {}) do made[key] = value end
  return made
end

-- `some` sessions of 1000, `many` of 10,000, and so on: quick loads are a tenth.
local function fan_out(some, many, seconds)
  local function flat_out(name, ...)
    return case(name, ALL, { "--sessions=" .. some, "--idle=0", "--warmup=0.3", "--seconds=" .. seconds, ... })
  end
  return {
    flat_out("one publisher"),
    flat_out("one publisher, 1 KiB", "--size=1024"),
    case("many sessions", ALL, { "--sessions=" .. many, "--idle=1", "--warmup=0.5", "--seconds=" .. seconds }),
    flat_out("20 events a second", "--rate=20"),
    flat_out("eight publishers", "--publishers=8"),
  }
end

local function idle_and_notify(many, seconds, idle, rest)
  return {
    -- A round of pings must fall into it, where there are any, and whatever a process does some seconds later with
    -- the memory that connecting took. Those that are idle are not in each other's way.
    case("idle", { "floor", "floor_pings", "bun", "nchan", "ws", "socketio", "centrifugo", "chatty" },
      { "--sessions=" .. many, "--idle=" .. idle, "--seconds=0" },
      { rounds = 1, is_together = true, settings = DURABLE }),
    -- Longer than it takes until those who left are offline (OFFLINE_GRACE) and memory is given back.
    case("peak", OURS, { "--sessions=" .. many, "--idle=2", "--seconds=0", "--unsubscribe",
      "--rest=" .. rest },
      { rounds = 1, settings = DURABLE }),
    case("nobody listens", ALL, { "--sessions=0", "--idle=0", "--warmup=0.3", "--publishers=8",
      "--seconds=" .. seconds / 3 }, { times = 3 }),
  }
end

local function subscriptions(some, standing)
  return {
    case("one subscription", OURS, { "--sessions=" .. some, "--idle=5", "--seconds=0" },
      { settings = DURABLE }),
    case("101 subscriptions", OURS, { "--sessions=" .. some, "--idle=5", "--seconds=0", "--subscriptions=101" },
      { settings = DURABLE }),
    case("standing", OURS, { "--sessions=1", "--idle=0.5", "--seconds=0", "--fill-users=" .. standing,
      "--fill-each=10", "--fill-channels=" .. standing // 2 }, { settings = DURABLE }),
  }
end

local function growth(some, users, channels, seconds)
  local flags = { "--sessions=" .. some, "--channels=" .. some // 100, "--idle=0.5", "--warmup=0.3",
    "--seconds=" .. seconds, "--subscriptions=11", "--unsubscribe" }
  local function filled(name, fill_users, fill_channels)
    return case(name, OURS, table.move({ "--fill-users=" .. fill_users, "--fill-channels=" .. fill_channels }, 1, 2,
      #flags + 1, { table.unpack(flags) }), { settings = LARGE, group = "others" })
  end
  -- At a rate: flat out, more workers on one core hold publishers up, and so write more events at once.
  local function with_workers(count)
    return case(count .. " workers", { "floor", "chatty" }, { "--sessions=" .. some, "--idle=0", "--warmup=0.3",
      "--rate=100", "--seconds=" .. seconds },
      { settings = { "--workers=" .. count }, floor = { "workers", tostring(count) }, group = "workers" })
  end
  local function on_all_cores(count)
    return case(count .. " workers on all cores", OURS, { "--sessions=" .. some, "--idle=0", "--warmup=0.3",
      "--publishers=8", "--server-core=-1", "--load-core=-1", "--seconds=" .. seconds },
      { settings = { "--workers=" .. count }, group = "cores" })
  end
  return { filled("few others", 100, 10), filled("many others", users, channels), with_workers(1), with_workers(2),
    with_workers(4), on_all_cores(1), on_all_cores(2) }
end

-- Few and large events: a slow reader must have had some before the server learns of it, and 10,000 others all of them
-- on one core. The cap is small, so that it is met in this time.
local function slow_readers(many, seconds)
  local function with(name, count)
    return case(name, OURS, { "--sessions=" .. many, "--slow=" .. count, "--idle=0", "--warmup=1", "--rate=2",
      "--size=16384", "--seconds=" .. seconds }, { settings = { "--queues-max=32mb" }, group = "slow" })
  end
  return { with("no slow reader", 0), with("slow readers", many // 10) }
end

local HISTORY = { settings = { "--plugins={bench}/plugins" } }
local SHORT_HISTORY = { settings = HISTORY.settings, group = "history", times = 3 }
local DURABLE_HISTORY = { settings = { "--plugins={bench}/plugins", "--plugin-options={bench}/options/durable.lua",
  "--store=sqlite:chatty.db" } }

local function transports(many, seconds)
  local notify = { "--sessions=0", "--idle=0", "--warmup=0.3", "--publishers=8", "--seconds=" .. seconds }
  local short = { "--sessions=0", "--idle=0", "--warmup=0.3", "--publishers=8", "--seconds=" .. seconds / 3 }
  return {
    case("transports", { "chatty", "chatty_sse", "chatty_socketio" },
      { "--sessions=" .. many // 2, "--idle=5", "--warmup=0.3", "--seconds=" .. seconds }),
    case("without history", OURS, short, { group = "history", times = 3 }),
    case("with history", OURS, short, SHORT_HISTORY),
    case("8 publishers with durable history", OURS, notify, DURABLE_HISTORY),
    case("64 publishers with durable history", OURS,
      { "--sessions=0", "--idle=0", "--warmup=0.3", "--publishers=64", "--seconds=" .. seconds }, DURABLE_HISTORY),
    case("replay", OURS, { "--sessions=" .. many, "--idle=0", "--warmup=0", "--seconds=0.2", "--replay=100" },
      HISTORY),
  }
end

local function handlers(seconds)
  local function notify(name, settings, ...)
    local flags = { "--sessions=0", "--idle=0", "--warmup=0.3", "--publishers=8", "--seconds=" .. seconds / 3, ... }
    return case(name, OURS, flags, { settings = settings, group = "handlers", times = 3 })
  end
  local with_handlers = { "--plugins={bench}/handlers" }
  return { notify("no hook"), notify("an empty hook", with_handlers),
    notify("a Lua route", with_handlers, "--publish-path=/bench/answer") }
end

--- All cases in their order.
---@param is_quick boolean  a look of a minute: small crowds, short phases
---@return bench.Case[]
function cases.list(is_quick)
  local list = {}
  local parts = is_quick
    and { fan_out(100, 1000, 0.3), idle_and_notify(1000, 0.3, 2, 1), subscriptions(100, 1000),
      growth(200, 1000, 10000, 0.3), transports(1000, 0.3), handlers(0.3), slow_readers(1000, 4) }
    or { fan_out(1000, 10000, 2), idle_and_notify(10000, 1.5, 26, 25), subscriptions(1000, 20000),
      growth(1000, 100000, 1000000, 1.5), transports(10000, 1.5),
      handlers(1.5), slow_readers(10000, 9) }
  for _, part in ipairs(parts) do table.move(part, 1, #part, #list + 1, list) end
  return list
end

return cases
