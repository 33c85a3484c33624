-- chatty key: named control keys, in the store that the server uses.

local control_keys = require "identity.control_keys"
local outcome = require "cli.outcome"
local records = require "cli.records"

local key = {}

local HEAD = { "NAME", "SCOPES", "SINCE" }
local NAME_MAX <const> = 64
local SCOPE_DEFAULT <const> = "admin"

local function is_scope(word)
  for _, scope in ipairs(control_keys.SCOPES) do
    if scope == word then return true end
  end
  return false
end

-- "notify, search" as a list; nil and the word that is none.
local function read_scopes(text)
  local scopes, seen = {}, {}
  for word in (text .. ","):gmatch("%s*([^,]-)%s*,") do
    if not is_scope(word) then return nil, word end
    if not seen[word] then scopes[#scopes + 1] = word end
    seen[word] = true
  end
  return scopes
end

local actions = {}

function actions.add(context, name)
  local scopes, word = read_scopes(context.args.scope or SCOPE_DEFAULT)
  if not scopes then
    return outcome.usage(context, "key", ('--scope has "%s": allowed are %s'):format(
      word:gsub("%c", "?"), table.concat(control_keys.SCOPES, ", ")))
  end
  local text, message = control_keys.add(name, scopes)
  if not text then return outcome.fail(context, message) end
  context.print(text)
  return 0
end

function actions.revoke(context, name)
  local done, message = control_keys.revoke(name)
  if done == false then message = "there is no key of this name" end
  return done and 0 or outcome.fail(context, message)
end

function actions.list(context)
  local list, message = control_keys.list()
  if not list then return outcome.fail(context, message) end
  local rows = { HEAD }
  for i, one in ipairs(list) do
    rows[i + 1] = { one.name, table.concat(one.scopes, ","), records.since(one.since) }
  end
  return records.show(context, rows)
end

-- What is wrong with the words and flags; nil when nothing is.
local function fault_of(args)
  local action, name = args[1], args[2]
  if not actions[action] then return "say add, list or revoke" end
  if args.scope and action ~= "add" then return "--scope is for add" end
  if action == "list" then return name and "list takes no name" end
  if not name then return ("which key to %s is missing"):format(action) end
  if not name:find("^[%w_.-]+$") or #name > NAME_MAX then
    return ("a key's name may have letters, digits, _ . and -, at most %d"):format(NAME_MAX)
  end
end

--- Makes, lists or revokes.
---@param context cli.context
---@return integer exit_code
function key.run(context)
  return records.run(context, {
    command = "key", actions = actions, fault_of = fault_of, elsewhere = "use CONTROL_KEY",
  })
end

return key
