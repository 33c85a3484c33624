-- Guards: who may use a route. Each is compiled at setup from what the route's `auth` says into a
-- function: request, core -> nil, or a refusal. A guard that lets in says who it is: request.user and
-- request.identity. Some recognize most of those whom they let in at a glance: core -> identity, or nil.

local control_keys = require "identity.control_keys"
local credentials = require "identity.credentials"
local json = require "core.json"
local proxy = require "http.proxy"
local refusal = require "refusal"
local requests = require "http.request"
local settings = require "settings"

local guard = {}

---@class guard.identity
---@field kind "user"|"control"|"plugin"
---@field user? string         whose token it was
---@field key? string          the name of the control key, if it has one
---@field is_limited? boolean  a control right with scopes, not all of it

local authenticate = requests.authenticate
local KEYS <const> = settings.CONTROL_KEY -- good for everything
local CONTROL = { kind = "control" } -- who has one of these; everybody, if CONTROL_AUTH is none

local function let_everybody_in() end

-- The token that an HTTP request carries: a bearer, or a cookie that a page may send.
local function find_token(core)
  local text = credentials.bearer(core)
  if text then return text end
  return credentials.of_cookie(core)
end

local function refuse_missing(what)
  return credentials.refuse("credentials-missing", ("Send %s as Authorization: Bearer."):format(what))
end

local function check_user(request, core)
  local text, refused = find_token(core)
  if not text then return refused or refuse_missing("a token") end
  local found
  found, refused = credentials.verify(text)
  if not found then return refused end
  authenticate(request, found)
  request.identity = { kind = "user", user = found.user }
end

local function has_word(text, word)
  return type(text) == "string" and (" " .. text .. " "):find(" " .. word .. " ", 1, true) ~= nil
end

local function contains(list, word)
  if type(list) ~= "table" then return false end
  for i = 1, #list do
    if list[i] == word then return true end
  end
  return false
end

--- Whether the claims give the right to control, or the one scope of it.
---@param claims table
---@param scope string|nil  "notify"
---@return boolean
function guard.may_control(claims, scope)
  if claims.role == "control" or contains(claims.roles, "control") then return true end
  return has_word(claims.scope, "control")
    or (scope ~= nil and has_word(claims.scope, "control:" .. scope))
end

--- Whether the claims give any right to control.
---@param claims table
---@return boolean
function guard.gives_control(claims)
  if guard.may_control(claims, nil) then return true end
  return type(claims.scope) == "string" and (" " .. claims.scope):find(" control:", 1, true) ~= nil
end

local function check_claims(request, text, scope)
  local found, refused = credentials.verify(text)
  if not found then return refused end
  local claims = json.decode(found.claims)
  if not guard.may_control(claims, scope) then
    local right = scope and ("control or control:" .. scope) or "control"
    return refusal.of("control-required",
      ("Send a control key, or a token whose claim role is control or whose scope has %s."):format(right))
  end
  authenticate(request, found)
  local is_limited = not guard.may_control(claims, nil) or nil
  request.identity = { kind = "control", user = found.user, is_limited = is_limited }
end

local function check_key(request, key, scope)
  if control_keys.allows(key, scope) then
    request.identity = key.identity
    return nil
  end
  return refusal.of("control-required",
    ("The key is not good for this: make one with the scope %s."):format(scope or "admin"))
end

local function check_control(request, core, scope)
  local text = credentials.bearer(core)
  local key, refused = credentials.key(core, text)
  if key then return check_key(request, key, scope) end
  if refused then return refused end
  if not text then text, refused = credentials.of_cookie(core) end
  if not text then return refused or refuse_missing("a control key, or a token with control rights,") end
  return check_claims(request, text, scope)
end

-- A page may bind its own name to the loopback address, and is of the same origin then (DNS rebinding): what it
-- cannot do is to call this machine localhost. Browsers always send Host.
local function refuse_name(core)
  local host = core:header("host")
  if settings.CONTROL_AUTH_NONE_ANYWHERE or not host or proxy.is_own_name(host) then return nil end
  return refusal.of("host-not-local", "Call the server localhost or 127.0.0.1, or give it a control key.",
    { header = "Host" })
end

local function recognize_key(core)
  return core:has_key(KEYS) and CONTROL or nil
end

-- The check, and how it recognizes.
local function control(scope)
  if settings.CONTROL_AUTH == "none" then
    -- Without keys a page of any origin could control the server of whoever looks at it.
    return function(request, core)
      local refused = refuse_name(core) or credentials.check_origin(core)
      if not refused then request.identity = CONTROL end
      return refused
    end
  end
  local function check(request, core)
    local identity = recognize_key(core)
    if not identity then return check_control(request, core, scope) end
    request.identity = identity
  end
  return check, recognize_key
end

-- A plugin's own guard: request -> identity, or nil and a refusal. The identity is a user's name or a table
-- with the fields user and claims.
local function own(f)
  return function(request)
    local identity, refused = f(request)
    if refusal.is(identity) then return identity end
    if not identity then return refused or credentials.refuse("credentials-missing", "Say who you are.") end
    request.identity = identity
    if type(identity) == "string" then request.user = identity end
    if type(identity) == "table" then request.user, request.claims = identity.user, identity.claims end
  end
end

--- Compiles what a route says about `auth`; nil if it says nothing that is known.
---@param auth any
---@return fun(request: request, core: core.request): refusal?|nil check
---@return string? name  for lists of routes
---@return fun(core: core.request): guard.identity|nil recognize
function guard.compile(auth)
  if auth == "none" then return let_everybody_in, "none" end
  if auth == "jwt" then return check_user, "jwt" end
  if type(auth) == "function" then return own(auth), "function" end
  if type(auth) ~= "string" then return nil end
  local scope = auth:match("^control:([%l%d-]+)$")
  if auth ~= "control" and not scope then return nil end
  local check, recognize = control(scope)
  return check, auth, recognize
end

return guard
