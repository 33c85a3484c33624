local fake_core = require "spec.support.fake_core"

describe("the line that an error names", function()
  local blame

  before_each(function()
    fake_core.install()
    blame = require "plugin.blame"
  end)

  local TRACEBACK = "stack traceback:\n\t[C]: in field 'make'\n\tplugins/shop/init.lua:17: in field 'handler'\n"
    .. "\tplugins/shop/other.lua:1: in function <x>"

  it("is the plugin's, as it was raised", function()
    for _, message in ipairs({ "plugins/shop.lua:3: oops", "oops", "a /home/chatty/lua/x.lua:3: b" }) do
      assert.equal(message, blame.plugin(message, TRACEBACK))
    end
  end)

  it("is that of the plugin's call when one of our functions raised it", function()
    assert.equal("plugins/shop/init.lua:17: bad argument #1 to 'make'",
      blame.plugin("/home/chatty/lua/plugin/token.lua:22: bad argument #1 to 'make'", TRACEBACK))
    assert.equal("plugins/shop/init.lua:17: oops", blame.plugin("/home/chatty/lua/control/x.lua:1: oops", TRACEBACK))
  end)

  it("comes with a hint when a method was called with a dot", function()
    local raised = "/home/chatty/lua/realtime/session.lua:3: bad argument #1 to 'rawget' (table expected, got string)"
    assert.matches("^plugins/shop/init.lua:17: this is a method: call it with a colon", blame.plugin(raised, TRACEBACK))
  end)

  it("is left out when no function of the plugin was under way", function()
    assert.equal("oops", blame.plugin("/home/chatty/lua/http/reply.lua:96: oops", "stack traceback:\n\t[C]: in ?"))
    assert.equal("oops", blame.plugin("/home/chatty/lua/http/reply.lua:96: oops"))
  end)
end)
