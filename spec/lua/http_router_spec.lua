local fake_core = require "spec.support.fake_core"

describe("router", function()
  local router

  before_each(function()
    fake_core.install()
    router = require "http.router"
  end)

  local function add(method, path)
    return router.add({
      method = method, path = path, label = method .. " " .. path, plugin = "shop", where = "shop.lua:7",
      guard_name = "none",
    })
  end

  -- "path of the route: name=value ..."
  local function find(method, path)
    local route, params = router.find(method, path)
    if not route then return nil end
    local words = {}
    for name, value in pairs(params or {}) do words[#words + 1] = name .. "=" .. value end
    table.sort(words)
    return route.path .. (words[1] and ": " .. table.concat(words, " ") or "")
  end

  it("finds exact paths by method", function()
    add("GET", "/a")
    add("POST", "/a")
    assert.equal("POST", router.find("POST", "/a").method)
    assert.is_nil(find("PUT", "/a"))
    assert.is_nil(find("GET", "/a/"))
    assert.is_nil(find("GET", "/A"))
  end)

  it("answers HEAD by GET", function()
    add("GET", "/a")
    add("GET", "/x/:id")
    assert.equal("/a", find("HEAD", "/a"))
    assert.equal("/x/:id: id=1", find("HEAD", "/x/1"))
  end)

  it("gives the values of parameters", function()
    add("GET", "/orders/:id/items/:item")
    assert.equal("/orders/:id/items/:item: id=7 item=a b", find("GET", "/orders/7/items/a b"))
    assert.is_nil(find("GET", "/orders//items/1"))
    assert.is_nil(find("GET", "/orders/7/items"))
  end)

  it("gives the rest of a path, which may be empty", function()
    add("GET", "/files/*path")
    assert.equal("/files/*path: path=a/b/c.txt", find("GET", "/files/a/b/c.txt"))
    assert.equal("/files/*path: path=", find("GET", "/files/"))
    assert.is_nil(find("GET", "/files"))
    add("GET", "/*all")
    assert.equal("/*all: all=", find("GET", "/"))
    assert.equal("/*all: all=files", find("GET", "/files"))
  end)

  it("lets the most specific route win, whatever came first", function()
    add("GET", "/x/*rest")
    add("GET", "/x/:id")
    add("GET", "/x/new")
    add("GET", "/x/:id/edit")
    assert.equal("/x/new", find("GET", "/x/new"))
    assert.equal("/x/:id: id=7", find("GET", "/x/7"))
    assert.equal("/x/:id/edit: id=7", find("GET", "/x/7/edit"))
    assert.equal("/x/*rest: rest=7/other", find("GET", "/x/7/other"))
  end)

  it("goes back when a more specific way leads nowhere", function()
    add("GET", "/:a/b/c")
    add("GET", "/x/:b/d")
    assert.equal("/:a/b/c: a=x", find("GET", "/x/b/c"))
    assert.equal("/x/:b/d: b=b", find("GET", "/x/b/d"))
  end)

  it("takes a less specific route for a method that the specific one has not", function()
    add("GET", "/x/new")
    add("POST", "/x/:id")
    assert.equal("/x/:id: id=new", find("POST", "/x/new"))
  end)

  it("refuses two alike and says where both are", function()
    add("GET", "/x/:id")
    local _, line = add("GET", "/x/:name")
    assert.equal("GET /x/:name is there already, as GET /x/:id of plugin shop (shop.lua:7)", line)
    assert.is_true(add("POST", "/x/:name"))
    assert.is_true(add("GET", "/x/*rest"))
    assert.is_nil((add("GET", "/x/*all")))
  end)

  it("refuses paths that cannot be", function()
    for _, path in ipairs({ "a", "", "/:", "/*", "/*rest/a", "/:a/:a", "/a:b", "/a*", "/:a-b" }) do
      assert.is_nil((add("GET", path)))
    end
  end)

  it("tells the methods of a path", function()
    add("GET", "/a/:id")
    add("POST", "/a/b")
    assert.same({ "GET", "HEAD", "OPTIONS", "POST" }, router.methods("/a/b"))
    assert.same({ "GET", "HEAD", "OPTIONS" }, router.methods("/a/c"))
    assert.is_nil(router.methods("/b"))
  end)

  it("lists all routes by path and method", function()
    add("POST", "/b")
    add("GET", "/b")
    add("GET", "/a")
    local shown = {}
    for i, route in ipairs(router.list()) do
      shown[i] = ("%s %s %s"):format(route.method, route.path, route.plugin)
    end
    assert.same({ "GET /a shop", "GET /b shop", "POST /b shop" }, shown)
  end)
end)
