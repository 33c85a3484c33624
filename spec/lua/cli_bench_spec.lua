local command_line = require "cli.command_line"
local options = require "settings.options"

describe("chatty bench", function()
  local bench = require "cli.bench"

  local function arguments(argv, environment)
    local call = assert(command_line.parse(argv))
    call.settings = assert(options.read { environment = environment or {}, flags = call.flags })
    return bench.arguments(call, "/opt/chatty")
  end

  it("starts a server of its own, with the settings that are flags", function()
    assert.same({ "--sessions=7", "--json", "--", "/opt/chatty", "serve", "--app-host=127.0.0.1", "--app-port={port}",
      "--store=memory", "--log-level=warn", "--workers=2" },
      arguments { "bench", "--json", "--sessions", "7", "--workers=2" })
  end)

  it("starts none when one is named", function()
    assert.same({ "--url=http://127.0.0.1:3000", "--pid=5" },
      arguments { "bench", "--url=http://127.0.0.1:3000", "--pid=5" })
  end)

  it("hands on the secret and the first control key, not as arguments", function()
    local list, environment = arguments({ "bench" }, { JWT_SECRET = "s3", CONTROL_KEY = " first , second" })
    assert.same({ "s3", "first", "HS256" }, { environment.JWT_SECRET, environment.CONTROL_KEY,
      environment.JWT_ALGORITHM })
    assert.is_nil(table.concat(list, " "):find("s3", 1, true))
  end)

  it("needs an algorithm that it can make tokens with", function()
    local list, line = arguments { "bench", "--jwt-algorithm=RS256" }
    assert.is_nil(list)
    assert.matches("JWT_ALGORITHM must be HS256, HS384 or HS512", line)
  end)
end)
