-- docs/plugins.md is complete and true as far as a machine can tell: what the stubs of the public API declare
-- is named on the page, what the page names is declared, and the Lua on it and in README.md can be loaded.
local lua_half = require "spec.support.lua_half"

local PAGE = "docs/plugins.md"
local STUBS = { "lua/meta/app.lua", "lua/meta/chatty.lua", "lua/meta/test.lua" }

-- Where on the page the fields and methods of a class stand: the heading of its section.
local SECTIONS = {
  plugin = "The plugin", rule = "Rules", ["app.route_options"] = "Routes", request = "Request",
  response = "Response", cookie = "Response", resource = "Request", event = "Event", change = "Change",
  identity = "Identity", session = "Session", socket = "WebSockets of your own",
  ["app.socket_handlers"] = "WebSockets of your own", option_context = "Options of notify",
  refusal = "Refusals", ["chatty.notification"] = "chatty.notify", ["chatty.report"] = "chatty.notify",
  ["chatty.subscription"] = "chatty.subscribe, chatty.unsubscribe",
  ["chatty.changed"] = "chatty.subscribe, chatty.unsubscribe", counter = "chatty.metrics", gauge = "chatty.metrics",
  histogram = "chatty.metrics", ["chatty.http_options"] = "chatty.http",
  ["chatty.http_answer"] = "chatty.http", ["chatty.node"] = "The rest of chatty",
  ["chatty.test"] = "A server under test", ["test.spec"] = "A server under test",
  ["test.server"] = "A server under test",
  ["test.pending"] = "A server under test", ["test.log_line"] = "A server under test",
  ["test.request"] = "Requests of a test", ["test.response"] = "Requests of a test",
  ["test.http_stub"] = "Other servers of a test", ["test.http_call"] = "Other servers of a test",
  ["test.handshake"] = "Sessions of a test",
  ["test.event"] = "Sessions of a test", ["test.session"] = "Sessions of a test",
  ["test.socket"] = "Sessions of a test",
}
-- The classes of what the stubs of tests call t, session and so on.
local CLASSES_OF_TESTS = {
  test = "chatty.test", t = "test.server", pending = "test.pending", session = "test.session", socket = "test.socket",
}
-- Classes whose functions and fields are found by their whole name anywhere: app:get, chatty.search.users.
local WHOLE = { app = true, chatty = true }

-- What looks like a name of the API: the subprotocol, and the mistake that the tutorial makes.
local NO_NAMES = {
  ["chatty.v1"] = true, ["chatty.json.aray"] = true, ["chatty.test"] = true,
  ["chatty.lua"] = true,
}

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read("a")
end

-- What the stubs declare: classes -> their fields and methods; and all functions and values by whole name.
local function declared()
  local classes, whole = {}, {}
  for _, path in ipairs(STUBS) do
    local class
    for line in read(path):gmatch("[^\n]+") do
      class = line:match("^%-%-%-@class ([%w_.]+)") or class
      local field = line:match("^%-%-%-@field ([%w_]+)")
      local owner, mark, name = line:match("^function ([%w_.]-)([.:])([%w_]+)%(")
      local value = line:match("^(chatty%.[%w_.]+) =")
      if class and not classes[class] then classes[class] = {} end
      if field then classes[class][field] = true end
      local class_of_test = path == "lua/meta/test.lua" and CLASSES_OF_TESTS[owner]
      if owner and not class_of_test then whole[owner .. mark .. name] = true end
      owner = class_of_test or owner
      if owner and classes[owner] and not WHOLE[owner] then classes[owner][name] = true end
      if value then whole[value] = true end
    end
  end
  for field in pairs(classes["chatty.node"]) do whole["chatty.node." .. field] = true end
  return classes, whole
end

local function section(text, heading)
  local _, from = text:find("\n###+ " .. heading:gsub("%p", "%%%0") .. "\n")
  if not from then return "" end
  return text:sub(from, (text:find("\n##", from, true)))
end

-- Whether the text names a field: `name`, `name`, or as a part of code such as event.name or { name = }.
local function names_field(text, name)
  for code in text:gmatch("`([^`\n]+)`") do
    if code:find("%f[%w_]" .. name .. "%f[^%w_]") then return true end
  end
  return false
end

