-- Socket.IO v5 on Engine.IO v4: a client of Socket.IO is just another session of its user, one for each
-- namespace it connects to.

local argument = require "argument"
local credentials = require "identity.credentials"
local engine = require "core.engine"
local engineio = require "realtime.engineio"
local entrance = require "realtime.entrance"
local files = require "core.files"
local json = require "core.json"
local protect = require "protect"
local settings = require "settings"

local socketio = {}

local MAIN <const> = "/"
local NO_NAMESPACE <const> = 1008
local INTERNAL <const> = 1011
local NO_KEY <const> = 0xFFFFFFFF -- newer than every key
local NAMESPACE = { auth = 1 }

---@class socketio.namespace
---@field auth "jwt"|"none"
---@field where string
---@field is_ours? boolean

---@type table<string, socketio.namespace>
local namespaces = {}
local has_further = false -- namespaces than the main one: a token must last for these too

--- Opens a namespace to clients; raises at `level` if that cannot be.
---@param name string
---@param options {auth: "jwt"|"none"}
---@param where string
---@param level integer
function socketio.add(name, options, where, level)
  argument.type(name, "string", "app:namespace: the name", level + 1)
  argument.type(options, "table", "app:namespace: the options", level + 1)
  argument.keys(options, NAMESPACE, "app:namespace", level + 1)
  if not name:find("^/[%w/_.-]*$") or #name > 255 then
    error("app:namespace: the name must be / and letters, digits, / _ . or -", level + 1)
  end
  if options.auth ~= "jwt" and options.auth ~= "none" then
    error(("app:namespace('%s'): say who may: auth = 'jwt' or 'none'"):format(name), level + 1)
  end
  local other = namespaces[name]
  if other and not other.is_ours then
    error(("app:namespace: '%s' is there already (%s)"):format(name, other.where), level + 1)
  end
  namespaces[name] = { auth = options.auth, where = where }
  if name ~= MAIN then has_further = true end
end

-- A session without a user of its own: nobody else has its name. No key signed it, so none ends it.
local function guest_of(core)
  return { user = "guest-" .. core:id(), claims = "{}", key = NO_KEY, is_guest = true }
end

local function identify(core, namespace, auth, brought)
  if namespace.auth == "none" then return guest_of(core) end
  local text = type(auth.token) == "string" and auth.token or brought
  if text then return credentials.verify(text) end
  return nil, credentials.refuse("credentials-missing",
    "Send a token as auth.token, as Authorization: Bearer, as ?token= or as a cookie.")
end

-- What the client had, and who it was: as it says itself, or by Socket.IO's own recovery. A pid is a cursor and
-- the id of the client's first session (socketio/lane.c); the offset is that of the last event, if there was one.
local function arrival_of(auth)
  local cursor, first = (entrance.text_of(auth.pid) or ""):match("^([^.]+)%.?(.*)$")
  return {
    after = entrance.text_of(auth.after) or entrance.text_of(auth.offset) or cursor,
    session = entrance.text_of(auth.session) or first, auth = auth,
  }
end

local function enter(core, auth, brought)
  local namespace = namespaces[core:namespace()]
  if not namespace then return core:close(NO_NAMESPACE, "Invalid namespace") end
  auth = auth and json.decode(auth) or {}
  local token, refused = identify(core, namespace, auth, brought)
  if not token then return entrance.refuse(core, refused) end
  entrance.enter(core, token, nil, arrival_of(auth))
end

--- (waits) A client wants into a namespace.
---@param core core.session
---@param auth string|nil     raw JSON, an object
---@param brought string|nil  the token that the request brought which opened the connection
function socketio.on_connect(core, auth, brought)
  local ok = protect.call("chatty", "namespace", enter, core, auth, brought)
  if not ok then core:close(INTERNAL, "internal error") end
end

-- The token of the request that opens the connection. A cookie that must not be taken from there is none: a
-- token may still come with CONNECT.
local function token_of(core, is_handshake)
  return (entrance.read(core, is_handshake))
end

local function open(_, core, is_text_only)
  return (engine.open_mux(core, token_of(core, false), is_text_only, has_further))
end

local function open_socket(_, core, is_text_only)
  engine.open_mux_socket(core, token_of(core, true), is_text_only, has_further)
end

-- The setting names a folder from the working directory, not from ours.
local function serve_client(app, path)
  local folder = files.absolute(settings.SOCKETIO_CLIENT)
  if not folder or files.kind(folder) ~= "folder" then
    error(("SOCKETIO_CLIENT: there is no folder %s"):format(settings.SOCKETIO_CLIENT), 0)
  end
  app:static(path, folder)
end

---@param app app
function socketio.setup(app)
  if not settings.SOCKETIO then return end
  namespaces[MAIN] = { auth = "jwt", where = "the server", is_ours = true }
  local handlers = engineio.handlers({ open = open, open_socket = open_socket })
  local path, doc = settings.SOCKETIO_PATH, "Socket.IO: polling, WebSocket and the change from one to the other."
  app:get(path, { auth = "none", doc = doc }, handlers.get)
  app:post(path, { auth = "none", doc = "Socket.IO: packets of a polling client." }, handlers.post)
  app:put(path, { auth = "none", doc = "Socket.IO: 400, as its clients expect." }, handlers.put)
  if settings.SOCKETIO_CLIENT then serve_client(app, path) end
end

return socketio
