--- The program, started for real: in a folder of its own, on a free port, with an environment of which
--- the spec knows all. A server that a spec started inside `it` ends with that test; one from `setup`
--- or `before_each` ends by `server:stop()`, at the latest with the spec file.
local cjson = require "cjson"
local client = require "spec.support.client"
local process = require "spec.support.process"
local token = require "spec.support.token"
local uv = require "luv"
local wait = require "spec.support.wait"

---@class spec.Server
---@field port integer
---@field pid integer
---@field folder string                     its working directory
---@field settings table<string, any>       its whole environment
---@field process spec.Process
local Server = {}
Server.__index = Server

local server = {
  control_key = "control-key-of-the-specs-0123456789",
  jwt_secret = "jwt-secret-of-the-specs-0123456789abcdef",
}

local BUILD = uv.fs_realpath(os.getenv("CHATTY_BUILD") or "build") or "build"

--- The program is slow, and its heap is the sanitizer's.
server.is_sanitized = BUILD:find "san$" ~= nil

local alive = {} -- servers that were not stopped yet
local folders = {}

-- What a sanitizer says, in any build, is the failure of the spec that provoked it.
local REPORTS = {
  "ERROR: %a+Sanitizer", "WARNING: ThreadSanitizer", "runtime error:", "%a+Sanitizer:DEADLYSIGNAL",
}

local SANITIZERS = {
  ASAN_OPTIONS = "detect_leaks=1:detect_stack_use_after_return=1",
  UBSAN_OPTIONS = "print_stacktrace=1",
  TSAN_OPTIONS = "halt_on_error=0:second_deadlock_stack=1",
}

local function settings_of(given)
  local settings = {
    APP_HOST = "127.0.0.1",
    APP_PORT = 0,
    CONTROL_KEY = server.control_key,
    JWT_SECRET = server.jwt_secret,
    LOG_LEVEL = "info",
    STORE = "memory",
    WORKERS = 2,
  }
  for name, value in pairs(given or {}) do settings[name] = value or nil end
  return settings
end

local function env_of(settings)
  local env = {}
  for name, value in pairs(SANITIZERS) do env[name] = value end
  for name, value in pairs(settings) do env[name] = value end
  return env
end

local function make_folder(path)
  if uv.fs_stat(path) then return end
  make_folder(path:match("^(.*)/"))
  assert(uv.fs_mkdir(path, 448))
end

local function write_file(path, text)
  make_folder(path:match("^(.*)/"))
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

