local browser = require "spec.support.browser"
local cjson = require "cjson"
local process = require "spec.support.process"
local server = require "spec.support.server"
local wait = require "spec.support.wait"

local LONGEST = ("ö"):rep(2000)
local BACK = "Connected again. What was said meanwhile is not shown."

---@param options? spec.ServerOptions
local function start_chat(options)
  options = options or {}
  options.settings = options.settings or {}
  options.settings.ENABLE = "chat"
  return server.start(options)
end

describe("the chat", function()
  local chatty

  setup(function() chatty = start_chat() end)

  teardown(function() chatty:stop() end)

  local function join(name)
    return chatty:request{ path = "/chat/join", json = { name = name } }
  end

  -- A visitor's session, and what it was told at first.
  local function enter(name)
    local session = chatty:connect(name, { token = join(name).json().token })
    return session, session:next()
  end

  local function first_error(response)
    return response.json().errors[1]
  end

  -- The next event of this name: the lobby is shared by all tests.
  local function next_of(session, name)
    local event
    repeat event = session:next() until not event or event.event == name
    return event
  end

  local function say(session, content, ack)
    session:send_event("chat-message", cjson.encode{ content = content }, ack)
  end

  describe("page", function()
    it("is served at / with all it needs", function()
      local page = chatty:request{ path = "/" }
      assert.equal("text/html; charset=utf-8", page.headers["content-type"])
      local count = 0
      for path in page.body:gmatch('"(/chat/[%w.]+)"') do
        assert.equal(200, chatty:request{ path = path }.status)
        count = count + 1
      end
      assert.equal(2, count)
    end)

    it("names no other host", function()
      for _, path in ipairs({ "/", "/chat/chat.js", "/chat/chat.css" }) do
        local text = chatty:request{ path = path }.body:gsub("xmlns='http://www.w3.org/2000/svg'", "")
        assert.is_nil(text:match("https?://[%w.]+"))
      end
    end)
  end)

  describe("token", function()
    it("is for the user chat-<name>", function()
      local _, connected = enter("ann")
      assert.equal("chatty:connected", connected.event)
      assert.equal("chat-ann", connected.attributes.user)
    end)

    it("is for the name without the blanks around it", function()
      local answer = join(" \t Ann Lee ").json()
      assert.same({ "Ann Lee", "chat-Ann Lee" }, { answer.name, answer.user })
    end)

    it("gives no right to control", function()
      local headers = { Authorization = "Bearer " .. join("ann").json().token }
      assert.equal(403, chatty:request{ path = "/control/search/users", headers = headers }.status)
    end)

    it("is not kept by caches", function()
      assert.equal("no-store", join("ann").headers["cache-control"])
    end)

    it("is given for names of 1 to 32 characters", function()
      for _, name in ipairs({ "x", ("x"):rep(32), ("ö"):rep(32), "😀", "a-b:c, d" }) do
        assert.equal(200, join(name).status)
      end
    end)

    it("is refused for other names, and says where the fault is", function()
      local names = {
        "", "  ", ("x"):rep(33), "a\nb", "a\0b", "a\127b", "a\u{85}b", "a\u{202E}b", 7, true, cjson.null, {},
      }
      for _, name in ipairs(names) do
        local fault = first_error(join(name))
        assert.equal("400", fault.status)
        assert.same({ "chat-name-invalid", "/name" }, { fault.code, fault.source.pointer })
      end
    end)

    it("is refused for a body without a name", function()
      for _, body in ipairs({ "[]", "7", '"ann"', "null", "{}" }) do
        local response = chatty:request{ path = "/chat/join", body = body }
        assert.equal("chat-name-invalid", first_error(response).code)
      end
    end)

    it("is refused for a large body", function()
      assert.equal(413, join(("x"):rep(2000)).status)
    end)
  end)

  describe("lobby", function()
    it("has every visitor in it from the start", function()
      local _, connected = enter("carl")
      assert.same({ "chat-lobby" }, connected.attributes.channels)
    end)

    it("has no other users in it", function()
      assert.same({}, chatty:connect("dora"):next().attributes.channels)
    end)

    it("gets what an app server sends", function()
      local emil = enter("emil")
      chatty:notify("channels:chat-lobby", "chat-message", '{"content":"hi","sender":"server"}')
      assert.same({ content = "hi", sender = "server" }, next_of(emil, "chat-message").attributes)
    end)
  end)

  describe("message", function()
    it("reaches all visitors, with sender and time from the server", function()
      local fred, gina = enter("fred"), enter("gina")
      fred:send_event("chat-message", '{"content":"hi","sender":"gina","time-sent":"never","more":1}')
      for _, session in ipairs({ fred, gina }) do
        local attributes = next_of(session, "chat-message").attributes
        assert.matches("^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%dZ$", attributes["time-sent"])
        attributes["time-sent"] = nil
        assert.same({ content = "hi", sender = "fred" }, attributes)
      end
    end)

    it("is acknowledged", function()
      local hugo = enter("hugo")
      say(hugo, "hi", 7)
      assert.equal(7, next_of(hugo, "chatty:ack").ack)
    end)

    it("may have 2000 characters", function()
      local ines = enter("ines")
      say(ines, LONGEST)
      assert.equal(LONGEST, next_of(ines, "chat-message").attributes.content)
    end)

    it("is refused when its content is missing, empty, too long or no text", function()
      local jack = enter("jack")
      local all = { "{}", '{"content":""}', '{"content":7}', '{"content":null}', "[]", '"hi"',
        cjson.encode{ content = LONGEST .. "x" } }
      for _, attributes in ipairs(all) do
        jack:send_event("chat-message", attributes, 1)
        local event = next_of(jack, "chatty:error")
        assert.same({ 1, "chat-content-invalid" }, { event.ack, event.attributes.code })
      end
    end)

    it("is not taken from other users", function()
      local kate, luke = chatty:connect("kate"), enter("luke")
      say(kate, "from kate", 1)
      assert.equal(1, next_of(kate, "chatty:ack").ack)
      say(luke, "from luke")
      assert.equal("from luke", next_of(luke, "chat-message").attributes.content)
    end)
  end)
end)

