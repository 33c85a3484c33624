local fake_core = require "spec.support.fake_core"
local lua_half = require "spec.support.lua_half"

describe("engineio", function()
  local core

  before_each(function()
    core = lua_half.start({ settings = { POLLING_MAX = 10 } })
    core.token.known = { ["ann-token"] = { user = "ann", claims = '{"sub":"ann"}' } }
  end)

  local function ask(query, fields)
    fields = fields or {}
    fields.target = "/socket.io/" .. query
    return (lua_half.ask(core, fields))
  end

  local function refused(query, fields)
    local reply = ask(query, fields)
    return { reply.status, reply.error.code, reply.error.source and reply.error.source.parameter }
  end

  it("wants its version, a transport and the right method", function()
    assert.same({ 400, "engine-request", "EIO" }, refused("?transport=polling"))
    assert.same({ 400, "engine-request", "EIO" }, refused("?EIO=3&transport=polling"))
    assert.same({ 400, "engine-request", "transport" }, refused("?EIO=4"))
    assert.same({ 400, "engine-request", "transport" }, refused("?EIO=4&transport=polling", { method = "HEAD" }))
    assert.same({ 400, "engine-request", "transport" }, refused("?EIO=4&transport=polling", { method = "PUT" }))
    assert.same({ 400, "engine-request", "sid" }, refused("?EIO=4&transport=polling", { method = "POST" }))
    assert.same({ 400, "engine-request", "transport" },
      refused("?EIO=4&transport=websocket&sid=x", { method = "POST" }))
    assert.equal(400, ask("?EIO=4&transport=polling&x=%zz").status)
    assert.equal(426, ask("?EIO=4&transport=websocket").status)
    assert.same({}, core.engine.calls)
  end)

  it("answers polls and posts with what the connection says", function()
    core.engine.answers.poll = { "4hello" }
    local reply = ask("?EIO=4&transport=polling&sid=x")
    assert.same({ 200, "4hello", "text/plain; charset=UTF-8", "no-store" },
      { reply.status, reply.body, reply.headers["content-type"], reply.headers["cache-control"] })
    assert.equal("ok", ask("?EIO=4&transport=polling&sid=x", { method = "POST", body = "3" }).body)
    assert.same({ { name = "poll", "x" }, { name = "post", "x" } }, core.engine.calls)
  end)

  it("tells why it refuses", function()
    for _, code in ipairs{ "sid-unknown", "request-concurrent", "packet-malformed" } do
      core.engine.answers.post = { nil, code }
      assert.same({ 400, code }, refused("?EIO=4&transport=polling&sid=x", { method = "POST", body = "3" }))
    end
    assert.same({ 413, "body-too-large" },
      refused("?EIO=4&transport=polling&sid=x", { method = "POST", body = ("3"):rep(11) }))
  end)

  it("opens a connection with the token that the request brings", function()
    assert.equal("0{}", ask("?EIO=4&transport=polling&token=ann-token").body)
    ask("?EIO=4&transport=polling", { headers = { authorization = "Bearer ann-token" } })
    ask("?EIO=4&transport=polling", { headers = { cookie = "jwt=ann-token", origin = "https://evil" } })
    ask("?EIO=4&transport=websocket", { is_upgrade = true, headers = { authorization = "Bearer ann-token" } })
    assert.same({
      { name = "open_mux", "ann-token" }, { name = "open_mux", "ann-token" }, { name = "open_mux" },
      { name = "open_mux_socket", "ann-token" },
    }, core.engine.calls)
  end)

  it("opens none when too many poll", function()
    core.engine.is_full = true
    local reply = ask("?EIO=4&transport=polling")
    assert.same({ 503, "polling-max", "5" }, { reply.status, reply.error.code, reply.headers["retry-after"] })
  end)

  it("hands a WebSocket with a sid over", function()
    assert.is_nil(ask("?EIO=4&transport=websocket&sid=known", { is_upgrade = true }))
    assert.same({ 400, "sid-unknown" }, refused("?EIO=4&transport=websocket&sid=unknown", { is_upgrade = true }))
  end)

  it("lets a plugin have an endpoint of its own", function()
    core = lua_half.start({ plugins = { shop = [[
      return { api = 1, setup = function(app)
        app:engineio("/own/", { auth = "none" }, {
          open = function(socket) socket:send("hi") end,
          message = function(socket, data, binary) socket:send(data, binary) end,
        })
      end }
    ]] } })
    assert.equal("0{}", lua_half.ask(core, { target = "/own/?EIO=4&transport=polling" }).body)
    local handler, socket = core.engine.calls[1][1], fake_core.socket()
    assert.equal("engineio /own/", handler.label)
    core.init.on_socket_message(handler, socket, "x", true)
    assert.same({ { data = "x", binary = true } }, fake_core.state(socket).sent)
    assert.equal(400, lua_half.ask(core, { target = "/own/?EIO=4&transport=polling", method = "PUT" }).status)
  end)
end)