local function missing_fields(text, classes)
  local complaints = {}
  for class, fields in pairs(classes) do
    local heading = SECTIONS[class]
    if not heading and not WHOLE[class] then complaints[#complaints + 1] = class .. " has no section" end
    for field in pairs(heading and fields or {}) do
      if not names_field(section(text, heading), field) then
        complaints[#complaints + 1] = ("### %s does not name %s of %s"):format(heading, field, class)
      end
    end
  end
  table.sort(complaints)
  return complaints
end

local function missing_names(text, whole)
  local complaints = {}
  for name in pairs(whole) do
    local is_public = name:find("^app:") or name:find("^chatty[.:]")
    if is_public and not text:find(name .. "%f[^%w_]") then complaints[#complaints + 1] = name end
  end
  table.sort(complaints)
  return complaints
end

-- Names in the text that nobody declares. A group such as chatty.search counts as declared with its members.
local function strangers(text, whole)
  local known, complaints = {}, {}
  for name in pairs(whole) do
    known[name] = true
    known[name:match("^(.*)[.:]") or name] = true
  end
  for _, pattern in ipairs({ "%f[%w_./]app:[%w_]+", "%f[%w_./]chatty%.%l[%w_]*%.?[%w_]*" }) do
    for name in text:gmatch(pattern) do
      name = name:gsub("%.$", "")
      if not known[name] and not NO_NAMES[name] then complaints[name] = true end
    end
  end
  return complaints
end

-- The functions of the stubs by the name that the page gives them: how many parameters they have.
local function parameters()
  local counts = {}
  for _, path in ipairs(STUBS) do
    for owner, mark, name, list in read(path):gmatch("\nfunction ([%w_.]-)([.:])([%w_]+)(%b())") do
      if path == "lua/meta/test.lua" and owner == "session" then owner = "ann" end
      if not counts[owner .. mark .. name] then
        counts[owner .. mark .. name] = select(2, list:gsub("[%w_.]+", ""))
      end
    end
  end
  return counts
end

-- Calls on the page, all of whose arguments are names, that have more or fewer than the stubs have parameters.
local function wrong_calls(text, counts)
  local complaints = {}
  for name, list in text:gmatch("`(%a[%w_.]*[.:][%w_]+)(%([%w_, ]*%))`") do
    local count = select(2, list:gsub("[%w_]+", ""))
    if counts[name] and counts[name] ~= count then complaints[#complaints + 1] = name .. list end
  end
  return complaints
end

-- The blocks of one language: { text =, line = }.
local function blocks(path)
  local list, line = {}, 1
  local at = 1
  local text = read(path)
  while true do
    local from, to, code = text:find("\n```lua\n(.-)\n```", at)
    if not from then return list end
    line = line + select(2, text:sub(at, from):gsub("\n", ""))
    list[#list + 1] = { text = code, name = ("%s:%d"):format(path, line + 1) }
    line = line + select(2, text:sub(from + 1, to):gsub("\n", ""))
    at = to + 1
  end
end

local function is_plugin(code)
  return code:find("function plugin.setup", 1, true) and code:find("return plugin", 1, true) ~= nil
end

-- A plugin whose setup is the code.
local function plugin_of(code)
  return 'local chatty = require "chatty"\nreturn { api = 1, setup = function(app)\n' .. code .. "\nend }\n"
end

describe("the page of plugins", function()
  local text, classes, whole

  setup(function()
    text = read(PAGE)
    classes, whole = declared()
  end)

  it("names every function and value of the public API", function()
    assert.truthy(whole["app:get"] and whole["chatty.json.null"] and whole["chatty.node.worker"])
    assert.same({}, missing_names(text, whole))
  end)

  it("names every field of what plugins get and give", function()
    assert.truthy(classes.request.wants_document and classes.session.channels)
    assert.same({}, missing_fields(text, classes))
  end)

  it("calls functions with as many arguments as they take", function()
    local counts = parameters()
    assert.same({ 3, 2, 3 }, { counts["app:get"], counts["t:get"], counts["ann:send"] })
    assert.same({}, wrong_calls(text, counts))
  end)

  it("names nothing that the public API does not have", function()
    assert.same({}, strangers(text, whole))
  end)
end)

describe("a name on the page of plugins", function()
  it("is missed when nobody declares it", function()
    local whole = { ["app:get"] = true, ["chatty.json.null"] = true, ["chatty.sleep"] = true }
    assert.same({}, strangers("`app:get` chatty.json, `chatty.json.null` and chatty.sleep.", whole))
    assert.same({ ["app:gett"] = true, ["chatty.json.nil"] = true },
      strangers("app:gett(), chatty.json.nil", whole))
  end)

  it("is missed when it is called with other arguments", function()
    local counts = { ["app:get"] = 3, ["chatty.sleep"] = 1 }
    assert.same({ "app:get(path)", "chatty.sleep()" },
      wrong_calls("`app:get(path)`, `app:get(path, options, handler)`, `chatty.sleep()`, `chatty.sleep({})`", counts))
  end)

  it("is missed when the page does not have it", function()
    assert.same({ "app:get" }, missing_names("app:getter", { ["app:get"] = true }))
    assert.same({ "### Request does not name id of request" },
      missing_fields("\n### Request\n`idle`\n### Rules\n`id`\n", { request = { id = true } }))
  end)
end)

describe("the Lua in the documents", function()
  for _, path in ipairs({ "README.md", PAGE }) do
    for _, block in ipairs(blocks(path)) do
      it("can be compiled: " .. block.name, function()
        assert.is_function(assert(load(block.text, "@" .. block.name, "t", {})))
      end)

      if is_plugin(block.text) then
        it("can be loaded as a plugin: " .. block.name, function()
          lua_half.start{ plugins = { documented = block.text } }
        end)
      elseif block.text:find("^app:") then
        it("can be registered: " .. block.name, function()
          lua_half.start{ plugins = { documented = plugin_of(block.text), ["public/file"] = "" } }
        end)
      end
    end
  end
end)
