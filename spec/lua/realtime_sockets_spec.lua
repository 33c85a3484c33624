local fake_core = require "spec.support.fake_core"
local lua_half = require "spec.support.lua_half"

describe("sockets", function()
  local core

  local function start(handlers, auth)
    core = lua_half.start({ plugins = { shop = ([[
      local chatty = require "chatty"
      return { api = 1, setup = function(app) app:websocket("/echo", { auth = "%s" }, %s) end }
    ]]):format(auth or "none", handlers) } })
  end

  local function open(fields)
    fields = fields or { is_upgrade = true }
    fields.target = "/echo"
    local reply, state = lua_half.ask(core, fields)
    return reply, state.socket, state.socket and fake_core.state(state.socket)
  end

  it("carry messages both ways", function()
    start([[{ message = function(socket, data, binary) socket:send(data .. "!", binary) end }]])
    local _, socket, state = open()
    core.init.on_socket_message(state.handler, socket, "hi", true)
    assert.same({ { data = "hi!", binary = true } }, state.sent)
  end)

  it("tell their plugin of opening and closing", function()
    start([[{
      open = function(socket, request) socket:send(request.path) end,
      close = function(socket, code, reason) chatty.log.info(code .. reason) end,
    }]])
    local _, socket, state = open()
    assert.equal("/echo", state.sent[1].data)
    core.init.on_socket_close(state.handler, socket, 1001, "away")
    assert.equal("1001away", core.log.lines[#core.log.lines].message)
  end)

  it("are guarded, and want a handshake", function()
    start("{}", "jwt")
    assert.equal(401, open().status)
    start("{}")
    assert.equal(426, open({}).status)
    assert.is_nil((open()))
  end)

  it("close when their plugin fails, which is logged", function()
    start([[{ open = function() end, message = function() error("boom") end }]])
    local _, socket, state = open()
    core.init.on_socket_message(state.handler, socket, "x", false)
    assert.equal(1011, state.closed.code)
    assert.matches("^plugin shop, websocket /echo: .*boom", core.log.lines[#core.log.lines].message)
    start([[{ open = function() error("boom") end }]])
    _, _, state = open()
    assert.equal(1011, state.closed.code)
  end)
end)
