-- The tutorial of docs/plugins.md, followed literally: its files are written, its commands run, its frames sent, and
-- what it says comes out is compared with what does.
local client = require "spec.support.client"
local process = require "spec.support.process"
local server = require "spec.support.server"
local uv = require "luv"

local BUILD = uv.fs_realpath(os.getenv("CHATTY_BUILD") or "build")
local PATHS = { PATH = BUILD .. ":/usr/bin:/bin", ASAN_OPTIONS = os.getenv("ASAN_OPTIONS") }

-- What is done before, or else, in a spec.
local SKIPPED = {
  ["./dev build"] = true, ['export PATH="$PWD/build:$PATH"'] = true, ["mkdir ~/shop && cd ~/shop"] = true,
}

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read("a")
end

-- The blocks of the tutorial: { kind, text, line, before = the text in front of it }.
local function blocks_of(page)
  local from = assert(page:find("\n## Ten minutes\n", 1, true))
  local to = assert(page:find("\n## ", from + 4, true))
  local list, at = {}, from
  while true do
    local first, last, kind, text = page:find("\n```(%l*)\n(.-)\n```", at)
    if not first or first > to then return list end
    local line = select(2, page:sub(1, first):gsub("\n", "")) + 1
    list[#list + 1] = { kind = kind, text = text, line = line, before = page:sub(at, first) }
    at = last
  end
end

-- The files in a text: a block of Lua begins with the name of its own.
local function files_in(page)
  local files = {}
  for name, text in page:gmatch("\n```lua\n%-%- ([%w_]+%.lua)(.-\n)```") do files[name] = "-- " .. name .. text end
  return files
end

-- Without blanks, and without what is another one each time.
local function normalize(text)
  return (text:gsub("%s+", "")
    :gsub("%d%d%d%d%-%d%d%-%d%dT[%d:.]+Z", "TIME")
    :gsub('"session":"[^"]+"', '"session":"ID"')
    :gsub("in[%d.]+softheprocessor,%d+asecond", "inNs")
    :gsub(":[%d.]+seconds", ":Ns")
    :gsub("host=[%w.*]+port=%d+workers=%d+version=[%d.]+", "listening")
    :gsub("%(itknows.-%)", "(itknows)")
    :gsub("worker%-%d", "worker-N")
    :gsub('traceback=".*', ""):gsub("plugin=%w+", ""))
end

-- Somebody who follows the tutorial.
local Reader = {}
Reader.__index = Reader

local function check(block, actual)
  local expected = normalize(block.text)
  if normalize(actual):find(expected, 1, true) then return end
  error(("docs/plugins.md:%d: it says\n%s\nand in truth there is\n%s"):format(block.line, block.text, actual), 0)
end

-- Variables that a command sets are there for later ones, as in a shell.
function Reader:run(text)
  local commands = {}
  for line in text:gmatch("[^\n]+") do
    if line:find("^%u+=%$%(") then self.variables[#self.variables + 1] = line end
    if not SKIPPED[line] then commands[#commands + 1] = line end
  end
  local script = table.concat(self.variables, "\n") .. "\n" .. table.concat(commands, "\n")
  if self.chatty then
    local port = self.chatty.port
    script = ("export APP_PORT=%d\n%s"):format(port, (script:gsub("localhost:3000", "localhost:" .. port)))
  end
  local result = process.run{
    command = "/bin/sh", args = { "-c", script }, env = PATHS, folder = self.folder, seconds = 30,
  }
  self.token = self.token or script:find("TOKEN=") and self:output_of("chatty token --sub ann")
  return result.out .. "\n" .. result.err
end

function Reader:output_of(command)
  return process.run{ command = "/bin/sh", args = { "-c", command }, env = PATHS, folder = self.folder }.out
end

function Reader:serve()
  if self.chatty then self.chatty:stop() end
  local own = { APP_PORT = 0 }
  for _, name in ipairs{ "APP_HOST", "CONTROL_KEY", "JWT_SECRET", "STORE", "WORKERS" } do own[name] = false end
  self.chatty = server.start{ folder = self.folder, settings = own }
  return table.concat(self.chatty:log(), "\n")
end

-- The page opens its WebSocket and sends what stands in the block.
function Reader:browse(text)
  assert(text:find('["chatty.v1", "bearer." + "TOKEN"]', 1, true))
  self.socket = client.ws{ port = self.chatty.port, protocols = { "chatty.v1", "bearer." .. self.token } }
  for frame in text:gmatch("socket%.send%('(.-)'%)") do self.socket:send(frame) end
end

function Reader:hear(count)
  local texts = {}
  for i = 1, count do texts[i] = select(2, self.socket:next()) or "(nothing)" end
  return table.concat(texts, "\n")
end

function Reader:write(path, text)
  local file <close> = assert(io.open(self.folder .. "/" .. path, "wb"))
  file:write(text, "\n")
end

-- A piece of the plugin goes where the tutorial says.
function Reader:edit(piece)
  local path = "plugins/orders.lua"
  local text, count = read(self.folder .. "/" .. path)
  local function put(pattern, replacement)
    text, count = text:gsub(pattern, function() return replacement end)
    assert(count == 1, pattern)
  end
  if piece:find("^local plugin =") then
    put("local plugin = [^\n]*", piece)
  elseif piece:find("^  chatty%.spawn") then
    put("  return { watching = channel }", piece .. "\n  return { watching = channel }")
  else
    put('%-%- {"event":"watch"', piece .. '\n\n-- {"event":"watch"')
  end
  self:write(path, text:gsub("\n$", ""))
end

function Reader:follow(block)
  if block.kind == "sh" and block.text == "chatty serve" then
    self.output = self:serve()
  elseif block.kind == "sh" then
    self.output = self:run(block.text)
  elseif block.kind == "js" then
    self:browse(block.text)
  elseif block.kind == "lua" then
    local path = block.text:match("^%-%- (plugins/[%w_]+%.lua)\n")
    if path then self:write(path, block.text) else self:edit(block.text) end
  elseif block.before:find("The console shows:") or block.before:find("In the browser:") then
    check(block, self:hear(select(2, block.text:gsub('{"event"', "")) ))
  else
    check(block, self.output)
  end
end

-- The plugin with a mistake in it: word -> wrong word.
function Reader:mistake(word, wrong)
  local text = read(self.folder .. "/plugins/orders.lua")
  self:write("plugins/orders.lua", (text:gsub(word, wrong)))
  return function() self:write("plugins/orders.lua", (text:gsub("\n$", ""))) end
end

describe("the tutorial", function()
  local blocks = blocks_of(read("docs/plugins.md"))
  local ends = table.move(blocks, #blocks - 2, #blocks, 1, {}) -- step 6: what mistakes lead to

  it("can be followed literally", function()
    local folder = server.run{ args = { "version" } }.folder
    local reader = setmetatable({ folder = folder, variables = {} }, Reader)
    for i = 1, #blocks - #ends do reader:follow(blocks[i]) end

    local mend = reader:mistake('"notify"', '"notfy"')
    check(ends[1], reader:run("chatty routes"))
    mend()
    reader:mistake("chatty%.json%.array", "chatty.json.aray")
    reader:serve()
    check(ends[2], reader:run('curl -s -H "Authorization: Bearer $TOKEN" http://localhost:3000/orders/7/watchers'))
    check(ends[3], reader.chatty:wait_log("aray"))
  end)
end)

describe("the plugin of README.md", function()
  it("passes the test that stands there", function()
    local result = server.run{ args = { "test", "greeter.lua" }, files = files_in(read("README.md")) }
    assert.same({ 0, "" }, { result.code, result.err })
    assert.matches("\n1 success / 0 failures / 0 errors", result.out, 1, true)
  end)
end)
