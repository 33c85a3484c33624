-- The commands of this release, as data: what command lines may hold, and what `chatty help` tells.

local nearest = require "nearest"

local commands = {}

---@class cli.flag
---@field name string
---@field value? string      what stands after it in the usage; without one it is a switch
---@field repeated? boolean  may be given several times
---@field doc string

---@class cli.command
---@field name string
---@field usage string
---@field doc string
---@field flags cli.flag[]
---@field words? integer            how many arguments that are no flags it takes
---@field reads_settings? boolean   and so takes every setting as a flag

commands.list = {
  { name = "serve", usage = "chatty [serve] [--SETTING=VALUE]...", reads_settings = true, flags = {},
    doc = "Runs the server; so does chatty without a command." },
  { name = "init", usage = "chatty init", flags = {},
    doc = "Writes .env with random secrets, a first plugin and its spec; never overwrites." },
  { name = "config", usage = "chatty config [--json]", reads_settings = true,
    flags = { { name = "json", doc = "Prints a JSON object." } },
    doc = "Prints every setting with its value, where it comes from, and what it means." },
  { name = "routes", usage = "chatty routes [--json]", reads_settings = true,
    flags = { { name = "json", doc = "Prints a JSON array." } },
    doc = "Prints every route with its plugin and its guard, and what plugins say of channels." },
  { name = "token", reads_settings = true,
    usage = "chatty token --sub USER [--ttl 1h] [--role control] [--claim NAME=VALUE]... | --check TOKEN",
    doc = "Makes a token, or says whether one is valid.",
    flags = {
      { name = "sub", value = "USER", doc = "The user that the token is for." },
      { name = "ttl", value = "TIME", doc = "How long it is valid (ms, s, m, h); default 1h." },
      { name = "role", value = "ROLE", doc = "The claim role; control gives all control rights." },
      { name = "claim", value = "NAME=VALUE", repeated = true,
        doc = "A further claim; a VALUE that is JSON counts as JSON, any other as a string." },
      { name = "check", value = "TOKEN", doc = "Checks this token and prints its claims." },
    } },
  { name = "user", reads_settings = true, words = 2,
    usage = "chatty user add NAME [--role ROLE]... | passwd NAME | list | remove NAME",
    doc = "Adds, changes, lists and removes the users that log in with a password; also while the server runs.",
    flags = {
      { name = "role", value = "ROLE", repeated = true,
        doc = "A role in the user's tokens; control gives all control rights." },
      { name = "password-stdin", doc = "Reads the password from standard input without asking for it." },
      { name = "hash-stdin", doc = "Reads a hash in its place: of bcrypt, or of Argon2id." },
    } },
  { name = "key", reads_settings = true, words = 2,
    usage = "chatty key add NAME [--scope SCOPE,...] | list | revoke NAME",
    doc = "Makes, lists and revokes named control keys; also while the server runs.",
    flags = {
      { name = "scope", value = "SCOPE,...",
        doc = "What it is good for: notify, subscribe, search, disconnect, auth, admin; default admin, all of it." },
    } },
  { name = "why", reads_settings = true,
    usage = "chatty why --user USER [--event EVENT] [--json]",
    doc = "Asks the running server why a user got an event, or did not, and why he is subscribed to what.",
    flags = {
      { name = "user", value = "USER", doc = "The user." },
      { name = "event", value = "EVENT", doc = "The event: its id, idempotency key or name; the newest counts." },
      { name = "json", doc = "Prints the answer as it came." },
    } },
  { name = "bench", reads_settings = true,
    usage = "chatty bench [--sessions N] [--publishers N] [--rate N] [--seconds N] [--json]... [--url URL [--pid PID]]",
    doc = "Puts load on a server of its own, or on one that runs, and tells what it did and cost.",
    flags = {
      { name = "url", value = "URL", doc = "A server that runs, http://HOST:PORT; default: one of its own." },
      { name = "pid", value = "PID", doc = "The process of that server, if it is here: for its CPU and memory." },
      { name = "sessions", value = "N", doc = "Sessions, each of a user of its own; default 1000." },
      { name = "channels", value = "N", doc = "Channels over which they are spread; default 1." },
      { name = "subscriptions", value = "N", doc = "Subscriptions of each user; default 1." },
      { name = "slow", value = "N", doc = "Of these, sessions that read nothing once they are connected; default 0." },
      { name = "fill-users", value = "N", doc = "Further users, who are not connected; default 0." },
      { name = "fill-channels", value = "N", doc = "The channels that these are subscribed to; default 0." },
      { name = "fill-each", value = "N", doc = "Channels of each; default so that each channel has one user." },
      { name = "unsubscribe", doc = "Unsubscribes the sessions when all is notified." },
      { name = "replay", value = "N", doc = "Cuts all, notifies N times, lets all come back for it; default 0." },
      { name = "publishers", value = "N", doc = "Connections that notify; default 1." },
      { name = "pipeline", value = "N", doc = "Requests under way on each of them; default 1." },
      { name = "rate", value = "N", doc = "Events a second of all together; default 0, as many as can be." },
      { name = "size", value = "BYTES", doc = "Of an event; default 128." },
      { name = "warmup", value = "SECONDS", doc = "Notifies that are checked but not measured; default 0.5." },
      { name = "seconds", value = "SECONDS", doc = "How long to notify; default 5." },
      { name = "idle", value = "SECONDS", doc = "How long to watch idle sessions; default 1." },
      { name = "patience", value = "SECONDS", doc = "Gives up when nothing moves for so long; default 10." },
      { name = "server-core", value = "N", doc = "The core that a server of its own runs on; default any." },
      { name = "load-core", value = "N", doc = "The core that the load runs on; default any." },
      { name = "json", doc = "Prints a JSON object." },
      { name = "quiet", doc = "Shows no progress." },
    } },
  { name = "test", usage = "chatty test [PLUGIN|SPEC|FOLDER]... [--filter PATTERN]", words = math.huge,
    flags = { { name = "filter", value = "PATTERN", doc = "Only the tests whose names match this Lua pattern." } },
    doc = "Runs the specs (*_spec.lua) of plugins, without a port; default: those in plugins/." },
  { name = "reload", usage = "chatty reload [--dry-run]", reads_settings = true,
    flags = { { name = "dry-run", doc = "Only tells whether the plugins can be loaded." } },
    doc = "Has the running server load its plugins anew, without dropping a connection." },
  { name = "health", usage = "chatty health", reads_settings = true, flags = {},
    doc = "Asks the server on the configured port whether it is ready: exit 0 when it is." },
  { name = "version", usage = "chatty version", flags = {}, doc = "Prints the version." },
  { name = "help", usage = "chatty help [COMMAND]", flags = {}, words = 1,
    doc = "Tells what there is, or all about one command." },
}

---@param name string
---@return cli.command|nil command, string? line
function commands.find(name)
  local names = {}
  for i, command in ipairs(commands.list) do
    if command.name == name then return command end
    names[i] = command.name
  end
  local near = nearest.find(name, names)
  return nil, ('unknown command "%s"%s (chatty help lists them)'):format(
    name:gsub("%c", "?"), near and ", did you mean " .. near .. "?" or "")
end

return commands
