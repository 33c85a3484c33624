-- The sample with an app server, whole: chatty, the app server in Node.js, and its pages in a browser.
local browser = require "spec.support.browser"
local process = require "spec.support.process"
local server = require "spec.support.server"
local wait = require "spec.support.wait"

local APP = "examples/orders/app.mjs"

-- What stands in a list of a page, newest first.
local function wait_list(tab, selector, wanted)
  local function texts() return table.concat(tab:texts(selector), " | ") end
  wait.until_(function() return texts() == wanted end)
  return texts()
end

describe("the sample with an app server #browser", function()
  local window, chatty, app, address

  local function start_chatty(port, folder)
    return server.start{
      settings = { ENABLE = "orders", APP_PORT = port, STORE = "sqlite:chatty.db" }, folder = folder,
    }
  end

  local function start_app()
    local child = process.start{ command = "node", args = { APP }, env = {
      CHATTY = ("http://127.0.0.1:%d"):format(chatty.port), CONTROL_KEY = server.control_key, PORT = 0,
    } }
    local url
    wait.until_(function()
      url = table.concat(child.out, "\n"):match("http://%S+")
      return url
    end)
    return child, assert(url, "the app server does not say where it listens")
  end

  setup(function() window = browser.start() end)
  teardown(function() window:stop() end)

  before_each(function()
    chatty = start_chatty()
    app, address = start_app()
  end)

  after_each(function()
    window:close_tabs()
    app:kill()
    chatty:stop()
  end)

  local function open_customer(name)
    local tab = window:open(address)
    tab:type("#name", name .. "\n")
    assert.equal("Connected as customer-" .. name, tab:wait_text("#state", "Connected as customer-" .. name))
    return tab
  end

  local function open_shop()
    local tab = window:open(address .. "shop")
    assert.equal("Connected as shop-1", tab:wait_text("#state", "Connected as shop-1"))
    return tab
  end

  it("brings an order to the pages of its customer and of the shop, and to no other", function()
    local ann, tab, bob, shop = open_customer("ann"), open_customer("ann"), open_customer("bob"), open_shop()
    ann:type("#cake", "Lemon\n")
    assert.equal("Lemon for customer-ann placed Next step",
      (wait_list(shop, ".order", "Lemon for customer-ann placed Next step"):gsub("%s+", " ")))
    shop:click(".order button")
    for _, one in ipairs({ ann, tab }) do
      assert.equal("Lemon: in the oven", wait_list(one, "#news li", "Lemon: in the oven"))
      assert.equal("in the oven", wait_list(one, ".order span", "in the oven"))
    end
    assert.same({}, bob:texts(".order"))
  end)

  it("lets an order end", function()
    local ann, shop = open_customer("ann"), open_shop()
    ann:type("#cake", "Plum\n")
    for _, state in ipairs({ "placed", "in the oven", "on its way", "delivered" }) do
      assert.equal(state, wait_list(shop, ".order span", state))
      shop:click(".order button")
    end
    assert.equal("", wait_list(shop, ".order", ""))
    assert.equal("", wait_list(ann, ".order", ""))
    assert.same({}, chatty:control("GET", "/control/search/subscriptions?userId=customer-ann").json())
  end)

  it("brings a page what it missed while chatty was away", function()
    local ann, shop = open_customer("ann"), open_shop()
    ann:type("#cake", "Apple\n")
    assert.equal("placed", wait_list(shop, ".order span", "placed"))
    shop:click(".order button")
    assert.equal("Apple: in the oven", wait_list(ann, "#news li", "Apple: in the oven"))
    local port, folder = chatty.port, chatty.folder
    chatty:stop()
    assert.truthy(wait.until_(function() return ann:texts("#state")[1]:find("Not connected", 1, true) end))
    shop:click(".order button")
    assert.equal("The shop does not reach chatty.", shop:wait_text("#fault", "The shop does not reach chatty."))
    chatty = start_chatty(port, folder)
    assert.equal("Connected as shop-1", shop:wait_text("#state", "Connected as shop-1"))
    assert.equal("on its way", wait_list(shop, ".order span", "on its way"))
    shop:click(".order button")
    assert.equal("delivered", wait_list(ann, ".order span", "delivered"))
  end)

  it("brings a page what it missed while the page was away, in order", function()
    local ann, shop = open_customer("ann"), open_shop()
    ann:type("#cake", "Pear\n")
    assert.equal("placed", wait_list(shop, ".order span", "placed"))
    ann:devtools("Network.enable", "{}")
    ann:devtools("Network.emulateNetworkConditions",
      '{"offline":true,"latency":0,"downloadThroughput":-1,"uploadThroughput":-1}')
    chatty:control("POST", "/control/disconnect?method=users:customer-ann&reconnect=true")
    assert.truthy(wait.until_(function() return ann:texts("#state")[1]:find("Not connected", 1, true) end))
    for _, state in ipairs({ "in the oven", "on its way" }) do
      shop:click(".order button")
      assert.equal(state, wait_list(shop, ".order span", state))
    end
    ann:devtools("Network.emulateNetworkConditions",
      '{"offline":false,"latency":0,"downloadThroughput":-1,"uploadThroughput":-1}')
    assert.equal("Pear: on its way | Pear: in the oven",
      wait_list(ann, "#news li", "Pear: on its way | Pear: in the oven"))
  end)

  it("says what a customer cannot have", function()
    local ann = open_customer("ann")
    ann:eval([[document.getElementById("cake").maxLength = 90]])
    ann:type("#cake", "<b>\n")
    local words = "A cake has 1 to 30 letters, digits and blanks."
    assert.equal(words, ann:wait_text("#fault", words))
  end)
end)

describe("the app server of the sample", function()
  it("says what it needs", function()
    local ended = process.run{ command = "node", args = { APP } }
    assert.same({ 1, "CONTROL_KEY is missing: it stands in the .env of chatty" }, { ended.code, ended.err })
  end)
end)
