-- The test's hand within the server under test: calls a function of `chatty` in the name of a plugin. Runs in the
-- server's state, as a handler of its own, so what it calls may wait.

local json = require "core.json"
local public = require "plugin.public"
local stage = require "test.stage"

local agent = {}

local modules = {} -- by plugin

-- A function of the stage, when no plugin is named.
local function find(owner, path)
  if not owner then return stage[path] end
  modules[owner] = modules[owner] or public.module(owner)
  local found = modules[owner]
  for name in path:gmatch("[^.]+") do found = type(found) == "table" and found[name] or nil end
  if found == nil then error(("there is no chatty.%s"):format(path), 0) end
  return found
end

local function pack(ok, ...)
  if not ok then return { error = tostring((...)) } end
  local results = table.pack(...)
  for i = 1, results.n do
    if results[i] == nil then results[i] = json.null end
  end
  results.n = nil
  return { results = json.array(results) }
end

local function unpack_arguments(list)
  local count = #list
  for i = 1, count do
    if list[i] == json.null then list[i] = nil end
  end
  return table.unpack(list, 1, count)
end

--- `text` is JSON: { owner?, path, arguments }. The answer's text is put into answer[1].
---@param text string
---@param answer table
function agent.call(text, answer)
  local asked = json.decode(text)
  local ok, found = pcall(find, asked.owner, asked.path)
  local outcome
  if not ok then
    outcome = { error = found }
  elseif type(found) == "function" then
    outcome = pack(pcall(found, unpack_arguments(asked.arguments)))
  else
    outcome = pack(true, found)
  end
  local is_plain, encoded = pcall(json.encode, outcome)
  answer[1] = is_plain and encoded or json.encode { error = "it gives what cannot leave the server: " .. encoded }
end

return agent
