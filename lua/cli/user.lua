-- chatty user: the users that log in with a password, in the store that the server uses.

local columns = require "cli.columns"
local users = require "identity.users"

local user = {}

local HEAD = { "NAME", "ROLES", "SINCE" }
local HASHES = { "^%$argon2id%$", "^%$2[aby]%$%d%d%$[%w./]+$" }

local function usage(context, line)
  context.error(line .. " (chatty help user)")
  return 2
end

local function fail(context, message)
  context.error(message)
  return 1
end

local function read_password(context)
  local text = context.read_secret(not context.args["password-stdin"] and "Password" or nil)
  local ok, fault = users.check_password(text)
  if ok then return text end
  return nil, text == nil and "no password came on standard input" or "the password " .. fault
end

local function read_hash(context)
  local text = context.read_secret() or ""
  for _, pattern in ipairs(HASHES) do
    if text:find(pattern) then return text end
  end
  return nil, "what came on standard input is no hash of bcrypt or Argon2id"
end

local actions = {}

function actions.add(context, name)
  local is_hash = context.args["hash-stdin"]
  local text, message = (is_hash and read_hash or read_password)(context)
  if not text then return fail(context, message) end
  local done
  done, message = (is_hash and users.add_hash or users.add)(name, text, context.args.role)
  return done and 0 or fail(context, message)
end

function actions.passwd(context, name)
  local text, message = read_password(context)
  if not text then return fail(context, message) end
  local done
  done, message = users.set_password(name, text)
  return done and 0 or fail(context, message)
end

function actions.remove(context, name)
  local done, message = users.remove(name)
  return done and 0 or fail(context, message)
end

function actions.list(context)
  local rows = { HEAD }
  local done, message = users.each(function(name, record)
    local since = os.date("!%Y-%m-%dT%H:%M:%SZ", math.floor(record.since or 0))
    rows[#rows + 1] = { name, table.concat(record.roles or {}, ","), since }
  end)
  if not done then return fail(context, message) end
  for _, line in ipairs(columns.align(rows)) do context.print(line) end
  return 0
end

-- What is wrong with the words and flags; nil when nothing is.
local function fault_of(args)
  local action, name = args[1], args[2]
  if not actions[action] then return "say add, passwd, list or remove" end
  if (args.role or args["hash-stdin"]) and action ~= "add" then return "--role and --hash-stdin are for add" end
  if action == "list" then return name and "list takes no name" end
  if not name then return ("whom to %s is missing"):format(action) end
  local ok, fault = users.check_name(name)
  return not ok and "the name " .. fault or nil
end

--- Adds, changes, lists or removes.
---@param context cli.context
---@return integer exit_code
function user.run(context)
  local args = context.args
  local fault = fault_of(args)
  if fault then return usage(context, fault) end
  if context.settings.STORE == "memory" then
    return fail(context, "STORE is memory, which only the server sees: use POST /auth/register")
  end
  return actions[args[1]](context, args[2])
end

return user
