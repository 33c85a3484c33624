--- Child processes of specs. A child dies with the process that runs the specs, however that ends.
local uv = require "luv"
local wait = require "spec.support.wait"

---@class spec.Process
---@field pid integer
---@field code integer|nil     exit code, once it has ended
---@field signal integer|nil   that ended it; 0: none
---@field out string[]         lines of its standard output so far
---@field err string[]         lines of its standard error so far
local Process = {}
Process.__index = Process

local process = {}

local alive = {}

-- Lines come in any pieces; what stands behind the last line break waits for the rest.
local function collect(self, lines)
  local pipe, rest = uv.new_pipe(false), ""
  self.open_pipes = self.open_pipes + 1
  local function on_read(_, chunk)
    if chunk then
      rest = (rest .. chunk):gsub("([^\n]*)\n", function(line)
        lines[#lines + 1] = line
        return ""
      end)
      return
    end
    if rest ~= "" then lines[#lines + 1] = rest end
    self.open_pipes = self.open_pipes - 1
    pipe:close()
  end
  return pipe, function() pipe:read_start(on_read) end
end

local function feed(pipe, text)
  if text then pipe:write(text, function() end) end
  pipe:shutdown(function() pipe:close() end)
end

local function to_list(env)
  local list = {}
  for name, value in pairs(env) do list[#list + 1] = name .. "=" .. tostring(value) end
  return list
end

---@class spec.ProcessOptions
---@field command string
---@field args? string[]
---@field env? table<string, any>  the whole environment but PATH
---@field folder? string           to start in
---@field stdin? string            all it can read
---@field is_told? boolean         it gets more by `tell`

--- Starts a child; raises when there is no such program.
---@param options spec.ProcessOptions
---@return spec.Process
function process.start(options)
  local self = setmetatable({ out = {}, err = {}, open_pipes = 0 }, Process)
  local stdin = uv.new_pipe(false)
  local stdout, read_stdout = collect(self, self.out)
  local stderr, read_stderr = collect(self, self.err)
  local env = { PATH = os.getenv "PATH" }
  for name, value in pairs(options.env or {}) do env[name] = value end
  local handle, pid = uv.spawn("setpriv", {
    args = { "--pdeathsig", "KILL", "--", options.command, table.unpack(options.args or {}) },
    env = to_list(env),
    cwd = options.folder,
    stdio = { stdin, stdout, stderr },
  }, function(code, signal)
    self.code, self.signal = code, signal
    self.handle:close()
    alive[self] = nil
  end)
  if not handle then error("cannot start " .. options.command .. ": " .. pid, 2) end
  self.handle, self.pid = handle, pid
  alive[self] = true
  read_stdout()
  read_stderr()
  if options.is_told then self.stdin = stdin else feed(stdin, options.stdin) end
  return self
end

--- Runs a child to its end; nil when it does not end.
---@param options spec.ProcessOptions|{seconds:number?}
---@return {code:integer, signal:integer, out:string, err:string}|nil
function process.run(options)
  local child = process.start(options)
  if not child:wait_exit(options.seconds) then
    child:kill()
    return nil
  end
  return {
    code = child.code,
    signal = child.signal,
    out = table.concat(child.out, "\n"),
    err = table.concat(child.err, "\n"),
  }
end

--- Kills all that still run.
function process.kill_all()
  for child in pairs(alive) do child:kill() end
end

--- Writes a line to a child that `is_told`.
---@param line string
function Process:tell(line)
  self.stdin:write(line .. "\n", function() end)
end

--- Ends what it can read.
function Process:end_input()
  if not self.stdin:is_closing() then self.stdin:close() end
end

--- Sends a signal, "sigterm" and the like; false when it has ended already.
function Process:send_signal(name)
  return self.code == nil and uv.process_kill(self.handle, name) == 0
end

--- Whether it has ended and all it wrote was read.
---@return boolean
function Process:has_ended()
  return self.code ~= nil and self.open_pipes == 0
end

--- Waits until it has ended; returns its exit code, nil when it goes on.
---@return integer|nil
function Process:wait_exit(seconds)
  wait.until_(function() return self:has_ended() end, seconds)
  return self.code
end

--- Ends it at once and waits for that.
function Process:kill()
  self:send_signal("sigkill")
  return self:wait_exit()
end

return process
