---@meta
-- The module that plugins get by `require "chatty"`: LuaCATS stubs for editors, and its reference. Functions
-- marked (waits) let other handlers run until they are done; they may be called in every handler and hook.
-- What the world does not allow is `nil, message, code`; an author's mistake is an error. Times are in
-- seconds, sizes in bytes.

---@class chatty
local chatty = {}

--- A refusal: the one way to say no, in routes and hooks alike. Return it, or raise it with error(). It
--- becomes an error object, a close code or a chatty:error, as the transport asks. (since 1.0)
---
---     return chatty.refuse(403, "not-yours", "This order belongs to somebody else.")
---@param status integer        400 to 599
---@param code string           a stable word for programs
---@param detail? string        what to do, for people
---@param source? {parameter?: string, pointer?: string, header?: string}  what in the request is meant
---@return refusal
function chatty.refuse(status, code, detail, source) end

---@class refusal               since 1.0
---@field status integer
---@field code string
---@field detail string
---@field source? table

---@class chatty.notification         since 1.0
---@field channels? string[]    each of these emits, or:
---@field users? string[]       every session of these gets it
---@field efficient? boolean    with channels: each session gets it once
---@field event string|event    a name, or an event that a hook or request gave
---@field attributes? any       with a name; default {}
---@field except? string[]|{users?: string[], sessions?: string[]}  users, and sessions by id, that do not get it
---@field ttl? number           seconds: later it is brought to nobody
---@field key? string           of the events of a channel with one key only the newest is kept
---@field ack? boolean          clients confirm it with the number that is returned
---@field if_offline? boolean   the hook `unreached` gets the users without a session
---@field id? string            the same one within five minutes emits once and returns the same (waits)
---@field add? string[]         options: "origin", "date-time" ...
---@field report? boolean       (waits) tell who was reached
---@field dry_run? boolean      (waits) only tell who would be reached
---@field by? identity          what hooks see as event.by; default: this plugin

---@class chatty.report         since 1.0
---@field users integer
---@field sessions integer
---@field channels? table<string, {users: integer, sessions: integer}>  by channel, or:
---@field recipients? table<string, {sessions: integer}>                by user

--- Emits an event, as POST /control/notify does. When it cannot, there is a fourth result, the refusal,
--- which a handler may return as it is. (since 1.0)
---
---     chatty.notify{ channels = { "lobby" }, event = "chat-message", attributes = { text = "hi" } }
---@param what chatty.notification
---@return true|chatty.report|nil done
---@return string? id_or_message   the id of an event that a channel keeps
---@return string? ack_or_code     with `ack`
---@return refusal? refused
function chatty.notify(what) end

---@class chatty.subscription         since 1.0
---@field users? string[]       these users, or:
---@field users_of? string[]    all users subscribed to any of these channels
---@field channels string[]
---@field dry_run? boolean      only tell what would change
---@field by? identity          what hooks see as change.by, and the store keeps; default: this plugin
---@field request? string       the id of the request that asks (request.id), which the store keeps

---@class chatty.changed        since 1.0
---@field users integer         how many users were meant
---@field changed integer       how many subscriptions were made or ended
---@field channels string[]     as the hooks have left them

--- (waits) Subscribes users to channels: standing, whether they are connected or not. Returns when it is
--- committed: every later notify reaches them. (since 1.0)
---
---     chatty.subscribe({ "ann" }, { "lobby" })
---     chatty.subscribe{ users_of = { "order-7" }, channels = { "order-7-chat" } }
---@param users string[]|chatty.subscription
---@param channels? string[]
---@return chatty.changed|nil done, string? message, string? code, refusal? refused
function chatty.subscribe(users, channels) end

--- (waits) Ends subscriptions. (since 1.0)
---@param users string[]|chatty.subscription
---@param channels? string[]
---@return chatty.changed|nil done, string? message, string? code, refusal? refused
function chatty.unsubscribe(users, channels) end

--- (waits) Closes all sessions of users, with code 4502, or with reconnect = true 4003. Returns how many.
--- (since 1.0)
---@param users string[]
---@param options? {reason?: string, reconnect?: boolean, dry_run?: boolean}  a reason has at most 120 bytes
---@return integer|nil sessions, string? message, string? code, refusal? refused
function chatty.disconnect(users, options) end

chatty.search = {}

