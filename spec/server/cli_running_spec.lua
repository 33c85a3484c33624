-- The commands that ask a server which runs: chatty health, chatty reload.
local server = require "spec.support.server"
local uv = require "luv"

-- Runs the program with these settings, and no others that server.run would set.
local function run(args, settings)
  local all = { APP_HOST = false, APP_PORT = false, CONTROL_KEY = false, JWT_SECRET = false, LOG_LEVEL = false,
    WORKERS = false }
  for name, value in pairs(settings) do all[name] = value end
  return assert(server.run{ args = args, settings = all })
end

-- Exit code, output, and the number of lines on stderr.
local function failure(result)
  return { result.code, result.out, select(2, (result.err .. "\n"):gsub("\n", "")) }
end

describe("chatty health", function()
  it("exits with 0 and says nothing when the server is ready", function()
    local chatty = server.start()
    local result = run({ "health" }, { APP_HOST = "127.0.0.1", APP_PORT = chatty.port })
    assert.same({ 0, "", "" }, { result.code, result.out, result.err })
  end)

  it("finds a server that listens on all interfaces", function()
    local chatty = server.start{ settings = { APP_HOST = false } }
    assert.equal(0, run({ "health" }, { APP_PORT = chatty.port }).code)
  end)

  it("exits with 1 and one line when nobody listens", function()
    local chatty = server.start()
    chatty:stop()
    local result = run({ "health" }, { APP_HOST = "127.0.0.1", APP_PORT = chatty.port })
    assert.same({ 1, "", 1 }, failure(result))
    assert.matches("port " .. chatty.port .. " does not listen", result.err, 1, true)
  end)

  it("exits with 1 and one line when the server is not ready", function()
    local chatty = server.start{ settings = { WORKERS = 1 }, plugins = { slow = [[
local chatty = require "chatty"
return { api = 1, setup = function(app) app:on("start", function() chatty.sleep(60) end) end }]] } }
    local result = run({ "health" }, { APP_HOST = "127.0.0.1", APP_PORT = chatty.port })
    assert.same({ 1, "", 1 }, failure(result))
    assert.matches("is not ready", result.err, 1, true)
    chatty:kill()
  end)
end)

describe("chatty reload", function()
  local GOOD = "return { api = 1, setup = function() end }"

  local function start(settings)
    local chatty = server.start{ settings = settings, plugins = { shop = GOOD } }
    local keys = chatty.settings.CONTROL_KEY .. ",other-key-0123456789"
    return chatty, { APP_HOST = "127.0.0.1", APP_PORT = chatty.port, CONTROL_KEY = keys }
  end

  local function write(chatty, source)
    local file <close> = assert(io.open(chatty.folder .. "/plugins/shop.lua", "wb"))
    file:write(source)
  end

  it("waits until the plugins are loaded anew, and says so", function()
    local chatty, settings = start()
    local result = run({ "reload" }, settings)
    assert.same({ 0, "reloaded; generation 2 runs", "" }, { result.code, result.out, result.err })
    assert.equal(2, chatty:metric "reload_generation")
  end)

  it("only asks whether they can be, with --dry-run", function()
    local chatty, settings = start()
    local result = run({ "reload", "--dry-run" }, settings)
    assert.same({ 0, "can be reloaded; generation 1 runs" }, { result.code, result.out })
    write(chatty, "return")
    assert.equal(1, run({ "reload", "--dry-run" }, settings).code)
    assert.equal(1, chatty:metric "reload_generation")
  end)

  it("exits with 1 and the fault when they cannot", function()
    local chatty, settings = start()
    write(chatty, "local x =\n\nreturn")
    local result = run({ "reload" }, settings)
    assert.same({ 1, "", 1 }, failure(result))
    assert.matches("chatty: plugin shop: plugins/shop.lua:3: unexpected symbol near 'return'", result.err, 1, true)
  end)

  it("exits with 1 and one line when the server is not there, or does not let in", function()
    local chatty, settings = start()
    settings.CONTROL_KEY = "another-key-0123456789"
    local result = run({ "reload" }, settings)
    assert.same({ 1, "", 1 }, failure(result))
    assert.matches("chatty: .*key", result.err)
    chatty:stop()
    result = run({ "reload" }, settings)
    assert.same({ 1, "", 1 }, failure(result))
    assert.matches("does not listen", result.err)
    assert.matches("say which port", run({ "reload" }, { APP_PORT = 0 }).err)
  end)

  it("is told by a server that is no chatty", function()
    local listener = uv.new_tcp()
    assert(listener:bind("127.0.0.1", 0))
    assert(listener:listen(1, function()
      local peer = uv.new_tcp()
      listener:accept(peer)
      peer:read_start(function() peer:write("220 mail\r\n", function() peer:close() end) end)
    end))
    local result = run({ "reload" }, { APP_HOST = "127.0.0.1", APP_PORT = listener:getsockname().port })
    listener:close()
    assert.same({ 1, "", 1 }, failure(result))
    assert.matches("is no chatty", result.err)
  end)
end)
