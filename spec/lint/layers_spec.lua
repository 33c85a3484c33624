-- Who may look at whom: a room includes rooms to its left only.
local sources = require "spec.support.sources"

local ORDER = {
  "base", "data", "hub", "net", "socketio", "script", "api", "config", "commons", "worker", "reload", "watch",
  "server", "trial", "trial_api", "cli", "main",
}

-- Rooms that see less than their place in the order allows.
local NARROW = {
  script = { ["script/"] = true, ["base/"] = true },
  net = {
    ["net/"] = true, ["data/"] = true, ["base/"] = true,
    ["hub/subscriber.h"] = true, ["hub/message.h"] = true,
  },
  socketio = {
    ["socketio/"] = true, ["net/"] = true, ["data/"] = true, ["base/"] = true,
    ["hub/subscriber.h"] = true, ["hub/message.h"] = true,
  },
}

local place = {}
for i, room in ipairs(ORDER) do place[room] = i end
place.test = math.huge -- opens every room to the specs

local function room_of(path)
  return path:match("^([^/]+)/") or path:match("^([^.]+)%.[ch]$")
end

local function may_include(path, included)
  local from, to = room_of(path), room_of(included)
  local narrow = NARROW[from]
  if narrow and not (narrow[included] or narrow[to .. "/"]) then return false end
  return place[from] and place[to] and place[to] <= place[from]
end

local function check(files)
  local complaints = {}
  for _, file in ipairs(files) do
    local path = file.path:gsub("^core/", "")
    for quote, included in sources.includes(file.text) do
      if quote == '"' and not may_include(path, included) then
        complaints[#complaints + 1] = path .. " includes " .. included
      end
    end
  end
  return complaints
end

local function complaints_of(path, included)
  return check{ { path = "core/" .. path, text = ('/* x */\n#include "%s"\n'):format(included) } }
end

describe("the layers of core", function()
  it("hold: no file includes a room to its right", function()
    assert.same({}, check(sources.core()))
  end)

  it("are broken by an include that looks right", function()
    assert.same({ "base/buf.c includes hub/op.h" }, complaints_of("base/buf.c", "hub/op.h"))
    assert.same({ "hub/bus.c includes worker.h" }, complaints_of("hub/bus.c", "worker.h"))
    assert.same({ "worker.c includes test/test.h" }, complaints_of("worker.c", "test/test.h"))
  end)

  it("let net see of hub the subscriber and the message only", function()
    assert.same({}, complaints_of("net/session.h", "hub/subscriber.h"))
    assert.same({ "net/session.h includes hub/op.h" }, complaints_of("net/session.h", "hub/op.h"))
  end)

  it("let socketio see net, and of hub what net sees", function()
    assert.same({}, complaints_of("socketio/mux.h", "net/session.h"))
    assert.same({ "socketio/lane.c includes hub/op.h" }, complaints_of("socketio/lane.c", "hub/op.h"))
    assert.same({ "net/net.c includes socketio/engines.h" }, complaints_of("net/net.c", "socketio/engines.h"))
  end)

  it("let script see base only", function()
    assert.same({}, complaints_of("script/task.c", "base/list.h"))
    assert.same({ "script/task.c includes net/net.h" }, complaints_of("script/task.c", "net/net.h"))
  end)

  it("know every room", function()
    assert.same({ "util/x.c includes base/buf.h" }, complaints_of("util/x.c", "base/buf.h"))
  end)
end)