--- (waits) The channels that a user is subscribed to, sorted. (since 1.0)
---@param user string
---@return string[]|nil channels, string? message, string? code
function chatty.search.subscriptions(user) end

--- (waits) The same, page by page, with since when each subscription stands (seconds since 1970), and of who made
--- it: kind ("control", "user", "plugin"), key, user, name (of a plugin), request (an id). (since 1.0)
---@param user string
---@param options? {after?: string, size?: integer}  size: default 10000
---@return {channel: string, since: number, by?: table}[]|nil origins, boolean|string more_or_message, string? code
function chatty.search.origins(user, options) end

--- (waits) The users of a channel who have a session, sorted; with offline = true all. `more` tells that
--- names follow the last one: ask again with `after` that name. (since 1.0)
---@param channel string
---@param options? {offline?: boolean, after?: string, size?: integer}  size: default 10000
---@return string[]|nil users, boolean|string more_or_message, string? code
function chatty.search.participants(channel, options) end

--- (waits) The users who have a session, sorted. (since 1.0)
---@param options? {after?: string, size?: integer}  size: default 10000
---@return string[]|nil users, boolean|string more_or_message, string? code
function chatty.search.users(options) end

chatty.users = {}

--- (waits) Whether a user has a session, and how many. (since 1.0)
---@param user string
---@return boolean|nil is_online, integer|string sessions_or_message, string? code
function chatty.users.online(user) end

--- (waits) How many users have a session, and how many sessions there are. (since 1.0)
---@return integer|nil users, integer|string sessions_or_message, string? code
function chatty.users.count() end

chatty.token = {}

--- A token with these claims, which must have `sub`, the user. (since 1.0)
---@param claims table
---@param ttl? number           seconds that it is valid; without, for ever
---@return string|nil token, string? message, string? code
function chatty.token.make(claims, ttl) end

--- Checks a token as the server does. (since 1.0)
--- Codes: TOKEN_INVALID, TOKEN_EXPIRED, TOKEN_NOT_YET, TOKEN_REVOKED.
---@param text string
---@return {user: string, expires?: number, claims: table}|nil token, string? message, string? code
function chatty.token.verify(text) end

--- (waits) Revokes one token, the text of it or what verify gave: it counts no more, and its sessions end. false: it
--- has no `jti` to know it by. (since 1.0)
---@param what string|{user: string, expires?: number, claims: table}
---@return boolean|nil done, string? message, string? code
function chatty.token.revoke(what) end

--- (waits) Revokes all tokens of a user that were made up to now. (since 1.0)
---@param user string
---@return true|nil, string? message, string? code
function chatty.token.revoke_all(user) end

--- Whether a name matches a pattern in which `*` stands for any characters, as in app:channel. {word} in the pattern
--- stands for a value, in which a star is none. (since 1.0)
---
---     if chatty.match("orders-{user}", channel, { user = session.user }) then ... end
---@param pattern string
---@param name string
---@param values? table<string, string>
---@return boolean
function chatty.match(pattern, name, values) end

chatty.secret = {}

--- HMAC-SHA256, 64 hexadecimal digits: signs a text. (since 1.0)
---@param key string
---@param text string
---@return string
function chatty.secret.hmac(key, text) end

--- Compares in a time that does not depend on where they differ. (since 1.0)
---@param a string
---@param b string
---@return boolean
function chatty.secret.equal(a, b) end

--- So many random bytes, as letters, digits, - and _. (since 1.0)
---@param bytes integer         1 to 1024
---@return string
function chatty.secret.random(bytes) end

chatty.password = {}

--- (waits) A hash to keep, of Argon2id; made off the loop. Code "LIMIT": too many passwords are worked on, or it has
--- more than 1024 bytes. (since 1.0)
---@param text string
---@return string|nil hash, string? message, string? code
function chatty.password.hash(text) end

--- (waits) Whether it is the password of the hash, which may also be one of bcrypt. (since 1.0)
---@param text string
---@param hash string
---@return boolean|nil matches, string? message, string? code
function chatty.password.verify(text, hash) end

chatty.json = {}

--- Stands for null. (since 1.0)
---@type any
chatty.json.null = nil

--- Marks a table as an array, also an empty one, and returns it. (since 1.0)
---@generic T: table
---@param items? T
---@return T
function chatty.json.array(items) end

