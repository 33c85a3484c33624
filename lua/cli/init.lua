-- chatty init: a .env with secrets and a first plugin, to start from. What exists is left as it is.

local settings_file = require "settings_file"

local init = {}

local SECRET_BYTES = 32
local SECRETS = { "JWT_SECRET", "CONTROL_KEY" }
local PREFIXES = { "", "DEV_", "TEST_", "PROD_" }
local PRIVATE, PUBLIC = tonumber("600", 8), tonumber("644", 8)
local ENV, PLUGIN, SHIPPED = ".env", "plugins/hello.lua", "plugins/origin.lua"
local ENABLE = "ENABLE=origin,date_time,hello"

local ENV_HEAD = [[
# Settings of chatty, one NAME=value a line; `chatty config` tells what there is.
# This file holds secrets: keep it out of version control.
]]

local HELLO = [[
-- A first plugin: one route, and one answer to the messages of clients.
local chatty = require "chatty"

local hello = { api = 1, doc = "Greets users, over HTTP and in their sessions." }

function hello.setup(app)
  -- curl -H "Authorization: Bearer $(chatty token --sub ann)" http://localhost:3000/hello
  app:get("/hello", { auth = "jwt" }, function(request)
    return { json = { msg = "hello " .. request.user } }
  end)

  -- A client sends {"event":"hello","attributes":{}}: every session of its user gets a hello back.
  -- What the hook returns is the acknowledgement of the frame.
  app:on("message", function(session, event)
    if event.name ~= "hello" then return end
    chatty.notify { users = { session.user }, event = "hello", attributes = { to = session.user } }
    return { greeted = true }
  end)
end

return hello
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

local function write_plugin(context)
  local ok, message, code = context.files.write(PLUGIN, HELLO, PUBLIC)
  if code == "EXISTS" then
    context.print(PLUGIN .. " exists and is left as it is")
    return true
  end
  if not ok then return nil, ("%s cannot be written: %s"):format(PLUGIN, message) end
  context.print(PLUGIN .. " is written, a plugin to start from")
  if is_shipped_folder(context) then context.print("it loads with " .. ENABLE .. " in .env") end
  return true
end

--- Writes both files, each unless it exists.
--- context.files.write(path, text, mode) makes folders and never overwrites: nil, message, "EXISTS".
---@param context cli.context
---@return integer exit_code
function init.run(context)
  for _, write in ipairs({ write_env, write_plugin }) do
    local ok, line = write(context)
    if not ok then
      context.error(line)
      return 1
    end
  end
  context.print("start the server with: chatty serve")
  return 0
end

return init
