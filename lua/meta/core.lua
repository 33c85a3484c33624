---@meta
-- The C modules, as the Lua half sees them. Private: plugins see `chatty` and `app`, never these. Functions
-- marked (waits) yield the running handler and may be called wherever Lua 5.4 can yield. Failures of the
-- world are `nil, message, CODE`; an author's mistake is an error.

---@class core.node  `require "core.node"`
---@field name string            host name and process id
---@field version string
---@field worker integer         index of this worker, from 0; -1 in command line tools
---@field workers integer
---@field generation integer     1 at the start, more after reloads; 0 in command line tools
---@field home string            the folder that holds lua/ and plugins/
---@field settings table<string, string>  every setting's name and value as text
---@field trial? string          in a test: JSON, as lua/test/server.lua writes it

---@class core.log  `require "core.log"`
local log = {}
---@param level "debug"|"info"|"warn"|"error"
---@param message string
---@param fields? table<string, string|number|boolean>
function log.write(level, message, fields) end
---@param level string
---@return boolean
function log.is_on(level) end

---@class core.time  `require "core.time"`
local time = {}
---@return number seconds  since 1970, with milliseconds
function time.now() end
---@return number seconds  that only grow
function time.monotonic() end
---@param seconds? number  default now
---@return string  "2026-01-31T12:34:56.789Z"
function time.rfc3339(seconds) end

---@class core.greeting  `require "core.greeting"`; what every session is told first
local greeting = {}
--- For session:join. The template is raw JSON in which $count, $channels, $expires, $session and $user stand for raw
--- JSON of the session's; $channels are at most so many.
---@param event string
---@param template string
---@param channels_max integer
---@return userdata
function greeting.new(event, template, channels_max) end

---@class core.json  `require "core.json"`
---@field null lightuserdata   stands for null
local json = {}
--- Integers within 64 bits stay exact integers, other numbers are floats; an integer beyond becomes a
--- `json.number` (a userdata; tostring gives its digits). Arrays carry a mark, so an empty one stays an
--- array.
--- With `keep_order` each object has a metatable whose field `keys` lists its member names, each once, in the
--- order of the text; encode ignores it.
---@param text string
---@param keep_order? boolean
---@return any value, string? message, string? code, integer? offset   on failure code is "INVALID"
function json.decode(text, keep_order) end
--- Tables with the array mark, or with items 1..#t and nothing else, become arrays; an empty table
--- without the mark becomes {}. Object members are sorted by name. A table whose metatable has a field
--- `__value` is written as that value (read-only views). Raises on functions, cycles, NaN.
---@param value any
---@return string
function json.encode(value) end
--- The raw text of the member `key` of the object that `text` is; nil when there is none, when `text` is
--- another value, or when it is no JSON.
---@param text string
---@param key string
---@return string|nil
function json.find(text, key) end
--- The raw texts of the items of the array that `text` is; nil when it is another value, or no JSON.
---@param text string
---@return string[]|nil
function json.items(text) end
--- Marks a table as an array (also an empty one) and returns it.
---@generic T: table
---@param items? T
---@return T
function json.array(items) end
---@param value any
---@return boolean
function json.is_array(value) end
--- A piece of JSON that json.encode writes as it is. Checked: raises when it is no JSON.
---@param text string
---@return core.json.raw
function json.raw(text) end

