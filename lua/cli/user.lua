-- chatty user: the users that log in with a password, in the store that the server uses.

local outcome = require "cli.outcome"
local records = require "cli.records"
local users = require "identity.users"

local user = {}

local HEAD = { "NAME", "ROLES", "SINCE" }
local HASHES = { "^%$argon2id%$", "^%$2[aby]%$%d%d%$[%w./]+$" }

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
  if not text then return outcome.fail(context, message) end
  local done
  done, message = (is_hash and users.add_hash or users.add)(name, text, context.args.role)
  return done and 0 or outcome.fail(context, message)
end

function actions.passwd(context, name)
  local text, message = read_password(context)
  if not text then return outcome.fail(context, message) end
  local done
  done, message = users.set_password(name, text)
  return done and 0 or outcome.fail(context, message)
end

function actions.remove(context, name)
  local done, message = users.remove(name)
  return done and 0 or outcome.fail(context, message)
end

function actions.list(context)
  local rows = { HEAD }
  local done, message = users.each(function(name, record)
    rows[#rows + 1] = { name, table.concat(record.roles or {}, ","), records.since(record.since) }
  end)
  if not done then return outcome.fail(context, message) end
  return records.show(context, rows)
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
  return records.run(context, {
    command = "user", actions = actions, fault_of = fault_of, elsewhere = "use POST /auth/register",
  })
end

return user
