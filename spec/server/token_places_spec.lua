-- Where a session's token may stand, and which of several is taken: the first in the order of the contract.
local client = require "spec.support.client"
local server = require "spec.support.server"

local ORIGIN = "https://app.example.com"
local FORGED = "forged.token.here"

describe("the token of a session", function()
  local chatty

  setup(function() chatty = server.start{ settings = { ALLOWED_ORIGINS = ORIGIN } } end)

  teardown(function() chatty:stop() end)

  -- A handshake with tokens in some of the four places: bearer, query, protocol, cookie.
  local function connect(places)
    local headers = {}
    headers.Authorization = places.bearer and "Bearer " .. places.bearer
    headers.Cookie = places.cookie and "theme=dark; jwt=" .. places.cookie .. "; lang=en"
    headers.Origin = places.cookie and ORIGIN
    return client.ws{
      port = chatty.port,
      path = places.query and "/ws?token=" .. places.query or "/ws",
      protocols = places.protocol and { "chatty.v1", "bearer." .. places.protocol },
      headers = headers,
    }
  end

  local function user_of(socket)
    return socket:next().attributes.user
  end

  local function code_of(socket)
    return socket.status, socket.body ~= "" and socket.body:match('"code":"([^"]+)"')
  end

  it("may stand in the header Authorization", function()
    assert.equal("ann", user_of(connect{ bearer = chatty:token("ann") }))
  end)

  it("may stand in the header Authorization with its scheme in any case", function()
    local headers = { Authorization = "bEARER  " .. chatty:token("ann") }
    assert.equal("ann", user_of(client.ws{ port = chatty.port, headers = headers }))
  end)

  it("may stand in the query", function()
    assert.equal("ann", user_of(connect{ query = chatty:token("ann") }))
  end)

  it("may stand in the query between other parameters, and percent-encoded", function()
    local encoded = chatty:token("ann"):gsub("%.", "%%2E")
    local socket = client.ws{ port = chatty.port, path = "/ws?v=2&token=" .. encoded .. "&x=%20" }
    assert.equal("ann", user_of(socket))
  end)

  it("is the first one of a query that has several", function()
    local path = ("/ws?token=%s&token=%s&token="):format(chatty:token("ann"), FORGED)
    assert.equal("ann", user_of(client.ws{ port = chatty.port, path = path }))
  end)

  it("may not stand beside a parameter that is malformed", function()
    for _, piece in ipairs({ "x=%zz", "%ff=1", "after=%" }) do
      local path = ("/ws?token=%s&%s"):format(chatty:token("ann"), piece)
      local status, code = code_of(client.ws{ port = chatty.port, path = path })
      assert.same({ 400, "query-malformed" }, { status, code })
    end
  end)

  it("may stand in the subprotocol behind chatty.v1, which is answered", function()
    local socket = connect{ protocol = chatty:token("ann") }
    assert.equal("chatty.v1", socket.protocol)
    assert.equal("ann", user_of(socket))
  end)

  it("may stand in the subprotocol before chatty.v1, which is answered", function()
    local protocols = { "bearer." .. chatty:token("ann"), "chatty.v1" }
    local socket = client.ws{ port = chatty.port, protocols = protocols }
    assert.equal("chatty.v1", socket.protocol)
    assert.equal("ann", user_of(socket))
  end)

  it("may stand in a cookie", function()
    assert.equal("ann", user_of(connect{ cookie = chatty:token("ann") }))
  end)

  it("may stand in a cookie in quotes", function()
    assert.equal("ann", user_of(connect{ cookie = '"' .. chatty:token("ann") .. '"' }))
  end)

  it("may come in the first frame", function()
    local socket = connect{}
    assert.equal(101, socket.status)
    socket:send_event("chatty:auth", ('{"token":"%s"}'):format(chatty:token("ann")))
    assert.equal("ann", user_of(socket))
  end)

  it("is not answered with a subprotocol when none was offered", function()
    assert.is_nil(connect{ query = chatty:token("ann") }.protocol)
  end)

  it("is never answered as a subprotocol", function()
    local socket = client.ws{ port = chatty.port, protocols = { "bearer." .. chatty:token("ann") } }
    assert.is_nil(socket.protocol)
  end)

  it("may come in the first frame of one who offers only chatty.v1", function()
    local socket = client.ws{ port = chatty.port, protocols = { "mqtt", "chatty.v1" } }
    assert.equal("chatty.v1", socket.protocol)
    socket:send_event("chatty:auth", ('{"token":"%s"}'):format(chatty:token("ann")))
    assert.equal("ann", user_of(socket))
  end)

  local ORDER = { "bearer", "query", "protocol", "cookie" }

  for i = 1, #ORDER - 1 do
    local first = ORDER[i]

    local function fill(token)
      local places = {}
      for k = i + 1, #ORDER do places[ORDER[k]] = chatty:token("later") end
      places[first] = token
      return connect(places)
    end

    it(("is taken from the place %s before all later ones"):format(first), function()
      assert.equal("ann", user_of(fill(chatty:token("ann"))))
    end)

    it(("is refused when it is bad in the place %s, though a later one is good"):format(first), function()
      assert.same({ 401, "token-invalid" }, { code_of(fill(FORGED)) })
    end)
  end

  it("is refused when it is bad in a cookie", function()
    assert.same({ 401, "token-invalid" }, { code_of(connect{ cookie = FORGED }) })
  end)

  it("is looked for further on when Authorization has another scheme", function()
    local path, headers = "/ws?token=" .. chatty:token("ann"), { Authorization = "Basic YTpi" }
    assert.equal("ann", user_of(client.ws{ port = chatty.port, path = path, headers = headers }))
  end)

  for name, header in pairs{ ["nothing"] = "Bearer", ["two words"] = "Bearer a b" } do
    it(("is bad when %s follows Bearer, and nothing later is looked at"):format(name), function()
      local path, headers = "/ws?token=" .. chatty:token("ann"), { Authorization = header }
      local socket = client.ws{ port = chatty.port, path = path, headers = headers }
      assert.same({ 401, "token-invalid" }, { code_of(socket) })
    end)
  end

  it("is bad when it is empty in the query", function()
    assert.same({ 401, "token-invalid" }, { code_of(connect{ query = "" }) })
  end)

  it("is bad when it is empty in the subprotocol", function()
    assert.same({ 401, "token-invalid" }, { code_of(connect{ protocol = "" }) })
  end)

  it("is not found in a query that is malformed, which is 400", function()
    local socket = client.ws{ port = chatty.port, path = "/ws?token=%zz" }
    assert.same({ 400, "query-malformed" }, { code_of(socket) })
  end)

  it("is not found in a cookie of another name", function()
    local headers = { Cookie = "xjwt=" .. chatty:token("ann"), Origin = ORIGIN }
    local socket = client.ws{ port = chatty.port, headers = headers }
    assert.equal(101, socket.status)
    socket:send_event("hello")
    assert.equal("auth-required", socket:next().attributes.code)
  end)
end)