---@class core.bus  `require "core.bus"`; the operations of the server
local bus = {}
--- This state wants init.on_disconnect, init.on_dropped, or init.on_presence.
---@param hook "disconnect"|"dropped"|"offline"|"online"
function bus.hear(hook) end
---@class core.bus.notify
---@field by "channels"|"users"
---@field names string[]            in request order, without duplicates
---@field efficient? boolean        each session once
---@field except? string[]          users that do not get it
---@field event? core.event         one for all names, or:
---@field events? core.event[]      one per name
---@field terms? {except_sessions?:string[], key?:string, ttl?:number, ack?:string}  ack: raw JSON
---@field origin? string            who asks, for `chatty why`
---@field id? string                idempotency key
---@field report? boolean           (waits) counts what was queued
---@field dry? boolean              (waits) counts what would be, delivers nothing
--- (waits if a durable channel keeps the event, until it is written) `id` is that of an event that a channel keeps.
---@param spec core.bus.notify
---@return true|{users:integer, sessions:integer, per_name:{users:integer, sessions:integer}[]}|nil
---@return string? id or message, string? code
function bus.notify(spec) end
--- (waits as bus.notify) One event that nobody counts, without the rest: nothing is made for it. Codes as those of
--- bus.notify, "INVALID" for a reserved name.
---@param by "channels"|"users"
---@param names string[]   in request order, without duplicates
---@param efficient boolean
---@param event core.event
---@param origin string
---@return true|nil, string? id_or_message, string? code
function bus.emit(by, names, efficient, event, origin) end
---@class core.bus.change
---@field verb "subscribe"|"unsubscribe"
---@field users? string[]           these users, or:
---@field users_of? string[]        all users subscribed to any of these channels
---@field channels string[]
---@field by? string                what the store keeps of who asks, with each new subscription
---@field dry? boolean              changes nothing, tells what it would
--- (waits) Returns when committed to the store.
---@param spec core.bus.change
---@return {users:integer, changed:integer}|nil, string? message, string? code
function bus.change(spec) end
--- (waits) Sorted.
---@param user string
---@return string[]|nil, string? message, string? code
function bus.subscriptions(user) end
--- (waits) The same as a page, with "MILLISECONDS BY" for each: since when it stands, and the `by` it came with.
---@param user string
---@param opts? {after?: string, size?: integer}
---@return string[]|nil channels, string[]|string texts_or_message, boolean|string more_or_code
function bus.origins(user, opts) end
--- (waits) Sorted; `more` tells that names follow the last one.
---@param channel string
---@param opts? {offline?:boolean, absent?:boolean, after?:string, size?:integer}  absent: only without a session
---@return string[]|nil users, boolean|string more, string? code
function bus.participants(channel, opts) end
--- (waits) Users with a live session, sorted.
---@param opts? {after?:string, size?:integer}
---@return string[]|nil users, boolean|string more, string? code
function bus.users(opts) end
--- (waits)
---@param user string
---@return integer|nil sessions, string? message, string? code
function bus.online(user) end
--- (waits)
---@return {users:integer, sessions:integer}|nil, string? message, string? code
function bus.count() end
--- (waits) Closes all sessions of the users, on all workers; returns how many.
---@param users string[]
---@param code integer   WebSocket close code
---@param reason string
---@param dry? boolean   only counts
---@return integer|nil sessions, string? message, string? code
function bus.disconnect(users, code, reason, dry) end
--- Parks a plugin on all other workers too.
---@param plugin string
---@param reason "time"|"memory"
function bus.park(plugin, reason) end

---@class core.cage  `require "core.cage"`  calls of plugins' functions
local cage = {}
--- Calls f(...) in a coroutine of its own, which is stopped when it takes too much time or memory, whatever
--- it has around it. It may wait. true and its results; or false, what happened ("error", "time", "memory",
--- "full": others have taken the memory, "value": one string or table is too large, "yield": it yielded and did not
--- wait), what was raised or else where ("plugins/shop.lua:12: " or ""), and
--- a traceback without our own functions.
---@param f function
---@param ... any
---@return boolean ok, any ...
function cage.call(f, ...) end
--- The same with the time that a plugin has to be loaded.
---@param f function
---@param ... any
---@return boolean ok, any ...
function cage.setup(f, ...) end

