-- docs/errors.md is what lua/errors_page.lua makes, and the codes that the program answers or closes with are
-- on it.
local errors = require "errors"
local errors_page = require "errors_page"
local sources = require "spec.support.sources"

local PAGE = "docs/errors.md"
local MAKE = [[LUA_PATH="./lua/?.lua;;" lua5.4 -e 'io.write(require("errors_page").markdown())' > ]] .. PAGE

-- Where error codes stand: in C in a HttpFault (behind its status), as a constant, in an EventFault; in Lua
-- as an argument of what refuses.
local FAULT = "%f[%d](%d%d%d),%s*\"([%l-]+)\""
local IN_C = { "%f[%d]%d%d%d,%s*\"([%l-]+)\"", "code%[%] = \"([%l-]+)\"", "\"(%l+%-[%l-]+)\", \"/?%l*\"" }
local IN_LUA = {
  "refusal%.of%(\"([%l-]+)\"", "credentials%.refuse%(\"([%l-]+)\"", "%f[%w]fail%(\"([%l-]+)\"",
  "TOKEN_[%u_]+ = \"([%l-]+)\"", "nil, [^\n]-, \"(%l+%-[%l-]+)\"[ \n]",
}

-- Where close codes stand: in C as an argument or an enumerator, in Lua in constants named so.
local CLOSES_IN_C = {
  "_close%([%w_]+, (%d%d%d%d),", "_drain%([^,]+, (%d%d%d%d),", "_CODE_[%u%d_]+ = (%d%d%d%d)",
}
local CLOSES_IN_LUA = { "local CODE_[^\n]+", "local CLOSE [^\n]+", "local INTERNAL_ERROR [^\n]+" }
local NEVER_SENT = { ["1005"] = true, ["1006"] = true } -- stand for what a close frame did not say

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read("a")
end

local function lua_files()
  local files = {}
  for _, file in ipairs(sources.list({ "lua" }, "%.lua$")) do
    if not file.path:find("^lua/meta/") then files[#files + 1] = file end
  end
  return files
end

local function net_files()
  local files = sources.list({ "core/net" }, "%.[ch]$")
  return table.move(sources.list({ "core/api" }, "^api_event%.c$"), 1, 1, #files + 1, files)
end

-- What the patterns capture, each once: text -> path of a file that has it.
local function captures(files, patterns)
  local found = {}
  for _, file in ipairs(files) do
    for _, pattern in ipairs(patterns) do
      for text in file.text:gmatch(pattern) do found[text] = file.path end
    end
  end
  return found
end

local function strangers(found, known)
  local complaints = {}
  for text, path in pairs(found) do
    if not known[text] then complaints[#complaints + 1] = ("%s has %s"):format(path, text) end
  end
  table.sort(complaints)
  return complaints
end

-- A second status that a code may come with is told of in its meaning.
local function wrong_statuses(files)
  local complaints = {}
  for _, file in ipairs(files) do
    for status, code in file.text:gmatch(FAULT) do
      local entry = errors.codes[code] or { status = tonumber(status) }
      local is_told = entry.status == tonumber(status) or entry.meaning:find("with " .. status, 1, true)
      if not is_told then
        complaints[#complaints + 1] = ("%s has %s with %s"):format(file.path, code, status)
      end
    end
  end
  return complaints
end

local function close_codes()
  local found = captures(sources.list({ "core" }, "%.[ch]$"), CLOSES_IN_C)
  for _, pattern in ipairs(CLOSES_IN_LUA) do
    for line, path in pairs(captures(lua_files(), { pattern })) do
      for code in line:gmatch("%f[%d]%d%d%d%d%f[%D]") do found[code] = path end
    end
  end
  for code in pairs(NEVER_SENT) do found[code] = nil end
  return found
end

local function page_close_codes()
  local known = {}
  for _, entry in ipairs(errors_page.close_codes) do known[tostring(entry.code)] = PAGE end
  return known
end

describe("the page of errors", function()
  it("is the one that lua/errors_page.lua makes", function()
    assert.truthy(read(PAGE) == errors_page.markdown(), PAGE .. " is stale; make it anew with: " .. MAKE)
  end)

  it("has the codes of core", function()
    local found = captures(net_files(), IN_C)
    assert.truthy(found["url-too-long"] and found["host-invalid"] and found["attributes-missing"])
    assert.same({}, strangers(found, errors.codes))
  end)

  it("has the statuses of core", function()
    assert.same({}, wrong_statuses(net_files()))
  end)

  it("has the codes of the Lua half", function()
    local found = captures(lua_files(), IN_LUA)
    assert.truthy(found["not-found"] and found["token-invalid"] and found["list-empty"])
    assert.same({}, strangers(found, errors.codes))
  end)

  it("has the close codes that are sent, and no others", function()
    local found, known = close_codes(), page_close_codes()
    known["1000"] = nil -- the default of those who close without a code
    assert.same({}, strangers(found, known))
    assert.same({}, strangers(known, found))
  end)
end)

describe("a code", function()
  local function faults_of(text)
    local file = { path = "core/net/x.c", text = text }
    return strangers(captures({ file }, IN_C), errors.codes), wrong_statuses{ file }
  end

  it("is missed when the page does not have it", function()
    assert.same({ "core/net/x.c has odd-one" }, (faults_of('refuse(http, 400, "odd-one", "Do this.");')))
    assert.same({ "core/net/x.c has odd-two" }, (faults_of('static const char code[] = "odd-two";')))
    assert.same({ "core/net/x.c has odd-three" }, (faults_of('(EventFault){"x", "odd-three", "/event"}')))
  end)

  it("is missed when its status is another", function()
    local _, wrong = faults_of('(HttpFault){404, "url-too-long", "Do this."}')
    assert.same({ "core/net/x.c has url-too-long with 404" }, wrong)
  end)
end)
