---@meta
-- What specs get by `require "chatty.test"` in `chatty test`: LuaCATS stubs for editors, and its reference. Times are
-- in seconds. Everything lets the server do what it can do, and returns when nothing is left to do; time goes on by
-- t:advance only.

---@class chatty.test
local test = {}

---@class test.spec             since 1.0
---@field options? table<string, any>  values of the plugin's options; of several plugins: by the plugin's name
---@field settings? table<string, any>  the server's settings, by name; all others have their defaults
---@field now? number           when its clock begins, seconds since 1970; default 2026-01-01T00:00:00Z

--- A server with one plugin: its file, its folder, or the name of a shipped one. A file is looked for from the working
--- directory, and from the spec's folder and those above it. It starts, fresh, in each test that does something with
--- it, and ends with the test. (since 1.0)
---
---     local t = require("chatty.test").plugin("plugins/hello.lua")
---@param path string
---@param spec? test.spec
---@return test.server
function test.plugin(path, spec) end

--- The same with several plugins, or with none. (since 1.0)
---@param paths string[]
---@param spec? test.spec
---@return test.server
function test.plugins(paths, spec) end

--- As chatty.json of plugins.
---@type table
test.json = {}

---@class test.server           what a spec holds as `t`
---@field chatty chatty         the module `chatty` of the plugin (of several: of the first): what is called of it
---        happens over there. Arguments and results are what JSON can say
local t = {}

---@class test.request          since 1.0
---@field method? string        of t:request and t:begin
---@field path? string          likewise; it may bring its query
---@field query? table<string, any>
---@field headers? table<string, any>
---@field json? any             the body, encoded
---@field document? table       the body, a JSON:API document
---@field body? string          the body as it is
---@field user? string          whose token it has; default: it is a stranger's
---@field claims? table         further claims of that token
---@field token? string         any other token
---@field control? boolean      it has the control key

---@class test.response         since 1.0
---@field status integer
---@field headers table<string, string|string[]>  by name in lower case; one that came several times is a list
---@field body string
---@field json? any             the body, decoded, when it is JSON
---@field error? table          the first of its error objects

--- Sends a GET request. Fails the test when the handler waits. (since 1.0)
---@param path string
---@param spec? test.request
---@return test.response
function t:get(path, spec) end

--- (since 1.0)
---@param path string
---@param spec? test.request
---@return test.response
function t:head(path, spec) end

--- (since 1.0)
---
---     t:post("/orders", { user = "ann", json = { id = "7" } })
---@param path string
---@param spec? test.request
---@return test.response
function t:post(path, spec) end

--- (since 1.0)
---@param path string
---@param spec? test.request
---@return test.response
function t:put(path, spec) end

--- (since 1.0)
---@param path string
---@param spec? test.request
---@return test.response
function t:patch(path, spec) end

--- (since 1.0)
---@param path string
---@param spec? test.request
---@return test.response
function t:delete(path, spec) end

--- (since 1.0)
---@param path string
---@param spec? test.request
---@return test.response
function t:options(path, spec) end

--- Sends any request. (since 1.0)
---@param spec test.request
---@return test.response
function t:request(spec) end

--- Sends any request, whose handler may wait. (since 1.0)
---@param spec test.request
---@return test.pending
function t:begin(spec) end

---@class test.pending
local pending = {}

--- The response; nil while the handler waits. (since 1.0)
---@return test.response|nil
function pending:response() end

---@class test.handshake: test.request  since 1.0
---@field transport? "ws"|"sse"|"sio"  default "ws"
---@field namespace? string     of Socket.IO; default "/"
---@field auth? table           of Socket.IO: what it says with CONNECT

--- Opens a session, of a user or without a token. `chatty:connected` is not among its events. (since 1.0)
---@param user? string
---@param spec? test.handshake
---@return test.session
function t:connect(user, spec) end

--- Opens a WebSocket of a plugin's own. (since 1.0)
---@param path string
---@param spec? test.request
---@return test.socket
function t:websocket(path, spec) end

--- Emits an event as the app server does: POST /control/notify. Fields as of chatty.notify; what stands in the body
--- there is taken as it is. (since 1.0)
---
---     t:notify { channels = { "lobby" }, event = "x", attributes = { a = 1 } }
---@param event chatty.notification
---@return test.response
function t:notify(event) end

--- Subscribes users to channels, with the rights of the app server. (since 1.0)
---@param users string[]
---@param channels string[]
---@return chatty.changed
function t:subscribe(users, channels) end

--- (since 1.0)
---@param users string[]
---@param channels string[]
---@return chatty.changed
function t:unsubscribe(users, channels) end

--- A token for a user. (since 1.0)
---@param user string
---@param claims? table         further claims
---@param ttl? number           default: it never dies
---@return string
function t:token(user, claims, ttl) end

---@class test.http_stub        since 1.0
---@field status? integer       default 200
---@field headers? table<string, any>
---@field json? any             the body, encoded
---@field body? string          the body as it is
---@field delay? number         how long it takes; a call whose timeout is shorter fails
---@field error? string         the code that the call fails with: "UNAVAILABLE", "TIMEOUT" ...
---@field message? string       of that failure

