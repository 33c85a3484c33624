-- The log of the real program: what its lines look like, that nobody can forge them, and that no secret gets
-- into them, nor into errors.
local cjson = require "cjson"
local client = require "spec.support.client"
local http = require "spec.support.http"
local server = require "spec.support.server"

local TALKER = [[
local chatty = require "chatty"
return { api = 1, setup = function(app)
  app:get("/say/*text", { auth = "none" }, function(request)
    for _, level in ipairs({ "debug", "info", "warn", "error" }) do
      chatty.log[level]("said " .. request.params.text, { level_of_plugin = level, text = request.params.text, n = 1.5,
        is_good = true })
    end
  end)
  app:get("/print", { auth = "none" }, function() print("one", 2, nil, true) end)
  app:get("/fail/*text", { auth = "none" }, function(request) error(request.params.text) end)
  app:get("/fail-oddly", { auth = "none" }, function() error({ code = 1 }) end)
  app:get("/fail-deeply", { auth = "none" }, function() error(nil) end)
end }]]

local function start(settings)
  settings.WORKERS = 1
  return server.start{ settings = settings, plugins = { talker = TALKER } }
end

local function escape(text)
  return (text:gsub("[^%w/]", function(c) return ("%%%02X"):format(c:byte()) end))
end

describe("the log as text", function()
  local chatty

  setup(function() chatty = start{ LOG_LEVEL = "info" } end)
  teardown(function() chatty:stop() end)

  it("has a line for each message: time, level, thread, message, fields", function()
    chatty:request{ path = "/say/hello" }
    assert.is_truthy(chatty:wait_log(
      "^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%dZ warn  worker%-0 said hello .*plugin=talker"))
    local line = chatty:wait_log " warn .*said hello "
    for _, field in ipairs{ "text=hello", "n=1.5", "is_good=true", "level_of_plugin=warn" } do
      assert.matches(field, line, 1, true)
    end
  end)

  it("leaves out what is less weighty than LOG_LEVEL", function()
    chatty:request{ path = "/say/quiet" }
    assert.is_truthy(chatty:wait_log " error .*said quiet")
    for _, line in ipairs(chatty:log()) do assert.is_nil(line:find(" debug ", 1, true)) end
  end)

  it("has what a plugin prints", function()
    chatty:request{ path = "/print" }
    assert.is_truthy(chatty:wait_log " info .*one 2 nil true .*plugin=talker")
  end)

  it("cannot be forged by line breaks, in messages and in fields", function()
    local before = #chatty:log()
    chatty:request{ path = "/say/" .. escape "a\n2020-01-01T00:00:00.000Z error main forged\r\27[31m" }
    assert.is_truthy(chatty:wait_log " error .*said a")
    for i = before + 1, #chatty:log() do
      assert.matches("^%d%d%d%d%-%d%d%-%d%dT%S+ %a+ +worker%-0 said a ", chatty:log()[i])
      assert.is_nil(chatty:log()[i]:find("[\r\27]"))
    end
  end)

  it("names plugin, route, file and line of a failure in one line, whatever its text is", function()
    local before = #chatty:log()
    chatty:request{ path = "/fail/" .. escape "x\ny" }
    assert.is_truthy(chatty:wait_log " error .*plugin talker, GET /fail/%*text: plugins/talker%.lua:%d+: x y ")
    assert.equal(before + 1, #chatty:log())
  end)

  it("tells of failures that are no text too", function()
    for _, path in ipairs{ "/fail-oddly", "/fail-deeply" } do
      assert.equal(500, chatty:request{ path = path }.status)
      assert.is_truthy(chatty:wait_log(" error .*plugin talker, GET " .. path:gsub("%-", "%%-") .. ": "))
    end
  end)

  it("has all counts when it is asked by SIGUSR1", function()
    local last = chatty:request{ path = "/metrics" }.body:match "\n([%w_]+)[^\n]*\n$"
    chatty:send_signal "sigusr1"
    assert.is_truthy(chatty:wait_log " info .*chatty_connections %d+")
    assert.is_truthy(chatty:wait_log(" info .*" .. last .. "[ {]")) -- others count the lines
    assert.equal(200, chatty:request{ path = "/healthz" }.status)
  end)
end)

describe("the log as JSON", function()
  local chatty

  setup(function() chatty = start{ LOG_LEVEL = "debug", LOG_FORMAT = "json" } end)
  teardown(function() chatty:stop() end)

  -- All lines so far, decoded.
  local function decoded()
    local list = {}
    for i, line in ipairs(chatty:log()) do list[i] = cjson.decode(line) end
    return list
  end

  local function find(message)
    assert.is_truthy(chatty:wait_log(message))
    for _, item in ipairs(decoded()) do
      if item.message:find(message) then return item end
    end
  end

  it("has an object on each line, with time, level, thread and message", function()
    chatty:request{ path = "/say/hello" }
    chatty:request{ path = "/fail/" .. escape 'a "quoted"\n\\ text\0' }
    chatty:send_signal "sigusr1"
    assert.is_truthy(chatty:wait_log "token_failures_total")
    for _, item in ipairs(decoded()) do
      assert.matches("^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%dZ$", item.time)
      assert.is_truthy(({ debug = true, info = true, warn = true, error = true })[item.level])
      assert.same({ "string", "string" }, { type(item.thread), type(item.message) })
    end
  end)

  it("has numbers and booleans as such", function()
    chatty:request{ path = "/say/typed" }
    local item = find "said typed"
    assert.same({ 1.5, true, "typed", "talker" }, { item.n, item.is_good, item.text, item.plugin })
  end)

  it("keeps every byte of a text", function()
    chatty:request{ path = "/say/" .. escape 'bytes "\n\t\\ é' }
    assert.equal('bytes "\n\t\\ é', find("said bytes").text)
  end)

  it("has plugin and traceback of a failure as fields", function()
    chatty:request{ path = "/fail/fields" }
    local item = find "plugin talker, GET /fail/%*text: plugins/talker%.lua:%d+: fields"
    assert.same({ "error", "talker" }, { item.level, item.plugin })
    assert.matches("plugins/talker.lua", item.traceback, 1, true)
  end)

  it("says on which port the server listens", function()
    local line = find "listening"
    assert.same({ chatty.port, "127.0.0.1" }, { line.port, line.host })
  end)
end)

describe("the end of the log", function()
  it("says that the server stops and has stopped", function()
    local chatty = start{}
    chatty:stop()
    local lines = chatty:log()
    assert.matches(" stopping$", lines[#lines - 1])
    assert.matches(" stopped$", lines[#lines])
  end)
end)

describe("a secret", function()
  for _, format in ipairs{ "text", "json" } do
    it("is in no line of the log and in no answer, whatever is done with it, as " .. format, function()
      local chatty = start{ LOG_LEVEL = "debug", LOG_FORMAT = format }
      local key, secret = chatty.settings.CONTROL_KEY, chatty.settings.JWT_SECRET
      local good, bad = chatty:token "ann", chatty:token("ann", -60)
      local forged, control = good:sub(1, -5) .. "AAAA", chatty:token{ sub = "app", role = "control" }
      local wrong_key = "wrong-key-0123456789-abcdef"
      local answers = {}
      local function ask(request)
        local response = assert(chatty:request(request))
        answers[#answers + 1] = response.head .. response.body
      end
      for _, text in ipairs{ key, secret, good, bad, forged, control, wrong_key } do
        local bearer = { Authorization = "Bearer " .. text }
        for _, path in ipairs{ "/auth/test-jwt", "/control/search/users", "/control/search/users?page[size]=x",
          "/nowhere", "/fail/x", "/ws", "/auth/test-jwt?token=" .. text, "/ws?token=" .. text,
          "/control/search/users?key=" .. text, "/control/notify?method=" .. text } do
          ask{ path = path, headers = bearer }
          ask{ path = path, headers = { ["X-API-Key"] = text } }
          ask{ path = path, headers = { Cookie = "jwt=" .. text, Origin = "https://evil.example" } }
          ask{ path = path, headers = { Authorization = "Basic " .. text } }
        end
        ask{ path = "/control/notify?method=users:ann", headers = bearer, body = text }
        client.ws{ port = chatty.port, token = text }:close()
        client.ws{ port = chatty.port, path = "/ws?token=" .. text }:close()
        client.ws{ port = chatty.port, protocols = { "chatty.v1", "bearer." .. text } }:close()
        local late = client.ws{ port = chatty.port }
        late:send_event("chatty:auth", cjson.encode{ token = text })
        late:next()
        late:close()
        local raw = assert(client.tcp(chatty.port))
        raw:write("GET / HTTP/1.1\r\nAuthorization: Bearer " .. text .. "\r\nbroken header\r\n\r\n")
        answers[#answers + 1] = http.read(raw).body
      end
      chatty:send_signal "sigusr1"
      assert.is_truthy(chatty:wait_log "token_failures_total")
      chatty:stop()
      local all = table.concat(chatty:log(), "\n") .. table.concat(answers, "\n")
      for _, text in ipairs{ key, secret, good, bad, forged, control } do
        assert.is_nil(all:find(text, 1, true))
        -- Nor the part of a token that proves it.
        assert.is_nil(all:find(text:match("[^.]*$"), 1, true))
      end
    end)
  end

  it("is not in the environment that a plugin sees", function()
    local chatty = server.start{ plugins = { peek = [[
local chatty = require "chatty"
return { api = 1, setup = function(app)
  app:get("/peek", { auth = "none" }, function()
    local seen = {}
    local function walk(value, depth)
      if type(value) == "string" then seen[#seen + 1] = value end
      if type(value) ~= "table" or depth > 6 then return end
      for key, item in pairs(value) do walk(key, depth + 1) walk(item, depth + 1) end
    end
    walk(_G, 1)
    walk(chatty, 1)
    walk(getmetatable(app), 1)
    walk(app, 1)
    return { text = table.concat(seen, "\n") .. tostring(os.getenv) }
  end)
end }]] } }
    local text = chatty:request{ path = "/peek" }.body
    assert.is_truthy(text:find("notify", 1, true))
    assert.is_nil(text:find(chatty.settings.CONTROL_KEY, 1, true))
    assert.is_nil(text:find(chatty.settings.JWT_SECRET, 1, true))
  end)
end)