--- Whether a table would be encoded as an array. (since 1.0)
---@param value any
---@return boolean
function chatty.json.is_array(value) end

--- A piece of JSON that goes out as it is. Raises when it is no JSON. (since 1.0)
---@param text string
---@return any
function chatty.json.raw(text) end

--- Members come out sorted by name. Raises on what cannot be JSON. (since 1.0)
---@param value any
---@return string
function chatty.json.encode(value) end

--- Integers within 64 bits stay exact; arrays stay arrays. (since 1.0)
---@param text string
---@return any value, string? message, string? code, integer? offset
function chatty.json.decode(text) end

chatty.time = {}

--- Seconds since 1970. (since 1.0)
---@return number
function chatty.time.now() end

--- Seconds that only grow, for measuring. (since 1.0)
---@return number
function chatty.time.monotonic() end

--- "2026-01-31T12:34:56.789Z" (since 1.0)
---@param seconds? number       default now
---@return string
function chatty.time.rfc3339(seconds) end

chatty.log = {}

--- A line in the server's log, with the plugin's name. (since 1.0)
---@param message any
---@param fields? table<string, string|number|boolean>
function chatty.log.debug(message, fields) end

--- (since 1.0)
---@param message any
---@param fields? table<string, string|number|boolean>
function chatty.log.info(message, fields) end

--- (since 1.0)
---@param message any
---@param fields? table<string, string|number|boolean>
function chatty.log.warn(message, fields) end

--- (since 1.0)
---@param message any
---@param fields? table<string, string|number|boolean>
function chatty.log.error(message, fields) end

--- Durable records of the plugin's own, shared by all workers. Values are anything that JSON can say; keys are 1 to
--- 1024 bytes. With STORE=memory they end with the server.
chatty.store = {}

--- (waits) nil when there is none, or it has expired. (since 1.0)
---@param key string
---@return any value, string? message, string? code
function chatty.store.get(key) end

--- (waits) Returns when it is committed. (since 1.0)
---@param key string
---@param value any
---@param options? {ttl?: number}  seconds until it is gone
---@return true|nil, string? message, string? code
function chatty.store.set(key, value, options) end

--- (waits) false when there was none. (since 1.0)
---@param key string
---@return boolean|nil, string? message, string? code
function chatty.store.delete(key) end

--- (waits) Sets only if the value is `expected` now; nil expects that there is none. false: it is not. (since 1.0)
---@param key string
---@param expected any
---@param value any
---@param options? {ttl?: number}
---@return boolean|nil, string? message, string? code
function chatty.store.compare_and_set(key, expected, value, options) end

--- (waits) Records whose keys begin with `prefix`, in order; `more` tells that others follow the last. (since 1.0)
---@param prefix? string
---@param options? {after?: string, size?: integer}  default size 1000
---@return {key: string, value: any}[]|nil records, boolean|string more, string? code
function chatty.store.each(prefix, options) end

--- Records of the plugin's own in memory, seen by all workers at once, and gone when the server stops. Values are
--- anything that JSON can say; keys are 1 to 1024 bytes. Code "LIMIT": SHARED_ENTRIES_MAX or SHARED_MEMORY_MAX is
--- reached. Nothing here waits.
chatty.shared = {}

--- nil when there is none, or it has expired. (since 1.0)
---@param key string
---@return any value
function chatty.shared.get(key) end

--- (since 1.0)
---@param key string
---@param value any
---@param options? {ttl?: number}  seconds until it is gone
---@return true|nil, string? message, string? code
function chatty.shared.set(key, value, options) end

--- false when there was none. (since 1.0)
---@param key string
---@return boolean
function chatty.shared.delete(key) end

--- Sets only if the value is `expected` now; nil expects that there is none. false: it is not. (since 1.0)
---@param key string
---@param expected any
---@param value any
---@param options? {ttl?: number}
---@return boolean|nil, string? message, string? code
function chatty.shared.compare_and_set(key, expected, value, options) end

--- Adds to a whole number in one step; one that is not there counts as 0. A `ttl` counts for the record that this
--- call makes. Gives the sum, and with a ttl the seconds until the record is gone. Code "INVALID": the value is no
--- whole number. (since 1.0)
---
---     local count, seconds = chatty.shared.increment("tries/" .. user, 1, { ttl = 60 })
---     if count and count > 10 then return chatty.refuse(429, "slow-down", "Try again later.") end
---@param key string
---@param amount? integer       default 1
---@param options? {ttl?: number}
---@return integer|nil sum, number|string? seconds_or_message, string? code
function chatty.shared.increment(key, amount, options) end

