---@meta
-- What a plugin is, and what its setup gets: LuaCATS stubs for editors, and the reference of this half of
-- the API. The other half is meta/chatty.lua. Times are in seconds, sizes in bytes.

--- A plugin is the table that its file returns. Other fields are an error.
---@class plugin                since 1.0
---@field api 1                 the major version of this API
---@field priority? number      hooks and filters of higher priority run first; default 100
---@field doc? string           one line
---@field version? string       its own
---@field options? table<string, rule>  checked at load; setup gets the values
---@field needs? {http?: string[], io?: true, os?: true, debug?: true}  capabilities, which it has only then; http: the
--- hosts that it may ask; libraries of Lua, if the setting GRANT allows them
---@field setup fun(app: app, options: table<string, any>)  registers; runs once per worker
---@field on_unload? fun(): any   a reload puts new code in the place of this: what it returns gets on_load
---@field on_load? fun(value: any)  behind setup: what the code before handed over. Neither may wait

--- What a declared value may be: an option of a plugin, or a query parameter of a route.
---@class rule                  since 1.0
---@field type "string"|"boolean"|"integer"|"number"|"list"  a list has strings
---@field default? any
---@field required? boolean
---@field min? number           of numbers; for strings the least bytes, for lists the least items
---@field max? number           likewise
---@field one_of? string[]      what a string, or an item of a list, may be
---@field of? "string"          of a list
---@field secret? boolean       of an option: `chatty config` does not show it
---@field doc? string

---@class app                   given to plugin.setup; afterwards it registers nothing any more
local app = {}

---@class app.route_options     since 1.0
---@field auth "none"|"jwt"|"control"|string|fun(request: request): any, refusal?
---        Who may. "jwt": whoever has a token; "control": whoever has control rights, "control:notify": or
---        that scope of them; a function: request -> the identity (a user's name, or a table with `user` and
---        `claims`), or nil and a refusal. It must be said.
---@field query? table<string, rule>  checked and typed before the handler; other parameters are refused
---@field body? "json"|"event"|"document"  what the body must be: checked before the handler
---@field body_max? integer     bytes; 413 beyond
---@field jsonapi? boolean      answers are negotiated: see request.wants_document
---@field doc? string           for `chatty routes`

--- Adds a route. `path` may have parameters: "/x/:name" for one segment, "/x/*rest" for all that follows. The
--- most specific route wins; two alike do not load. GET answers HEAD too. The handler returns a response, a
--- refusal, or nothing (204); `nil, message, code` is answered with 503 or 500. (since 1.0)
---
---     app:get("/orders/:id", { auth = "jwt" }, function(request)
---       return { json = { id = request.params.id, user = request.user } }
---     end)
---@param path string
---@param options app.route_options
---@param handler fun(request: request): response|refusal|nil, string?, string?
function app:get(path, options, handler) end

--- (since 1.0)
---@param path string
---@param options app.route_options
---@param handler fun(request: request): response|refusal|nil, string?, string?
function app:post(path, options, handler) end

--- (since 1.0)
---@param path string
---@param options app.route_options
---@param handler fun(request: request): response|refusal|nil, string?, string?
function app:put(path, options, handler) end

--- (since 1.0)
---@param path string
---@param options app.route_options
---@param handler fun(request: request): response|refusal|nil, string?, string?
function app:patch(path, options, handler) end

--- (since 1.0)
---@param path string
---@param options app.route_options
---@param handler fun(request: request): response|refusal|nil, string?, string?
function app:delete(path, options, handler) end

--- Serves the files of a folder, named from the plugin's own, below a path. index.html stands for its folder;
--- names that begin with "." are not served. (since 1.0)
---@param prefix string         "/assets"
---@param folder string         "public"
---@param options? {auth: any, doc?: string}  default { auth = "none" }
function app:static(prefix, folder, options) end

---@class app.socket_handlers   since 1.0; an error in one closes the socket with 1011
---@field open? fun(socket: socket, request: request)
---@field message? fun(socket: socket, data: string, binary: boolean)
---@field close? fun(socket: socket, code: integer, reason: string)

