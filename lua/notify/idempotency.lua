-- The same key within five minutes gives the same answer and does nothing a second time, on whichever worker it
-- comes. Who comes while the first one is at work waits for its answer. A failure is not remembered.

local json = require "core.json"
local protect = require "protect"
local refusal = require "refusal"
local shared = require "core.shared"
local task = require "core.task"
local time = require "core.time"

local idempotency = {}

local SPACE <const> = "idempotency"
local KEPT <const> = 300       -- seconds that an answer is kept
local AT_WORK <const> = 60     -- seconds until one that did not come back is given up
local WAIT_MAX <const> = 10    -- seconds that others wait for it
local PAUSE <const> = 0.005
-- In place of the answer. It holds the room that the short one needs, however full the dictionary is by then.
local BUSY <const> = (" "):rep(#'{"ack":"","done":true,"id":""}' + 20 + 22)
local TEXT_MAX <const> = 1024 * 1024 -- bytes, of a value of the dictionary

local function refuse_full(message, code)
  if code ~= "LIMIT" then return refusal.of_failure(message, code) end
  return refusal.of("idempotency-full", nil, nil, { "Retry-After", "60" })
end

-- Keeps an answer: all of it, but for a report that is too long for that, or for which there is no room.
local function keep(key, answer)
  local text = json.encode(answer)
  if #text <= TEXT_MAX and shared.set(SPACE, key, text, { ttl = KEPT }) then return end
  shared.set(SPACE, key, json.encode({ done = true, id = answer.id, ack = answer.ack }), { ttl = KEPT })
end

-- Runs f as the one who does it.
local function work(key, f, ...)
  local ok, answer, refused = protect.call("chatty", "idempotent operation", f, ...)
  if ok and answer then
    keep(key, answer)
    return answer
  end
  shared.delete(SPACE, key)
  return nil, ok and refused or answer
end

--- Runs f(...), which gives an answer (a table of JSON) or nil and a refusal; or gives the answer that it gave
--- for this key. May wait.
---@param key string
---@param f function
---@param ... any
---@return table|nil answer, refusal? refused
function idempotency.run(key, f, ...)
  local patience = time.monotonic() + WAIT_MAX
  repeat
    local text = shared.get(SPACE, key)
    if text and text ~= BUSY then return json.decode(text) end
    if not text then
      local done, message, code = shared.set(SPACE, key, BUSY, { ttl = AT_WORK, expect = false })
      if done then return work(key, f, ...) end
      if done == nil then return nil, refuse_full(message, code) end
    end
    task.sleep(PAUSE)
  until time.monotonic() >= patience
  return nil, refusal.of("idempotency-busy", nil, nil, { "Retry-After", "10" })
end

return idempotency
