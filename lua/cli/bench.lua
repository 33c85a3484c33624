-- chatty bench: the arguments of the load tool, which C then runs in place of this program.

local bench = {}

local commands = require "cli.commands"


-- A server that nobody else uses: in memory, whatever the settings say, and on one core by itself.
local OWN_SERVER = { "serve", "--app-host=127.0.0.1", "--app-port={port}", "--store=memory", "--log-level=warn" }

local function add_flags(arguments, args)
  for _, flag in ipairs(commands.find("bench").flags) do
    local value = args[flag.name]
    if value then
      arguments[#arguments + 1] = flag.value and ("--%s=%s"):format(flag.name, value) or "--" .. flag.name
    end
  end
end

-- Settings among the flags are for the server, and stand last, so that they win.
local function add_server(arguments, program, flags)
  arguments[#arguments + 1] = "--"
  arguments[#arguments + 1] = program
  for _, list in ipairs { OWN_SERVER, flags } do
    table.move(list, 1, #list, #arguments + 1, arguments)
  end
end

--- What stands behind the name of the tool, and what it needs in its environment; or nil and a line.
---@param call cli.prepared
---@param program string   the path of this program
---@return string[]|nil arguments, table<string, string>|string environment
function bench.arguments(call, program)
  if not call.settings.JWT_ALGORITHM:find "^HS" then
    return nil, "chatty bench makes the tokens of its sessions itself: "
      .. "JWT_ALGORITHM must be HS256, HS384 or HS512"
  end
  local arguments = {}
  add_flags(arguments, call.args)
  if not call.args.url then add_server(arguments, program, call.flags) end
  return arguments, {
    JWT_SECRET = call.settings.JWT_SECRET, JWT_ALGORITHM = call.settings.JWT_ALGORITHM,
    JWT_ISSUER = call.settings.JWT_ISSUER, JWT_AUDIENCE = call.settings.JWT_AUDIENCE,
    CONTROL_KEY = call.settings.CONTROL_KEY:match("^%s*([^,%s]*)"),
  }
end

return bench