--- A WebSocket of the plugin's own: raw messages, no users, no channels. (since 1.0)
---
---     app:websocket("/echo", { auth = "none" }, {
---       message = function(socket, data, binary) socket:send(data, binary) end,
---     })
---@param path string
---@param options {auth: any, doc?: string}
---@param handlers app.socket_handlers
function app:websocket(path, options, handlers) end

--- An endpoint of Engine.IO of the plugin's own: raw messages, by polling or WebSocket. (since 1.0)
---
---     app:engineio("/engine.io/", { auth = "none" }, {
---       message = function(socket, data, binary) socket:send(data, binary) end,
---     })
---@param path string
---@param options {auth: any, doc?: string}
---@param handlers app.socket_handlers
function app:engineio(path, options, handlers) end

--- Opens a namespace of Socket.IO. With auth = "none" its sessions are guests, each a user of a name of its own.
--- Without a plugin that says otherwise there is "/" with auth = "jwt". (since 1.0)
---@param name string           "/custom"
---@param options {auth: "jwt"|"none"}
function app:namespace(name, options) end

--- Runs a function before the handlers of a path, or of all paths below one: "/a", "/a/*". The guard has let
--- in, so request.user is known. A refusal ends it. "/*" leaves out /healthz and /readyz. (since 1.0)
---@param path string
---@param filter fun(request: request): refusal?
function app:before(path, filter) end

--- Runs a function behind the handlers, also when they refused. It may change the response, whose `headers`
--- are a table. (since 1.0)
---@param path string
---@param filter fun(request: request, response: response)
function app:after(path, filter) end

--- How a resource of a JSON:API document becomes the name of a channel, or several, or none. Whoever comes
--- last is asked; the default is `type .. "-" .. id`. (since 1.0)
---
---     app:channel_name(function(resource) return resource.type .. ":" .. resource.id end)
---@param name fun(resource: resource, document: table): string|string[]|nil
function app:channel_name(name) end

--- Settings of the channels whose names match the pattern, in which `*` stands for any characters. Of several patterns
--- that match, the one with the most other characters counts, among equals the later one, for each option alone. With
--- `history` the last `size` events (default 100), of at most `bytes` (default 1 MiB) and `ttl` seconds (default 300),
--- are brought to sessions that missed them, with `durable` (default false) over a restart too. With queue = "latest"
--- an event without a key has its name as key, so only the newest of one name waits for a slow session. (since 1.0)
---
---     app:channel("orders-*", { history = { size = 100, ttl = 300 } })
---     app:channel("cursor-*", { queue = "latest" })
---@param pattern string
---@param options {history?: {size?: number, ttl?: number, bytes?: number, durable?: boolean}, queue?: "all"|"latest"}
function app:channel(pattern, options) end

--- Adds an option to the query parameter `add` of notify. It runs once per request, or once per channel when
--- it (or an option before it) reads context.channel; never per subscriber. (since 1.0)
---
---     app:option("add", "server", function(event) event:set("server", chatty.node.name) end)
---@param parameter "add"
---@param name string
---@param option fun(event: event, context: option_context): refusal?
function app:option(parameter, name, option) end

---@class option_context        since 1.0
---@field channel? string       the channel that emits; nil when users are notified
---@field time number           seconds since 1970, one value per request

---@alias hook_name
---| "start"        # ({ is_reload = }): the worker runs, or a reload brought this code; once per node unless
---|                # { per = "worker" }
---| "connect"      # (session), before it is live: may refuse (close code 4501), set session.data, subscribe
---| "message"      # (session, event) from a client: may refuse; the first value returned acknowledges it
---| "subscribe"    # (change): may refuse; may change its lists
---| "unsubscribe"  # (change): likewise
---| "notify"       # (event): may refuse; may change members, name, channels or users, efficient, except
---| "disconnect"   # (session, reason, code) of a session that was live
---| "dropped"      # (event, session, reason) an event that the session did not get; a while later
---| "online"       # (user, generation) once when the first session of a user is live
---| "offline"      # (user, generation) once, OFFLINE_GRACE after the last one ended
---| "unreached"    # (event, users) of an event with if_offline: users without a session, in pages of 1000
---| "stop"         # (): as start

