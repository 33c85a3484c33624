local cli_context = require "spec.support.cli_context"
local commands = require "cli.commands"
local help = require "cli.help"
local options = require "settings.options"

local function run(...)
  local context = cli_context.make { args = { ... } }
  return help.run(context), table.concat(context.out, "\n"), context.err
end

describe("chatty help", function()
  it("lists every command with what it does", function()
    local code, text = run()
    assert.equal(0, code)
    for _, command in ipairs(commands.list) do
      assert.truthy(text:find("\n  " .. command.name .. " ", 1, true), command.name)
      assert.truthy(text:find(command.doc, 1, true), command.name)
    end
  end)

  it("tells usage and flags of every command", function()
    for _, command in ipairs(commands.list) do
      local code, text = run(command.name)
      assert.equal(0, code)
      assert.equal(1, (text:find("usage: " .. command.usage, 1, true)))
      for _, flag in ipairs(command.flags) do
        assert.truthy(text:find("  --" .. flag.name .. " ", 1, true), flag.name)
      end
    end
  end)

  it("lists every setting as a flag of serve, with its default", function()
    local _, text = run("serve")
    for _, option in ipairs(options.list()) do assert.truthy(text:find(option.doc, 1, true), option.name) end
    assert.truthy(text:find("\n  %-%-app%-port +3000 +The port"))
    assert.truthy(text:find("\n  %-%-app%-host +%(all interfaces%) +The address"))
  end)

  it("keeps to 120 columns but for the meanings", function()
    local _, text = run()
    for line in text:gmatch("[^\n]+") do assert.truthy(#line <= 120, line) end
  end)

  it("refuses an unknown command, naming the nearest", function()
    local code, text, err = run("tokn")
    assert.equal(2, code)
    assert.equal("", text)
    assert.same({ 'unknown command "tokn", did you mean token? (chatty help lists them)' }, err)
  end)
end)
