-- Named control keys: made, listed and revoked by the command line while the server runs.
local fault = require "spec.support.fault"
local server = require "spec.support.server"
local wait = require "spec.support.wait"

local SQLITE = { STORE = "sqlite:chatty.db" }

describe("named control keys", function()
  local chatty

  setup(function() chatty = server.start{ settings = SQLITE } end)
  teardown(function() chatty:stop() end)

  local function run(...)
    return server.run{ args = { "key", ... }, settings = SQLITE, folder = chatty.folder }
  end

  local function make(...)
    local result = run("add", ...)
    assert.same({ 0, "" }, { result.code, result.err })
    return result.out:match("^(ck_[%w_-]+)$")
  end

  local function search(key)
    return chatty:request{ path = "/control/search/users", headers = { ["X-API-Key"] = key } }
  end

  local function disconnect(key)
    return chatty:request{
      method = "POST", path = "/control/disconnect?method=users:a",
      headers = { Authorization = "Bearer " .. key },
    }
  end

  -- A worker may have read the keys just before; each answers about every second time.
  local function becomes(status, ask)
    local in_a_row = 0
    return wait.until_(function()
      in_a_row = ask().status == status and in_a_row + 1 or 0
      return in_a_row == 30
    end)
  end

  it("are good for their scopes, in either header", function()
    local key = make("finder", "--scope", "search,notify")
    assert.is_true(becomes(200, function() return search(key) end))
    assert.equal("403 control-required", fault.of(disconnect(key)))
    assert.equal(32, #key:sub(4, 35))
  end)

  it("are good for everything when no scope is said", function()
    local key = make("root")
    assert.is_true(becomes(200, function() return search(key) end))
    assert.equal(200, disconnect(key).status)
  end)

  it("end when they are revoked, while those of the settings go on", function()
    local key = make("gone")
    assert.is_true(becomes(200, function() return search(key) end))
    assert.equal(0, run("revoke", "gone").code)
    assert.is_true(becomes(401, function() return search(key) end))
    assert.equal("401 key-invalid X-API-Key:", fault.of(search(key)))
    assert.equal(200, search(chatty.settings.CONTROL_KEY).status)
  end)

  it("are listed without what they are", function()
    local key = make("listed", "--scope=notify")
    local out = run("list").out
    assert.matches("\nlisted +notify +20", out)
    assert.is_nil(out:find(key:sub(4), 1, true))
  end)

  it("stand in the store as hashes", function()
    local key = make("secret")
    for _, file in ipairs({ "/chatty.db", "/chatty.db-wal" }) do
      local handle = io.open(chatty.folder .. file, "rb")
      local bytes = handle and handle:read("a") or ""
      if handle then handle:close() end
      assert.is_nil(bytes:find(key, 1, true))
    end
  end)

  it("are not made twice, nor for scopes that there are not", function()
    make("twice")
    local result = run("add", "twice")
    assert.same({ 1, "", "chatty: there is a key of this name" }, { result.code, result.out, result.err })
    assert.equal(2, run("add", "odd", "--scope", "everything").code)
  end)
end)
