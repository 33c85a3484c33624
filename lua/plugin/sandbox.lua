-- The world that a plugin runs in: Lua without doors to the machine. Each plugin has an environment of its
-- own; what it requires is `chatty` and the modules of its own folder.

local files = require "core.files"
local log = require "core.log"
local private = require "private"
local time = require "core.time"

local sandbox = {}

local PLAIN = {
  "assert", "error", "getmetatable", "ipairs", "pcall", "rawequal", "rawget", "rawlen",
  "select", "tonumber", "tostring", "type", "xpcall", "_VERSION",
}
local LIBRARIES = { "coroutine", "math", "string", "table", "utf8" }
local CHUNK_MAX <const> = 1048576 -- bytes; compiling cannot be stopped

-- Of os, with the time that chatty.time.now tells: in a test of the plugin it is held.
local OS = {
  clock = os.clock, difftime = os.difftime,
  time = function(parts) return parts and os.time(parts) or math.floor(time.now()) end,
  date = function(format, seconds) return os.date(format, seconds or math.floor(time.now())) end,
}

local function copy(library)
  local own = {}
  for name, value in pairs(library) do own[name] = value end
  return own
end

-- A finalizer would run wherever memory is collected, and nothing could stop it there.
local function set_metatable(fields, metatable)
  if type(metatable) == "table" and rawget(metatable, "__gc") ~= nil then
    error("setmetatable: a plugin has no __gc: use a to-be-closed variable, local x <close>", 2)
  end
  return setmetatable(fields, metatable)
end

-- What plugins share with the server and each other is protected by its metatable.
local function raw_set(fields, key, value)
  if type(fields) == "table" and getmetatable(fields) == false then
    error("rawset: the table is protected", 2)
  end
  return rawset(fields, key, value)
end

-- print goes to the log.
local function printer(owner)
  return function(...)
    local words = table.pack(...)
    for i = 1, words.n do words[i] = tostring(words[i]) end
    log.write("info", table.concat(words, "\t"), { plugin = owner })
  end
end

-- load without bytecode, in the plugin's environment unless it gives another.
local function loader(environment)
  return function(chunk, name, _, own)
    if type(chunk) == "function" then
      local parts = {}
      for part in chunk do
        if part == "" then break end
        parts[#parts + 1] = part
      end
      chunk = table.concat(parts)
    end
    if type(chunk) == "string" and #chunk > CHUNK_MAX then
      return nil, ("a chunk may have at most %d bytes"):format(CHUNK_MAX)
    end
    return load(chunk, name, "t", own or environment)
  end
end

local function open_libraries(environment)
  for _, name in ipairs(PLAIN) do environment[name] = _G[name] end
  for _, name in ipairs(LIBRARIES) do environment[name] = copy(_G[name]) end
  environment.setmetatable, environment.rawset = set_metatable, raw_set
  environment.next, environment.pairs = private.next, private.pairs
  environment.os = copy(OS)
end

local function find_module(folder, name)
  if not name:find("^[%w_]+$") and not name:find("^[%w_]+[%w_.]*[%w_]$") then return nil end
  local path = folder .. "/" .. name:gsub("%.", "/")
  for _, file in ipairs({ path .. ".lua", path .. "/init.lua" }) do
    if files.kind(file) == "file" then return file end
  end
end

-- require: `chatty`, and modules of the plugin's folder when it has one.
local function requirer(environment, chatty, folder)
  local loaded, LOADING = { chatty = chatty }, {}
  return function(name)
    if type(name) ~= "string" then error("require needs a name", 2) end
    if loaded[name] == LOADING then error(("require '%s': the module requires itself"):format(name), 2) end
    if loaded[name] ~= nil then return loaded[name] end
    local file = folder and find_module(folder, name)
    if not file then
      error(("require '%s': a plugin has 'chatty' and the modules of its own folder"):format(name), 2)
    end
    loaded[name] = LOADING
    local chunk, message = sandbox.load(file, environment)
    if not chunk then error(message, 0) end
    local value = chunk(name, file)
    loaded[name] = value == nil and true or value
    return loaded[name]
  end
end

--- Reads and compiles a file of Lua text. nil, line when it cannot be.
---@param file string
---@param environment table
---@return function|nil chunk, string? line
function sandbox.load(file, environment)
  local text, message = files.read(file)
  if not text then return nil, ("%s: %s"):format(file, message) end
  return load(text, "@" .. file, "t", environment)
end

--- A new environment.
---@param owner string      the plugin's name
---@param chatty table      its public module
---@param folder? string    of its own modules; none for a plugin that is one file
---@return table environment
function sandbox.new(owner, chatty, folder)
  local environment = {}
  open_libraries(environment)
  environment._G = environment
  environment.print = printer(owner)
  environment.load = loader(environment)
  environment.require = requirer(environment, chatty, folder)
  return environment
end

--- Gives an environment a library of Lua, whole.
---@param environment table
---@param name "io"|"os"|"debug"
function sandbox.open(environment, name)
  environment[name] = copy(_G[name])
end

--- Hides what plugins share by way of strings, so that none changes `("x"):upper()` for the others.
function sandbox.seal_strings()
  getmetatable("").__metatable = false
end

return sandbox
