-- The request as handlers hold it. Nothing is read, decoded or built before somebody asks for it; what was
-- asked for stays as a field.

local event = require "event"
local jsonapi = require "jsonapi"
local json = require "core.json"
local negotiate = require "http.negotiate"
local private = require "private"
local query = require "http.query"
local refusal = require "refusal"
local secret = require "core.secret"

local request = {}

local CORE <const> = private.key()   -- of the core.request
local LINE <const> = private.key()   -- of the lines.line
local CLAIMS <const> = private.key() -- of the token's claims as raw JSON
local MEMBERS <const> = private.key() -- of the other members of that body
local EVENT <const> = private.key()  -- of the core.event that the body became
local QUERY <const> = private.key()  -- of the query.spec, once the query was found good for it
local PLAIN <const> = private.key()  -- of whether nothing in its head asks for more than JSON

local ID_MAX <const> = 64 -- bytes

local lazy, methods = {}, {}

function lazy.headers(self) return self[CORE]:headers() end

function lazy.body(self) return self[CORE]:body() end

function lazy.remote(self) return self[CORE]:remote() end

function lazy.target(self) return self[CORE]:target() end

-- What an app server calls its request, so that it finds it again in logs and in what is kept.
function lazy.id(self)
  local text = self[CORE]:header("x-request-id")
  if text and #text <= ID_MAX and text:find("^[%w._-]+$") then return text end
  return secret.random(12)
end

function lazy.params() return {} end

function lazy.claims(self)
  local raw = rawget(self, CLAIMS)
  return raw and json.decode(raw)
end

function lazy.query(self)
  local text, spec = self[CORE]:query(), rawget(self, QUERY)
  if spec then return (query.read(text, spec)) end
  local values, refused = query.all(text)
  if not values then error(refused) end
  return values
end

function lazy.json(self)
  local value, message, _, offset = json.decode(self.body)
  if value == nil then
    error(refusal.of("body-malformed",
      ("The body is not valid JSON: %s at byte %d."):format(message, offset)))
  end
  return value
end

function lazy.document(self) return jsonapi.parse(self.body) end

function lazy.event(self) return event.of(request.core_event(self)) end

-- Only asked for on routes that are negotiated, or when an error is answered.
function lazy.wants_document(self)
  return not self[PLAIN] and negotiate.wants_document(self[CORE]:header("accept")) or false
end

--- One header; its name in any case.
function methods:header(name) return rawget(self, CORE):header(name:lower()) end

--- The raw JSON of one member of the body, byte for byte; nil when it is not there.
function methods:raw(key)
  local found = rawget(self, EVENT) -- the body's memory moved into it
  if found then return key == "attributes" and found:raw() or nil end
  return json.find(self.body, key)
end

local Request = { __name = "request", __metatable = false }

function Request.__index(self, key)
  local make = lazy[key]
  if not make then return methods[key] end
  local value = make(self)
  rawset(self, key, value)
  return value
end

local function copy(params)
  local own = {}
  for name, value in next, params do own[name] = value end
  return own
end

---@param core core.request
---@param line lines.line
---@param is_plain? boolean
---@return request
function request.new(core, line, is_plain)
  local self = setmetatable({
    [CORE] = core, [LINE] = line, [EVENT] = false, [PLAIN] = is_plain or false, method = line.method, path = line.path,
    [QUERY] = nil, identity = nil, -- room for what most routes set: eight fields in all
  }, Request)
  if line.params then self.params = copy(line.params) end
  return self
end

---@param self request
---@return router.route|nil
function request.route(self)
  return self[LINE].route
end

---@param self request
---@return core.request
function request.core(self)
  return self[CORE]
end

--- What is wrong with the query, by what the route declares. If nothing is, request.query is that from now on.
---@param self request
---@param core core.request
---@param spec query.spec
---@return refusal|nil
function request.check_query(self, core, spec)
  local values, refused
  if not self[LINE].is_known then
    values, refused = query.read(core:query(), spec)
    if not values then return refused end
  end
  self[QUERY], self.query = spec, values
end

--- Reads a body that must be an event. Raises a refusal if it is none.
---@param core core.request
---@return core.event event, table|nil members  the others of the body
function request.read_event(core)
  local found, message, code, pointer = core:event()
  if found then return found, message end
  error(refusal.of(code, refusal.sentence(message), pointer and { pointer = pointer }))
end

--- The event that the body is, without a public face. Raises a refusal if it is none.
---@param self request
---@return core.event
function request.core_event(self)
  local before = self[EVENT]
  if before then return before end
  local found, members = request.read_event(self[CORE])
  self[EVENT] = found
  if members then self[MEMBERS] = members end
  return found
end

--- What was read for a route that has an event as body: the event, the other members of the body, and what is known of
--- the line.
---@param self request
---@return core.event event, table|nil members, lines.line line
function request.event_call(self)
  return self[EVENT], rawget(self, MEMBERS), self[LINE]
end

--- Says whose request it is.
---@param self request
---@param token credentials.token
function request.authenticate(self, token)
  self.user = token.user
  self[CLAIMS] = token.claims
end

return request
