-- GET /control/search/...: subscriptions, participants, users.
local fault = require "spec.support.fault"
local fresh = require "spec.support.fresh"
local listener = require "spec.support.listener"
local server = require "spec.support.server"
local wait = require "spec.support.wait"

local function escape(text)
  return (text:gsub("[^%w]", function(c) return ("%%%02X"):format(c:byte()) end))
end

describe("search", function()
  local chatty

  setup(function() chatty = server.start() end)
  teardown(function() chatty:stop() end)

  local function get(path, on)
    return (on or chatty):control("GET", "/control/search/" .. path)
  end

  -- All pages from this one on, by the header Link, and how many there were.
  local function follow(path, on)
    local all, pages = {}, 0
    while path do
      local response = (on or chatty):control("GET", path)
      assert.equal(200, response.status)
      for _, name in ipairs(response.json()) do all[#all + 1] = name end
      pages = pages + 1
      path = response.headers.link and response.headers.link:match('^<([^>]*)>; rel="next"$')
    end
    return all, pages
  end

  describe("for subscriptions", function()
    it("answers all channels of a user, sorted", function()
      local user = fresh "ann"
      chatty:subscribe("users:" .. user, { "room-b", "room-a", "post-1", "Room-a", "größe-1" })
      assert.same({ "Room-a", "größe-1", "post-1", "room-a", "room-b" }, get("subscriptions?userId=" .. user).json())
    end)

    it("answers an empty array for a user that nobody knows", function()
      assert.equal("[]", get("subscriptions?userId=constructor").body)
    end)

    it("answers an empty array for a user who is connected and has none", function()
      local ann = listener.open(chatty, fresh "ann")
      assert.equal("[]", get("subscriptions?userId=" .. ann.user).body)
    end)

    it("takes any name", function()
      for _, user in ipairs({ "a,b:c", "größe & 😀", "a b", '"', "__proto__", "%41" }) do
        chatty:subscribe(listener.selector("users", { user }), { "any-1" })
        assert.same({ "any-1" }, get("subscriptions?userId=" .. escape(user)).json())
      end
    end)

    local refused = {
      [""] = "400 parameter-missing ?userId",
      ["?userId="] = "400 parameter-missing ?userId",
      ["?userId"] = "400 parameter-missing ?userId",
      ["?userid=ann"] = "400 parameter-unknown ?userid",
      ["?userId=ann&channel=x"] = "400 parameter-unknown ?channel",
      ["?userId=ann&userId=bob"] = "400 parameter-repeated ?userId",
      ["?userId=a%0Ab"] = "400 name-invalid ?userId",
      ["?userId=%FF"] = "400 query-malformed ?userId",
      ["?userId=" .. ("x"):rep(256)] = "400 name-invalid ?userId",
      ["?userId=ann&page%5Bsize%5D=1"] = "400 parameter-unknown ?page[size]",
    }
    for query, expected in pairs(refused) do
      it(("refuses the query '%s'"):format(query:sub(1, 40)), function()
        assert.equal(expected, fault.of(get("subscriptions" .. query)))
      end)
    end
  end)

  describe("for participants", function()
    it("answers the users who have a live session in the channel, sorted, each once", function()
      local room = fresh "room"
      local bob, ann = listener.open(chatty, fresh "b", { room }), listener.open(chatty, fresh "a", { room })
      listener.open(chatty, bob.user)
      chatty:subscribe("users:" .. fresh "offline", { room })
      listener.open(chatty, fresh "elsewhere")
      assert.same({ ann.user, bob.user }, get("participants?channel=" .. room).json())
    end)

    it("answers the others too with include=offline", function()
      local room, user = fresh "room", fresh "a-offline"
      local bob = listener.open(chatty, fresh "b", { room })
      chatty:subscribe("users:" .. user, { room })
      assert.same({ user, bob.user }, get("participants?include=offline&channel=" .. room).json())
    end)

    it("answers an empty array for a channel that nobody knows", function()
      assert.equal("[]", get("participants?channel=__proto__").body)
      assert.equal("[]", get("participants?include=offline&channel=__proto__").body)
    end)

    it("forgets a user with his last session", function()
      local room = fresh "room"
      local one = listener.open(chatty, fresh "ann", { room })
      local two = listener.open(chatty, one.user)
      one:close()
      assert.same({ one.user }, get("participants?channel=" .. room).json())
      two:close()
      assert.is_true(wait.until_(function() return get("participants?channel=" .. room).body == "[]" end))
    end)

    it("follows subscribe and unsubscribe at once", function()
      local room = fresh "room"
      local ann = listener.open(chatty, fresh "ann")
      chatty:subscribe("users:" .. ann.user, { room })
      assert.same({ ann.user }, get("participants?channel=" .. room).json())
      chatty:unsubscribe("users:" .. ann.user, { room })
      assert.same({}, get("participants?channel=" .. room).json())
    end)

    local refused = {
      [""] = "400 parameter-missing ?channel",
      ["?channel="] = "400 parameter-missing ?channel",
      ["?channel=a&channel=b"] = "400 parameter-repeated ?channel",
      ["?channel=a&include=online"] = "400 parameter-invalid ?include",
      ["?channel=a&include="] = "400 parameter-invalid ?include",
      ["?channel=a&page%5Bsize%5D=0"] = "400 parameter-invalid ?page[size]",
      ["?channel=a&page%5Bnumber%5D=2"] = "400 parameter-unknown ?page[number]",
      ["?channel=%00"] = "400 name-invalid ?channel",
    }
    for query, expected in pairs(refused) do
      it(("refuses the query '%s'"):format(query), function()
        assert.equal(expected, fault.of(get("participants" .. query)))
      end)
    end
  end)

  describe("for users", function()
    it("answers the connected users, sorted, each once", function()
      local own = server.start()
      listener.open(own, "bob")
      listener.open(own, "ann")
      listener.open(own, "ann")
      own:subscribe("users:offline", { "room-1" })
      assert.same({ "ann", "bob" }, get("users", own).json())
    end)

    it("answers an empty array when nobody is here", function()
      assert.equal("[]", get("users", server.start()).body)
    end)
  end)

  describe("by pages", function()
    local own
    local channel, everybody = "a b&c=d/é-1", {}

    setup(function()
      own = server.start{ settings = { PAGE_SIZE_MAX = 50 } }
      for i = 1, 120 do everybody[i] = ("user %03d,ü&"):format(i) end
      own:control("POST", "/control/subscription/subscribe?method=" .. escape(listener.selector("users", everybody)),
        { data = { type = "a b&c=d/é", id = "1" } })
      for i = 1, 7 do listener.open(own, everybody[i]) end
    end)
    teardown(function() own:stop() end)

    local participants = "/control/search/participants?include=offline&channel=" .. escape(channel)

    it("gives so many names as asked for, and the next page in Link", function()
      local response = own:control("GET", "/control/search/users?page[size]=3")
      assert.same({ everybody[1], everybody[2], everybody[3] }, response.json())
      assert.equal('</control/search/users?page%5Bsize%5D=3&page%5Bafter%5D=' .. "user%20003%2C%C3%BC%26"
        .. '>; rel="next"', response.headers.link)
    end)

    for _, size in ipairs({ 1, 2, 3, 6, 7, 8, 50 }) do
      it(("of %d gives all users once, in order"):format(size), function()
        local all, pages = follow("/control/search/users?page[size]=" .. size, own)
        assert.same({ table.unpack(everybody, 1, 7) }, all)
        assert.equal(math.ceil(7 / size), pages)
      end)
    end

    for _, size in ipairs({ 1, 40, 50 }) do
      it(("of %d gives all participants once, in order"):format(size), function()
        local all, pages = follow(participants .. "&page%5Bsize%5D=" .. size, own)
        assert.same(everybody, all)
        assert.equal(math.ceil(120 / size), pages)
      end)
    end

    it("has pages of PAGE_SIZE_MAX when nothing is said", function()
      local all, pages = follow(participants, own)
      assert.same({ everybody, 3 }, { all, pages })
    end)

    it("has no Link on the last page", function()
      assert.is_nil(own:control("GET", "/control/search/users?page[size]=7").headers.link)
    end)

    it("begins behind a name that need not be there", function()
      assert.same({ everybody[7] }, own:control("GET", "/control/search/users?page[after]=user%20006~").json())
    end)

    it("is empty behind the last name", function()
      assert.equal("[]", own:control("GET", "/control/search/users?page[after]=z").body)
    end)

    for _, size in ipairs({ "0", "-1", "51", "x", "1.5", "", "9999999999999999999999", "0x10", "1e1" }) do
      it(("refuses the size '%s'"):format(size), function()
        local short, object = fault.of(own:control("GET", "/control/search/users?page[size]=" .. size))
        assert.equal("400 parameter-invalid ?page[size]", short)
        assert.is_truthy(object.detail:find("must be", 1, true))
      end)
    end

    it("is linked in JSON:API documents too", function()
      local response = own:request{
        path = "/control/search/users?page[size]=3",
        headers = { ["X-API-Key"] = server.control_key, Accept = "application/vnd.api+json" },
      }
      local document = response.json()
      assert.same({ type = "users", id = everybody[1] }, document.data[1])
      assert.equal(response.headers.link, ('<%s>; rel="next"'):format(document.links.next))
    end)
  end)
end)