--- Adds a hook. Hooks run by priority, the higher first, then by the plugin's name. Return nothing to go on,
--- chatty.refuse(...) to stop. With on_error = "closed" an error in the hook refuses; with "open", the
--- default, it is logged and the next goes on. (since 1.0)
---
---     app:on("connect", function(session) chatty.subscribe({ session.user }, { "lobby" }) end)
---     app:on("notify", { on_error = "closed" }, function(event) ... end)
---@param name hook_name
---@param options {on_error?: "open"|"closed", per?: "node"|"worker"}
---@param hook function
---@overload fun(self: app, name: hook_name, hook: function)
function app:on(name, options, hook) end

--- Runs a function again and again: first when so many seconds have passed since the start, once per node or, with
--- { per = "worker" }, on each worker. It never runs twice at one time; a run that takes longer lets beats be missed.
--- (since 1.0)
---
---     app:every(60, function() chatty.log.info("online", { users = chatty.users.count() }) end)
---@param seconds number        at least 0.05
---@param options {per?: "node"|"worker"}
---@param f fun()
---@overload fun(self: app, seconds: number, f: fun())
function app:every(seconds, options, f) end

--- Runs a function once, so many seconds after the start. (since 1.0)
---@param seconds number
---@param options {per?: "node"|"worker"}
---@param f fun()
---@overload fun(self: app, seconds: number, f: fun())
function app:once(seconds, options, f) end

--- A request. Nothing is read or decoded before it is asked for; what is malformed is answered with 400 then.
---@class request               since 1.0
---@field method string
---@field path string           percent-decoded
---@field target string         path and query as they were sent
---@field params table<string, string>  of the path
---@field query table<string, any>      typed if the route declares it, else strings
---@field headers table<string, string> names in lower case
---@field body string
---@field json any              the body, decoded
---@field event event           the body {"event", "attributes"}
---@field document {resources: resource[], document: table}  the JSON:API document that the body is
---@field user? string          whose token it was
---@field claims? table         of the token
---@field identity any          who the guard found
---@field wants_document boolean  whether the client asked for application/vnd.api+json
---@field remote string         the peer's address
---@field id string             the header X-Request-Id if it is a word of at most 64 bytes, else random
local request = {}

--- One header, its name in any case. (since 1.0)
---@param name string
---@return string|nil
function request:header(name) end

--- The raw JSON of one member of the body, byte for byte. (since 1.0)
---@param key string
---@return string|nil
function request:raw(key) end

--- What a handler returns. One of json, raw_json, text, html, file, document makes the body; with both `json`
--- and `document` the client's Accept decides.
---@class response              since 1.0
---@field status? integer       default 200, without a body 204
---@field json? any
---@field raw_json? string      sent as it is
---@field document? table       a JSON:API document
---@field text? string
---@field html? string
---@field file? string          a path, named from the plugin's folder
---@field headers? table<string, string|number|string[]>  but Connection, Content-Length, Date and
---        Transfer-Encoding, which are the server's own
---@field cookies? table<string, string|cookie>

--- Unless it says otherwise a cookie is for the whole site, hidden from scripts, and sent over TLS only.
---@class cookie                since 1.0
---@field value string
---@field max_age? integer      seconds; 0 takes the cookie away
---@field path? string          default "/"
---@field domain? string
---@field secure? boolean       default true
---@field http_only? boolean    default true
---@field same_site? "Strict"|"Lax"|"None"  default "Lax"

---@class resource              since 1.0; all members that the document has, and:
---@field type string
---@field id string             an integer comes as its digits
---@field pointer string        where in the document it stands

--- An event on its way. What is not touched goes out byte for byte.
---@class event                 since 1.0
---@field name string           in the hook notify it may be set
---@field attributes any        decoded, read-only; numbers beyond 64 bits come as values that tostring shows
---@field channels? string[]    in the hook notify: where it goes, this or users
---@field users? string[]
---@field efficient? boolean    in the hook notify: each session once
---@field except? string[]      in the hook notify: users that do not get it
---@field except_sessions? string[]  likewise: sessions, by id
---@field ttl? number           likewise: seconds that it is worth something
---@field key? string           likewise: it takes the place of the one before with this key
---@field by? identity          in the hook notify: who asked
---@field dry_run? boolean      in the hook notify: nothing will be sent; what hooks cause is not done either
local event = {}

