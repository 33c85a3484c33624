local options = require "settings.options"

local PAGE = "docs/settings.md"
local MAKE = [[LUA_PATH="./lua/?.lua;;" lua5.4 -e 'io.write(require("settings.options").markdown())' > ]] .. PAGE

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("a")
  file:close()
  return text
end

describe("the page of settings", function()
  it("is the one that lua/settings/options.lua makes", function()
    assert.truthy(read(PAGE) == options.markdown(), PAGE .. " is stale; make it anew with: " .. MAKE)
  end)

  it("has one row for every setting", function()
    local rows = 0
    for _ in options.markdown():gmatch("\n| `") do rows = rows + 1 end
    assert.equal(#options.list(), rows)
  end)
end)
