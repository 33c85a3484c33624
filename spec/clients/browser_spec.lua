-- The unmodified socket.io-client 4 in a headless Chromium, from the file that the server itself serves, on a page
-- of another origin than the server's.
local browser = require "spec.support.browser"
local server = require "spec.support.server"
local socketio = require "spec.support.socketio"
local wait = require "spec.support.wait"

local PLUGIN = [[
  local plugin = { api = 1 }
  function plugin.setup(app)
    app:get("/page", { auth = "none" }, function()
      return { html = '<!doctype html><meta charset="utf-8"><title>a page</title>' }
    end)
    app:on("message", function(_, event) return event end)
  end
  return plugin
]]

-- Opens a client in the page, under a name; what happens to it is noted.
local OPEN = [[
  const [name, url, options] = arguments;
  const own = { heard: [] };
  window.clients = { ...window.clients, [name]: own };
  own.socket = io(url, { forceNew: true, reconnectionDelay: 20, ...options });
  const note = (on, what) => own.heard.push({ on, ...what });
  own.socket.on("connect", () => note("connect", { sid: own.socket.id }));
  own.socket.on("connect_error", ({ message, data }) => note("connect_error", { message, data }));
  own.socket.on("disconnect", (reason) => note("disconnect", { reason }));
  own.socket.onAny((event, ...args) => note("event", { event, args }));
]]

local ECHO = [[
  const [name] = arguments;
  const bytes = new Uint8Array([1, 2, 255]);
  window.clients[name].socket.emit("echo", 1, { bytes }, (one, { bytes: back }) => {
    window.clients[name].heard.push({ on: "ack", one, bytes: Array.from(new Uint8Array(back)) });
  });
]]

local CUT = [[
  const [name] = arguments;
  const { transport } = window.clients[name].socket.io.engine;
  if (transport.name === "websocket") transport.ws.close();
  else transport.onError("cut");
]]

local TRANSPORTS = {
  ["websocket only"] = { "websocket" }, ["polling only"] = { "polling" }, upgrade = { "polling", "websocket" },
}

describe("socket.io-client in a browser", function()
  local chatty, window, tab, url

  setup(function()
    chatty = server.start{
      settings = { WORKERS = 4, SOCKETIO_CLIENT = socketio.DIST, JWT_LEEWAY = "0s", EXPIRING_NOTICE = "1s" },
      plugins = { page = PLUGIN },
    }
    url = ("http://127.0.0.1:%d"):format(chatty.port)
    window = browser.start()
    tab = window:open(("http://localhost:%d/page"):format(chatty.port))
    tab:eval([[
      const script = document.createElement("script");
      script.src = arguments[0];
      document.head.append(script);
    ]], url .. "/socket.io/socket.io.js")
    assert(wait.until_(function() return tab:eval("return typeof io") == "function" end))
  end)

  teardown(function()
    window:stop()
    chatty:stop()
  end)

  local count = 0

  local function open(options)
    count = count + 1
    local name = "client-" .. count
    tab:eval(OPEN, name, url, options)
    return name
  end

  -- Waits for something that happens to a client; what came before is forgotten.
  local function next_of(name, on, event)
    return wait.until_(function()
      return tab:eval([[
        const [name, on, event] = arguments;
        const { heard } = window.clients[name];
        const at = heard.findIndex((one) => one.on === on && (event === "" || one.event === event));
        if (at < 0) return false;
        const [found] = heard.splice(0, at + 1).slice(-1);
        return found;
      ]], name, on, event or "")
    end)
  end

  for way, transports in pairs(TRANSPORTS) do
    describe("with " .. way, function()
      local function join(user, ttl)
        local name = open({ transports = transports, auth = { token = chatty:token(user, ttl) } })
        assert.equal("string", type(next_of(name, "connect").sid))
        return name
      end

      it("connects and gets what is notified", function()
        local name = join("ann")
        assert.equal("ann", next_of(name, "event", "chatty:connected").args[1].user)
        chatty:notify("users:ann", "hello", '{"n":1}')
        assert.same({ { n = 1 } }, next_of(name, "event", "hello").args)
      end)

      it("is acknowledged, with binaries", function()
        local name = join("ann")
        tab:eval(ECHO, name)
        assert.same({ on = "ack", one = 1, bytes = { 1, 2, 255 } }, next_of(name, "ack"))
      end)

      it("comes back after a cut", function()
        local name = join("ann")
        tab:eval(CUT, name)
        assert.truthy(next_of(name, "disconnect"))
        assert.truthy(next_of(name, "connect"))
      end)

      it("is refused with a wrong token, and when its own has expired", function()
        assert.same({ code = 4500 }, next_of(open({ transports = transports, auth = { token = "x" } }),
          "connect_error").data)
        local name = join("ann", 2)
        assert.equal(4001, next_of(name, "event", "chatty:closed").args[1].code)
        assert.same({ code = 4500 }, next_of(name, "connect_error").data)
      end)
    end)
  end

  it("polls with the header Authorization, for which the browser asks first", function()
    local token = chatty:token("eve")
    local name = open({ transports = { "polling" }, extraHeaders = { Authorization = "Bearer " .. token } })
    assert.equal("eve", next_of(name, "event", "chatty:connected").args[1].user)
  end)
end)