--- The value of one member of the attributes, a copy. (since 1.0)
---@param key string
---@return any
function event:get(key) end

--- Sets one member and leaves all other bytes alone. (since 1.0)
---@param key string
---@param value any
function event:set(key, value) end

--- Takes one member out. (since 1.0)
---@param key string
function event:remove(key) end

--- Says the attributes anew: a value, or chatty.json.raw(text). (since 1.0)
---@param attributes any
function event:replace(attributes) end

--- The attributes as raw JSON. (since 1.0)
---@return string
function event:raw() end

--- The arguments that a client of Socket.IO sent, decoded. From other clients it is one: the attributes. (since 1.0)
---@return any[]
function event:arguments() end

--- The binaries that placeholders in the attributes stand for; nil when there are none. (since 1.0)
---@return string[]|nil
function event:binaries() end

--- A change of standing subscriptions, for the hooks subscribe and unsubscribe. Its lists may be changed.
---@class change                since 1.0
---@field users? string[]       these users, or:
---@field users_of? string[]    all users subscribed to any of these channels
---@field channels string[]
---@field by identity           who asked
---@field dry_run boolean       nothing will be done; what hooks cause is not done either

---@class identity              since 1.0
---@field kind "control"|"plugin"|"user"
---@field user? string          whose token it was
---@field key? string           the name of the control key, if it has one
---@field is_limited? boolean   a right to control with scopes, not all of it
---@field name? string          of the plugin

--- One live connection of a user. It may be kept; after its end its methods give nil, "closed", "CLOSED".
---@class session               since 1.0
---@field id string
---@field user string
---@field claims table          of the token
---@field transport string      "ws", "sse" or "sio"
---@field namespace string|nil  of Socket.IO: "/" and the like
---@field auth table|nil        of Socket.IO, in the hook connect: what came with CONNECT
---@field remote string         the peer's address
---@field since number          seconds since 1970
---@field data table            the plugins' own
local session = {}

--- Sends an event to this session alone: a name and attributes, or an event. What a hook `connect` sends comes behind
--- chatty:connected; at most 64 events wait for that, then it is nil with the code "LIMIT". (since 1.0)
--- To Socket.IO: `spread` sends an array as several arguments; `binaries` are what { _placeholder = true, num = 0 }
--- and so on stand for. Code UNSUPPORTED: the session is not of Socket.IO and takes no binaries.
---@param name string|event
---@param attributes? any
---@param options? {spread?: boolean, binaries?: string[]}
---@return true|nil sent, string? message, string? code
function session:send(name, attributes, options) end

--- (waits) Sends an event and waits until the client acknowledges it: what it answered, and binaries in that. Codes:
--- TIMEOUT, CLOSED, UNSUPPORTED (not a session of Socket.IO), LIMIT (64 wait already). (since 1.0)
---@param name string|event
---@param attributes? any
---@param options? {timeout?: number, spread?: boolean, binaries?: string[]}  timeout in seconds, default 10
---@return any value, string[]|string|nil binaries_or_message, string? code
function session:ask(name, attributes, options) end

--- Closes it. Codes from 4000 on ask the client to come back, from 4500 on to stay away. (since 1.0)
---@param code? integer         1000 (default), or 3000 to 4999
---@param reason? string        at most 120 bytes
function session:close(code, reason) end

--- The channels that it is in now, sorted. (since 1.0)
---@return string[]|nil channels, string? message, string? code
function session:channels() end

--- A plugin's own WebSocket.
---@class socket                since 1.0
local socket = {}

--- Sends a message: UTF-8 text, or with binary = true any bytes. (since 1.0)
---@param data string
---@param binary? boolean
---@return true|nil sent, string? message, string? code
function socket:send(data, binary) end

--- (since 1.0)
---@param code? integer         default 1000
---@param reason? string
function socket:close(code, reason) end

--- The peer's address. (since 1.0)
---@return string
function socket:remote() end
