-- docs/openapi.yaml and the routes of the server itself name the same endpoints and query parameters. The
-- YAML is read line by line: what a line is about is told by its indentation.
local lua_half = require "spec.support.lua_half"

local PAGE = "docs/openapi.yaml"
local REFERENCE = '^ +%- %$ref: "#/components/parameters/(%w+)"'

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read("a")
end

-- The names of the parameters under components: pageSize -> "page[size]".
local function shared_parameters(text)
  local names = {}
  for key, name in text:gmatch("\n    (%w+):\n      name: ([^\n]+)\n      in: query") do names[key] = name end
  return names
end

-- What the page describes: "POST /control/notify" -> a set of query parameters.
local function described(text)
  local operations, shared = {}, shared_parameters(text)
  local path, operation, name
  for line in text:match("\npaths:\n(.-)\ncomponents:"):gmatch("[^\n]+") do
    path = line:match("^  (/[^:]*):$") or path
    local method = line:match("^    (%l+):$")
    if method then
      operation = {}
      operations[method:upper() .. " " .. path] = operation
    end
    name = line:match("^        %- name: (.+)$") or name
    if line == "          in: query" then operation[name] = true end
    local key = line:match(REFERENCE)
    if key then operation[shared[key] or key] = true end
  end
  return operations
end

-- What the server has: the same, of its own routes. A route that declares no query has no parameters here.
local function routed()
  lua_half.start()
  local router = require "http.router"
  local operations = {}
  for _, route in ipairs(router.list()) do
    if route.plugin == "chatty" then
      local query = router.find(route.method, route.path).query
      local names = {}
      for name in pairs(query and query.rules or {}) do names[name] = true end
      operations[route.method .. " " .. route.path] = names
    end
  end
  return operations
end

describe("the OpenAPI page", function()
  local page, text, routes

  setup(function()
    text = read(PAGE)
    page, routes = described(text), routed()
  end)

  it("describes the endpoints of the server, their query parameters, and no others", function()
    assert.same(routes, page)
  end)

  it("is of the program's version", function()
    local version = read("CMakeLists.txt"):match("project%(chatty VERSION ([%d.]+)")
    assert.equal(version, text:match("\n  version: ([%d.]+)\n"))
  end)
end)

describe("an OpenAPI page", function()
  it("is read by its lines", function()
    local operations = described([[

paths:
  /a:
    get:
      summary: One.
    post:
      parameters:
        - name: x[y]
          in: query
        - name: Upgrade
          in: header
        - $ref: "#/components/parameters/size"
components:
  parameters:
    size:
      name: page[size]
      in: query
]])
    assert.same({ ["GET /a"] = {}, ["POST /a"] = { ["x[y]"] = true, ["page[size]"] = true } }, operations)
  end)
end)
