-- chatty test: reads the spec files, runs them, and tells what came of it.

local files = require "core.files"
local report = require "test.report"
local run = require "test.run"
local server = require "test.server"
local words = require "test.words"

local main = {}

local function folder_of(path)
  return path:match("^(.*)/[^/]*$") or "."
end

-- What `require "chatty.test"` gives in a spec.
local function module(folder)
  local json = require "core.json"
  return {
    plugin = function(path, spec) return server.new({ path }, spec, folder) end,
    plugins = function(paths, spec) return server.new(paths, spec, folder) end,
    json = {
      encode = json.encode, decode = json.decode, null = json.null, array = json.array, raw = json.raw,
    },
  }
end

-- A spec's own helpers: from the working directory, its own folder, and those above.
local function find_helper(name, folder)
  local path = name:gsub("%.", "/")
  local above = folder
  while above do
    for _, place in ipairs({ path .. ".lua", path .. "/init.lua" }) do
      for _, file in ipairs({ place, above .. "/" .. place }) do
        if files.kind(file) == "file" then return file end
      end
    end
    above = above:match("^(.*)/[^/]*$")
  end
end

local function load_file(path, environment)
  local text, message = files.read(path)
  if not text then error(message, 0) end
  local chunk, fault = load(text, "@" .. path, "t", environment)
  return chunk or error(fault, 0)
end

local function requirer(folder, environment)
  local loaded = { ["chatty.test"] = module(folder) }
  return function(name)
    if loaded[name] == nil then
      local file = find_helper(name, folder)
      if not file then error(("there is no module '%s' beside the spec"):format(name), 2) end
      local value = load_file(file, environment)(name, file)
      loaded[name] = value == nil and true or value
    end
    return loaded[name]
  end
end

-- Reads one file into its tree.
local function read(path)
  local vocabulary, root = words.new(path, run.describe)
  local environment = setmetatable(vocabulary, { __index = _G })
  environment.require = requirer(folder_of(path), environment)
  local ok, fault = xpcall(function() load_file(path, environment)(path) end, run.describe)
  if not ok then root.fault = fault end
  return root
end

--- Runs the files; the pattern chooses tests by their full names.
---@param paths string[]
---@param pattern? string
---@param write fun(text: string)
---@return boolean is_good
function main.run(paths, pattern, write)
  local told, began = report.new(write), os.clock()
  local watch = {
    finish = server.finish,
    told = function(result) told:add(result) end,
  }
  for _, path in ipairs(paths) do
    run.block(read(path), watch, function(name) return not pattern or name:find(pattern) ~= nil end)
  end
  told:finish(os.clock() - began)
  return told:is_good()
end

return main
