-- What a peak took, the process gives back to the system within some seconds.
local client = require "spec.support.client"
local server = require "spec.support.server"
local wait = require "spec.support.wait"

local CROWD, WARM_UP = 3000, 300
local LARGE = '{"data":"' .. ("x"):rep(60000) .. '"}'
local MB = 1024 * 1024

-- Of the process's own memory; files that are mapped do not count.
local function memory_of(chatty)
  local file <close> = assert(io.open(("/proc/%d/status"):format(chatty.pid)))
  return tonumber(file:read("a"):match "RssAnon:%s*(%d+) kB") * 1024
end

local function come(chatty, count)
  return client.ws_many(count, function(i) return { port = chatty.port, token = chatty:token("u" .. i) } end)
end

local function leave(chatty, sessions)
  for _, session in ipairs(sessions) do session:close(1000) end
  chatty:wait_metric("connections", 1)
end

-- The process looks at its memory every five seconds, and may need three looks.
local PATIENCE = math.max(60, wait.patience)

-- Whether less than a third of what the peak took is left, sooner or later.
local function is_given_back(chatty, before, peak)
  return wait.until_(function() return memory_of(chatty) < before + (peak - before) // 3 end, PATIENCE)
end

-- A sanitizer has a heap of its own, which keeps what is freed.
local story = server.is_sanitized and pending or it

describe("the memory of a peak", function()
  story("of sessions is given back when they have left", function()
    local chatty = server.start{ settings = { OFFLINE_GRACE = "100ms", TRACE_MEMORY_MAX = "64kb", WORKERS = 2 } }
    leave(chatty, come(chatty, WARM_UP))
    local before = memory_of(chatty)
    local sessions = come(chatty, CROWD)
    local peak = memory_of(chatty)
    assert.is_true(peak > before + 2 * MB)
    leave(chatty, sessions)
    assert.is_true(is_given_back(chatty, before, peak))
  end)

  story("of what waits for a slow reader is given back when that has left", function()
    local chatty = server.start{ settings = { SESSION_QUEUE_MAX = "64mb", QUEUES_MEMORY_MAX = "64mb", WORKERS = 1 } }
    local slow = chatty:connect "slow"
    slow:next()
    slow:pause()
    local before = memory_of(chatty)
    assert.is_true(wait.until_(function()
      for _ = 1, 20 do chatty:notify("users:slow", "large", LARGE) end
      return chatty:metric "queue_bytes" > 16 * MB
    end))
    local peak = memory_of(chatty)
    assert.is_true(peak > before + 12 * MB)
    slow:abort()
    assert.is_true(is_given_back(chatty, before, peak))
  end)
end)
