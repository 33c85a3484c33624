-- Which plugins are loaded, and from where: the shipped ones that ENABLE names, and all of the PLUGINS
-- folders. A user's plugin goes before a shipped one of the same name.

local files = require "core.files"
local node = require "core.node"
local plugin = require "plugin"
local plugin_options = require "plugin.options"
local settings = require "settings"

local plugins = {}

local DEFAULT_FOLDER <const> = "plugins" -- may be missing
local RESERVED <const> = "chatty"

-- The plugin of this name in a folder: name.lua or name/init.lua.
local function find_in(folder, name)
  local own = ("%s/%s"):format(folder, name)
  if files.kind(own .. ".lua") == "file" then
    return { name = name, file = own .. ".lua", folder = folder, is_folder = false }
  end
  if files.kind(own .. "/init.lua") == "file" then
    return { name = name, file = own .. "/init.lua", folder = own, is_folder = true }
  end
end

local function is_shipped(folder)
  return files.same(folder, node.home .. "/plugins")
end

-- The names of the plugins in a folder, sorted; specs and what begins with "_" or "." are none.
local function names_in(folder)
  local entries, message = files.list(folder)
  if not entries then error(("PLUGINS: the folder %s cannot be read: %s"):format(folder, message), 0) end
  local names, seen = {}, {}
  for _, entry in ipairs(entries) do
    local name = entry:match("^([%w][%w_-]*)%.lua$") or entry:match("^[%w][%w_-]*$")
    if name and not name:find("_spec$") and not seen[name] and find_in(folder, name) then
      seen[name] = true
      names[#names + 1] = name
    end
  end
  table.sort(names)
  return names
end

local function exists(folder)
  if files.kind(folder) == "folder" then return true end
  if folder == DEFAULT_FOLDER then return false end
  error(("PLUGINS: there is no folder %s"):format(folder), 0)
end

local function user_folders()
  local folders = {}
  for _, folder in ipairs(settings.PLUGINS) do
    folder = #folder > 1 and folder:gsub("/+$", "") or folder
    if exists(folder) and not is_shipped(folder) then folders[#folders + 1] = folder end
  end
  return folders
end

-- The users' own plugins in order of folder and name, and by name.
local function find_own(folders)
  local sources, by_name = {}, {}
  for _, folder in ipairs(folders) do
    for _, name in ipairs(names_in(folder)) do
      local source, other = find_in(folder, name), by_name[name]
      if name == RESERVED then
        error(("plugin %s: %s: the name is the server's own"):format(name, source.file), 0)
      end
      if other then
        error(("plugin %s is there twice: %s and %s"):format(name, other.file, source.file), 0)
      end
      by_name[name] = source
      sources[#sources + 1] = source
    end
  end
  return sources, by_name
end

local function find_shipped(name)
  local source = find_in(node.home .. "/plugins", name) or find_in(node.home .. "/examples", name)
  return source or error(("ENABLE: there is no plugin %s"):format(name), 0)
end

--- Where all plugins lie, in the order of loading: the enabled ones first. Raises one line if one is missing.
---@return plugin.source[]
function plugins.find()
  if node.trial then return require("test.stage").sources() end
  local own, by_name = find_own(user_folders())
  local sources, seen = {}, {}
  for _, name in ipairs(settings.ENABLE) do
    if not seen[name] then sources[#sources + 1] = by_name[name] or find_shipped(name) end
    seen[name] = true
  end
  for _, source in ipairs(own) do
    if not seen[source.name] then sources[#sources + 1] = source end
  end
  return sources
end

local loaded = {}

--- Loads them all.
function plugins.load()
  plugin_options.open()
  for i, source in ipairs(plugins.find()) do loaded[i] = plugin.load(source) end
  plugin_options.check_rest()
end

--- Those that were loaded, in that order.
---@return plugin.loaded[]
function plugins.loaded()
  return loaded
end

return plugins