---@class core.history  `require "core.history"`
local history = {}
--- Channels whose names match the pattern keep events, for this state of Lua. In tools nothing is kept. False: they
--- shall be durable, and the store is not.
---@param pattern string  `*` stands for any characters
---@param limits {events: integer, bytes: integer, ttl_ms: integer, durable?: boolean}
---@return boolean
function history.keep(pattern, limits) end

---@class core.trace  `require "core.trace"`: what the workers recorded, a text of JSON from each
local trace = {}
--- (waits) The newest event that each worker emitted with this id, idempotency key or name; "null" for none.
---@param text string
---@return string[]
function trace.events(text) end
--- (waits) The user's sessions, what they got of an event, and when they confirmed it.
---@param user string
---@param number? integer  the event's
---@param ack? string      of the event
---@return string[]
function trace.sessions(user, number, ack) end
--- A session confirmed the event with this ack.
---@param session_id string
---@param ack string
function trace.confirm(session_id, ack) end

---@class core.token  `require "core.token"`
local token = {}
--- Checks signature, algorithm, exp, nbf, iss, aud and sub as the settings say.
---@param text string
---@return {user:string, expires?:number, claims:string, key:integer}|nil, string? message, string? code
--- `claims` is raw JSON; codes: TOKEN_INVALID, TOKEN_EXPIRED, TOKEN_NOT_YET, TOKEN_REVOKED. Counts failures.
function token.verify(text) end
---@param claims table   must have sub; iat is added
---@param ttl? number    seconds; exp is added
---@param start? integer seconds since 1970; iat is not before that
---@return string|nil token, string? message, string? code
function token.make(claims, ttl, start) end
--- (waits) Another secret on all workers; the one before stays good until then.
---@param secret string
---@param until_? number  seconds since 1970; none: its tokens and their sessions end now
---@return integer|nil sessions, string? message, string? code  sessions that were closed
function token.change_secret(secret, until_) end
--- (waits) Tells all workers what the store has kept; they close the sessions of it.
---@param space "revoked"|"tokens-from"
---@param key string
---@param value string    seconds since 1970
---@return integer|nil sessions, string? message, string? code  sessions that were closed
function token.revoke(space, key, value) end
--- The key in the space "revoked"; nil when the token has no jti.
---@param user string
---@param claims string  raw JSON
---@return string|nil key
function token.revocation_key(user, claims) end
--- How many tokens and users the worker knows as revoked.
---@return integer
function token.revocation_count() end
--- Forgets some of those tokens that are dead anyway; each call looks at further ones.
function token.sweep_revocations() end

---@class core.files  `require "core.files"`; reads of the server's own small files; does not wait
local files = {}
--- The names in a folder, sorted, without "." and "..".
---@param path string
---@return string[]|nil names, string? message, string? code
function files.list(path) end
---@param path string
---@return string|nil text, string? message, string? code
function files.read(path) end
--- nil when there is nothing, or something that is neither (a socket, a device).
---@param path string
---@return "file"|"folder"|nil kind
function files.kind(path) end
---@param path string
---@return integer|nil bytes, number? modified_or_message, string? code  seconds since 1970
function files.stat(path) end
--- Writes a file that is not there yet; code "EXISTS" when it is.
---@param path string
---@param text string
---@param mode? integer  default 420, which is 0644
---@return true|nil, string? message, string? code
function files.write_new(path, text, mode) end
--- Makes a folder; one that is there is fine.
---@param path string
---@return true|nil, string? message, string? code
function files.make_folder(path) end
--- Whether both name the same file or folder.
---@param a string
---@param b string
---@return boolean
function files.same(a, b) end
--- The path from the root, without links; for one that is there.
---@param path string
---@return string|nil path, string? message, string? code
function files.absolute(path) end

--- (waits) The secret becomes the key of all workers; tokens of the one before stay good until `until_`, seconds since
--- 1970, or end at once. Returns how many sessions were closed for that.
---@param secret string
---@param until_? number
---@return integer sessions
function token.change_secret(secret, until_) end

