-- chatty init: a .env with secrets, a first plugin with its spec, and a .luarc.json for editors, to start from. What
-- exists is left as it is.

local first_files = require "cli.first_files"
local outcome = require "cli.outcome"
local settings_file = require "settings.file"

local init = {}

local SECRET_BYTES = 32
local SECRETS = { "JWT_SECRET", "CONTROL_KEY" }
local PREFIXES = { "", "DEV_", "TEST_", "PROD_" }
local PRIVATE, PUBLIC = tonumber("600", 8), tonumber("644", 8)
local ENV, EDITOR, SHIPPED = ".env", ".luarc.json", "plugins/origin.lua"
local PLUGIN, SPEC = "plugins/hello.lua", "plugins/hello_spec.lua"
local ENABLE = "ENABLE=origin,date_time,hello"

local ENV_HEAD = [[
# Settings of chatty, one NAME=value a line; `chatty config` tells what there is.
# This file holds secrets: keep it out of version control.
]]

local function has_setting(entries, name)
  for _, prefix in ipairs(PREFIXES) do
    local entry = entries[prefix .. name]
    if entry and entry.value:find("%S") then return true end
  end
  return false
end

local function secret_line(context, name)
  return ("%s=%s"):format(name, context.random(SECRET_BYTES))
end

-- Tells what is missing in a .env that was there before, with lines to copy.
local function advise(context)
  context.print(ENV .. " exists and is left as it is")
  local text, message = context.files.read(ENV)
  if not text then return nil, ("%s cannot be read: %s"):format(ENV, message) end
  local entries, line = settings_file.parse(text, ENV)
  if not entries then return nil, line end
  for _, name in ipairs(SECRETS) do
    if not has_setting(entries, name) then
      context.print(("it has no %s; this line would add one:"):format(name))
      context.print(secret_line(context, name))
    end
  end
  return true
end

-- Whether the folder plugins is the one that chatty came with, where only enabled plugins load.
local function is_shipped_folder(context)
  return context.files.exists(SHIPPED)
end

local function write_env(context)
  local lines = {}
  for i, name in ipairs(SECRETS) do lines[i] = secret_line(context, name) end
  if is_shipped_folder(context) then lines[#lines + 1] = ENABLE end
  local text = ENV_HEAD .. table.concat(lines, "\n") .. "\n"
  local ok, message, code = context.files.write(ENV, text, PRIVATE)
  if code == "EXISTS" then return advise(context) end
  if not ok then return nil, ("%s cannot be written: %s"):format(ENV, message) end
  context.print(ENV .. " is written, with a random JWT_SECRET and CONTROL_KEY")
  return true
end

-- Whether the file was written: false where one was there; or nil, line.
local function write_file(context, path, text, what)
  local ok, message, code = context.files.write(path, text, PUBLIC)
  if code == "EXISTS" then
    context.print(path .. " exists and is left as it is")
    return false
  end
  if not ok then return nil, ("%s cannot be written: %s"):format(path, message) end
  context.print(("%s is written, %s"):format(path, what))
  return true
end

-- A plugin of the same name that was there has a spec of its own, or none.
local function write_plugin(context)
  local is_written, line = write_file(context, PLUGIN, first_files.plugin, "a plugin to start from")
  if is_written then
    is_written, line = write_file(context, SPEC, first_files.spec, "which tries it out: chatty test")
  end
  if is_written ~= nil and is_shipped_folder(context) then
    context.print("it loads with " .. ENABLE .. " in .env")
  end
  return is_written ~= nil, line
end

local function write_editor(context)
  local stubs = context.json.encode(context.home .. "/lua/meta")
  local is_written, line = write_file(context, EDITOR, first_files.editor(stubs), "for the Lua language server")
  return is_written ~= nil, line
end

--- Writes the files, each unless it exists.
--- context.files.write(path, text, mode) makes folders and never overwrites: nil, message, "EXISTS".
---@param context cli.context
---@return integer exit_code
function init.run(context)
  for _, write in ipairs({ write_env, write_plugin, write_editor }) do
    local ok, line = write(context)
    if not ok then
      return outcome.fail(context, line)
    end
  end
  context.print("start the server with: chatty serve")
  return 0
end

return init
