---@meta
-- The objects that C hands to the Lua half, and what it calls there. As private as the modules of meta/core.lua.

---@class core.event  `require "core.event"`; an event that is being made: a name and attributes as raw JSON
local event = {}
--- `attributes` is a json.raw, or any value that json.encode takes. nil, message, "INVALID" for a bad name:
--- names are 1 to 255 bytes of UTF-8; reserved prefixes are for the caller to refuse.
---@param name string
---@param attributes any
---@return core.event|nil, string? message, string? code
function event.new(name, attributes) end
--- Reads {"event": string, "attributes": any but null} from a client's frame; attributes may be left out
--- (then {}). Other members than event, attributes and ack are ignored. `ack` comes as raw JSON text when it
--- is a number or string.
---@param text string
---@return core.event|nil event, string? ack_or_message, string? code, string? ack
function event.parse(text) end
--- Reads what request:event() reads, of a text.
---@param text string
---@return core.event|nil event, table|string|nil members_or_message, string? code, string? pointer
function event.read(text) end
--- Whether a name belongs to the server (chatty:) or to Socket.IO.
---@param name string
---@return boolean
function event.is_reserved(name) end
---@return string
function event:name() end
---@return boolean
function event:is_reserved() end
---@param name string
---@return true|nil, string? message
function event:rename(name) end
---@return string  the attributes' raw JSON
function event:raw() end
---@return boolean  whether attributes is an object
function event:is_object() end
---@param key string
---@return any value  decoded; nil when not there
function event:get(key) end
--- Sets one member and leaves all other bytes alone. Raises when attributes is no object.
---@param key string
---@param value any
function event:set(key, value) end
---@param key string
function event:remove(key) end
---@param attributes any  the whole anew
function event:replace(attributes) end
---@return core.event
function event:copy() end
--- The binaries that placeholders in the attributes stand for; nil when it has none.
---@return string[]|nil
function event:binaries() end
---@param list string[]
function event:set_binaries(list) end
--- Whether the attributes are an array of the arguments of a client of Socket.IO.
---@return boolean
function event:is_spread() end
--- To Socket.IO the attributes, which are an array, go as several arguments.
function event:spread() end
---@return integer bytes  of the raw attributes
function event:size() end
---@return any value  the attributes decoded, anew each time
function event:attributes() end

---@class core.request  given to init.on_request; one HTTP request
local request = {}
---@return string  raw, without '?'
function request:query() end
--- What init.on_request gets with requests to come of the same method and target. Short ones, and so many lately.
---@param value any
function request:remember(value) end
--- The first values of these parameters, decoded, in this order; or false, name or nil, piece of one in the query that
--- is malformed.
---@param ... string
---@return string|nil|false value, string|nil ...
function request:parameters(...) end
---@return string  as sent
function request:target() end
---@param name string  lower case
---@return string|nil
function request:header(name) end
---@return string|nil  what follows the scheme in Authorization: Bearer
function request:bearer() end
--- Whether its bearer or its X-API-Key is one of the keys; in a time that does not tell which or where they differ.
---@param keys string[]
---@return boolean
function request:has_key(keys) end
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
--- `members` are its other members, decoded; nil when there are none.
---@return core.event|nil event, table|string|nil members_or_message, string? code, string? pointer
function request:event() end
--- Answers. Once; false when the connection is gone or it was answered already.
---@param status integer
---@param headers string[]|string  name, value, name, value...; or lines as they go out, each with its line end
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

