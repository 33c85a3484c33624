-- The sample for Socket.IO, in a real browser: the page with the client that the server itself serves.
local browser = require "spec.support.browser"
local server = require "spec.support.server"
local socketio = require "spec.support.socketio"

local SETTINGS = { ENABLE = "socketio", SOCKETIO_CLIENT = socketio.DIST, WORKERS = 4 }

describe("the sample for Socket.IO", function()
  local chatty, window

  setup(function()
    chatty = server.start{ settings = SETTINGS }
    window = browser.start()
  end)

  after_each(function() window:close_tabs() end)

  teardown(function()
    window:stop()
    chatty:stop()
  end)

  local function join(name)
    local tab = window:open(("http://127.0.0.1:%d/socketio/"):format(chatty.port))
    tab:type("#name", name .. "\n")
    assert.equal("Connected as " .. name, tab:wait_text("#state", "Connected as " .. name))
    return tab
  end

  it("serves the installed client below the path of Socket.IO", function()
    local response = chatty:request{ path = "/socket.io/socket.io.js" }
    assert.equal(200, response.status)
    assert.matches("javascript", response.headers["content-type"])
    assert.equal(404, chatty:request{ path = "/socket.io/../init.lua" }.status)
  end)

  it("lets two tabs talk", function()
    local ann, bob = join("ann"), join("bob")
    ann:type("#content", "hello <b>bob</b>\n")
    assert.equal("annhello <b>bob</b>", (bob:wait_text("#log li", "annhello <b>bob</b>"):gsub(": ", "")))
    bob:type("#content", "hi ann\n")
    assert.equal("bobhi ann", (ann:wait_text("#log li", "bobhi ann"):gsub(": ", "")))
  end)

  it("changes over from polling, with the token in a header, to a WebSocket", function()
    local tab = join("carol")
    assert.equal(0, chatty:wait_metric("polling", 0))
    chatty:notify("channels:socketio-room", "chat-message", '{"content":"from the server","sender":"server"}')
    assert.equal("serverfrom the server", tab:wait_text("#log li", "serverfrom the server"))
  end)

  it("comes back by itself when the server does", function()
    local other = server.start{ settings = SETTINGS }
    local tab = window:open(("http://127.0.0.1:%d/socketio/"):format(other.port))
    tab:type("#name", "dave\n")
    assert.equal("Connected as dave", tab:wait_text("#state", "Connected as dave"))
    local port, folder = other.port, other.folder
    other:stop()
    assert.equal("Not connected: transport close", tab:wait_text("#state", "Not connected: transport close"))
    local all = { APP_PORT = port }
    for name, value in pairs(SETTINGS) do all[name] = value end
    server.start{ settings = all, folder = folder }
    assert.equal("Connected as dave", tab:wait_text("#state", "Connected as dave"))
  end)

  it("shows a refusal of the server", function()
    local tab = join("erin")
    tab:eval([[document.getElementById("content").maxLength = 3000]])
    tab:eval([[document.getElementById("content").value = "x".repeat(2001)]])
    tab:click("#say button")
    assert.equal("Say 1 to 2000 characters.", tab:wait_text("#log .fault", "Say 1 to 2000 characters."))
  end)
end)
