-- An event that is emitted as somebody asks, a plugin or a request: with options by name, once for each idempotency
-- key, and reported by name.

local hooks = require "hooks"
local idempotency = require "notify.idempotency"
local notification = require "notify.notification"

local emission = {}

local function report_of(counts, by, list)
  local each = {}
  for i, count in ipairs(counts.per_name) do
    each[list[i]] = by == "channels" and count or { sessions = count.sessions }
  end
  return {
    users = counts.users,
    sessions = counts.sessions,
    [by == "channels" and "channels" or "recipients"] = each,
  }
end

local function emit(sent, options, by)
  local done, id, ack = notification.emit(sent, options, by)
  if not done or done == true then return done, id, ack end
  return report_of(done, sent.by, sent.names), id, ack
end

local function emit_for_answer(sent, options, by)
  local done, id, ack = emit(sent, options, by)
  if not done then return nil, id end
  return { done = done, id = id, ack = ack }
end

-- Keys of one who asks are not those of another.
local function emit_once(key, sent, options, by)
  local kind = by.key and "key" or by.kind -- a control right may also be a token's
  local whose = by.key or by.name or by.user or ""
  local full = ("%s:%d:%s:%s"):format(kind, #whose, whose, key)
  local answer, refused = idempotency.run(full, emit_for_answer, sent, options, by)
  if not answer then return nil, refused end
  return answer.done, answer.id, answer.ack
end

--- Emits: true or the report, the id and the ack; or nil and a refusal. The spec is used up. Waits only if somebody
--- on the way does, or for counts, or for who came first with the same `id`.
---@param sent core.bus.notify
---@param options add.option[]|nil
---@param by guard.identity    who asks
---@return true|table|nil done, string|refusal|nil id, string? ack
function emission.run(sent, options, by)
  if sent.id and not (sent.dry or hooks.is_dry()) then return emit_once(sent.id, sent, options, by) end
  return emit(sent, options, by)
end

return emission
