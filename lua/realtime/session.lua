-- The session as plugins hold it: one live connection of a user. It may be kept; after its end its methods
-- give nil, "closed", "CLOSED". There is one object per session, made when a hook first asks for it.

local argument = require "argument"
local event = require "event"
local json = require "core.json"
local private = require "private"

local session = {}

local metatable_of = debug.getmetatable -- sees behind __metatable

local CORE <const> = private.key() -- of the core.session
local READ <const> = private.key() -- of what was read already
local HELD <const> = private.key() -- of the events that wait until it has joined; nil when none must wait
local CLIENT_LEN <const> = 16 -- as hub/subscriber.h says
local REASON_MAX <const> = 120
local HELD_MAX <const> = 64
local ASK_TIMEOUT <const>, ASK_TIMEOUT_MAX <const> = 10, 600
local SEND = { spread = 1, binaries = 1 }
local ASK = { spread = 1, binaries = 1, timeout = 1 }

local methods = {}

-- What is read once and then known, also after the end.
local lazy = {
  id = function(core) return core:id() end,
  user = function(core) return core:user() end,
  transport = function(core) return core:transport() end,
  remote = function(core) return core:remote() end,
  since = function(core) return core:since() end,
  namespace = function(core) return core:namespace() end,
  auth = function() return nil end, -- of a client of Socket.IO, while connect hooks run
  claims = function(core)
    local raw = core:claims()
    return raw and json.decode(raw)
  end,
}

local function send(self, made)
  local held, core = rawget(self, HELD), rawget(self, CORE)
  if not held then return core:send(made) end
  local is_open, message, code = core:channels()
  if not is_open then return nil, message, code end
  if #held == HELD_MAX then
    return nil, ("there are %d events already that wait until the session has joined"):format(HELD_MAX), "LIMIT"
  end
  held[#held + 1] = made
  return true
end

local function check_options(options, known, what)
  argument.type(options, "table?", what .. ": the options", 3)
  if options then argument.keys(options, known, what, 3) end
  return options or {}
end

-- The event that send and ask are given: one as it is, or a name with attributes and options.
local function outgoing(what, name, attributes, options)
  local core = event.outgoing(name)
  if core then return core end
  if event.refuse_name(name) then error(("%s: the name '%s' is reserved"):format(what, name), 3) end
  local made, message, code = event.make(name, attributes)
  if not made then return nil, message, code end
  if options.spread then made:spread() end
  if options.binaries then made:set_binaries(options.binaries) end
  return made
end

--- Sends one event to this session alone.
function methods:send(name, attributes, options)
  options = check_options(options, SEND, "session:send")
  local made, message, code = outgoing("session:send", name, attributes, options)
  if not made then return nil, message, code end
  return send(self, rawget(self, HELD) and made:copy() or made)
end

--- (waits) Sends one event and waits until the client acknowledges it: the value, and the binaries in it.
function methods:ask(name, attributes, options)
  options = check_options(options, ASK, "session:ask")
  local timeout = options.timeout or ASK_TIMEOUT
  if type(timeout) ~= "number" or timeout <= 0 or timeout > ASK_TIMEOUT_MAX then
    error(("session:ask: timeout must be a number of seconds up to %d"):format(ASK_TIMEOUT_MAX), 2)
  end
  local made, message, code = outgoing("session:ask", name, attributes, options)
  if not made then return nil, message, code end
  if rawget(self, HELD) then return nil, "the session has not joined yet", "UNSUPPORTED" end
  local answer
  answer, message, code = rawget(self, CORE):ask(made, timeout)
  if not answer then return nil, message, code end
  return answer:attributes(), answer:binaries()
end

--- Closes it. Codes from 4000 on ask the client to come back, from 4500 on to stay away.
function methods:close(code, reason)
  code, reason = code or 1000, reason or ""
  if math.type(code) ~= "integer" or (code ~= 1000 and (code < 3000 or code > 4999)) then
    error("session:close: the code must be 1000, or from 3000 to 4999", 2)
  end
  if type(reason) ~= "string" or #reason > REASON_MAX or not utf8.len(reason) then
    error(("session:close: the reason must be UTF-8 of at most %d bytes"):format(REASON_MAX), 2)
  end
  rawset(self, HELD, nil)
  return rawget(self, CORE):close(code, reason)
end

--- The channels that it is in now.
function methods:channels()
  local channels, message, code = rawget(self, CORE):channels()
  if not channels then return nil, message, code end
  table.sort(channels)
  return channels
end

local Session = { __name = "session", __metatable = false }

function Session.__index(self, key)
  local read = lazy[key]
  if not read then return methods[key] end
  local known = self[READ]
  if known[key] == nil then known[key] = read(self[CORE]) end
  return known[key]
end

function Session.__newindex(_, key)
  if lazy[key] or methods[key] then error(("session.%s cannot be set"):format(key), 2) end
  error(("session has no field '%s': keep your own in session.data"):format(tostring(key)), 2)
end

--- The public face of a core session.
---@param core core.session
---@return session
function session.of(core)
  local self = core:data() -- C keeps this table as long as the session
  if metatable_of(self) == Session then return self end
  self[CORE], self[READ] = core, {}
  self.data = self.data or {} -- there is some after a reload
  return setmetatable(self, Session)
end

--- What the ids of all sessions of one client begin with.
---@param id string
---@return string
function session.client_of(id)
  return id:sub(1, CLIENT_LEN)
end

--- The core session behind a public one; nil for any other value.
---@param value any
---@return core.session|nil
function session.core(value)
  return metatable_of(value) == Session and rawget(value, CORE) or nil
end

--- From now on the session's events wait: it gets none before it has joined.
---@param core core.session
---@return session
function session.hold(core)
  local self = session.of(core)
  rawset(self, HELD, {})
  return self
end

--- It has joined, or is closed: sends what waits, in order.
---@param self session
function session.release(self)
  local held = rawget(self, HELD) or {}
  rawset(self, HELD, nil)
  for _, made in ipairs(held) do self[CORE]:send(made) end
end

--- What a client of Socket.IO said of itself, for the hooks `connect`; nil when they are through.
---@param core core.session
---@param auth table|nil
function session.introduce(core, auth)
  session.of(core)[READ].auth = auth
end

--- Forgets what an old token said.
---@param core core.session
function session.refresh(core)
  local self = core:data()
  if metatable_of(self) == Session then self[READ].claims = nil end
end

return session
