-- The settings: the only list of them, as data. Defaults, names, checks, `chatty config`, the flags of
-- `chatty help serve` and docs/settings.md all come from here.

local option_types = require "settings.types"
local settings_check = require "settings.check"
local settings_page = require "settings.page"
local settings_sources = require "settings.sources"

local options = {}

---@class options.option
---@field name string         SHOUTED; its flag is --shouted
---@field type "integer"|"size"|"duration"|"boolean"|"enum"|"string"|"store"|"list"
---@field default? string     as people write it; without one the setting may be not set
---@field unset? string       what happens when it is not set
---@field min? string
---@field max? string
---@field values? string[]    of an enum
---@field item? string        of a list: folder, plugin, key, origin
---@field separator? string   of a list
---@field none? boolean       of a list: the word `none` stands for the empty one
---@field secret? boolean     never shown
---@field aliases? string[]   other names in .env and environment
---@field chooses_prefix? boolean
---@field hint? string        added to the message about a wrong value
---@field doc string          one sentence

options.sections = {
  { title = "Server",
    { name = "CHATTY_ENV", type = "enum", values = { "development", "test", "production" },
      default = "development", aliases = { "NODE_ENV" }, chooses_prefix = true,
      doc = "Chooses which prefixed names are read: DEV_, TEST_ or PROD_." },
    { name = "APP_PORT", type = "integer", min = "0", max = "65535", default = "3000", aliases = { "PORT" },
      doc = "The port to listen on; 0 picks a free one and logs it." },
    { name = "APP_HOST", type = "string", unset = "all interfaces",
      doc = "The address or name to listen on." },
    { name = "WORKERS", type = "integer", min = "0", max = "256", default = "0",
      doc = "Threads that serve connections; 0 means one for each core." },
    { name = "STORE", type = "store", default = "sqlite:chatty.db",
      doc = "Where standing subscriptions are kept; memory forgets them when the server stops." },
    { name = "STOP_TIMEOUT", type = "duration", min = "0s", max = "10m", default = "10s",
      doc = "How long a stopping server waits for requests under way and for closing sessions." },
    { name = "STOP_DELAY", type = "duration", min = "0s", max = "10m", default = "0s",
      doc = "How long a server that is told to stop goes on serving, but says at /readyz that it is not ready." },
    { name = "STOP_SPREAD", type = "duration", min = "0s", max = "5m", default = "3s",
      doc = "Over how long sessions are told 1012 when the server stops; at most half of STOP_TIMEOUT." },
    { name = "LOG_LEVEL", type = "enum", values = { "debug", "info", "warn", "error" }, default = "info",
      doc = "The least weighty lines that are logged." },
    { name = "LOG_FORMAT", type = "enum", values = { "text", "json" }, default = "text",
      doc = "Log lines as text, or each as a JSON object." },
  },
  { title = "Plugins",
    { name = "PLUGINS", type = "list", item = "folder", separator = ":", none = true, default = "plugins",
      doc = "Folders whose plugins are loaded." },
    { name = "ENABLE", type = "list", item = "plugin", separator = ",", none = true,
      default = "origin,date_time",
      doc = "The shipped plugins that are loaded." },
    { name = "PLUGIN_OPTIONS", type = "string", default = "options.lua",
      doc = "A Lua file that returns the options of plugins by name; the default one may be missing." },
    { name = "TIMERS_MAX", type = "integer", min = "0", max = "100000", default = "1000",
      doc = "Timers of all plugins together (app:every, app:once); more end the start." },
    { name = "SPAWNED_MAX", type = "integer", min = "1", max = "1000000", default = "10000",
      doc = "Functions of chatty.spawn that run or wait in each worker; further ones are refused." },
    { name = "GRANT", type = "list", item = "grant", separator = ",", unset = "nothing",
      doc = "Libraries of Lua for plugins that need them: PLUGIN:io, PLUGIN:os or PLUGIN:debug." },
    { name = "SCRIPT_BUDGET", type = "duration", min = "20ms", max = "1m", default = "250ms",
      doc = "CPU time of a handler of a plugin, from wait to wait; then it is stopped (500)." },
    { name = "SCRIPT_SETUP_BUDGET", type = "duration", min = "20ms", max = "10m", default = "5s",
      doc = "CPU time of a plugin's file and its setup, at the start." },
    { name = "SCRIPT_MEMORY_MAX", type = "size", min = "16mb", max = "64gb", default = "128mb",
      doc = "Memory of the Lua state of each worker; the plugin that fills it is stopped (500)." },
    { name = "SCRIPT_VALUE_MAX", type = "size", min = "1mb", max = "4gb", default = "16mb",
      doc = "The largest string or table that a plugin may make." },
    { name = "PATTERN_STEPS_MAX", type = "integer", min = "10000", max = "1000000000", default = "10000000",
      doc = "Steps of one call of string.find, match, gmatch or gsub; with more it fails." },
    { name = "OVERRUNS_MAX", type = "integer", min = "0", max = "1000000", default = "5",
      doc = "Times that a plugin is stopped within OVERRUNS_WINDOW before it is parked (503); 0 never parks." },
    { name = "OVERRUNS_WINDOW", type = "duration", min = "1s", max = "24h", default = "10m",
      doc = "The time in which the times that a plugin was stopped are counted." },
    { name = "DROPPED_MAX", type = "integer", min = "1", max = "1000000", default = "1000",
      doc = "Events that sessions did not get and the hook dropped is still to hear of, in each worker." },
    { name = "METRIC_SERIES_MAX", type = "integer", min = "0", max = "10000000", default = "10000",
      doc = "Series of all plugins together (chatty.metrics); what has further labels is not counted." },
    { name = "RELOAD_TIMEOUT", type = "duration", min = "50ms", max = "10m", default = "30s",
      doc = "How long handlers that began before a reload may go on; then they are cancelled." },
    { name = "RELOAD_OLD_MAX", type = "integer", min = "2", max = "32", default = "4",
      doc = "How many earlier generations may still have such handlers; a further reload waits." },
    { name = "WATCH", type = "boolean", default = "false",
      doc = "Reload when a file of the plugins changes, for development." },
    { name = "SHARED_ENTRIES_MAX", type = "integer", min = "1", max = "100000000", default = "1000000",
      doc = "Entries of the dictionary that the workers share (chatty.shared); further ones are refused." },
    { name = "SHARED_MEMORY_MAX", type = "size", min = "64kb", max = "64gb", default = "64mb",
      doc = "Memory of the dictionary that the workers share; what does not fit is refused." },
  },
  { title = "Requests of plugins",
    { name = "HTTP_TIMEOUT", type = "duration", min = "50ms", max = "10m", default = "10s",
      doc = "How long a request to another server (chatty.http) may take, unless its plugin says otherwise." },
    { name = "HTTP_CALLS_MAX", type = "integer", min = "1", max = "100000", default = "256",
      doc = "Requests to other servers that run at one time." },
    { name = "HTTP_CALLS_WAITING_MAX", type = "integer", min = "0", max = "1000000", default = "10000",
      doc = "Further ones that wait for their turn; beyond, they are refused." },
    { name = "HTTP_BODY_MAX", type = "size", min = "1kb", max = "1gb", default = "1mb",
      doc = "The largest body of such a request, and of its answer." },
    { name = "HTTP_MEMORY_MAX", type = "size", min = "1mb", max = "1024gb", default = "64mb",
      doc = "Bodies of all of them, both ways, in memory at one time." },
    { name = "HTTP_PRIVATE", type = "boolean", default = "false",
      doc = "Lets plugins that may ask any host also reach addresses of this machine and of private networks." },
    { name = "HTTP_CA_FILE", type = "string", unset = "those of the system",
      doc = "The PEM file of the authorities whose certificates other servers may have." },
  },
  { title = "Tokens",
    { name = "JWT_SECRET", type = "string", secret = true, unset = "required with HS algorithms",
      doc = "The secret that users' tokens are signed with (HS256, HS384, HS512)." },
    { name = "JWT_ALGORITHM", type = "enum", default = "HS256",
      values = { "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "ES256", "ES384", "ES512" },
      doc = "The one algorithm that tokens may be signed with, whatever they say of themselves." },
    { name = "JWT_PUBLIC_KEY_FILE", type = "string", unset = "not set",
      doc = "The PEM file of the key that RS and ES tokens are checked with; required for those." },
    { name = "JWT_PRIVATE_KEY_FILE", type = "string", unset = "not set",
      doc = "The PEM file of the key that `chatty token` and plugins make RS and ES tokens with." },
    { name = "JWT_ISSUER", type = "string", unset = "any",
      doc = "What the claim iss of a token must be." },
    { name = "JWT_AUDIENCE", type = "string", unset = "any",
      doc = "What the claim aud of a token must be or contain." },
    { name = "JWT_LEEWAY", type = "duration", min = "0s", max = "5m", default = "5s",
      doc = "How far the clocks of server and token maker may differ." },
  },
  { title = "Control and origins",
    { name = "CONTROL_KEY", type = "list", item = "key", separator = ",", secret = true, unset = "no keys",
      doc = "The keys that give an app server the right to control; several make a change easy." },
    { name = "CONTROL_AUTH", type = "enum", values = { "key", "none" }, default = "key",
      doc = "Whether control needs a key, or a token with the role control; none lets everybody in." },
    { name = "CONTROL_AUTH_NONE_ANYWHERE", type = "boolean", default = "false",
      doc = "Allows CONTROL_AUTH=none on an address that other machines can reach." },
    { name = "ALLOWED_ORIGINS", type = "list", item = "origin", separator = ",", unset = "same origin",
      doc = "Origins whose pages may use cookies here; bearer tokens may come from anywhere." },
  },
  { title = "Users",
    { name = "REGISTRATION", type = "enum", values = { "control", "open", "off" }, default = "control",
      doc = "Who may register users over HTTP: those with control rights, everybody, or none." },
    { name = "LOGIN_TTL", type = "duration", min = "1s", max = "720h", default = "12h",
      doc = "How long the token and the cookie of a login are valid." },
    { name = "LOGIN_RATE_MAX", type = "integer", min = "1", max = "1000000", default = "10",
      doc = "Failed logins a minute from one address, and for one name (429)." },
  },
  { title = "Sessions",
    { name = "SESSIONS_MAX", type = "integer", min = "1", max = "10000000", default = "100000",
      doc = "Live sessions of this node." },
    { name = "SESSIONS_PER_USER_MAX", type = "integer", min = "1", max = "1000000", default = "100",
      doc = "Live sessions of one user." },
    { name = "OFFLINE_GRACE", type = "duration", min = "0s", max = "1h", default = "10s",
      doc = "How long after the end of his last session a user counts as gone (hook offline)." },
    { name = "SUBSCRIPTIONS_PER_USER_MAX", type = "integer", min = "1", max = "1000000", default = "10000",
      doc = "Channels that one user may be subscribed to." },
    { name = "SUBSCRIPTIONS_MAX", type = "integer", min = "1", max = "1000000000", default = "10000000",
      doc = "Subscriptions of all users together." },
    { name = "REVOCATIONS_MAX", type = "integer", min = "1", max = "100000000", default = "1000000",
      doc = "Revoked tokens, and users whose older tokens ended, that are remembered; beyond it a logout is 503." },
    { name = "SESSION_QUEUE_MAX", type = "size", min = "4kb", max = "1gb", default = "1mb",
      doc = "What may wait for one slow session before it is closed (4002)." },
    { name = "SESSION_QUEUE_AGE", type = "duration", min = "100ms", max = "1h", default = "60s",
      doc = "How long an event may wait for one slow session before it is closed (4002), within twice that time." },
    { name = "QUEUES_MAX", type = "size", min = "64kb", max = "1024gb", default = "256mb",
      doc = "What may wait for all slow sessions together: each may hold a quarter of what is left (4002); beyond it"
        .. " notify is refused (503), until the slowest are closed (4002), in a few seconds." },
    { name = "FRAME_MAX", type = "size", min = "128b", max = "64mb", default = "64kb",
      doc = "The largest message that a client may send (1009)." },
    { name = "FRAGMENTS_MAX", type = "integer", min = "1", max = "1000000", default = "16384",
      doc = "Frames of one message from a client (1008)." },
    { name = "PING_INTERVAL", type = "duration", min = "50ms", max = "1h", default = "25s",
      doc = "How often each session is pinged." },
    { name = "PING_TIMEOUT", type = "duration", min = "50ms", max = "1h", default = "10s",
      doc = "How long a pong may take before the session is closed." },
    { name = "AUTH_TIMEOUT", type = "duration", min = "50ms", max = "5m", default = "10s",
      doc = "How long a session may be without a token, or a client of Socket.IO without a namespace (4500)." },
    { name = "EXPIRING_NOTICE", type = "duration", min = "0s", max = "1h", default = "30s",
      doc = "How long before its token dies a session is told so." },
    { name = "CLOSE_TIMEOUT", type = "duration", min = "50ms", max = "1m", default = "5s",
      doc = "How long a closing handshake may take." },
  },
  { title = "Socket.IO",
    { name = "SOCKETIO", type = "boolean", default = "true",
      doc = "Whether clients of Socket.IO are served." },
    { name = "SOCKETIO_PATH", type = "prefix", default = "/socket.io/",
      doc = "The path that they connect to." },
    { name = "SOCKETIO_CLIENT", type = "string", unset = "not served",
      doc = "The folder of an installed client (node_modules/socket.io-client/dist), served below that path." },
    { name = "POLLING_MAX", type = "size", min = "1kb", max = "64mb", default = "1000000b",
      doc = "The largest body of a polling client, as clients are told (maxPayload, 413)." },
    { name = "ATTACHMENTS_MAX", type = "integer", min = "0", max = "1000", default = "10",
      doc = "Binary attachments of one packet; with more the connection is closed (1002)." },
    { name = "NAMESPACES_MAX", type = "integer", min = "1", max = "1000", default = "16",
      doc = "Namespaces that one connection may be in; with more it is closed (1002)." },
  },
  { title = "History",
    { name = "HISTORY_MEMORY_MAX", type = "size", min = "64kb", max = "1024gb", default = "64mb",
      doc = "Memory for the events that channels keep, of this node; the oldest go first." },
    { name = "REPLAY_MAX", type = "integer", min = "1", max = "1000000", default = "1000",
      doc = "Missed events that a session is brought when it comes back; beyond that it is told of a gap." },
  },
  { title = "Explanations",
    { name = "TRACE_MEMORY_MAX", type = "size", min = "64kb", max = "16gb", default = "16mb",
      doc = "Memory for what `chatty why` tells: who was given which event; the oldest records go." },
  },
  { title = "Requests",
    { name = "MAX_REQ_SIZE", type = "size", min = "1kb", max = "1gb", default = "1mb",
      doc = "The largest body of a request (413)." },
    { name = "REQUEST_MEMORY_MAX", type = "size", min = "1mb", max = "1024gb", default = "256mb",
      doc = "Bodies of all requests together, in memory at one time (503)." },
    { name = "JSON_DEPTH_MAX", type = "integer", min = "8", max = "1000", default = "128",
      doc = "Objects and arrays within each other in a body or message." },
    { name = "NAMES_MAX", type = "integer", min = "1", max = "1000000", default = "10000",
      doc = "Names in one list of users or channels." },
    { name = "BATCH_MAX", type = "integer", min = "1", max = "100000", default = "1000",
      doc = "Operations in one batch (400)." },
    { name = "NAME_MAX", type = "integer", min = "1", max = "1024", default = "255",
      doc = "Bytes of the name of a user or channel." },
    { name = "PAGE_SIZE_MAX", type = "integer", min = "1", max = "1000000", default = "10000",
      doc = "Names in one page of a search." },
    { name = "HEADER_MAX", type = "size", min = "1kb", max = "1mb", default = "16kb",
      doc = "Request line and headers together (431)." },
    { name = "HEADERS_MAX", type = "integer", min = "8", max = "10000", default = "100",
      doc = "Header lines of a request (431)." },
    { name = "URL_MAX", type = "size", min = "256b", max = "1mb", default = "8kb",
      doc = "Path and query of a request (414)." },
    { name = "HEADER_TIMEOUT", type = "duration", min = "50ms", max = "10m", default = "10s",
      doc = "From the first byte of a request to the end of its headers (408)." },
    { name = "BODY_TIMEOUT", type = "duration", min = "50ms", max = "10m", default = "15s",
      doc = "The longest pause within a body (408)." },
    { name = "BODY_RATE_MIN", type = "size", min = "0b", max = "1gb", default = "500b",
      doc = "Bytes a second that a body must bring on the average (408); 0 asks for none." },
    { name = "IDLE_TIMEOUT", type = "duration", min = "50ms", max = "1h", default = "75s",
      doc = "How long a connection is kept between two requests." },
    { name = "WRITE_TIMEOUT", type = "duration", min = "50ms", max = "10m", default = "30s",
      doc = "How long a client may take nothing of a waiting answer before it is closed." },
    { name = "PIPELINE_MAX", type = "size", min = "1kb", max = "16mb", default = "64kb",
      doc = "Bytes read ahead of a connection while its request is being answered." },
    { name = "PASSWORD_THREADS", type = "integer", min = "0", max = "16", default = "0",
      doc = "Threads that work on passwords; 0 means half as many as cores, and at least one." },
    { name = "PASSWORD_JOBS_MAX", type = "integer", min = "1", max = "100000", default = "64",
      doc = "Passwords that are worked on or wait for it at one time (503)." },
    { name = "CONNECTIONS_MAX", type = "integer", min = "1", max = "10000000", default = "110000",
      doc = "Connections of this node, sessions included; further ones are closed at once." },
  },
}

--- All settings in one list, in the order of the sections.
---@return options.option[]
function options.list()
  local list = {}
  for _, section in ipairs(options.sections) do
    table.move(section, 1, #section, #list + 1, list)
  end
  return list
end

--- Merges .env, environment and flags into the canonical text of every setting ("" when it is not set),
--- and tells where each came from: "default", ".env DEV_APP_PORT", "environment APP_PORT", "--app-port".
---@param input settings_sources.input
---@return table<string, string>|nil settings, table|string sources_or_line, string[]? warnings
function options.read(input)
  return settings_sources.merge(options.list(), input)
end

--- Types the text of settings: sizes in bytes, durations in seconds, lists as arrays. A setting that is
--- missing has its default; one that is not set and has none is nil, or {} if it is a list.
---@param settings table<string, string>  as options.read gives them
---@return table<string, any>
function options.parse(settings)
  local values = {}
  for _, option in ipairs(options.list()) do
    local text = settings[option.name]
    if not text or text == "" then text = option.default end
    local value = text and option_types.parse(option, text)
    if text and value == nil then error(option.name .. " has text that options.read did not make", 2) end
    if value == nil and option.type == "list" then value = {} end
    values[option.name] = value
  end
  return values
end

--- What can only be judged of several settings together, asked before the server starts.
---@param settings table<string, string>
---@return string[]|nil warnings, string? line
function options.check(settings)
  return settings_check.check(options.parse(settings))
end

--- Whether there is what tokens are checked with ("verify") or made with ("sign").
---@param settings table<string, string>
---@param purpose? "verify"|"sign"  default "verify"
---@return true|nil, string? line
function options.require_secret(settings, purpose)
  return settings_check.require_secret(options.parse(settings), purpose or "verify")
end

--- The text of a setting for people: sizes and durations in handy units, secrets as (set).
---@param option options.option
---@param text string  canonical
---@return string
function options.show(option, text)
  if option.secret then return text == "" and "(not set)" or "(set)" end
  if text == "" then return ("(%s)"):format(option.unset) end
  return option_types.show(option, option_types.parse(option, text))
end

--- The page docs/settings.md.
---@return string
function options.markdown()
  return settings_page.markdown(options.sections)
end

return options
