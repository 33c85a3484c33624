-- One library, one door: a library's header is included where the library is at home, and nowhere else.
local sources = require "spec.support.sources"

-- The head of an include, and the files or rooms that may have it.
local DOORS = {
  ["llhttp.h"] = { "net/http.c" },
  ["wslay/"] = { "net/ws.c" },
  ["jwt.h"] = { "data/token.c" },
  ["sqlite3.h"] = { "data/store_sqlite.c" },
  ["curl/"] = { "net/http_client.c", "net/http_url.c" },
  ["sodium.h"] = { "data/secret.c", "data/password.c" },
  ["crypt.h"] = { "data/password.c" },
  ["openssl/"] = { "data/digest.c" },
  ["uv.h"] = { "net/net.h", "net/listener.h", "net/poller.h" },
  ["lua.h"] = { "script/", "api/", "test/" },
  ["lauxlib.h"] = { "script/", "api/", "test/" },
  ["lualib.h"] = { "script/stdlib.c" },
}

local function stands_at(place, path)
  return path:sub(1, #place) == place
end

-- Every include of a library that has a door: { path =, included =, header = its name in DOORS }.
local function uses_in(files)
  local uses = {}
  for _, file in ipairs(files) do
    for quote, included in sources.includes(file.text) do
      local header = DOORS[included] and included or included:match("^[^/]+/")
      if quote == "<" and DOORS[header] then
        uses[#uses + 1] = { path = file.path:gsub("^core/", ""), included = included, header = header }
      end
    end
  end
  return uses
end

local function check(files)
  local complaints = {}
  for _, use in ipairs(uses_in(files)) do
    local is_at_door = false
    for _, place in ipairs(DOORS[use.header]) do is_at_door = is_at_door or stands_at(place, use.path) end
    if not is_at_door then complaints[#complaints + 1] = use.path .. " includes " .. use.included end
  end
  return complaints
end

-- Doors that nothing goes through: the list would tell more than is true.
local function check_doors(files)
  local complaints, uses = {}, uses_in(files)
  for header, door in pairs(DOORS) do
    for _, place in ipairs(door) do
      local is_used = false
      for _, use in ipairs(uses) do
        is_used = is_used or (use.header == header and stands_at(place, use.path))
      end
      if not is_used then complaints[#complaints + 1] = place .. " does not include " .. header end
    end
  end
  return complaints
end

describe("the doors of the libraries", function()
  it("are the only ways in", function()
    assert.same({}, check(sources.core()))
  end)

  it("are all in use", function()
    assert.same({}, check_doors(sources.core()))
  end)

  it("are missed by an include elsewhere", function()
    local text = "#include <wslay/wslay.h>\n#include <stdio.h>\n#include <uv.h>\n"
    assert.same({ "hub/bus.c includes wslay/wslay.h", "hub/bus.c includes uv.h" },
      check{ { path = "core/hub/bus.c", text = text } })
    assert.same({ "net/ws.c includes uv.h" }, check{ { path = "core/net/ws.c", text = text } })
  end)
end)
