local fake_core = require "spec.support.fake_core"
local lua_half = require "spec.support.lua_half"

describe("event_stream", function()
  local core

  before_each(function()
    core = lua_half.start({ settings = { ALLOWED_ORIGINS = { "https://app" } } })
    core.token.known = { ["ann-token"] = { user = "ann", claims = '{"sub":"ann"}' } }
  end)

  local function open(headers, target, method)
    return lua_half.ask(core, { target = target or "/events", headers = headers, method = method })
  end

  local function session_of(headers, target)
    local reply, state = open(headers, target)
    assert.is_nil(reply)
    return fake_core.state(state.session)
  end

  it("opens a live session of the token's user", function()
    local session = session_of({ authorization = "Bearer ann-token" })
    assert.same({ "ann", true, "chatty:connected", {} },
      { session.user, session.is_live, session.sent[1].event, session.stream_headers })
  end)

  it("says in its head which pages may read it", function()
    local headers = session_of({ authorization = "Bearer ann-token", origin = "https://app" }).stream_headers
    assert.same({ "Access-Control-Allow-Origin", "https://app" }, { headers[3], headers[4] })
    assert.same({ "Vary", "Origin" }, { headers[#headers - 1], headers[#headers] })
  end)

  it("takes a cookie that came without Origin, as pages of our own send it", function()
    assert.equal("ann", session_of({ cookie = "jwt=ann-token" }).user)
    assert.equal("origin-not-allowed", open({ cookie = "jwt=ann-token", origin = "https://evil" }).error.code)
  end)

  it("does not take a token from a subprotocol", function()
    assert.equal("credentials-missing", open({ ["sec-websocket-protocol"] = "bearer.ann-token" }).error.code)
  end)

  it("answers HEAD and opens nothing", function()
    local reply, state = open({}, "/events?token=ann-token", "HEAD")
    assert.same({ 200, "text/event-stream" }, { reply.status, reply.headers["content-type"] })
    assert.is_nil(state and state.session)
  end)
end)
