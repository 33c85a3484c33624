-- docs/architecture.md names every room of core and every header in it, and no others.
local sources = require "spec.support.sources"

local PAGE = "docs/architecture.md"
local ROOMS = { "base", "data", "hub", "net", "socketio", "script" } -- their headers are named one by one

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read("a")
end

-- What the page says about a room: the item or row that begins with its name.
local function text_of(page, room)
  local item = page:match("\n%- `" .. room .. "/`: (.-)\n[-\n]")
  return item or page:match("\n| `" .. room .. "/` |([^\n]*)") or ""
end

-- The words in backticks: `a b` and `c` are a, b and c.
local function words_of(text)
  local words = {}
  for code in text:gmatch("`([^`]+)`") do
    for word in code:gmatch("[%w_./]+") do words[word:gsub("%.h$", "")] = true end
  end
  return words
end

local function headers_of(room)
  local headers = {}
  for _, file in ipairs(sources.list({ "core/" .. room }, "%.[ch]$")) do
    headers[file.path:match("([%w_]+)%.[ch]$")] = true
  end
  return headers
end

local function differences(words, headers, room)
  local complaints = {}
  for name in pairs(headers) do
    if not words[name] then complaints[#complaints + 1] = ("%s/%s is not told of"):format(room, name) end
  end
  for name in pairs(words) do
    if not headers[name] then complaints[#complaints + 1] = ("%s/%s is not there"):format(room, name) end
  end
  table.sort(complaints)
  return complaints
end

-- The rooms of the table: the folders of core that it has a row for.
local function rooms_of(page)
  local rooms = {}
  for room in page:gmatch("\n| `([%l/]+)/` |") do rooms[room:match("[^/]+$")] = true end
  return rooms
end

describe("the page of the architecture", function()
  local page

  setup(function() page = read(PAGE) end)

  for _, room in ipairs(ROOMS) do
    it("names what is in " .. room, function()
      assert.same({}, differences(words_of(text_of(page, room)), headers_of(room), room))
    end)
  end

  it("has every room", function()
    local rooms = rooms_of(page)
    for _, file in ipairs(sources.core()) do
      local room = file.path:match("^core/([^/]+)/") or "core"
      assert.truthy(rooms[room], "no row for " .. room)
    end
  end)
end)

describe("a room on the page of the architecture", function()
  local page = "\n| `hub/` | below |\n\n"
    .. "- `hub/`: `bus` and `op inbox`, with\n  `subscriber.h`.\n- `net/`: `conn`.\n"

  it("is missed when it has more or less than the page says", function()
    local words = words_of(text_of(page, "hub"))
    assert.same({ bus = true, op = true, inbox = true, subscriber = true }, words)
    assert.same({ "hub/inbox is not there", "hub/new is not told of" },
      differences(words, { bus = true, op = true, subscriber = true, new = true }, "hub"))
  end)
end)
