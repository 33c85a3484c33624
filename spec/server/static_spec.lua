-- Files of a plugin's folder (app:static): what they are called and look like, what a client need not fetch
-- again, and that there is no way out of the folder.
local client = require "spec.support.client"
local http = require "spec.support.http"
local server = require "spec.support.server"
local uv = require "luv"

local PIXEL = "\x89PNG\r\n\x1a\n\0\0\255"
local BIG = ("0123456789abcdef"):rep(256 * 1024) -- 4 MB

describe("static files", function()
  local chatty

  setup(function()
    chatty = server.start{ settings = { WORKERS = 1 }, files = {
      ["secret.txt"] = "top secret",
      ["plugins/site/init.lua"] = [[
return { api = 1, setup = function(app)
  app:static("/assets", "public")
  app:static("/own/", "public/sub", { auth = "jwt" })
  app:get("/assets/made", { auth = "none" }, function() return { text = "made" } end)
end }]],
      ["plugins/site/secret.txt"] = "top secret",
      ["plugins/site/public-not/secret.txt"] = "top secret",
      ["plugins/site/public/index.html"] = "<p>index</p>",
      ["plugins/site/public/style.css"] = "p {}",
      ["plugins/site/public/code.js"] = "1",
      ["plugins/site/public/module.mjs"] = "1",
      ["plugins/site/public/data.json"] = "{}",
      ["plugins/site/public/image.svg"] = "<svg/>",
      ["plugins/site/public/image.PNG"] = PIXEL,
      ["plugins/site/public/notes.txt"] = "héllo",
      ["plugins/site/public/unknown.xyz"] = "?",
      ["plugins/site/public/none"] = "?",
      ["plugins/site/public/empty.txt"] = "",
      ["plugins/site/public/big.bin"] = BIG,
      ["plugins/site/public/with blank é.txt"] = "blank",
      ["plugins/site/public/changing.txt"] = "one",
      ["plugins/site/public/.hidden"] = "top secret",
      ["plugins/site/public/.git/config"] = "top secret",
      ["plugins/site/public/sub/index.html"] = "<p>sub</p>",
      ["plugins/site/public/sub/page.html"] = "<p>page</p>",
      ["plugins/site/public/bare/file.txt"] = "bare",
    } }
  end)
  teardown(function() chatty:stop() end)

  local function get(path, headers)
    return assert(chatty:request{ path = path, headers = headers })
  end

  local function path_of(name) return chatty.folder .. "/plugins/site/public/" .. name end

  local types = {
    ["index.html"] = "text/html; charset=utf-8", ["style.css"] = "text/css; charset=utf-8",
    ["code.js"] = "text/javascript; charset=utf-8", ["module.mjs"] = "text/javascript; charset=utf-8",
    ["data.json"] = "application/json", ["image.svg"] = "image/svg+xml", ["image.PNG"] = "image/png",
    ["notes.txt"] = "text/plain; charset=utf-8", ["unknown.xyz"] = "application/octet-stream",
    none = "application/octet-stream",
  }
  for name, kind in pairs(types) do
    it(("%s is %s, and browsers shall not guess otherwise"):format(name, kind), function()
      local response = get("/assets/" .. name)
      assert.same({ 200, kind, "nosniff" },
        { response.status, response.headers["content-type"], response.headers["x-content-type-options"] })
    end)
  end

  it("come byte for byte, whatever is in them", function()
    assert.equal(PIXEL, get("/assets/image.PNG").body)
    assert.equal("", get("/assets/empty.txt").body)
    assert.is_true(get("/assets/big.bin").body == BIG)
  end)

  it("may have any name that is percent-encoded", function()
    assert.equal("blank", get("/assets/with%20blank%20%C3%A9.txt").body)
    assert.equal("héllo", get("/assets/%6Eotes.txt").body)
  end)

  it("may lie in folders, whose index.html stands for them", function()
    assert.equal("<p>index</p>", get("/assets/").body)
    assert.equal("<p>sub</p>", get("/assets/sub/").body)
    assert.equal("<p>page</p>", get("/assets/sub/page.html").body)
  end)

  it("take any query", function()
    assert.equal("p {}", get("/assets/style.css?v=1.2&%").body)
  end)

  it("are there for those whom the guard lets in", function()
    assert.equal(401, get("/own/page.html").status)
    local headers = { Authorization = "Bearer " .. chatty:token "ann" }
    assert.equal("<p>page</p>", get("/own/page.html", headers).body)
  end)

  it("give way to routes of their own", function()
    assert.equal("made", get("/assets/made").body)
  end)

  it("are answered to HEAD without their body", function()
    local head, whole = chatty:request{ method = "HEAD", path = "/assets/notes.txt" }, get("/assets/notes.txt")
    assert.same({ 200, "" }, { head.status, head.body })
    for _, name in ipairs{ "content-type", "content-length", "etag", "last-modified" } do
      assert.equal(whole.headers[name], head.headers[name])
    end
  end)

  it("are only for reading", function()
    for _, method in ipairs{ "POST", "PUT", "DELETE", "PATCH" } do
      local response = chatty:request{ method = method, path = "/assets/notes.txt" }
      assert.same({ 405, "GET, HEAD, OPTIONS" }, { response.status, response.headers.allow })
    end
  end)

  it("that are not there are 404", function()
    for _, path in ipairs{ "/assets/nowhere", "/assets/notes.txt/", "/assets/notes.txt/x", "/assets/sub",
      "/assets/bare/", "/assets", "/assets/INDEX.html", "/assets/index.html/" } do
      local response = get(path)
      assert.same({ path, 404, "not-found" }, { path, response.status, response.json().errors[1].code })
    end
  end)

  it("are files, not pipes that never end", function()
    assert(os.execute(("mkfifo '%s'"):format(path_of "pipe")))
    assert.equal(404, get("/assets/pipe").status)
  end)

  it("may be links within the folder, but not out of it", function()
    for name, target in pairs{
      ["link.txt"] = "notes.txt", within = "sub", ["out.txt"] = "../secret.txt",
      ["beside.txt"] = "../public-not/secret.txt", out = "..", away = chatty.folder,
      ["absolute.txt"] = chatty.folder .. "/secret.txt",
    } do
      assert(uv.fs_symlink(target, path_of(name)))
    end
    assert.same({ "héllo", "<p>page</p>" }, { get("/assets/link.txt").body, get("/assets/within/page.html").body })
    for _, path in ipairs{ "out.txt", "beside.txt", "out/secret.txt", "away/secret.txt", "absolute.txt" } do
      assert.same({ path, 404 }, { path, get("/assets/" .. path).status })
    end
  end)

  it("that are too large for the memory are 500 and logged", function()
    local file = assert(io.open(path_of "huge", "wb"))
    file:seek("set", 16 * 1024 * 1024)
    file:write "x"
    file:close()
    assert.equal(500, get("/assets/huge").status)
    assert.is_truthy(chatty:wait_log "huge' is larger than 16777216 bytes")
  end)

  describe("that a client has already", function()
    local function tags()
      local headers = get("/assets/notes.txt").headers
      return headers.etag, headers["last-modified"]
    end

    it("are 304 without a body", function()
      local etag, modified = tags()
      assert.matches('^"[^"]+"$', etag)
      for _, headers in ipairs{ { ["If-None-Match"] = etag }, { ["If-None-Match"] = "W/" .. etag },
        { ["If-None-Match"] = '"other", ' .. etag }, { ["If-None-Match"] = "*" },
        { ["If-Modified-Since"] = modified } } do
        local response = get("/assets/notes.txt", headers)
        assert.same({ 304, "", etag }, { response.status, response.body, response.headers.etag })
        assert.is_nil(response.headers["content-length"])
      end
    end)

    it("leave the connection in use", function()
      local connection, etag = assert(client.tcp(chatty.port)), tags()
      connection:write("GET /assets/notes.txt HTTP/1.1\r\nHost: a\r\nIf-None-Match: " .. etag .. "\r\n\r\n" ..
        "GET /assets/style.css HTTP/1.1\r\nHost: a\r\n\r\n")
      assert.equal(304, http.read(connection).status)
      assert.equal("p {}", http.read(connection).body)
    end)

    it("are 200 when it has another", function()
      local _, modified = tags()
      for _, headers in ipairs{ { ["If-None-Match"] = '"other"' }, { ["If-None-Match"] = "" },
        { ["If-Modified-Since"] = "Thu, 01 Jan 1970 00:00:00 GMT" },
        { ["If-None-Match"] = '"other"', ["If-Modified-Since"] = modified } } do
        assert.equal(200, get("/assets/notes.txt", headers).status)
      end
    end)

    it("are 200 when they have changed since, also within a second", function()
      assert(uv.fs_utime(path_of "changing.txt", 1000, 1000.25))
      local etag = get("/assets/changing.txt").headers.etag
      assert.equal(304, get("/assets/changing.txt", { ["If-None-Match"] = etag }).status)
      assert(uv.fs_utime(path_of "changing.txt", 1000, 1000.5))
      assert.equal(200, get("/assets/changing.txt", { ["If-None-Match"] = etag }).status)
    end)
  end)

  local outside = {
    "/assets/../secret.txt", "/assets/../../secret.txt", "/assets/../../../secret.txt", "/assets/sub/../../secret.txt",
    "/assets/%2e%2e/secret.txt", "/assets/%2E%2E/%2e%2e/secret.txt", "/assets/..%2fsecret.txt",
    "/assets/%2e%2e%2fsecret.txt", "/assets/..%5csecret.txt", "/assets/..\\secret.txt", "/assets/....//secret.txt",
    "/assets/..;/secret.txt", "/assets/%252e%252e/secret.txt", "/assets/..%c0%afsecret.txt", "/assets/..%00/secret.txt",
    "/assets/index.html%00.txt", "/assets/notes.txt%00", "/assets//etc/passwd", "/assets/%2fetc%2fpasswd",
    "/assets/../public-not/secret.txt", "/assets/../../../../../../../../etc/passwd", "/assets/./../secret.txt",
    "/assets/sub/..", "/assets/..", "/assets/.", "/assets/./notes.txt", "/assets/sub/./page.html", "/assets//notes.txt",
    "/assets/sub//page.html", "/assets/.hidden", "/assets/.git/config", "/assets/%2egit/config", "/assets/../init.lua",
    "/assets/../../../.env", "/assets/~root", "/assets/notes.txt\r\n", "/assets/%0d%0a", "/assets/file:///etc/passwd",
    "/assets/notes.txt/../../../secret.txt", "/assets/" .. ("../"):rep(100) .. "etc/passwd", "/assets/%", "/assets/%2",
    "/own/../secret.txt", "http://a/assets/../secret.txt",
  }
  for _, path in ipairs(outside) do
    it(("do not lie outside: %q gives nothing"):format(path:sub(1, 60)), function()
      local response = get(path)
      assert.is_true(response.status == 404 or response.status == 400 or response.status == 401, response.head)
      for _, text in ipairs{ "secret", "root:", "héllo", "<p>" } do
        assert.is_nil(response.body:find(text, 1, true))
      end
    end)
  end
end)

describe("static files of the whole site", function()
  it("leave the server's own routes alone", function()
    local chatty = server.start{ files = {
      ["plugins/site/init.lua"] = 'return { api = 1, setup = function(app) app:static("/", "public") end }',
      ["plugins/site/public/index.html"] = "<p>index</p>", ["plugins/site/public/healthz"] = "mine",
    } }
    assert.equal("ok", chatty:request{ path = "/healthz" }.json().status)
    assert.equal("<p>index</p>", chatty:request{ path = "/index.html" }.body)
    assert.equal(404, chatty:request{ path = "/nowhere" }.status)
  end)
end)