---@class core.secret  `require "core.secret"`
local secret = {}
--- Compares in a time that does not depend on where they differ.
---@param a string
---@param b string
---@return boolean
function secret.equal(a, b) end
---@param bytes integer
---@return string  url-safe base64 of that many random bytes
function secret.random(bytes) end
--- A digest (BLAKE2b, 256 bits) as hexadecimal: for long random keys, not for passwords.
---@param text string
---@return string
function secret.hash(text) end
--- HMAC-SHA256 as hexadecimal.
---@param key string
---@param text string
---@return string
function secret.hmac(key, text) end

---@class core.query  `require "core.query"`
local query = {}
--- Decodes a query: the parameters by name. `plain` names those that may come once and be any text; the others, and
--- those that come again, are listed behind: name, text, name, text ... in order. Without `plain` all are of that
--- kind, and of repeated ones the first counts. What cannot be decoded gives nil, its name if that can be, and
--- its raw text.
---@param text string   raw, without "?"
---@param plain? table<string, boolean>
---@return table<string, string>|nil values, string[]|string|nil others_or_name, string? piece
function query.parse(text, plain) end

---@class core.names  `require "core.names"`
local names = {}
--- Why it may not be the name of a user or channel, apart from its length: "is empty", "is not UTF-8" ...
---@param name string
---@return string|nil
function names.fault(name) end
--- What stands between commas, without blanks and tabs around it. Of nothing but blanks: an empty list.
---@param text string
---@return string[]
function names.split(text) end

---@class core.metrics  `require "core.metrics"`
local metrics = {}
---@return string  Prometheus text
function metrics.encode() end
---@param name string   as in core/base/metrics.h
---@param amount? integer
function metrics.add(name, amount) end

--- Makes a metric of plugins known. code "EXISTS": there is one of that name and of another kind or with other bounds.
---@param name string
---@param help string
---@param kind "counter"|"gauge"|"histogram"
---@param bounds? number[]  of a histogram, rising
---@return true|nil, string? message, string? code
function metrics.declare(name, help, kind, bounds) end
--- One series of it. code "LIMIT".
---@param name string
---@param labels string  plugin="shop",state="paid"
---@return lightuserdata|nil series, string? message, string? code
function metrics.series(name, labels) end
---@param series lightuserdata
---@param amount number
function metrics.increase(series, amount) end
---@param series lightuserdata
---@param value number
function metrics.set(series, value) end
---@param series lightuserdata
---@param value number
function metrics.observe(series, value) end

---@class core.task  `require "core.task"`
local task = {}
--- (waits)
---@param seconds number
function task.sleep(seconds) end
--- Runs a function as a handler of its own, from the next turn of the loop; in the background if the caller is.
---@param f function
function task.spawn(f, ...) end
--- Whether the running handler is in the background from now on: a reload ends it where it sleeps.
---@param is_background boolean
function task.background(is_background) end
--- A number that the running handler keeps, 0 at first, the same inside coroutines that it made itself; and another
--- outside of handlers. Gives it, and sets it if one is given.
---@param number? integer
---@return integer before
function task.nesting(number) end
--- Adds to that number.
---@param more integer
---@return integer before
function task.nest(more) end

---@class core.store  `require "core.store"`; durable records: a value by space and key. In command line tools it works
--- on the store's file at once, in the server it waits for the commit.
local store = {}
--- (waits) nil without a message when there is none, or it has expired.
---@param space string  who keeps it: "user", "key", "revoked" ...
---@param key string
---@return string|nil value, string? message, string? code
function store.get(space, key) end
---@class core.store.set
---@field ttl? number             seconds until it is gone
---@field expect? string|false    only if the value is this, or, with false, if there is none
--- (waits) Returns when committed. false: `expect` was not met.
---@param space string
---@param key string
---@param value string
---@param opts? core.store.set
---@return boolean|nil done, string? message, string? code
function store.set(space, key, value, opts) end
--- (waits) false: there was none.
---@param space string
---@param key string
---@return boolean|nil done, string? message, string? code
function store.delete(space, key) end
--- (waits) In byte order of the keys.
---@param space string
---@param opts? {prefix?:string, after?:string, size?:integer}  default size 1000
---@return {key:string, value:string}[]|nil records, boolean|string more, string? code
function store.each(space, opts) end

