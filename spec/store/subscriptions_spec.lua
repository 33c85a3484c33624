-- One list of examples for every kind of store: what stands, who may log in and what was revoked. In the embedded
-- store each is told once more with restarts between what is done and what is asked.
local fault = require "spec.support.fault"
local listener = require "spec.support.listener"
local server = require "spec.support.server"

local SQLITE = "sqlite:chatty.db"
local KINDS = {
  { name = "in memory", store = "memory" },
  { name = "in the embedded store", store = SQLITE },
  { name = "in the embedded store through restarts", store = SQLITE, restarts = true },
}

local PASSWORD = "open sesame"

for _, kind in ipairs(KINDS) do
  describe("what is kept " .. kind.name .. ":", function()
    local chatty

    before_each(function()
      chatty = server.start{ settings = {
        STORE = kind.store, SUBSCRIPTIONS_PER_USER_MAX = 3, SUBSCRIPTIONS_MAX = 6,
      } }
    end)
    after_each(function() chatty:stop() end)

    local function settle()
      if not kind.restarts then return end
      chatty:stop()
      chatty = server.start{ settings = chatty.settings, folder = chatty.folder }
    end

    local function subscriptions(user)
      return chatty:control("GET", "/control/search/subscriptions?userId=" .. user).json()
    end

    local function members(channel, page)
      local path = "/control/search/participants?include=offline&channel=" .. channel .. (page or "")
      return chatty:control("GET", path).json()
    end

    describe("subscriptions", function()
      it("are found by user and by channel", function()
        chatty:subscribe("users:ann,bob", { "room-2", "room-1" })
        settle()
        assert.same({ { "room-1", "room-2" }, { "ann", "bob" } }, { subscriptions "bob", members "room-1" })
        assert.equal(4, chatty:metric "subscriptions")
      end)

      it("stand once, however often they are made", function()
        for _ = 1, 2 do
          assert.equal(200, chatty:subscribe("users:ann", { "room-1" }).status)
          settle()
        end
        assert.same({ { "room-1" }, { "ann" } }, { subscriptions "ann", members "room-1" })
      end)

      it("tell since when they stand and of which call, which a second one does not change", function()
        local function subscribe(id, channel)
          return chatty:request{
            method = "POST", path = "/control/subscription/subscribe?method=users:ann",
            headers = { ["X-API-Key"] = chatty.settings.CONTROL_KEY, ["X-Request-Id"] = id },
            json = { data = { type = "room", id = channel } },
          }
        end
        local began = os.date("!%Y-%m-%dT%H:%M")
        assert.equal("call-1", subscribe("call-1", "1").headers["x-request-id"])
        subscribe("call-2", "1")
        subscribe("call-3", "2")
        settle()
        local path = "/control/search/subscriptions?userId=ann&include=origin"
        local list = chatty:control("GET", path).json()
        assert.same({ { "room-1", "call-1", "control" }, { "room-2", "call-3", "control" } }, {
          { list[1].channel, list[1].by.request, list[1].by.kind },
          { list[2].channel, list[2].by.request, list[2].by.kind },
        })
        assert.is_true(list[1].since >= began)
        local page = chatty:control("GET", path .. "&page[size]=1")
        assert.same({ 1, "room-1" }, { #page.json(), page.json()[1].channel })
        assert.matches("page%[after%]=room%-1", (page.headers.link:gsub("%%5B", "["):gsub("%%5D", "]")))
      end)

      it("of users end, and the others stay", function()
        chatty:subscribe("users:ann,bob", { "room-1", "room-2" })
        settle()
        assert.equal(200, chatty:unsubscribe("users:ann", { "room-1" }).status)
        settle()
        assert.same({ { "room-2" }, { "bob" } }, { subscriptions "ann", members "room-1" })
      end)

      it("made by channels hold for those who were in any of them then", function()
        chatty:subscribe("users:ann", { "room-1" })
        chatty:subscribe("users:bob", { "room-1", "room-2" })
        settle()
        chatty:subscribe("channels:room-1,room-2", { "news-1" })
        chatty:subscribe("users:late", { "room-1" })
        settle()
        assert.same({ { "ann", "bob" }, { "room-1" } }, { members "news-1", subscriptions "late" })
      end)

      it("ended by channels are gone for those who are in any of them", function()
        chatty:subscribe("users:ann", { "room-1", "news-1" })
        chatty:subscribe("users:bob", { "news-1" })
        settle()
        chatty:unsubscribe("channels:room-1,room-2", { "news-1" })
        settle()
        assert.same({ { "bob" }, { "ann" } }, { members "news-1", members "room-1" })
      end)

      it("may be made again after all of a channel ended", function()
        chatty:subscribe("users:ann,bob", { "room-1" })
        chatty:unsubscribe("channels:room-1", { "room-1" })
        settle()
        assert.same({ {}, {} }, { subscriptions "ann", members "room-1" })
        chatty:subscribe("users:bob", { "room-1" })
        settle()
        assert.same({ {}, { "bob" } }, { subscriptions "ann", members "room-1" })
      end)

      it("are counted, and left alone, by a dry run", function()
        local function would_change(verb, id)
          local path = "/control/subscription/" .. verb .. "?dryRun=true&method=users:ann,bob"
          return chatty:control("POST", path, { data = { type = "room", id = id } }).json().changed
        end
        chatty:subscribe("users:ann", { "room-1" })
        settle()
        assert.same({ 1, 2 }, { would_change("subscribe", "1"), would_change("subscribe", "2") })
        assert.same({ 1, 0 }, { would_change("unsubscribe", "1"), would_change("unsubscribe", "2") })
        settle()
        assert.same({ { "room-1" }, {} }, { subscriptions "ann", subscriptions "bob" })
      end)

      it("of one user have a limit, beyond which a call does nothing for anybody", function()
        chatty:subscribe("users:ann", { "room-1", "room-2", "room-3" })
        settle()
        assert.equal("409 subscriptions-max", fault.of(chatty:subscribe("users:bob,ann", { "room-4" })))
        assert.equal(200, chatty:subscribe("users:ann", { "room-1" }).status)
        settle()
        assert.same({ { "room-1", "room-2", "room-3" }, {} }, { subscriptions "ann", subscriptions "bob" })
      end)

      it("of all users have a limit, and there is room again when some end", function()
        chatty:subscribe("users:ann,bob,cara", { "room-1", "room-2" })
        settle()
        assert.equal("409 subscriptions-max", fault.of(chatty:subscribe("users:dan", { "room-1" })))
        chatty:unsubscribe("users:ann", { "room-1" })
        settle()
        assert.equal(200, chatty:subscribe("users:dan", { "room-1" }).status)
        assert.equal("409 subscriptions-max", fault.of(chatty:subscribe("users:dan", { "room-2" })))
      end)

      it("are found page by page, in the order of their bytes", function()
        chatty:subscribe(listener.selector("users", { "bob", "äne", "Zoe", "ann" }), { "room-1" })
        settle()
        assert.same({ "Zoe", "ann" }, members("room-1", "&page[size]=2"))
        assert.same({ "bob", "äne" }, members("room-1", "&page[size]=2&page[after]=ann"))
      end)

      it("are named to a session that comes back, and bring it events", function()
        listener.open(chatty, "ann", { "room-1", "room-2" }):close()
        chatty:unsubscribe("users:ann", { "room-2" })
        settle()
        local ann = listener.open(chatty, "ann")
        chatty:notify("channels:room-2", "lost")
        chatty:notify("channels:room-1", "tick")
        assert.same({ { "room-1" }, { "tick" } }, { ann.channels, ann:heard_names() })
      end)

      it("reach a session that is there, and leave it", function()
        chatty:subscribe("users:ann", { "room-1" })
        settle()
        local ann = listener.open(chatty, "ann")
        chatty:subscribe("users:ann", { "room-2" })
        chatty:unsubscribe("users:ann", { "room-1" })
        chatty:notify("channels:room-1", "lost")
        chatty:notify("channels:room-2", "tick")
        assert.same({ "tick" }, ann:heard_names())
      end)
    end)

    describe("users", function()
      local function register(text)
        return chatty:control("POST", "/auth/register", { username = "ann", password = text })
      end

      local function login(text)
        return chatty:request{ path = "/auth/login", json = { username = "ann", password = text } }
      end

      local function new_token()
        return login(PASSWORD).headers["set-cookie"]:match("^jwt=([^;]+);")
      end

      local function ask(method, path, token)
        return chatty:request{ method = method, path = path, headers = { Authorization = "Bearer " .. token } }
      end

      local function is_revoked(token)
        return fault.of(ask("GET", "/auth/test-jwt", token)) == "401 token-revoked Authorization:"
      end

      before_each(function() register(PASSWORD) end)

      it("log in with their password alone", function()
        settle()
        assert.same({ 200, 401 }, { login(PASSWORD).status, login("another one").status })
      end)

      it("keep their password when somebody else wants their name", function()
        settle()
        assert.equal("409 username-taken #/username", fault.of(register("another one")))
        settle()
        assert.same({ 200, 401 }, { login(PASSWORD).status, login("another one").status })
      end)

      it("log out of one login, and stay in the other", function()
        local one, other = new_token(), new_token()
        settle()
        assert.is_true(ask("POST", "/auth/logout", one).json().revoked)
        settle()
        assert.is_true(is_revoked(one))
        assert.equal(200, ask("GET", "/auth/test-jwt", other).status)
      end)

      it("log out everywhere, and log in again", function()
        local one, other = new_token(), new_token()
        settle()
        local session = chatty:connect("ann", { token = other })
        assert.equal("chatty:connected", session:next().event)
        assert.equal(200, ask("POST", "/auth/logout?everywhere=true", one).status)
        assert.equal(4504, (session:expect_closed()))
        settle()
        assert.is_true(is_revoked(other))
        assert.equal(200, ask("GET", "/auth/test-jwt", new_token()).status)
      end)

      it("may have tokens of another secret, and for a while of the one before", function()
        local old = new_token()
        local change = { secret = "the next secret of the specs 0123456789", grace = 600 }
        assert.equal(200, chatty:control("PUT", "/auth/update-jwt-secret", change).status)
        local new = new_token()
        settle()
        assert.same({ 200, 200 },
          { ask("GET", "/auth/test-jwt", old).status, ask("GET", "/auth/test-jwt", new).status })
      end)
    end)
  end)
end
