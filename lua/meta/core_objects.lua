---@meta
-- The objects that C hands to the Lua half, and what it calls there. As private as the modules of meta/core.lua.

---@class core.request  given to init.on_request; one HTTP request
local request = {}
---@return string  raw, without '?'
function request:query() end
---@return string  as sent
function request:target() end
---@param name string  lower case
---@return string|nil
function request:header(name) end
---@return string|nil  what follows the scheme in Authorization: Bearer
function request:bearer() end
---@return table<string, string>  names in lower case
function request:headers() end
---@return string
function request:body() end
---@return integer bytes
function request:body_size() end
---@return string  the peer's address
function request:remote() end
---@return boolean
function request:is_upgrade() end
--- Reads the body {"event","attributes"}. The body's memory moves into the event: body() is empty afterwards.
--- Codes of failures: "body-malformed", "event-missing", "event-invalid", "attributes-missing".
---@return core.event|nil event, string? message, string? code, string? pointer
function request:event() end
--- Answers. Once; false when the connection is gone or it was answered already.
---@param status integer
---@param headers string[]  name, value, name, value...
---@param body? string
---@return boolean
function request:reply(status, headers, body) end
--- Checks the WebSocket handshake: nil when it is one.
---@return integer|nil status, string? code, string? detail
function request:handshake_fault() end
--- Whether Sec-WebSocket-Protocol offers it.
---@param protocol string
---@return boolean
function request:offers(protocol) end
--- Upgrades to a session that is not live yet: it has no user until session:identify and gets no events
--- until session:join. No frame of it is given to init.on_frame before the handler that called this has
--- ended.
---@param protocol? string  the subprotocol to answer
---@return core.session|nil, string? message, string? code
function request:open_session(protocol) end
--- Upgrades to a raw WebSocket for a plugin. `handler` is given back to init.on_socket_*.
---@param handler any
---@param protocol? string
---@return core.socket|nil, string? message, string? code
function request:open_socket(handler, protocol) end
--- Answers with an event stream (SSE) and these headers besides its own: a session, as open_session's.
---@param headers string[]  name, value, name, value ...
---@return core.session|nil, string? message, string? code
function request:open_stream(headers) end

---@class core.session  a live connection of a user. After its end methods give nil, "closed", "CLOSED"
local session = {}
---@return string
function session:id() end
---@return string|nil
function session:user() end
---@return string|nil  raw JSON
function session:claims() end
---@return string  "ws"
function session:transport() end
---@return string
function session:remote() end
---@return number  seconds since 1970
function session:since() end
---@return number|nil  seconds since 1970: when it is closed
function session:expires() end
--- A table of the plugins' own that lives as long as the session.
---@return table
function session:data() end
--- Lets go of data(); init.on_disconnect calls it when its hooks are through.
function session:forget() end
--- Says who it is (at first, or anew with a fresh token of the same user) and when the session ends with it.
---@param user string
---@param claims string  raw JSON
---@param expires? number
---@param key? integer  which key signed the token, as token.verify says
---@return true|nil, string? message, string? code
function session:identify(user, claims, expires, key) end
--- Closes it with 4500 if session:identify has not been called within that time. May be called once.
---@param seconds number
function session:expect_auth(seconds) end
--- (waits) Enters the roster and the registry: from now on it gets events. Returns its channels, the id behind
--- which its events go on (nil where no channel keeps any), and why not all that it missed can be brought:
--- "unknown", "lost", "too-many". What it missed is sent when the handler waits or ends, before anything new.
--- codes: LIMIT (too many sessions of the user or of the node), CLOSED.
---@param after? string  the id of the last event that the client had
---@return string[]|nil channels, string? id_or_message, string? gap_or_code
function session:join(after) end
---@return boolean
function session:is_live() end
--- From the registry of this worker; empty before join.
---@return string[]|nil channels, string? message, string? code
function session:channels() end
--- Sends one event frame. `ack` is raw JSON added as member "ack", `id` a cursor.
---@param event core.event
---@param ack? string
---@param id? string
---@return boolean|nil sent, string? message, string? code
function session:send(event, ack, id) end
---@param code integer
---@param reason? string
function session:close(code, reason) end

---@class core.socket  a plugin's own WebSocket
local socket = {}
---@param data string
---@param binary? boolean
---@return boolean|nil sent, string? message, string? code
function socket:send(data, binary) end
---@param code? integer   default 1000
---@param reason? string
function socket:close(code, reason) end
---@return string
function socket:remote() end

-- What C calls in `require "init"`, each as a handler of its own that may wait:
--   init.setup()                       before the listener opens; an error ends the start (does not wait)
--   init.start()                       when the worker's loop runs (`start` hooks)
--   init.on_request(request, method, path)   path percent-decoded
--   init.on_frame(session, text)       one at a time per session, in order; text frames only
--   init.on_expiring(session)          EXPIRING_NOTICE before its token dies; C closes with 4001 at session:expires()
--   init.on_presence(user, is_online, generation)   a user came online, or is gone for good
--   init.on_disconnect(session, code, reason)   after the end of a session that had joined; `session` still
--                                      knows id, user, claims, transport, remote, since, data
--   init.on_socket_message(handler, socket, data, is_binary)
--   init.on_socket_close(handler, socket, code, reason)
--   init.stop()