---@class core.shared  `require "core.shared"`; records in memory that all workers see: a value by space and key.
--- Nothing waits. Only in the server.
local shared = {}
---@param space string  who keeps it: "plugin:shop", "login" ...
---@param key string
---@return string|nil value
function shared.get(space, key) end
--- false: `expect` was not met. code "LIMIT".
---@param space string
---@param key string
---@param value string
---@param opts? core.store.set
---@return boolean|nil done, string? message, string? code
function shared.set(space, key, value, opts) end
--- false: there was none.
---@param space string
---@param key string
---@return boolean
function shared.delete(space, key) end
--- `ttl` counts when there is no record yet. codes "LIMIT", and "INVALID": the value is no whole number.
---@param space string
---@param key string
---@param amount? integer  default 1
---@param opts? {ttl?: number}
---@return integer|nil sum, number|string? seconds_or_message, string? code   seconds until it is gone, if it ever is
function shared.increment(space, key, amount, opts) end

---@class core.http  `require "core.http"`; requests to other servers
local http = {}
---@class core.http.query
---@field method string
---@field url string
---@field headers? string[]     name, value, name, value ...
---@field body? string
---@field timeout number        seconds, for all of it
---@field body_max? integer     of the answer; HTTP_BODY_MAX holds in any case
---@field public_only? boolean  the address must be one of the open Internet
--- (waits) Follows no redirects. codes: UNAVAILABLE, IO, TIMEOUT, LIMIT, DENIED (a private address), INVALID.
---@param query core.http.query
---@return integer|nil status, string[]|string headers, string body_or_code
function http.call(query) end
--- Takes an http or https URL apart; with `base` it may be relative. code INVALID, also for one with a user in it.
---@param url string
---@param base? string
---@return {url: string, scheme: "http"|"https", host: string, port: integer}|nil place, string? message, string? code
function http.parse(url, base) end

---@class core.trial  a server in this thread, of `chatty test`: `require "core.trial"`
local trial = {}
--- Starts it with the clock held. nil and what was logged when a plugin does not load.
---@param settings table<string, string>  as options.read gives them
---@param plan string                     what core.node.trial says over there
---@param wall_ms integer                 since 1970
---@return core.trial|nil, string? logs
function trial.new(settings, plan, wall_ms) end
--- Ends it; may be repeated. It ends without when it is collected.
function trial:close() end
--- Turns it until there is nothing to do.
---@return true|nil, string? message, string? code
function trial:settle() end
--- Moves the clock to the next deadline, or to `until_ms`, if that comes first. False: it is there already.
---@param until_ms integer
---@return boolean
function trial:step(until_ms) end
--- Tells it to stop; `settle` and `step` then let it.
function trial:stop() end
---@return integer milliseconds  since 1970
function trial:now() end
--- What was logged since the last call: a JSON array of { level, message, fields }.
---@return string
function trial:logs() end
--- Connects as a client.
---@return core.trial.pipe|nil, string? message, string? code
function trial:connect() end
--- Calls test.agent.call over there, as a task.
---@param text string
---@return integer number  for `answer`
function trial:call(text) end
--- The answer's text, once; nil: it has not come yet.
---@param number integer
---@return string|nil
function trial:answer(number) end

---@class core.trial.pipe  a client's end of a connection; it does not block
local pipe = {}
--- Gives how many bytes were taken.
---@param bytes string
---@return integer
function pipe:write(bytes) end
--- What there is, and whether nothing more comes.
---@return string bytes, boolean is_over
function pipe:read() end
function pipe:close() end
