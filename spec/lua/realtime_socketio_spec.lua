local fake_core = require "spec.support.fake_core"
local lua_half = require "spec.support.lua_half"

describe("socketio", function()
  local core

  local function start(setup)
    core = lua_half.start({ plugins = { shop = ([[
      local chatty = require "chatty"
      return { api = 1, setup = function(app) %s end }
    ]]):format(setup or "") } })
    core.token.known = {
      ["ann-token"] = { user = "ann", claims = '{"sub":"ann"}' },
      ["bob-token"] = { user = "bob", claims = '{"sub":"bob"}' },
      ["old-token"] = "TOKEN_EXPIRED",
    }
  end

  local function connect(auth, brought, namespace)
    local session = fake_core.session({ transport = "sio", namespace = namespace or "/" })
    core.init.on_connect(session, auth, brought)
    return fake_core.state(session), session
  end

  it("makes a session of the user of auth.token, else of what the request brought", function()
    start()
    assert.equal("ann", connect('{"token":"ann-token"}').user)
    assert.equal("ann", connect('{"token":"ann-token"}', "bob-token").user)
    local state = connect(nil, "bob-token")
    assert.same({ "bob", true, "chatty:connected" }, { state.user, state.is_live, state.sent[1].event })
    assert.equal("bob", connect('{"token":1}', "bob-token").user)
  end)

  it("refuses who has no good token", function()
    start()
    assert.equal(4500, connect().closed.code)
    local state = connect('{"token":"old-token"}', "bob-token")
    assert.equal(4500, state.closed.code)
    assert.matches("The token is not accepted", state.closed.reason)
  end)

  it("asks for what was missed since the id that the client says, or Socket.IO's own recovery", function()
    start()
    for auth, after in pairs{
      ['"after":"a","offset":"o","pid":"p"'] = "a", ['"offset":"o","pid":"p"'] = "o", ['"pid":"p"'] = "p",
      ['"pid":"p.s"'] = "p", ['"after":7,"pid":""'] = false,
    } do
      local state = connect('{"token":"ann-token",' .. auth .. "}")
      assert.equal(after, state.after or false)
    end
  end)

  it("takes it for the client that it says, or Socket.IO's own recovery", function()
    start()
    for auth, client in pairs{
      ['"session":"a","pid":"p.s"'] = "a", ['"offset":"o","pid":"p.s"'] = "s", ['"session":7'] = false,
    } do
      local state = connect('{"token":"ann-token",' .. auth .. "}")
      assert.equal(client, state.client or false)
    end
  end)

  it("knows no namespace but the main one and those of plugins", function()
    start('app:namespace("/admin", { auth = "jwt" })')
    assert.same({ code = 1008, reason = "Invalid namespace" }, connect('{"token":"ann-token"}', nil, "/x").closed)
    assert.equal("ann", connect('{"token":"ann-token"}', nil, "/admin").user)
  end)

  it("lets guests in where a plugin says so, and tells them nothing", function()
    start('app:namespace("/", { auth = "none" })')
    local state = connect('{"token":"ann-token"}')
    assert.same({ "guest-session-1", "{}", true, {} }, { state.user, state.claims, state.is_live, state.sent })
  end)

  it("shows connect hooks what came with CONNECT, and nobody later", function()
    start([[app:on("connect", function(session)
      session:send("auth", session.auth)
      session.data.auth = function() return session.auth end
      session.data.namespace = session.namespace
    end)]])
    local state = connect('{"token":"ann-token","room":[1]}')
    assert.same({ event = "auth", attributes = { token = "ann-token", room = { 1 } } }, state.sent[2])
    assert.is_nil(state.data.data.auth())
    assert.equal("/", state.data.data.namespace)
  end)

  it("refuses what plugins get wrong", function()
    for setup, message in pairs{
      ['app:namespace("x", { auth = "jwt" })'] = "the name must be /",
      ['app:namespace("/x", {})'] = "say who may",
      ['app:namespace("/x", { auth = "control" })'] = "say who may",
      ['app:namespace("/x", { auth = "jwt", more = 1 })'] = "more",
      ['app:namespace("/x", { auth = "jwt" }) app:namespace("/x", { auth = "none" })'] = "is there already",
    } do
      local ok, fault = pcall(start, setup)
      assert.is_false(ok)
      assert.matches(message, tostring(fault), 1, true)
    end
  end)

  describe("messages", function()
    local function packet(setup, name, attributes, ack)
      start(setup)
      local state, session = connect('{"token":"ann-token"}')
      core.init.on_packet(session, name and core.event.new(name, attributes), ack)
      return state.sent[#state.sent], state
    end

    it("go to the hooks, whose value is the acknowledgement", function()
      local sent = packet([[app:on("message", function(_, event) return { got = event.attributes.n } end)]],
        "x", { n = 1 }, "7")
      assert.same({ event = "chatty:ack", attributes = { got = 1 }, ack = "7" }, sent)
    end)

    it("are acknowledged with an event as it is", function()
      local sent = packet([[app:on("message", function(_, event) return event end)]], "x", { n = 1 }, "7")
      assert.same({ event = "chatty:ack", attributes = { n = 1 }, ack = "7" }, sent)
    end)

    it("are acknowledged with no argument when the hooks return nothing", function()
      local sent = packet([[app:on("message", function() end)]], "x", {}, "7")
      assert.same({ event = "chatty:ack", attributes = {}, ack = "7" }, sent)
    end)

    it("are refused in the acknowledgement, or by an event", function()
      local refuse = [[app:on("message", function() return chatty.refuse(403, "no", "No.") end)]]
      assert.same({ error = { status = 403, code = "no", detail = "No." } }, packet(refuse, "x", {}, "7").attributes)
      assert.same({ event = "chatty:error", attributes = { status = 403, code = "no", detail = "No." } },
        packet(refuse, "x", {}))
      assert.equal("frame-malformed", packet(refuse, nil, nil, "7").attributes.error.code)
    end)

    it("may refresh the token", function()
      local sent = packet("", "chatty:auth", { token = "ann-token" }, "7")
      assert.same({ "chatty:auth", "7" }, { sent.event, sent.ack })
    end)
  end)
end)