---@class core.engine  `require "core.engine"`: connections of Engine.IO
local engine = {}
--- (waits) What a GET with a sid is answered with. The connection may live on another worker. Codes: sid-unknown,
--- request-concurrent.
---@param request core.request
---@param sid string
---@return string|nil body, string? code
function engine.poll(request, sid) end
--- (waits) Hands the packets of the body over. Codes: also packet-malformed.
---@param request core.request
---@param sid string
---@return string|nil body, string? code
function engine.post(request, sid) end
--- A WebSocket takes the place of polling; the request is answered. False: no worker has such a sid.
---@param request core.request
---@param sid string
---@return boolean
function engine.upgrade(request, sid) end
--- A raw connection for a plugin, with polling: `answer` is for the caller to send. `handler` is given back to
--- init.on_socket_*.
---@param request core.request
---@param handler any
---@return core.socket|nil socket, string answer_or_message, string? code  LIMIT: too many poll
function engine.open(request, handler) end
---@param request core.request
---@param handler any
---@return core.socket|nil, string? message, string? code
function engine.open_socket(request, handler) end
--- A connection that speaks Socket.IO, with polling: sessions come by init.on_connect.
---@param request core.request
---@param token? string  that the request brought
---@param is_text_only? boolean  the client wants binaries as base64
---@param keeps_token? boolean   for further namespaces than the first
---@return string|nil answer, string? message, string? code  LIMIT: too many poll
function engine.open_mux(request, token, is_text_only, keeps_token) end
---@param request core.request
---@param token? string
---@param is_text_only? boolean
---@param keeps_token? boolean
---@return true|nil, string? message, string? code
function engine.open_mux_socket(request, token, is_text_only, keeps_token) end

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
--- Says of which client of its user it is, which its id then tells. Once, behind session:identify and before anybody
--- has seen the id.
---@param name? string  the id of the client's last session, or a text of its own
---@return true|nil, string? message, string? code
function session:set_client(name) end
--- Closes it with 4500 if session:identify has not been called within that time. May be called once.
---@param seconds number
function session:expect_auth(seconds) end
--- (waits) Enters the roster and the registry: from now on it gets events, behind the greeting. Returns the id behind
--- which its events go on (nil where no channel keeps any), and why not all that it missed can be brought:
--- "unknown", "lost", "too-many". What it missed is sent when the handler waits or ends, before anything new.
--- codes: LIMIT (too many sessions of the user or of the node), CLOSED.
---@param after? string       the id of the last event that the client had
---@param greeting? userdata  of core.greeting
---@param expires? number     when the token does, for the greeting
---@param ack? string         of the greeting
---@return true|nil, string? id_or_message, string? gap_or_code
function session:join(after, greeting, expires, ack) end
---@return boolean
function session:is_live() end
--- From the registry of this worker; empty before join.
---@return string[]|nil channels, string? message, string? code
function session:channels() end
--- The namespace of a session of Socket.IO, else nil.
---@return string|nil
function session:namespace() end
--- (waits) Sends one event and waits until the client of Socket.IO acknowledges it. Codes: TIMEOUT, CLOSED, LIMIT,
--- UNSUPPORTED.
---@param event core.event
---@param seconds number
---@return core.event|nil answer, string? message, string? code
function session:ask(event, seconds) end
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
--   init.on_request(request, is_plain, remembered, method, path)   whether its head asks for nothing but JSON; see
--                                      request:remember; only without that the method and the path, percent-decoded
--   init.on_frame(session, text)       one at a time per session, in order; text frames only
--   init.on_packet(session, event, ack)   an event of Socket.IO, likewise; ack: its number, or nil
--   init.on_ack(session, digits)       a client of Socket.IO acknowledged an event of notify; at any time
--   init.on_expiring(session)          EXPIRING_NOTICE before its token dies; C closes with 4001 at session:expires()
--   init.on_presence(user, is_online, generation)   a user came online, or is gone for good
--   init.on_disconnect(session, code, reason)   after the end of a session that had joined; `session` still
--                                      knows id, user, claims, transport, remote, since, data
--   init.on_dropped(drops)             events that sessions did not get; not again before it has ended
--   init.on_socket_message(handler, socket, data, is_binary)
--   init.on_socket_close(handler, socket, code, reason)
--   init.leave()                       it is going to stop, after STOP_DELAY
--   init.stop()
