local fake_core = require "spec.support.fake_core"

describe("plugins", function()
  local core

  local function files_of(settings, paths)
    core = fake_core.install(settings)
    for _, path in ipairs(paths) do core.files.tree[path] = "" end
    local found = {}
    for i, source in ipairs(require("plugins").find()) do found[i] = source.file end
    return found
  end

  local function line_of(settings, paths)
    local ok, line = pcall(files_of, settings, paths)
    assert.is_false(ok)
    return line
  end

  it("are all in the folders, by name, and no specs", function()
    assert.same({ "plugins/a.lua", "plugins/b/init.lua", "more/c.lua" },
      files_of({ PLUGINS = { "plugins", "more/" } }, {
        "plugins/b/init.lua", "plugins/a.lua", "plugins/a_spec.lua", "plugins/_draft.lua",
        "plugins/.hidden.lua", "plugins/README.md", "plugins/data/x.txt", "more/c.lua",
      }))
  end)

  it("are the shipped ones that are enabled, first and in that order", function()
    assert.same({ "/home/chatty/plugins/origin.lua", "/home/chatty/examples/chat/init.lua", "plugins/a.lua" },
      files_of({ ENABLE = { "origin", "chat", "origin" }, PLUGINS = { "plugins" } }, {
        "/home/chatty/plugins/origin.lua", "/home/chatty/plugins/date_time.lua",
        "/home/chatty/examples/chat/init.lua", "plugins/a.lua",
      }))
  end)

  it("of the user go before shipped ones of the same name", function()
    assert.same({ "plugins/origin.lua" }, files_of({ ENABLE = { "origin" }, PLUGINS = { "plugins" } },
      { "/home/chatty/plugins/origin.lua", "plugins/origin.lua" }))
  end)

  it("of the shipped folder are loaded by ENABLE only", function()
    assert.same({ "/home/chatty/plugins/a.lua" },
      files_of({ ENABLE = { "a" }, PLUGINS = { "/home/chatty/plugins" } },
        { "/home/chatty/plugins/a.lua", "/home/chatty/plugins/b.lua" }))
  end)

  it("may be none at all in the default folder", function()
    assert.same({}, files_of({ PLUGINS = { "plugins" } }, {}))
  end)

  it("that are missing end the start with one line", function()
    assert.equal("PLUGINS: there is no folder mine", line_of({ PLUGINS = { "mine" } }, {}))
    assert.equal("ENABLE: there is no plugin chat", line_of({ ENABLE = { "chat" } }, {}))
  end)

  it("that are there twice, or have our name, end the start with one line", function()
    assert.equal("plugin a is there twice: x/a.lua and y/a/init.lua",
      line_of({ PLUGINS = { "x", "y" } }, { "x/a.lua", "y/a/init.lua" }))
    assert.matches("^plugin chatty: x/chatty.lua: the name is the server's own",
      line_of({ PLUGINS = { "x" } }, { "x/chatty.lua" }))
  end)
end)
