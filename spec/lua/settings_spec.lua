local fake_core = require "spec.support.fake_core"

describe("settings", function()
  it("are those of the process, typed", function()
    fake_core.install()
    package.loaded.settings = nil
    package.loaded["core.node"].settings = {
      NAME_MAX = "100", PING_INTERVAL = "20s", CONTROL_KEY = "a-key,b-key",
    }
    local settings = require "settings"
    package.loaded.settings = nil
    assert.same({ 100, 20 }, { settings.NAME_MAX, settings.PING_INTERVAL })
    assert.same({ "a-key", "b-key" }, settings.CONTROL_KEY)
  end)

  it("have every name that the Lua half reads", function()
    fake_core.install()
    local known = {}
    for _, option in ipairs(require("settings.options").list()) do known[option.name] = true end
    for name in pairs(package.loaded.settings) do
      assert.is_true(known[name], name .. " is no setting")
    end
  end)
end)