--- Answers in the place of another server. The target is a URL, perhaps with a method in front of it, or with a `*`
--- at its end for all that begin so; what was said last goes first. Of a list of answers each call gets the next one,
--- in the end the last one again and again. What nobody stubbed fails, and logs an error. (since 1.0)
---
---     t:stub_http("POST http://shop.test/*", { { status = 503 }, { json = { ok = true } } })
---@param target string
---@param answer? test.http_stub|test.http_stub[]
function t:stub_http(target, answer) end

---@class test.http_call        since 1.0
---@field method string
---@field url string
---@field headers table<string, string>  by name in lower case
---@field body? string
---@field json? any             the body, decoded, when it is JSON
---@field at number             when, seconds since 1970

--- What plugins asked other servers in this test, in order. (since 1.0)
---@return test.http_call[]
function t:http_calls() end

--- Lets time go on: timers, sleeps, expiries happen in their order, each at its time. (since 1.0)
---@param seconds number
function t:advance(seconds) end

--- What time it is there, seconds since 1970. (since 1.0)
---@return number
function t:now() end

--- Lets the server do what it can do. All else here does so by itself. (since 1.0)
function t:settle() end

--- What plugins have counted by chatty.metrics: the sum of all series that have these labels; nil when there is none.
--- (since 1.0)
---@param name string           as it was declared; of a histogram with _count or _sum behind it
---@param labels? table<string, any>
---@return number|nil
function t:metric(name, labels) end

--- Loads the plugins anew, as POST /control/reload does. (since 1.0)
---@return test.response
function t:reload() end

--- Stops the server, as SIGTERM does; what takes its time takes it by t:advance. Without it the hooks `stop` do not
--- run in a test. (since 1.0)
function t:stop() end

---@class test.log_line         since 1.0
---@field level "debug"|"info"|"warn"|"error"
---@field message string
---@field fields table<string, any>

--- All lines of the log. (since 1.0)
---@return test.log_line[]
function t:logs() end

--- The first line of the log that matches and was not expected yet. Fails the test when there is none. A line of level
--- error that no test expects fails it. (since 1.0)
---@param pattern string        of Lua
---@return test.log_line
function t:expect_log(pattern) end

--- The field `chatty`, for another plugin. (since 1.0)
---@param plugin string         its name
---@return chatty
function t:chatty_of(plugin) end

---@class test.event            since 1.0
---@field event string
---@field attributes any
---@field ack? any              the number that it answers, or wants to be answered with
---@field id? string            of an event that its channel keeps

---@class test.session
---@field user? string
---@field id? string            of the session, once it is live
---@field connected? table      the attributes of chatty:connected; nil until the session is live
---@field status integer        of the answer to the handshake: 101 when it was taken
---@field response test.response  that answer
local session = {}

--- The event that came first, decoded, and its text as it came. Fails the test when there is none. (since 1.0)
---@return test.event event, string text
function session:next() end

--- All events that came; none is an empty list. (since 1.0)
---@return test.event[]
function session:events() end

--- Fails the test when an event has come. (since 1.0)
function session:none() end

--- Sends an event; with `ack`, a number, the answer comes as an event with it. (since 1.0)
---@param name string
---@param attributes? any       default {}
---@param ack? integer
function session:send(name, attributes, ack) end

--- Sends an event and gives how it was acknowledged; or nil and { status, code, detail }. (since 1.0)
---@param name string
---@param attributes? any
---@return any acknowledgement, table? refused
function session:ask(name, attributes) end

--- Acknowledges an event, by the number that it has as `ack`; over Socket.IO with a value. (since 1.0)
---@param ack any
---@param value? any
function session:acknowledge(ack, value) end

--- Sends a frame as it is. (since 1.0)
---@param data string
---@param is_binary? boolean
function session:send_raw(data, is_binary) end

--- Closes it, as a client does. (since 1.0)
---@param code? integer         default 1000
---@param reason? string
function session:close(code, reason) end

--- Is gone without a word. (since 1.0)
function session:cut() end

--- With what it was closed, by whomever; nil while it is open. (since 1.0)
---@return integer|nil code, string? reason
function session:closed() end

---@class test.socket
---@field status integer        of the answer to the handshake
---@field response test.response  that answer
local socket = {}

--- The message that came first, and whether it is binary. Fails the test when there is none. (since 1.0)
---@return string data, boolean is_binary
function socket:next() end

--- Fails the test when a message has come. (since 1.0)
function socket:none() end

--- (since 1.0)
---@param data string
---@param is_binary? boolean
function socket:send(data, is_binary) end

--- (since 1.0)
---@param code? integer         default 1000
---@param reason? string
function socket:close(code, reason) end

--- Is gone without a word. (since 1.0)
function socket:cut() end

--- (since 1.0)
---@return integer|nil code, string? reason
function socket:closed() end
