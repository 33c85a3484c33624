-- The server's side of a test: what the test says about plugins, and what takes the place of other servers. Runs in
-- the server's state, and only in that of a test.

local http = require "core.http"
local json = require "core.json"
local log = require "core.log"
local node = require "core.node"
local task = require "core.task"
local time = require "core.time"

local stage = {}

local SEED <const> = 1 -- so that what plugins draw is the same in every run

local plan = json.decode(node.trial)
local stubs = plan.stubs -- the newest last: it goes first
local calls = {}

--- Where the plugins lie.
---@return plugin.source[]
function stage.sources()
  return plan.sources
end

-- "POST http://shop/x", or "http://shop/*" for all that begins so.
local function matches(stub, query)
  if stub.method and stub.method ~= query.method then return false end
  if stub.url:sub(-1) == "*" then return query.url:sub(1, #stub.url - 1) == stub.url:sub(1, -2) end
  return query.url == stub.url
end

-- The answers of a stub come one after the other, the last one again and again.
local function find_answer(query)
  for i = #stubs, 1, -1 do
    local stub = stubs[i]
    if matches(stub, query) then
      stub.used = math.min((stub.used or 0) + 1, #stub.answers)
      return stub.answers[stub.used]
    end
  end
end

local function headers_of(answer)
  local list = {}
  if answer.json ~= nil then table.move({ "Content-Type", "application/json" }, 1, 2, 1, list) end
  for name, value in pairs(answer.headers or {}) do
    list[#list + 1], list[#list + 2] = name, tostring(value)
  end
  return list
end

-- Bytes as JSON can carry them.
local function to_hex(bytes)
  return bytes and (bytes:gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end

local function note(query)
  local headers = {}
  for i = 1, #(query.headers or {}), 2 do headers[query.headers[i]:lower()] = query.headers[i + 1] end
  calls[#calls + 1] = {
    method = query.method, url = query.url, headers = headers, at = time.now(), hex = to_hex(query.body),
  }
end

-- In the place of core.http.call: the time that an answer takes passes here too.
local function call(query)
  note(query)
  local answer = find_answer(query)
  if not answer then
    log.write("error", ("the test has no stub for %s %s: use t:stub_http"):format(query.method, query.url))
    return nil, "the test has no stub for it", "UNAVAILABLE"
  end
  local delay = answer.delay or 0
  task.sleep(math.min(delay, query.timeout))
  if delay > query.timeout then return nil, "the server took too long", "TIMEOUT" end
  if answer.error then return nil, answer.message or "the test says so", answer.error end
  local body = answer.json ~= nil and json.encode(answer.json) or answer.body or ""
  return answer.status or 200, headers_of(answer), body
end

--- Adds a stub while the server runs.
---@param stub {url: string, method?: string, answers: table[]}
function stage.stub(stub)
  stubs[#stubs + 1] = stub
end

--- All calls so far.
function stage.calls()
  return json.array(calls)
end

http.call = call
math.randomseed(SEED)

return stage
