-- What other tools can tell, and what no file may be left with.
local process = require "spec.support.process"
local sources = require "spec.support.sources"

local LICENCE = "SPDX-License-Identifier: Apache-2.0"

local function run(command, args, stdin)
  local result = process.run{ command = command, args = args, stdin = stdin, seconds = 120 }
  if result.code == 0 then return "clean" end
  return result.out .. result.err
end

-- The first place in each file that `./dev format` would change.
local function unformatted(told)
  local complaints, seen = {}, {}
  for path, line in told:gmatch("([^\n:]+):(%d+):%d+: error: code should be clang%-formatted") do
    if not seen[path] then complaints[#complaints + 1] = path .. ":" .. line end
    seen[path] = true
  end
  return complaints
end

local function check_licence(files)
  local complaints = {}
  for _, file in ipairs(files) do
    local is_c = file.path:find("%.[ch]$") ~= nil
    local first = file.text:match("^[^\n]*")
    local has_it = file.text:find(LICENCE, 1, true) ~= nil
    local stands_first = first:find("^/%* " .. LICENCE:gsub("%p", "%%%0")) ~= nil
    local fault = is_c and not stands_first and " lacks its SPDX line"
      or not is_c and has_it and " has an SPDX line; Lua has none"
    if fault then complaints[#complaints + 1] = file.path .. fault end
  end
  return complaints
end

-- In two halves, or this file would complain of itself.
local LEFTOVERS = { "#on" .. "ly", "pending" .. "%s*%(", "%f[%w]sle" .. "ep%s*%(" }

-- The server may wait, in a plugin that a spec gives it.
local WAITS = "chatty%.sle" .. "ep"

local function check_leftovers(files)
  local complaints = {}
  for _, file in ipairs(files) do
    local text = file.text:gsub(WAITS, "")
    for _, pattern in ipairs(LEFTOVERS) do
      local found = text:match(pattern)
      if found then complaints[#complaints + 1] = file.path .. " has " .. found end
    end
  end
  return complaints
end

describe("the C files", function()
  it("are formatted as .clang-format says", function()
    local paths = {}
    for i, file in ipairs(sources.list({ "core", "spec", "bench" }, "%.[ch]$")) do paths[i] = file.path end
    assert.same({}, unformatted(run("clang-format", { "--dry-run", "-Werror", table.unpack(paths) })))
  end)

  it("are not formatted when a blank is missing", function()
    local args = { "--dry-run", "-Werror", "--assume-filename=core/x.c" }
    assert.same({}, unformatted(run("clang-format", args, "int x;\n")))
    assert.same({ "core/x.c:1" }, unformatted(run("clang-format", args, "int x,y;\nint  z;\n")))
  end)
end)

describe("the Lua files", function()
  it("are clean to luacheck", function()
    local paths = {}
    for i, file in ipairs(sources.list({ "lua", "plugins", "examples", "spec", "bench" }, "%.lua$")) do
      paths[i] = file.path
    end
    assert.equal("clean", run("luacheck", { "--quiet", "--no-color", table.unpack(paths) }))
  end)

  it("are not clean when a variable is not used", function()
    local args = { "--quiet", "--no-color", "-" }
    assert.equal("clean", run("luacheck", args, "local x = 1\nreturn x\n"))
    assert.matches("unused variable", run("luacheck", args, "local x = 1\n"))
  end)
end)

describe("the licence", function()
  it("is named first in every C file and in no Lua file", function()
    assert.same({}, check_licence(sources.list({ "core", "spec", "bench" }, "%.[ch]$")))
    assert.same({}, check_licence(sources.list({ "lua", "plugins", "examples", "bench" }, "%.lua$")))
  end)

  it("is missed where it does not stand first", function()
    assert.same({ "x.c lacks its SPDX line" }, check_licence{ { path = "x.c", text = "\n/* " .. LICENCE } })
    assert.same({ "x.lua has an SPDX line; Lua has none" },
      check_licence{ { path = "x.lua", text = "-- " .. LICENCE } })
  end)
end)

describe("the specs", function()
  it("are left with nothing that skips, singles out or sleeps", function()
    assert.same({}, check_leftovers(sources.list({ "spec", "examples", "plugins" }, "_spec%.lua$")))
  end)

  it("are not when one is singled out or put off", function()
    local text = 'it("is fast #on' .. 'ly", f)\npend' .. 'ing("later")\nuv.sle' .. "ep(100)\n"
    assert.equal(3, #check_leftovers{ { path = "x_spec.lua", text = text } })
  end)
end)
