-- Options of plugins under test.
local test = require "chatty.test"

describe("the options of a test", function()
  describe("with one plugin", function()
    local t = test.plugin("spec/trial/plugins/greeter.lua", { options = { greeting = "hi", rooms = {} } })

    it("are those of the plugin", function()
      assert.same({ greeting = "hi", rooms = {}, count = 3 }, t:get("/greeter").json)
    end)
  end)

  describe("with several plugins", function()
    local t = test.plugins({ "spec/trial/plugins/greeter.lua", "spec/trial/plugins/lobby.lua" },
      { options = { greeter = { greeting = "hello", count = 5 } } })

    it("are given by name", function()
      assert.same({ greeting = "hello", rooms = { "lobby" }, count = 5 }, t:get("/greeter").json)
    end)
  end)

  describe("that are wrong", function()
    local t = test.plugin("spec/trial/plugins/greeter.lua", { options = { greting = "hi" } })

    it("are told of", function()
      assert.error_matches(function() t:get("/greeter") end, "option 'greeting' is required")
    end)
  end)
end)