local function new_folder()
  local folder = assert(uv.fs_mkdtemp(uv.os_tmpdir() .. "/chatty-spec-XXXXXX"))
  folders[#folders + 1] = folder
  return folder
end

local function fill(folder, options)
  for path, text in pairs(options.files or {}) do write_file(folder .. "/" .. path, text) end
  for name, source in pairs(options.plugins or {}) do
    write_file(folder .. "/plugins/" .. name .. ".lua", source)
  end
end

---@class spec.ServerOptions
---@field settings? table<string, any>   add to or replace the usual ones; false leaves one out
---@field plugins? table<string, string> sources by name, laid into the folder `plugins`
---@field files? table<string, string>   texts by path within the folder
---@field folder? string                 of an earlier server, to start where it ended; default a new one
---@field args? string[]                 of the command line

--- Runs a command of the program to its end, for instance `server.run{ args = { "version" } }`.
---@param options spec.ServerOptions|{stdin:string?, seconds:number?}
---@return {code:integer, signal:integer, out:string, err:string, folder:string}|nil
function server.run(options)
  local folder = options.folder or new_folder()
  fill(folder, options)
  local result = process.run{
    command = BUILD .. "/chatty",
    args = options.args,
    env = env_of(settings_of(options.settings)),
    folder = folder,
    stdin = options.stdin,
    seconds = options.seconds,
  }
  if result then result.folder = folder end
  return result
end

--- Starts a server and waits until it listens. Raises, with its log, when it does not.
---@param options? spec.ServerOptions
---@return spec.Server
function server.start(options)
  options = options or {}
  local self = setmetatable({ folder = options.folder or new_folder() }, Server)
  self.settings = settings_of(options.settings)
  fill(self.folder, options)
  self.process = process.start{
    command = BUILD .. "/chatty",
    args = options.args,
    env = env_of(self.settings),
    folder = self.folder,
  }
  self.pid = self.process.pid
  alive[self] = true
  local line = self:wait_log('listening.*port"?[=:]%d+') -- as text, or as JSON
  if not line then
    self:kill()
    error("the server did not start:\n" .. table.concat(self:log(), "\n"), 2)
  end
  self.port = tonumber(line:match('port"?[=:](%d+)'))
  return self
end

--- The servers that run now, for `server.stop_new`.
function server.running()
  local running = {}
  for one in pairs(alive) do running[one] = true end
  return running
end

--- Stops the servers that are not in `before`; raises when one of them ends badly.
---@param before table<spec.Server, true>
function server.stop_new(before)
  local fault
  for one in pairs(server.running()) do
    if not before[one] then
      local ok, message = pcall(one.stop, one)
      if not ok then fault = message end
    end
  end
  if fault then error(fault, 0) end
end

local function remove_tree(path)
  for name, kind in uv.fs_scandir_next, uv.fs_scandir(path) do
    if kind == "directory" then remove_tree(path .. "/" .. name) else uv.fs_unlink(path .. "/" .. name) end
  end
  uv.fs_rmdir(path)
end

--- Removes the folders of all servers.
function server.remove_folders()
  for _, folder in ipairs(folders) do remove_tree(folder) end
  folders = {}
end

--- All lines of the log so far.
---@return string[]
function Server:log()
  return self.process.err
end

--- Waits for a line that matches, also one that came before; nil when there is none.
---@param pattern string  a Lua pattern
---@return string|nil
function Server:wait_log(pattern, seconds)
  local lines, seen, found = self.process.err, 0, nil
  wait.until_(function()
    while not found and seen < #lines do
      seen = seen + 1
      found = lines[seen]:find(pattern) and lines[seen]
    end
    return found or self.process:has_ended()
  end, seconds)
  return found or nil
end

-- From the first line of a sanitizer's report to the end of the log.
local function report_in(lines)
  for i, line in ipairs(lines) do
    for _, pattern in ipairs(REPORTS) do
      if line:find(pattern) then return table.concat(lines, "\n", i) end
    end
  end
end

local function check_end(self)
  local report = report_in(self:log())
  if report then error("a sanitizer spoke:\n" .. report, 0) end
  local code, signal = self.process.code, self.process.signal
  if code ~= 0 or signal ~= 0 then
    local tail = table.concat(self:log(), "\n", math.max(1, #self:log() - 20))
    error(("the server ended with code %d, signal %d:\n%s"):format(code, signal, tail), 0)
  end
end

--- Asks it to end (SIGTERM) and waits for that. Raises when it does not end, ends with a failure or a
--- sanitizer has something to say.
---@return integer code
function Server:stop()
  if not alive[self] then return self.process.code end
  alive[self] = nil
  self.process:send_signal("sigterm")
  if not self.process:wait_exit() then
    self.process:kill()
    error("the server did not end after SIGTERM:\n" .. table.concat(self:log(), "\n"), 0)
  end
  check_end(self)
  return self.process.code
end

--- Ends it at once, as a crash does (SIGKILL).
function Server:kill()
  alive[self] = nil
  self.process:kill()
end

--- Sends a signal, "sighup" and the like.
function Server:send_signal(name)
  return self.process:send_signal(name)
end

--- A token for this server: of a user, or with these claims.
---@param claims table|string
---@param ttl? number  seconds
---@return string
function Server:token(claims, ttl)
  return token.make(claims, self.settings.JWT_SECRET, ttl)
end

--- Sends one request to it.
---@param request spec.Request
---@return spec.Response|nil, string? reason
function Server:request(request)
  request.port = self.port
  return client.request(request)
end

--- Sends a request with the control key.
---@param method string
---@param path string
---@param body? any   a table goes as JSON, a string as it is
---@return spec.Response|nil, string? reason
function Server:control(method, path, body)
  local request = { method = method, path = path, headers = { ["X-API-Key"] = self.settings.CONTROL_KEY } }
  request[type(body) == "table" and "json" or "body"] = body
  return self:request(request)
end

local function escape(text)
  return (text:gsub("[^%w%-._~:,]", function(c) return ("%%%02X"):format(c:byte()) end))
end

--- Emits an event: `server:notify("channels:room-1", "chat-message", '{"content":"hi"}')`.
---@param method string
---@param event string
---@param attributes? string  JSON; default {}
---@param query? string       more of it: "add=origin"
function Server:notify(method, event, attributes, query)
  local body = ('{"event":%s,"attributes":%s}'):format(cjson.encode(event), attributes or "{}")
  local path = "/control/notify?method=" .. escape(method) .. (query and "&" .. query or "")
  return self:control("POST", path, body)
end

--- Emits an event with terms: `server:notify_with("users:ann", "chat-message", { ttl = 1 })`.
---@param method string
---@param event string
---@param members? table  of the body, beside event and attributes, which are {"n":1} if they are not among them
function Server:notify_with(method, event, members)
  local body = { event = event, attributes = { n = 1 } }
  for name, value in pairs(members or {}) do body[name] = value end
  return self:control("POST", "/control/notify?method=" .. escape(method), body)
end

-- "room-1" is the channel of the resource { type = "room", id = "1" }.
local function resources(channels)
  local data = {}
  for i, channel in ipairs(channels) do
    local kind, id = channel:match("^([^-]+)%-(.+)$")
    data[i] = { type = kind, id = id }
  end
  return { data = data }
end

local function change(self, verb, method, channels)
  local path = ("/control/subscription/%s?method=%s"):format(verb, escape(method))
  return self:control("POST", path, resources(channels))
end

--- Subscribes users to channels, which are named type-id: `server:subscribe("users:ann", { "room-1" })`.
---@param method string
---@param channels string[]
function Server:subscribe(method, channels)
  return change(self, "subscribe", method, channels)
end

function Server:unsubscribe(method, channels)
  return change(self, "unsubscribe", method, channels)
end

--- A WebSocket of a user, after the handshake.
---@param user string
---@param options? spec.WebSocketOptions
---@return spec.WebSocket
function Server:connect(user, options)
  local all = { port = self.port, token = self:token(user) }
  for name, value in pairs(options or {}) do all[name] = value end
  return client.ws(all)
end

--- A live session of a user, behind its chatty:connected.
---@param user string
---@return spec.WebSocket
function Server:join(user)
  local session = self:connect(user)
  session:next()
  return session
end

--- A value of /metrics now: `server:metric "sessions"`.
---@param name string  without "chatty_"; labels, if any, as they are printed
---@return number|nil
function Server:metric(name)
  local response = self:control("GET", "/metrics")
  local _, last = ("\n" .. (response and response.body or "")):find("\nchatty_" .. name .. " ", 1, true)
  return last and tonumber(response.body:match("^%S+", last))
end

--- Waits until a metric has a value; returns the value it has at the end.
---@param name string
---@param value number
---@return number|nil
function Server:wait_metric(name, value, seconds)
  local now
  wait.until_(function()
    now = self:metric(name)
    return now == value
  end, seconds)
  return now
end

return server
