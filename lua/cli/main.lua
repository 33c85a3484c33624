-- The command line, from arguments to a command: C calls prepare, makes a Config of the settings, then run.

local command_line = require "cli.command_line"
local files = require "core.files"
local options = require "settings.options"

local main = {}

---@class cli.prepared: cli.call
---@field settings? table<string, string>  of commands that read them
---@field sources? table<string, string>
---@field warnings? string[]

local function read_settings(call, environment)
  local text, message, code = files.read(".env")
  if not text and code ~= "NOT_FOUND" then return nil, message, 1 end
  local settings, sources, warnings =
    options.read { environment = environment, file = text, file_name = ".env", flags = call.flags }
  if not settings then return nil, sources, 1 end
  call.settings, call.sources, call.warnings = settings, sources, warnings
  return call
end

--- nil, line and exit code when the arguments or the settings are wrong.
---@param argv string[]
---@param environment table<string, string>
---@return cli.prepared|nil call, string? line, integer? code
function main.prepare(argv, environment)
  local call, line = command_line.parse(argv)
  if not call then return nil, line, 2 end
  if not call.reads_settings then return call end
  return read_settings(call, environment)
end

--- What stands against a start of the server, and what its owner should know.
---@param call cli.prepared
---@return string[]|nil warnings, string? line
function main.check(call)
  local warnings, line = options.check(call.settings)
  if not warnings then return nil, line end
  return table.move(warnings, 1, #warnings, #call.warnings + 1, call.warnings)
end

--- The arguments and the environment of the load tool; or nil and a line.
---@param call cli.prepared
---@param program string
function main.bench(call, program)
  return require("cli.bench").arguments(call, program)
end

local function make_folders(path)
  for folder in path:gmatch("()/") do
    if folder > 1 then files.make_folder(path:sub(1, folder - 1)) end
  end
end

local function file_access()
  return {
    exists = function(path) return files.kind(path) ~= nil end,
    read = files.read,
    write = function(path, text, mode)
      make_folders(path)
      return files.write_new(path, text, mode)
    end,
  }
end

local function write(text)
  io.stdout:write(text)
  io.stdout:flush()
end

-- A line from standard input. On a terminal it is asked for and not shown.
local function read_secret(question)
  local is_terminal = question and os.execute("test -t 0 && stty -echo 2>/dev/null")
  if is_terminal then io.stderr:write(question, ": ") end
  local line = io.read("l")
  if is_terminal then
    os.execute("stty echo")
    io.stderr:write("\n")
  end
  return line
end

local function load_routes()
  local init = require "init"
  init.setup { tool = true }
  return require("http.router").list(), require("channels").list()
end

-- As many as can be loaded; what is wrong is a line of the command's, not its end.
local function load_options(context)
  local ok, line = pcall(function() require("init").setup { tool = true } end)
  context.plugin_options = require("plugin.options").list()
  context.fault = not ok and tostring(line) or nil
end

--- Runs a command that needs no server.
---@param call cli.prepared
---@return integer exit_code
function main.run(call)
  local token = require "core.token"
  local context = {
    args = call.args, settings = call.settings, sources = call.sources, warnings = call.warnings,
    json = require "core.json", random = require("core.secret").random, files = file_access(),
    ask = require("core.remote").ask, make_token = token.make, check_token = token.verify,
    home = require("core.node").home, print = print, write = write, read_secret = read_secret,
    error = function(line) io.stderr:write("chatty: ", line, "\n") end,
  }
  if call.command == "routes" then context.routes, context.channels = load_routes() end
  if call.command == "config" then load_options(context) end
  return require("cli." .. call.command).run(context)
end

return main
