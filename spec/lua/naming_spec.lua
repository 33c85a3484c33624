local fake_core = require "spec.support.fake_core"

describe("naming", function()
  local core, naming, jsonapi

  before_each(function()
    core = fake_core.install({ NAMES_MAX = 3, NAME_MAX = 20 })
    naming = require "naming"
    jsonapi = require "jsonapi"
  end)

  local function channels(text)
    return naming.channels(jsonapi.parse(text))
  end

  local POST <const> = '{"data":[{"type":"post","id":1},{"type":"user","id":"2"},{"type":"post","id":"1"}]}'

  it("joins type and id, each channel once", function()
    assert.same({ "post-1", "user-2" }, channels(POST))
  end)

  it("asks the function that came last", function()
    naming.use(function() return "first" end, "one")
    naming.use(function(resource) return resource.type .. ":" .. resource.id end, "two")
    assert.same({ "post:1", "user:2" }, channels(POST))
  end)

  it("takes several names or none for a resource", function()
    naming.use(function(resource)
      if resource.type == "post" then return { "posts", "post-" .. resource.id } end
    end, "plugin")
    assert.same({ "posts", "post-1" }, channels(POST))
  end)

  it("shows the function the whole document", function()
    naming.use(function(_, document) return document.meta.room end, "plugin")
    assert.same({ "lobby" }, channels('{"data":{"type":"a","id":"1"},"meta":{"room":"lobby"}}'))
  end)

  it("refuses a document that names no channel", function()
    local none, refused = channels('{"data":[]}')
    assert.is_nil(none)
    assert.equal("data-empty", refused.code)
    naming.use(function() return nil end, "plugin")
    assert.equal("data-empty", select(2, channels(POST)).code)
  end)

  it("refuses a name that is not allowed and points at the resource", function()
    local _, refused = channels('{"data":[{"type":"a","id":"1"},{"type":"b","id":"x\\ny"}]}')
    assert.equal("name-invalid", refused.code)
    assert.same({ pointer = "/data/1" }, refused.source)
  end)

  it("refuses more channels than NAMES_MAX", function()
    naming.use(function() return { "a", "b", "c", "d" } end, "plugin")
    assert.equal("list-too-long", select(2, channels(POST)).code)
  end)

  it("logs an error in the function with the plugin's name", function()
    naming.use(function(resource) return resource.nothing.here end, "shop")
    local ok, raised = pcall(channels, POST)
    assert.is_false(ok)
    assert.equal("internal", raised.code)
    assert.matches("^plugin shop, channel_name: .*naming_spec.lua:%d+:", core.log.lines[1].message)
  end)
end)
