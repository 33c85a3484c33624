-- What a server under test is made of: where its plugins lie, and the settings it has.

local files = require "core.files"
local node = require "core.node"
local options = require "settings.options"

local plan = {}

-- What a test needs to know of; all others have their defaults, whatever .env and the environment say.
local SETTINGS = {
  CONTROL_KEY = "control-key-of-the-tests", JWT_SECRET = "jwt-secret-of-the-tests-0123456789abcdef",
  STORE = "memory", PLUGINS = "none", ENABLE = "none", WORKERS = "1",
}

plan.control_key = SETTINGS.CONTROL_KEY

local function source(file)
  local folder = file:match("^(.*)/[^/]*$") or "."
  local is_folder = file:find("/init%.lua$") ~= nil
  local name = is_folder and folder:match("[^/]*$") or file:match("([^/]*)%.lua$")
  return { name = name, file = file, folder = folder, is_folder = is_folder }
end

-- name.lua or name/init.lua; a path may say which, or leave it out.
local function find_at(path)
  if path:find("%.lua$") then return files.kind(path) == "file" and source(path) or nil end
  for _, file in ipairs({ path .. ".lua", path .. "/init.lua" }) do
    if files.kind(file) == "file" then return source(file) end
  end
end

-- From the working directory, from the spec's folder and those above it, and by name among the shipped ones.
local function find(path, spec_folder)
  if path:sub(1, 1) == "/" then return find_at(path) end
  local found = find_at(path)
  local above = spec_folder
  while not found and above do
    found = find_at(above .. "/" .. path)
    above = above:match("^(.*)/[^/]*$")
  end
  if found or path:find("[/.]") then return found end
  return find_at(node.home .. "/plugins/" .. path) or find_at(node.home .. "/examples/" .. path)
end

--- Where these plugins lie. Raises one line if one is not there.
---@param paths string[]
---@param spec_folder string
---@return plugin.source[]
function plan.sources(paths, spec_folder)
  local list = {}
  for i, path in ipairs(paths) do
    list[i] = find(path, spec_folder) or error(("there is no plugin %s"):format(path), 0)
  end
  return list
end

--- The texts of all settings, with the test's own among them. Raises one line if one of those is wrong.
---@param own? table<string, any>
---@return table<string, string>
function plan.settings(own)
  local environment = {}
  for name, text in pairs(SETTINGS) do environment[name] = text end
  for name, value in pairs(own or {}) do environment[name] = tostring(value) end
  local known = {}
  for _, option in ipairs(options.list()) do known[option.name] = true end
  for name in pairs(own or {}) do
    if not known[name] then error(("there is no setting %s"):format(name), 0) end
  end
  local settings, line = options.read { environment = environment }
  return settings or error(line, 0)
end

return plan
