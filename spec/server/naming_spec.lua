-- How the resources of a JSON:API document become channels, and which documents are none.
local fault = require "spec.support.fault"
local server = require "spec.support.server"

describe("the channels of a document", function()
  local chatty

  setup(function() chatty = server.start() end)
  teardown(function() chatty:stop() end)

  local function send(body)
    return chatty:control("POST", "/control/subscription/subscribe?dryRun=true&method=users:ann", body)
  end

  -- As the answer names them; of a refused document what was wrong.
  local function channels_of(body)
    local response = send(body)
    if response.status ~= 200 then return fault.of(response) end
    return response.json().channels
  end

  local named = {
    ["are type-id of one resource"] = { '{"data":{"type":"room","id":"1"}}', { "room-1" } },
    ["are those of an array of resources, in its order"] = {
      '{"data":[{"type":"room","id":"2"},{"type":"post","id":"1"}]}', { "room-2", "post-1" },
    },
    ["are those of the linkage to one"] = {
      '{"data":{"type":"post","id":"1","relationships":{"author":{"data":{"type":"user","id":"9"}}}}}',
      { "post-1", "user-9" },
    },
    ["are those of the linkage to many"] = {
      '{"data":{"type":"post","id":"1","relationships":{"tags":{"data":[{"type":"tag","id":"b"},'
        .. '{"type":"tag","id":"a"}]}}}}', { "post-1", "tag-b", "tag-a" },
    },
    ["are none for linkage to null or to nothing"] = {
      '{"data":{"type":"post","id":"1","relationships":{"a":{"data":null},"b":{"data":[]}}}}', { "post-1" },
    },
    ["are none for relationships without data"] = {
      '{"data":{"type":"post","id":"1","relationships":{"a":{"links":{"self":"/x"}},"b":{"meta":{}},"c":{}}}}',
      { "post-1" },
    },
    ["are none for relationships that are empty"] = {
      '{"data":{"type":"post","id":"1","relationships":{}}}', { "post-1" },
    },
    ["come from several relationships in their order"] = {
      '{"data":{"type":"p","id":"1","relationships":{"z":{"data":{"type":"z","id":"1"}},'
        .. '"a":{"data":{"type":"a","id":"1"}},"m":{"data":{"type":"m","id":"1"}}}}}',
      { "p-1", "z-1", "a-1", "m-1" },
    },
    ["are those of included"] = {
      '{"data":{"type":"post","id":"1"},"included":[{"type":"user","id":"2"},{"type":"user","id":"1"}]}',
      { "post-1", "user-2", "user-1" },
    },
    ["are those of the linkage of what is included"] = {
      '{"data":{"type":"post","id":"1"},"included":[{"type":"user","id":"2","relationships":'
        .. '{"home":{"data":{"type":"town","id":"3"}}}}]}', { "post-1", "user-2", "town-3" },
    },
    ["are those of the linkage of each resource of an array"] = {
      '{"data":[{"type":"a","id":"1","relationships":{"x":{"data":{"type":"x","id":"1"}}}},'
        .. '{"type":"b","id":"1","relationships":{"x":{"data":[{"type":"x","id":"2"}]}}}]}',
      { "a-1", "x-1", "b-1", "x-2" },
    },
    ["count once, wherever they stand"] = {
      '{"data":[{"type":"a","id":"1"},{"type":"a","id":1},{"type":"a","id":"1","relationships":'
        .. '{"x":{"data":[{"type":"a","id":"1"},{"type":"b","id":"1"}]}}}],"included":[{"type":"b","id":"1"}]}',
      { "a-1", "b-1" },
    },
    ["take what stands last of doubled members"] = {
      '{"data":{"type":"a","id":"1"},"data":{"type":"b","type":"c","id":"1","id":"2"}}', { "c-2" },
    },
    ["are not taken from attributes, meta and links"] = {
      '{"data":{"type":"a","id":"1","attributes":{"data":{"type":"x","id":"1"},"relationships":{"r":{"data":'
        .. '{"type":"y","id":"1"}}}},"meta":{"type":"m","id":"1"}},"meta":{"data":{"type":"n","id":"1"}},'
        .. '"jsonapi":{"version":"1.1"},"links":{"self":"/a/1"}}', { "a-1" },
    },
    ["take names with colons, commas, dots and blanks"] = {
      '{"data":[{"type":"a:b","id":"1,2"},{"type":"a.b","id":"x y"}]}', { "a:b-1,2", "a.b-x y" },
    },
    ["take names with dashes"] = { '{"data":{"type":"chat-room","id":"-a-"}}', { "chat-room--a-" } },
    ["take names that mean something elsewhere"] = {
      '{"data":[{"type":"__proto__","id":"constructor"},{"type":"__index","id":"nil"}]}',
      { "__proto__-constructor", "__index-nil" },
    },
    ["take names that are not ASCII, and escapes"] = {
      [[{"data":[{"type":"größe","id":"\ud83d\ude00"},{"type":"\u0061","id":"\"\\\/"}]}]],
      { "größe-😀", 'a-"\\/' },
    },
    ["take members in any order and with escaped names"] = {
      [[{"\u0064ata":{"\u0069d":"1","typ\u0065":"room"}}]], { "room-1" },
    },
  }
  for what, example in pairs(named) do
    it(what, function() assert.same(example[2], channels_of(example[1])) end)
  end

  local ids = {
    ["1"] = "room-1", ["0"] = "room-0", ["-5"] = "room--5", ["1.0"] = "room-1", ["1e3"] = "room-1000",
    ["10.50e1"] = "room-105", ["-0"] = "room-0", ["-0.0"] = "room-0",
    ["9007199254740993"] = "room-9007199254740993", ["9223372036854775807"] = "room-9223372036854775807",
    ["-9223372036854775808"] = "room--9223372036854775808",
    ["9223372036854775808"] = "room-9223372036854775808",
    ["12345678901234567890123"] = "room-12345678901234567890123",
    ["9007199254740991.0"] = "room-9007199254740991",
    ['"1.0"'] = "room-1.0", ['"01"'] = "room-01", ['" "'] = "room- ",
  }
  for id, name in pairs(ids) do
    it(("say %s for the id %s"):format(name, id), function()
      assert.same({ name }, channels_of(('{"data":{"type":"room","id":%s}}'):format(id)))
    end)
  end

  for _, id in ipairs({ "null", "true", "false", "{}", "[]", '["1"]', '""', "1.5", "-0.5", "1e-1", "1e400",
    "9007199254740993.0", "12345678901234567890.0" }) do
    it(("are refused for the id %s"):format(id), function()
      assert.equal("400 id-invalid #/data/id", channels_of(('{"data":{"type":"room","id":%s}}'):format(id)))
    end)
  end

  for _, kind in ipairs({ "null", "true", "1", "{}", "[]", '""' }) do
    it(("are refused for the type %s"):format(kind), function()
      assert.equal("400 type-invalid #/data/type", channels_of(('{"data":{"type":%s,"id":"1"}}'):format(kind)))
    end)
  end

  local refused = {
    ["without data"] = { "{}", "400 data-missing #/data" },
    ["with null as data"] = { '{"data":null}', "400 data-missing #/data" },
    ["with meta only"] = { '{"meta":{}}', "400 data-missing #/data" },
    ["with an empty array as data"] = { '{"data":[]}', "400 data-empty #/data" },
    ["with a string as data"] = { '{"data":"room-1"}', "400 document-invalid #/data" },
    ["with a number as data"] = { '{"data":1}', "400 document-invalid #/data" },
    ["with false as data"] = { '{"data":false}', "400 document-invalid #/data" },
    ["that is an array"] = { '[{"type":"room","id":"1"}]', "400 document-invalid #" },
    ["that is an empty array"] = { "[]", "400 document-invalid #" },
    ["that is a string"] = { '"room-1"', "400 document-invalid #" },
    ["that is a number"] = { "1", "400 document-invalid #" },
    ["that is null"] = { "null", "400 document-invalid #" },
    ["whose resource has no type"] = { '{"data":{"id":"1"}}', "400 type-invalid #/data/type" },
    ["whose resource has no id"] = { '{"data":{"type":"room"}}', "400 id-invalid #/data/id" },
    ["whose resource is an empty object"] = { '{"data":{}}', "400 type-invalid #/data/type" },
    ["whose second resource has no id"] = {
      '{"data":[{"type":"a","id":"1"},{"type":"a"}]}', "400 id-invalid #/data/1/id",
    },
    ["with null in the array"] = {
      '{"data":[{"type":"a","id":"1"},null]}', "400 document-invalid #/data/1",
    },
    ["with an array in the array"] = {
      '{"data":[[{"type":"a","id":"1"}]]}', "400 document-invalid #/data/0",
    },
    ["with an array as relationships"] = {
      '{"data":{"type":"a","id":"1","relationships":[]}}', "400 document-invalid #/data/relationships",
    },
    ["with null as relationships"] = {
      '{"data":{"type":"a","id":"1","relationships":null}}', "400 document-invalid #/data/relationships",
    },
    ["with a string as a relationship"] = {
      '{"data":{"type":"a","id":"1","relationships":{"r":"x"}}}', "400 document-invalid #/data/relationships/r",
    },
    ["with a string as linkage"] = {
      '{"data":{"type":"a","id":"1","relationships":{"r":{"data":"x"}}}}',
      "400 document-invalid #/data/relationships/r/data",
    },
    ["with linkage that has no id"] = {
      '{"data":{"type":"a","id":"1","relationships":{"r":{"data":[{"type":"x","id":"1"},{"type":"x"}]}}}}',
      "400 id-invalid #/data/relationships/r/data/1/id",
    },
    ["with a wrong relationship of a name that pointers escape"] = {
      '{"data":{"type":"a","id":"1","relationships":{"a/b~c":{"data":{"type":"x"}}}}}',
      "400 id-invalid #/data/relationships/a~1b~0c/data/id",
    },
    ["with an object as included"] = {
      '{"data":{"type":"a","id":"1"},"included":{"type":"b","id":"1"}}', "400 document-invalid #/included",
    },
    ["with null as included"] = {
      '{"data":{"type":"a","id":"1"},"included":null}', "400 document-invalid #/included",
    },
    ["with a wrong included resource"] = {
      '{"data":{"type":"a","id":"1"},"included":[{"type":"b","id":"1"},{"type":1,"id":"1"}]}',
      "400 type-invalid #/included/1/type",
    },
    ["with a wrong relationship of an included resource"] = {
      '{"data":{"type":"a","id":"1"},"included":[{"type":"b","id":"1","relationships":{"r":1}}]}',
      "400 document-invalid #/included/0/relationships/r",
    },
    ["with a name that has a line break"] = {
      [[{"data":{"type":"a","id":"1\n2"}}]], "400 name-invalid #/data",
    },
    ["with a name that has NUL"] = {
      [[{"data":[{"type":"a","id":"1"},{"type":"\u0000","id":"1"}]}]], "400 name-invalid #/data/1",
    },
    ["with a name that is longer than 255 bytes"] = {
      ('{"data":{"type":"a","id":"%s"}}'):format(("x"):rep(254)), "400 name-invalid #/data",
    },
    ["that is no JSON"] = { '{"data":{"type":"a","id":"1"}', "400 body-malformed" },
    ["that is empty"] = { "", "400 body-malformed" },
  }
  for what, example in pairs(refused) do
    it(("are refused for a document %s"):format(what), function()
      assert.equal(example[2], channels_of(example[1]))
    end)
  end

  it("may have names of 255 bytes", function()
    local id = ("x"):rep(253)
    assert.same({ "a-" .. id }, channels_of(('{"data":{"type":"a","id":"%s"}}'):format(id)))
  end)

  it("are not made for anybody when one resource is wrong", function()
    local body = '{"data":[{"type":"room","id":"half"},{"type":"room","id":null}]}'
    chatty:control("POST", "/control/subscription/subscribe?method=users:ann", body)
    assert.same({}, chatty:control("GET", "/control/search/subscriptions?userId=ann").json())
  end)

  it("are so many as NAMES_MAX says at most", function()
    local small = server.start{ settings = { NAMES_MAX = 3 } }
    local data = {}
    for i = 1, 4 do data[i] = { type = "room", id = tostring(i) } end
    local path = "/control/subscription/subscribe?method=users:ann"
    assert.equal("400 list-too-long #/data", fault.of(small:control("POST", path, { data = data })))
    data[4] = nil
    assert.equal(200, small:control("POST", path, { data = data }).status)
  end)

  it("may be named by a plugin", function()
    local own = server.start{ plugins = { colon = [[
      local plugin = { api = 1 }
      function plugin.setup(app)
        app:channel_name(function(resource, document)
          if resource.type == "none" then return nil end
          return resource.type .. ":" .. resource.id .. (document.meta and document.meta.suffix or "")
        end)
      end
      return plugin]] } }
    local body = '{"data":[{"type":"room","id":1},{"type":"none","id":"2"}],"meta":{"suffix":"!"}}'
    local response = own:control("POST", "/control/subscription/subscribe?method=users:ann", body)
    assert.equal('{"channels":["room:1!"],"msg":"Subscribed"}', response.body)
    assert.equal("400 data-empty #/data", fault.of(own:control("POST",
      "/control/subscription/subscribe?method=users:ann", '{"data":{"type":"none","id":"1"}}')))
  end)

  it("are an array in the answer, even when it is one", function()
    assert.is_truthy(send('{"data":{"type":"room","id":"1"}}').body:find('"channels":["room-1"]', 1, true))
  end)
end)
