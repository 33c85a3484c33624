local command_line = require "cli.command_line"

local function parse(...) return assert(command_line.parse({ ... })) end

local function fault(...)
  local call, line = command_line.parse({ ... })
  assert.is_nil(call)
  return line
end

describe("the command line", function()
  it("serves when it is empty or has only flags", function()
    assert.same({ command = "serve", args = {}, flags = {}, reads_settings = true, verbose = false }, parse())
    local call = parse("--app-port", "1", "--log-level=debug")
    assert.equal("serve", call.command)
    assert.same({ "--app-port=1", "--log-level=debug" }, call.flags)
  end)

  it("parts a command's own flags from the settings", function()
    local call = parse("token", "--sub", "ann", "--jwt-algorithm", "HS512", "--ttl=2h")
    assert.same({ sub = "ann", ttl = "2h" }, call.args)
    assert.same({ "--jwt-algorithm=HS512" }, call.flags)
  end)

  it("keeps every value of a flag that may be repeated, and the last of any other", function()
    local call = parse("token", "--claim", "a=1", "--sub=x", "--claim=b=2", "--sub=y")
    assert.same({ sub = "y", claim = { "a=1", "b=2" } }, call.args)
  end)

  it("takes a switch without a value", function()
    assert.same({ json = true }, parse("config", "--json").args)
    assert.equal("--json takes no value", fault("config", "--json=yes"))
  end)

  it("passes a boolean setting on with its value", function()
    assert.same({ "--control-auth-none-anywhere=true" }, parse("serve", "--control-auth-none-anywhere").flags)
  end)

  it("asks for help with -h and --help, anywhere", function()
    assert.same({ command = "help", args = {}, flags = {}, reads_settings = false, verbose = false },
      parse("--help"))
    assert.same({ "token" }, parse("token", "--sub", "x", "-h").args)
    assert.equal("help", parse("token", "-h").command)
  end)

  it("asks for the version with --version and -V", function()
    assert.equal("version", parse("--version").command)
    assert.equal("version", parse("-V").command)
  end)

  it("asks for tracebacks with -v", function()
    assert.is_true(parse("-v").verbose)
    assert.is_true(parse("config", "--verbose").verbose)
  end)

  it("gives words to help alone", function()
    assert.same({ "token" }, parse("help", "token").args)
    assert.equal('unexpected argument "b" (chatty help help)', fault("help", "a", "b"))
    assert.equal('unexpected argument "9999" (chatty help serve)', fault("serve", "9999"))
  end)

  it("tells which commands read the settings", function()
    for command, reads in pairs { serve = true, config = true, routes = true, token = true, reload = true,
      health = true, init = false, version = false, help = false } do
      assert.equal(reads, parse(command).reads_settings, command)
    end
  end)

  it("refuses unknown commands and flags, naming the nearest", function()
    assert.equal('unknown command "confg", did you mean config? (chatty help lists them)', fault("confg"))
    assert.equal('unknown command "dance" (chatty help lists them)', fault("dance"))
    assert.equal('unknown command "a?b" (chatty help lists them)', fault("a\nb"))
    assert.equal("unknown flag --app-prot, did you mean --app-port?", fault("--app-prot=1"))
    assert.equal("unknown flag --app-port", fault("init", "--app-port=1"))
  end)

  it("refuses a flag without its value", function()
    assert.equal("--sub has no value", fault("token", "--sub"))
    assert.equal("--sub has no value", fault("token", "--sub", "--ttl", "1h"))
    assert.equal("--sub has no value", fault("token", "--sub="))
  end)
end)
