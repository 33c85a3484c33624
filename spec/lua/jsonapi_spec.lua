local fake_core = require "spec.support.fake_core"

describe("jsonapi", function()
  local jsonapi, refusal

  before_each(function()
    fake_core.install()
    jsonapi = require "jsonapi"
    refusal = require "refusal"
  end)

  local function names_of(text)
    local names = {}
    for i, resource in ipairs(jsonapi.parse(text).resources) do
      names[i] = resource.type .. "-" .. resource.id
    end
    return table.concat(names, " ")
  end

  local function refused(text)
    local ok, raised = pcall(jsonapi.parse, text)
    assert.is_false(ok)
    assert.is_true(refusal.is(raised))
    return ("%s %s"):format(raised.code, raised.source and raised.source.pointer or "-")
  end

  it("finds one primary resource, or an array of them", function()
    assert.equal("room-1", names_of('{"data":{"type":"room","id":"1"}}'))
    assert.equal("room-1 room-2", names_of('{"data":[{"type":"room","id":"1"},{"type":"room","id":"2"}]}'))
  end)

  it("finds the linkage of relationships in the order of the text", function()
    assert.equal("post-1 user-9 tag-a tag-b user-3", names_of([[{"data":{"type":"post","id":"1",
      "relationships":{
      "writer":{"data":{"type":"user","id":"9"}},
      "tags":{"data":[{"type":"tag","id":"a"},{"type":"tag","id":"b"}]},
      "nobody":{"data":null},
      "links":{"links":{"self":"/x"}},
      "author":{"data":{"type":"user","id":"3"}}}}}]]))
  end)

  it("finds what is included, and the linkage of that", function()
    assert.equal("post-1 user-9 room-4", names_of([[{"included":[{"type":"user","id":"9",
      "relationships":{"room":{"data":{"type":"room","id":"4"}}}}],"data":{"type":"post","id":"1"}}]]))
  end)

  it("takes an integer as id, as old clients send it", function()
    assert.equal("room-1", names_of('{"data":{"type":"room","id":1}}'))
    assert.equal("room-1", names_of('{"data":{"type":"room","id":1.0}}'))
    assert.equal("room--7", names_of('{"data":{"type":"room","id":-7}}'))
    assert.equal("room-9007199254740993", names_of('{"data":{"type":"room","id":9007199254740993}}'))
    assert.equal("room-12345678901234567890",
      names_of('{"data":{"type":"room","id":12345678901234567890}}'))
  end)

  it("refuses other ids and says where", function()
    assert.equal("id-invalid /data/id", refused('{"data":{"type":"room","id":1.5}}'))
    assert.equal("id-invalid /data/id", refused('{"data":{"type":"room","id":1e300}}'))
    assert.equal("id-invalid /data/id", refused('{"data":{"type":"room","id":""}}'))
    assert.equal("id-invalid /data/id", refused('{"data":{"type":"room","id":null}}'))
    assert.equal("id-invalid /data/1/id", refused('{"data":[{"type":"a","id":"1"},{"type":"a"}]}'))
    assert.equal("id-invalid /included/0/id",
      refused('{"data":{"type":"a","id":"1"},"included":[{"type":"a","id":true}]}'))
  end)

  it("refuses types that are no text and says where", function()
    assert.equal("type-invalid /data/type", refused('{"data":{"id":"1"}}'))
    assert.equal("type-invalid /data/type", refused('{"data":{"type":"","id":"1"}}'))
    assert.equal("type-invalid /data/relationships/a~1b/data/type",
      refused('{"data":{"type":"a","id":"1","relationships":{"a/b":{"data":{"id":"1"}}}}}'))
  end)

  it("refuses a document without data", function()
    assert.equal("data-missing /data", refused("{}"))
    assert.equal("data-missing /data", refused('{"data":null}'))
  end)

  it("refuses what has another form", function()
    assert.equal("document-invalid ", refused("[]"))
    assert.equal("document-invalid ", refused('"text"'))
    assert.equal("document-invalid /data", refused('{"data":1}'))
    assert.equal("document-invalid /data/0", refused('{"data":["a"]}'))
    assert.equal("document-invalid /included", refused('{"data":{"type":"a","id":"1"},"included":{}}'))
    assert.equal("document-invalid /data/relationships",
      refused('{"data":{"type":"a","id":"1","relationships":[]}}'))
    assert.equal("document-invalid /data/relationships/b",
      refused('{"data":{"type":"a","id":"1","relationships":{"b":1}}}'))
    assert.equal("document-invalid /data/relationships/b/data/0",
      refused('{"data":{"type":"a","id":"1","relationships":{"b":{"data":[7]}}}}'))
  end)

  it("refuses what is no JSON", function()
    assert.equal("body-malformed -", refused('{"data":'))
    assert.equal("body-malformed -", refused(""))
  end)

  it("makes documents of resource identifiers", function()
    assert.same({ data = { { type = "users", id = "ann" } } }, jsonapi.identifiers("users", { "ann" }))
  end)
end)