--- What the plugin counts and measures, for all workers together, in /metrics: each name gets the prefix
--- chatty_plugin_, each series the label `plugin`. Names are declared once, in setup or at the top of the file. What
--- METRIC_SERIES_MAX leaves no room for is not counted.
chatty.metrics = {}

---@class counter               since 1.0
local counter = {}
--- (since 1.0)
---@param amount? number        default 1; not negative
---@param labels? table<string, any>  a value for each label
function counter:add(amount, labels) end

---@class gauge                 since 1.0
local gauge = {}
--- (since 1.0)
---@param value number
---@param labels? table<string, any>
function gauge:set(value, labels) end
--- (since 1.0)
---@param amount? number        default 1; may be negative
---@param labels? table<string, any>
function gauge:add(amount, labels) end

---@class histogram             since 1.0
local histogram = {}
--- (since 1.0)
---@param value number
---@param labels? table<string, any>
function histogram:observe(value, labels) end

--- (since 1.0)
---
---     local orders = chatty.metrics.counter("orders_total", "Orders seen.", { "state" })
---     orders:add(1, { state = "paid" })
---@param name string           a-z, 0-9 and _, at most 64
---@param help string           one line
---@param labels? string[]      at most 8
---@return counter
function chatty.metrics.counter(name, help, labels) end

--- (since 1.0)
---@param name string
---@param help string
---@param labels? string[]
---@return gauge
function chatty.metrics.gauge(name, help, labels) end

--- (since 1.0)
---@param name string
---@param help string
---@param labels? string[]
---@param bounds? number[]      rising, at most 32; default for seconds, from 0.005 to 10
---@return histogram
function chatty.metrics.histogram(name, help, labels, bounds) end

--- Requests to other servers. A plugin may ask the hosts that its `needs.http` names, and those of the URLs that its
--- options say; certificates are checked, no redirects are followed unless asked for. Codes of failures: UNAVAILABLE
--- (no connection), IO (it broke), TIMEOUT, LIMIT (a body is too large, or too many requests are under way), DENIED
--- (the host or its address is not allowed), INVALID (the URL), CANCELED (a dry run).
chatty.http = {}

---@class chatty.http_options   since 1.0
---@field method? string        of chatty.http.request; default GET, with a body POST
---@field headers? table<string, string|number|string[]>
---@field body? string
---@field json? any             encoded as the body
---@field timeout? number       seconds for all of it; default HTTP_TIMEOUT, at most 600
---@field body_max? integer     bytes of the answer; HTTP_BODY_MAX holds in any case
---@field redirects? integer    how many to follow; default 0, at most 10

---@class chatty.http_answer    since 1.0
---@field status integer
---@field headers table<string, string>  names in lower case; repeated ones joined with commas
---@field body string
---@field json any              the body decoded; nil when it is no JSON

--- (waits) (since 1.0)
---
---     local answer, message = chatty.http.get("https://shop.example/orders/7", { timeout = 2 })
---     if answer and answer.status == 200 then return answer.json.total end
---@param url string
---@param options? chatty.http_options
---@return chatty.http_answer|nil answer, string? message, string? code
function chatty.http.get(url, options) end

--- (waits) (since 1.0)
---@param url string
---@param options? chatty.http_options
---@return chatty.http_answer|nil answer, string? message, string? code
function chatty.http.post(url, options) end

--- (waits) (since 1.0)
---@param url string
---@param options? chatty.http_options
---@return chatty.http_answer|nil answer, string? message, string? code
function chatty.http.request(url, options) end

--- (waits) (since 1.0)
---@param seconds number
function chatty.sleep(seconds) end

--- Runs a function as a handler of its own, soon. Its errors are logged. Code "LIMIT": SPAWNED_MAX of them run or
--- wait in this worker. (since 1.0)
---@param f function
---@param ... any               its arguments
---@return true|nil, string? message, string? code
function chatty.spawn(f, ...) end

--- This process. `worker` counts from 0: each worker has a Lua state of its own with all plugins.
---@class chatty.node           since 1.0
---@field name string
---@field version string
---@field worker integer
chatty.node = {}

return chatty
