-- Which spec files are meant: by their own names, by the plugin that they stand beside, or by a folder.

local files = require "core.files"

local specs = {}

local SPEC <const> = "_spec%.lua$"

local function add_folder(list, folder)
  for _, name in ipairs(files.list(folder) or {}) do
    local path = folder .. "/" .. name
    if name:sub(1, 1) == "." then
      goto continue
    elseif files.kind(path) == "folder" then
      add_folder(list, path)
    elseif name:find(SPEC) then
      list[#list + 1] = path
    end
    ::continue::
  end
end

-- The spec of a plugin's file: hello_spec.lua beside hello.lua; what lies in the folder of an init.lua.
local function add_file(list, path)
  if path:find(SPEC) then
    list[#list + 1] = path
    return true
  end
  local folder = path:match("^(.*)/init%.lua$")
  if folder then
    add_folder(list, folder)
    return true
  end
  local beside = path:gsub("%.lua$", "") .. "_spec.lua"
  if files.kind(beside) ~= "file" then return nil, ("%s has no spec: there is no %s"):format(path, beside) end
  list[#list + 1] = beside
  return true
end

local function add(list, path)
  path = #path > 1 and path:gsub("/+$", "") or path
  local kind = files.kind(path)
  if kind == "folder" then
    add_folder(list, path)
  elseif kind == "file" then
    return add_file(list, path)
  elseif files.kind(path .. ".lua") == "file" then
    return add_file(list, path .. ".lua")
  else
    return nil, ("there is no file or folder %s"):format(path)
  end
  return true
end

--- The spec files under these paths, each once; or nil and one line.
---@param paths string[]
---@return string[]|nil, string? line
function specs.find(paths)
  local list, seen, found = {}, {}, {}
  for _, path in ipairs(paths) do
    local ok, line = add(list, path)
    if not ok then return nil, line end
  end
  for _, path in ipairs(list) do
    if not seen[path] then found[#found + 1] = path end
    seen[path] = true
  end
  return found
end

return specs
