-- The servers that are measured beside each other. Each is a file in bench/peers/ that returns a function: given
-- where things are, it returns how to start the server and how the load tool speaks with it, or nil and why it
-- cannot be had here.
local cjson = require "cjson"

local peers = {}

---@class bench.Place
---@field build string   the build folder
---@field bench string   this folder
---@field peers string   where bench/peers/install put what the peers need
---@field modules string what of it npm put there
---@field node? string   the path of Node
---@field has fun(path: string): boolean

---@class bench.Peer
---@field title string       its name in tables
---@field command string[]   starts it; {port} is filled in
---@field flags string[]     of the load tool: how it speaks
---@field env? table<string, string>

--- In the order of the columns of the table.
peers.NAMES = { "floor", "floor_batched", "bun", "nchan", "ws", "socketio", "centrifugo", "chatty" }

--- Ours once more, by other ways in.
peers.TRANSPORTS = { "chatty_sse", "chatty_socketio" }

--- What an idle session may cost at least.
peers.IDLE = { "floor_pings" }

local function ask_shell(command)
  local pipe <close> = assert(io.popen(command))
  return pipe:read "l"
end

local function exists(path)
  local file <close> = io.open(path)
  return file ~= nil
end

local function find_place()
  local root = ask_shell "pwd"
  local build = os.getenv "CHATTY_BUILD" or "build"
  if build:sub(1, 1) ~= "/" then build = root .. "/" .. build end
  local folder = os.getenv "CHATTY_PEERS" or build .. "/peers"
  return { build = build, bench = root .. "/bench", peers = folder, modules = folder .. "/node_modules",
    node = ask_shell "command -v node", has = exists }
end

local place = find_place()

--- The folder of the measurements.
peers.FOLDER = place.bench

--- nil and a line when there is no such peer, or it cannot be had.
---@param name string
---@return bench.Peer|nil peer, string? reason
function peers.find(name)
  if not exists(("bench/peers/%s.lua"):format(name)) then
    return nil, ("there is no peer %s; there are: %s"):format(name, table.concat(peers.NAMES, ", "))
  end
  return require("bench.peers." .. name)(place)
end

local function quote(word)
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

--- The line for a shell that puts load on the peer.
---@param peer bench.Peer
---@param flags string[]  of the load tool
function peers.line(peer, flags)
  local words = { "exec", "env" }
  for name, value in pairs(peer.env or {}) do words[#words + 1] = quote(name .. "=" .. value) end
  words[#words + 1] = quote(place.build .. "/chatty-bench")
  for _, list in ipairs { peer.flags, flags, { "--" }, peer.command } do
    for _, word in ipairs(list) do words[#words + 1] = quote(word) end
  end
  return table.concat(words, " ")
end

--- Begins to put load on the peer.
---@param peer bench.Peer
---@param flags string[]
---@return file* running  for peers.finish
function peers.start(peer, flags)
  local all = table.move(flags, 1, #flags, 3, { "--json", "--quiet" })
  return assert(io.popen(peers.line(peer, all) .. " 2>&1"))
end

--- Waits for it; what the load tool found. nil and why when it failed.
---@param running file*
---@return table|nil report, string? reason
function peers.finish(running)
  local text = running:read "a"
  running:close()
  local ok, report = pcall(cjson.decode, text)
  if not ok then return nil, text:match "^[^\n]*" end
  if not report.check.good then return nil, report.trouble or "events were lost, repeated or out of order" end
  return report
end

return peers