describe("the chat page #browser", function()
  local chromium, chatty

  setup(function() chromium = browser.start() end)

  teardown(function() chromium:stop() end)

  before_each(function() chatty = start_chat() end)

  after_each(function()
    chromium:close_tabs()
    chatty:stop()
  end)

  local function open()
    return chromium:open(("http://127.0.0.1:%d/"):format(chatty.port))
  end

  local function enter(name)
    local tab = open()
    tab:type("#name", name .. "\n")
    tab:wait_text("#state-text", "Connected as " .. name)
    return tab
  end

  -- Where one line of the log has this text.
  local function hears(tab, text)
    return tab:wait_text("#log .content", text)
  end

  local function start_again()
    chatty = start_chat{ folder = chatty.folder, settings = { APP_PORT = chatty.port } }
  end

  -- The server says something.
  local function speak(content)
    local attributes = cjson.encode{ content = content, sender = "server" }
    return chatty:notify("channels:chat-lobby", "chat-message", attributes)
  end

  -- The page hears of it with the next frame.
  local function scroll_up(tab)
    tab:eval([[
      document.getElementById("log").scrollTop = 0;
      return new Promise((done) => requestAnimationFrame(() => setTimeout(done)));]])
  end

  -- By how many pixels the page, and the log in it, are wider than what is seen of them.
  local function excess(tab)
    return tab:eval([[
      const wide = (element) => element.scrollWidth - element.clientWidth;
      return [wide(document.documentElement), wide(document.getElementById("log"))];]])
  end

  it("brings what ann says to bob's tab and to her own", function()
    local ann, bob = enter("ann"), enter("bob")
    ann:type("#content", "hello bob\n")
    assert.equal("hello bob", hears(bob, "hello bob"))
    assert.equal("ann", bob:wait_text(".message .sender", "ann"))
    assert.equal("hello bob", ann:wait_text(".own .content", "hello bob"))
  end)

  it("shows what an app server sends in both tabs", function()
    local ann, bob = enter("ann"), enter("bob")
    speak("hi")
    for _, tab in ipairs({ ann, bob }) do
      assert.equal("hi", hears(tab, "hi"))
      assert.equal("server", tab:wait_text(".message .sender", "server"))
    end
  end)

  it("shows a command that works once the key is in it", function()
    local ann = enter("ann")
    if not ann:shows("#command") then ann:click("#try summary") end
    local command = ann:texts("#command")[1]:gsub("YOUR_CONTROL_KEY", server.control_key)
    assert.equal(0, process.run{ command = "sh", args = { "-c", command } }.code)
    assert.equal("hi", hears(ann, "hi"))
  end)

  it("shows events of other names as they came", function()
    local ann = enter("ann")
    chatty:notify("channels:chat-lobby", "order-paid", '{"id":12345678901234567890,"items":[]}')
    local raw = '{"event":"order-paid","attributes":{"id":12345678901234567890,"items":[]}}'
    assert.equal(raw, ann:wait_text(".raw", raw))
  end)

  it("shows markup as text", function()
    local ann, bob = enter("ann"), enter("bob")
    local text = [[<b>bold</b> <img src=x onerror="document.title='broken'"> &amp;]]
    ann:type("#content", text .. "\n")
    assert.equal(text, hears(bob, text))
    assert.equal(0, bob:eval("return document.querySelectorAll('.content *').length"))
    assert.equal("Lobby – chatty", bob:eval("return document.title"))
  end)

  it("connects again after a restart of the server, and all goes on", function()
    local ann, bob = enter("ann"), enter("bob")
    chatty:stop()
    start_again()
    for _, tab in ipairs({ ann, bob }) do assert.equal(BACK, tab:wait_text(".note", BACK)) end
    bob:type("#content", "still there?\n")
    assert.equal("still there?", hears(ann, "still there?"))
  end)

  it("waits for a server that is not there, and says so", function()
    local ann = open()
    chatty:stop()
    ann:type("#name", "ann\n")
    local fault = "No connection: the server cannot be reached. Trying again…"
    assert.equal(fault, ann:wait_text("#join-fault", fault))
    start_again()
    assert.equal("Connected as ann", ann:wait_text("#state-text", "Connected as ann"))
  end)

  it("comes back when it is asked to", function()
    local ann = enter("ann")
    chatty:control("POST", "/control/disconnect?method=users:chat-ann&reconnect=true")
    assert.equal(BACK, ann:wait_text(".note", BACK))
  end)

  it("stays away when it is told to, and says why", function()
    local ann = enter("ann")
    chatty:control("POST", "/control/disconnect?method=users:chat-ann&reason=Closed+for+tonight")
    assert.equal("Closed for tonight (4502)", ann:wait_text("#join-fault", "Closed for tonight (4502)"))
    assert.is_true(ann:shows("#join"))
    assert.is_false(ann:shows("#room"))
  end)

  it("says what is wrong with a name", function()
    local ann = open()
    ann:type("#name", "   \n")
    local detail = "Choose a name of 1 to 32 characters, without control characters."
    assert.equal(detail, ann:wait_text("#join-fault", detail))
  end)

  it("renews its token before that dies", function()
    chatty:stop()
    chatty = start_chat{ settings = { EXPIRING_NOTICE = "598s" } }
    local ann = open()
    ann:eval([[
      const original = fetch;
      window.asked = 0;
      window.fetch = (...all) => { window.asked++; return original(...all); };]])
    ann:type("#name", "ann\n")
    -- The first token, a second in its place, and a third in the place of that.
    assert.is_true(wait.until_(function() return ann:eval("return window.asked") == 3 end))
    assert.same({ "You are in the lobby, ann." }, ann:texts("#log > *"))
  end)

  it("is in the lobby again when it is loaded anew", function()
    local ann = enter("ann")
    ann:reload()
    assert.equal("Connected as ann", ann:wait_text("#state-text", "Connected as ann"))
  end)

  it("is left by its button, and remembers nothing", function()
    local ann = enter("ann")
    ann:click("#leave")
    assert.is_true(ann:wait_for("#join"))
    ann:reload()
    assert.is_true(ann:wait_for("#join"))
    assert.equal(0, chatty:wait_metric("sessions", 0))
  end)

  it("sends a line break that was typed with Shift", function()
    local ann = enter("ann")
    ann:type("#content", "one\u{E008}\n\u{E000}two\n")
    assert.equal("one\ntwo", hears(ann, "one\ntwo"))
  end)

  it("copies the command", function()
    local ann = enter("ann")
    if not ann:shows("#command") then ann:click("#try summary") end
    ann:click("#copy")
    assert.equal("Copied", ann:wait_text("#copy", "Copied"))
  end)

  it("keeps a reader of old messages where he is, and leads to the new ones", function()
    local ann = enter("ann")
    for i = 1, 60 do speak("line " .. i) end
    assert.equal("line 60", hears(ann, "line 60"))
    scroll_up(ann)
    speak("newest")
    assert.is_true(ann:wait_for("#newest"))
    assert.equal(0, ann:eval("return document.getElementById('log').scrollTop"))
    ann:click("#newest")
    assert.is_false(ann:shows("#newest"))
    assert.is_true(ann:eval("return document.getElementById('log').scrollTop > 0"))
  end)

  it("does not scroll sideways on a phone", function()
    local ann = enter("ann")
    ann:type("#content", ("w"):rep(300) .. "\n")
    chatty:notify("channels:chat-lobby", "long", ('{"text":"%s"}'):format(("x"):rep(300)))
    assert.is_true(ann:wait_for(".raw"))
    assert.is_true(ann:wait_for(".own"))
    for _, width in ipairs({ 390, 320 }) do
      ann:resize(width, 844, true)
      assert.same({ 0, 0 }, excess(ann))
    end
  end)
end)
