-- The query parameter `method` of the control endpoints: kind ":" list.
local cjson = require "cjson"
local fault = require "spec.support.fault"
local server = require "spec.support.server"

local EVENT = '{"event":"tick","attributes":{}}'
local DOCUMENT = '{"data":{"type":"room","id":"1"}}'

local function encode(text)
  return (text:gsub("[^%w]", function(c) return ("%%%02X"):format(c:byte()) end))
end

describe("the parameter method", function()
  local chatty

  setup(function() chatty = server.start() end)
  teardown(function() chatty:stop() end)

  -- With the method as it stands in the URL.
  local function send(raw)
    return chatty:control("POST", "/control/notify?dryRun=true&method=" .. raw, EVENT)
  end

  -- The names that are read from a list of users, sorted.
  local function names_of(raw)
    local response = send("users:" .. raw)
    if response.status ~= 200 then return fault.of(response) end
    local names = {}
    for name in pairs(response.json().report.recipients) do names[#names + 1] = name end
    table.sort(names)
    return names
  end

  local lists = {
    ["one name"] = { "ann", { "ann" } },
    ["a comma list"] = { "ann,bob", { "ann", "bob" } },
    ["the seed's list in brackets"] = { "[ann, bob]", { "ann", "bob" } },
    ["a JSON array"] = { '["ann", "bob"]', { "ann", "bob" } },
    ["blanks around items"] = { "  ann ,\tbob  ", { "ann", "bob" } },
    ["blanks around brackets and items"] = { " [ ann ,  bob ] ", { "ann", "bob" } },
    ["blanks around a JSON array and its items"] = { ' [ "ann" , "bob" ] ', { "ann", "bob" } },
    ["blanks within a name"] = { "ann lee, bob", { "ann lee", "bob" } },
    ["one name in brackets"] = { "[ann]", { "ann" } },
    ["names with colons"] = { "org:ann,users:bob:", { "org:ann", "users:bob:" } },
    ["a name that is a colon"] = { ":", { ":" } },
    ["a name with a comma, in a JSON array"] = { '["ann,lee","bob"]', { "ann,lee", "bob" } },
    ["a name with brackets, in a JSON array"] = { '["[ann]","b]"]', { "[ann]", "b]" } },
    ["a name with quotes, in a JSON array"] = { [=[["an\"n"]]=], { 'an"n' } },
    ["escapes in a JSON array"] = { [=[["\u0061nn","\ud83d\ude00"]]=], { "ann", "😀" } },
    ["names of digits in brackets"] = { "[1, 2]", { "1", "2" } },
    ["names of digits"] = { "1,2.0", { "1", "2.0" } },
    ["words of JSON in brackets"] = { "[null, true]", { "null", "true" } },
    ["names that are not ASCII"] = { "größe,日本,😀", { "größe", "日本", "😀" } },
    ["names that mean something elsewhere"] = { "__proto__,constructor,nil", { "__proto__", "constructor", "nil" } },
    ["a plus sign"] = { "a+b", { "a+b" } },
    ["what else URLs use"] = { "a&b=c?d#e/f%", { "a&b=c?d#e/f%" } },
    ["a name of 255 bytes"] = { ("x"):rep(255), { ("x"):rep(255) } },
    ["the same name twice"] = { "ann,bob,ann", { "ann", "bob" } },
    ["the same name with other blanks"] = { "ann, ann ,[ann]", { "[ann]", "ann" } },
    ["the same name twice in a JSON array"] = { [=[["ann","\u0061nn"]]=], { "ann" } },
    ["brackets that do not close, as part of the names"] = { "[ann,bob", { "[ann", "bob" } },
  }
  for what, example in pairs(lists) do
    it(("reads %s"):format(what), function()
      table.sort(example[2])
      assert.same(example[2], names_of(encode(example[1])))
    end)
  end

  local raw = {
    ["decodes percent signs before it splits"] = { "ann%2Cbob%2c%20eve", { "ann", "bob", "eve" } },
    ["decodes once"] = { "ann%252Cbob", { "ann%2Cbob" } },
    ["takes a plus sign for a blank, as forms write it"] = { "ann+lee,+bob", { "ann lee", "bob" } },
    ["takes an equals sign as it is"] = { "a=b,==", { "==", "a=b" } },
  }
  for what, example in pairs(raw) do
    it(what, function() assert.same(example[2], names_of(example[1])) end)
  end

  it("is split at the first colon only, which may be encoded like the kind", function()
    assert.is_table(send("%75sers%3Achannels:a").json().report.recipients["channels:a"])
  end)

  local refused = {
    ["an empty item at the end"] = { "ann,", "400 name-invalid ?method" },
    ["an empty item at the beginning"] = { ",ann", "400 name-invalid ?method" },
    ["an empty item within"] = { "ann,,bob", "400 name-invalid ?method" },
    ["an item of blanks"] = { "ann, ,bob", "400 name-invalid ?method" },
    ["an empty item in brackets"] = { "[ann,]", "400 name-invalid ?method" },
    ["an empty string in a JSON array"] = { '["ann",""]', "400 name-invalid ?method" },
    ["nothing"] = { "", "400 list-empty ?method" },
    ["blanks"] = { "  ", "400 list-empty ?method" },
    ["empty brackets"] = { "[]", "400 list-empty ?method" },
    ["brackets with blanks"] = { "[ ]", "400 list-empty ?method" },
    ["a comma"] = { ",", "400 name-invalid ?method" },
    ["a name of 256 bytes"] = { ("x"):rep(256), "400 name-invalid ?method" },
    ["a name with a line break"] = { "an\nn", "400 name-invalid ?method" },
    ["a name with NUL"] = { "an\0n", "400 name-invalid ?method" },
    ["a name with an escaped NUL"] = { [=[["an\u0000n"]]=], "400 name-invalid ?method" },
    ["bytes that are not UTF-8"] = { "ann\255", "400 query-malformed ?method" },
    ["half a surrogate pair in UTF-8"] = { "ann\237\160\128", "400 query-malformed ?method" },
  }
  for what, example in pairs(refused) do
    it(("refuses %s"):format(what), function() assert.equal(example[2], names_of(encode(example[1]))) end)
  end

  for _, broken in ipairs({ "ann%", "ann%2", "ann%zz", "%", "%%41" }) do
    it(("refuses the broken encoding %s"):format(broken), function()
      assert.equal("400 query-malformed ?method", names_of(broken))
    end)
  end

  local kinds = {
    ["an unknown kind"] = { "rooms:ann", "400 method-invalid ?method" },
    ["a kind in capitals"] = { "Users:ann", "400 method-invalid ?method" },
    ["a kind with a blank behind"] = { "users%20:ann", "400 method-invalid ?method" },
    ["a list without kind"] = { "ann,bob", "400 method-invalid ?method" },
    ["an empty kind"] = { ":ann", "400 method-invalid ?method" },
    ["a kind without colon"] = { "users", "400 method-invalid ?method" },
    ["a kind of Lua's"] = { "__index:ann", "400 method-invalid ?method" },
    ["an empty method"] = { "", "400 method-missing ?method" },
    ["two methods"] = { "users:ann&method=users:bob", "400 parameter-repeated ?method" },
    ["a kind that is long and not ASCII"] = { ("%C3%A9"):rep(50) .. ":x", "400 method-invalid ?method" },
  }
  for what, example in pairs(kinds) do
    it(("refuses %s"):format(what), function() assert.equal(example[2], fault.of(send(example[1]))) end)
  end

  it("names the kinds that the endpoint knows when it is missing", function()
    local short, object = fault.of(chatty:control("POST", "/control/notify", EVENT))
    assert.equal("400 method-missing ?method", short)
    assert.matches("channels, channels%-efficient, users", object.detail)
  end)

  for _, path in ipairs({ "/control/subscription/subscribe", "/control/subscription/unsubscribe" }) do
    it(("of %s takes channels and users"):format(path), function()
      for _, kind in ipairs({ "channels", "users" }) do
        local response = chatty:control("POST", ("%s?dryRun=true&method=%s:a"):format(path, kind), DOCUMENT)
        assert.equal(200, response.status)
      end
    end)

    it(("of %s does not take channels-efficient"):format(path), function()
      assert.equal("400 method-invalid ?method",
        fault.of(chatty:control("POST", path .. "?method=channels-efficient:a", DOCUMENT)))
    end)

    it(("of %s must be there"):format(path), function()
      assert.equal("400 method-missing ?method", fault.of(chatty:control("POST", path, DOCUMENT)))
    end)
  end

  for _, kind in ipairs({ "channels", "channels-efficient" }) do
    it(("of disconnect does not take %s"):format(kind), function()
      assert.equal("400 method-invalid ?method",
        fault.of(chatty:control("POST", ("/control/disconnect?method=%s:a"):format(kind))))
    end)
  end

  it("of disconnect must be there", function()
    assert.equal("400 method-missing ?method", fault.of(chatty:control("POST", "/control/disconnect")))
  end)

  it("may have so many names as NAMES_MAX says", function()
    local small = server.start{ settings = { NAMES_MAX = 3 } }
    local path = "/control/notify?dryRun=true&method=users:"
    assert.equal(200, small:control("POST", path .. "a,b,c", EVENT).status)
    assert.equal("400 list-too-long ?method", fault.of(small:control("POST", path .. "a,b,c,d", EVENT)))
    assert.equal(1, small:metric "limit_hits_total")
  end)

  it("may have names of so many bytes as NAME_MAX says", function()
    local small = server.start{ settings = { NAME_MAX = 4 } }
    local path = "/control/notify?dryRun=true&method=users:"
    assert.equal(200, small:control("POST", path .. "%C3%A9%C3%A9", EVENT).status)
    assert.equal("400 name-invalid ?method", fault.of(small:control("POST", path .. "abcde", EVENT)))
  end)

  it("comes back in a detail that is valid JSON, whatever it says", function()
    local _, object = fault.of(send(encode('"\\\1<>é' .. ("ä"):rep(30)) .. ":x"))
    assert.is_string(cjson.encode(object))
  end)
end)
