-- The load tool, on small crowds: what it counts is right, and it sees when a server does wrong. No figure of time
-- is looked at.
local cjson = require "cjson"
local process = require "spec.support.process"
local server = require "spec.support.server"

local BUILD = os.getenv "CHATTY_BUILD" or "build"
local QUICK = { "--quiet", "--idle=0", "--warmup=0.05", "--seconds=0.2", "--patience=2" }

local function with(...)
  local flags = { table.unpack(QUICK) }
  for _, flag in ipairs { ... } do flags[#flags + 1] = flag end
  return flags
end

-- The load tool by itself.
local function run(flags)
  return process.run{ command = BUILD .. "/chatty-bench", args = flags, seconds = 60,
    env = { JWT_SECRET = server.jwt_secret, CONTROL_KEY = server.control_key } }
end

local function run_on(chatty, ...)
  return run(with("--json", "--url=http://127.0.0.1:" .. chatty.port, ...))
end

-- What the report of a good run must say of its deliveries.
local function counts_of(report)
  return { report.connect.count, report.deliver.count > 0, report.deliver.count == report.latency_us.count,
    report.notify.count * report.sessions / report.channels == report.deliver.count,
    report.check.received == report.check.expected, report.check.good }
end

describe("chatty bench", function()
  it("measures a server of its own", function()
    local result = assert(server.run{ args = { "bench", "--json", table.unpack(with("--sessions=20")) } })
    assert.same({ 0, "" }, { result.code, result.err })
    local report = cjson.decode(result.out)
    assert.same({ 20, true, true, true, true, true }, counts_of(report))
    local times = report.latency_us
    assert.is_true(0 < times.p50 and times.p50 <= times.p90 and times.p90 <= times.p99 and times.p99 <= times.max)
    assert.is_true(report.deliver.cpu_us > 0 and report.connect.cpu_us > 0 and report.memory.session_bytes > 0)
  end)

  it("tells people in lines", function()
    local result = assert(server.run{ args = { "bench", table.unpack(with("--sessions=5", "--rate=100")) } })
    assert.matches("5 sessions, 1 channels, 1 publishers, 100 events a second, 128 bytes", result.out, 1, true)
    assert.matches("\ngood +(%d+) of %1 events received; 0 lost, 0 repeated", result.out)
  end)

  it("gives settings among its flags to its own server", function()
    local result = assert(server.run{ args = { "bench", "--quiet", "--seconds=0", "--idle=0", "--sessions=3",
      "--sessions-max=2", "--workers=1" } })
    assert.equal(1, result.code)
    assert.matches("the server closed session %d with 4503", result.out)
  end)

  it("shows its progress on stderr", function()
    local result = assert(server.run{ args = { "bench", "--sessions=1", "--idle=1.2", "--seconds=0" } })
    assert.matches("idle: 1 of 1 sessions", result.err, 1, true)
  end)

  it("refuses to make tokens that it cannot", function()
    local result = assert(server.run{ args = { "bench", "--jwt-algorithm=ES256" } })
    assert.equal(1, result.code)
    assert.matches("^chatty: chatty bench makes the tokens", result.err)
  end)

  it("makes tokens as the settings want them", function()
    local settings = { JWT_ALGORITHM = "HS512", JWT_ISSUER = "the shop", JWT_AUDIENCE = "chatty",
      JWT_SECRET = ("0123456789abcdef"):rep(4) }
    local chatty = server.start{ settings = settings }
    local result = assert(server.run{ settings = settings, args = { "bench", "--json", "--sessions=2",
      "--url=http://127.0.0.1:" .. chatty.port, table.unpack(QUICK) } })
    assert.same({ 0, 2 }, { result.code, cjson.decode(result.out).connect.count })
  end)
end)

describe("the load tool", function()
  it("counts in a server that runs, over channels, publishers and pipelines", function()
    local chatty = server.start{ settings = { WORKERS = 2 } }
    local result = run_on(chatty, "--pid=" .. chatty.pid, "--sessions=23", "--channels=4", "--publishers=3",
      "--pipeline=4", "--subscriptions=3", "--fill-users=5", "--fill-channels=10", "--size=2000",
      "--unsubscribe")
    assert.same({ 0, "" }, { result.code, result.err })
    local report = cjson.decode(result.out)
    assert.same({ 23, 69, 69, 10, true }, { report.connect.count, report.subscribe.count, report.unsubscribe.count,
      report.fill.count, report.check.good })
    assert.equal(10, chatty:metric "subscriptions")
    assert.equal(0, chatty:wait_metric("sessions", 0))
  end)

  it("tells the memory of before, with the sessions, and of when they have left", function()
    local chatty = server.start()
    local report = cjson.decode(run_on(chatty, "--pid=" .. chatty.pid, "--sessions=30", "--rest=0.1").out)
    local memory = report.memory
    assert.is_true(memory.start_bytes > 0 and memory.full_bytes >= memory.start_bytes and memory.rest_bytes > 0)
  end)

  it("notifies at a rate", function()
    local chatty = server.start()
    local report = cjson.decode(run_on(chatty, "--sessions=2", "--rate=100", "--publishers=3").out)
    assert.same({ 20, 40, true }, { report.notify.count, report.deliver.count, report.check.good })
  end)

  it("measures notifies that nobody gets", function()
    local report = cjson.decode(run_on(server.start(), "--sessions=0", "--publishers=8").out)
    assert.same({ true, 0, 0, true }, { report.notify.count > 0, report.deliver.count, report.check.expected,
      report.check.good })
  end)

  it("ends with what it has when it is interrupted", function()
    local chatty = server.start()
    local load = process.start{ command = BUILD .. "/chatty-bench", env = { JWT_SECRET = server.jwt_secret,
      CONTROL_KEY = server.control_key }, args = { "--json", "--url=http://127.0.0.1:" .. chatty.port,
      "--sessions=3", "--seconds=600" } }
    assert.equal(3, chatty:wait_metric("sessions", 3))
    load:send_signal "sigint"
    assert.equal(1, load:wait_exit())
    assert.equal("interrupted", cjson.decode(table.concat(load.out)).trouble)
  end)

  it("finds events that come twice", function()
    local result = run_on(server.start(), "--sessions=2", "--subscriptions=2",
      "--publish-path=/control/notify?method=channels:{channel},more-1")
    local check = cjson.decode(result.out).check
    assert.same({ 1, false }, { result.code, check.good })
    assert.is_true(check.repeated > 0)
  end)

  it("finds events that do not come", function()
    local result = run_on(server.start(), "--sessions=2", "--patience=0.2",
      "--publish-path=/control/notify?method=channels:elsewhere")
    local report = cjson.decode(result.out)
    assert.same({ 1, false, 0, report.check.expected }, { result.code, report.check.good, report.check.received,
      report.check.lost })
    assert.equal("nothing moved any more during: warm-up", report.trouble)
  end)

  it("says what a server answered", function()
    local chatty = server.start{ settings = { CONTROL_KEY = "another-control-key-0123456789" } }
    assert.matches("subscribing was answered 401", cjson.decode(run_on(chatty).out).trouble)
    chatty = server.start{ settings = { JWT_SECRET = "another-secret-0123456789-0123456789" } }
    assert.matches("the handshake of session %d+ was answered: HTTP/1.1 401", cjson.decode(run_on(chatty).out).trouble)
  end)

  it("says why its own server did not start", function()
    local result = run{ "--quiet", "--", BUILD .. "/chatty", "serve", "--app-port=none" }
    assert.equal(1, result.code)
    assert.matches("the server ended at its start: chatty: .-APP_PORT", result.out)
  end)

  it("refuses wrong usage with one line", function()
    for line, flags in pairs{
      ["neither --url nor a command"] = {},
      ["unknown flag --fly"] = { "--fly" },
      ["--sessions must be a whole number from 0 to 1000000, not 1.5"] = { "--sessions=1.5" },
      ["--rate must be a number from 0 to 10000000, not fast"] = { "--rate", "fast" },
      ["--url must be http://HOST:PORT, not nowhere"] = { "--url", "nowhere" },
      ["--sessions has no value"] = { "--sessions" },
      ["both --slow and --replay"] = { "--url=http://127.0.0.1:1", "--slow=1", "--replay=1" },
      ["all sessions are slow"] = { "--url=http://127.0.0.1:1", "--sessions=2", "--slow=2" },
      ["more channels than sessions"] = { "--url=http://127.0.0.1:1", "--sessions=1", "--channels=2" },
    } do
      local result = run(flags)
      assert.same({ 2, "" }, { result.code, result.out })
      assert.is_nil(result.err:find("\n"))
      assert.matches(line, result.err, 1, true)
    end
  end)
end)

describe("the sessions of the load tool", function()
  local HISTORY = [[
    local plugin = { api = 1 }
    function plugin.setup(app) app:channel("bench-*", { history = { size = 100 } }) end
    return plugin
  ]]

  it("brings sessions back for what they missed", function()
    local chatty = server.start{ plugins = { history = HISTORY } }
    local report = cjson.decode(run_on(chatty, "--sessions=6", "--channels=2", "--rate=100", "--replay=20").out)
    assert.same({ 6, true, report.check.expected }, { report.replay.count, report.check.good, report.check.received })
    assert.is_true(report.check.received >= report.deliver.count + 6 * 20)
  end)

  it("misses what a server does not bring again", function()
    local result = run_on(server.start(), "--sessions=2", "--rate=100", "--replay=5", "--patience=0.3")
    local check = cjson.decode(result.out).check
    assert.same({ 1, 10, false }, { result.code, check.lost, check.good })
  end)

  it("are slow when they are told to be, and then closed by the server, to the harm of nobody", function()
    local chatty = server.start{ settings = { SESSION_QUEUE_MAX = "2mb" } }
    local report = cjson.decode(run_on(chatty, "--pid=" .. chatty.pid, "--sessions=6", "--slow=2", "--size=60000",
      "--rate=80", "--seconds=1.6").out)
    assert.same({ 6, 2, true }, { report.connect.count, report.slow.cut, report.check.good })
    assert.equal(report.notify.count * 4, report.deliver.count)
    assert.is_true(report.memory.peak_bytes > 0)
  end)

  it("listens to Server-Sent Events", function()
    local chatty = server.start()
    local result = run_on(chatty, "--pid=" .. chatty.pid, "--sessions=10", "--stream", "--connect-path=/events")
    assert.equal(0, result.code)
    assert.same({ 10, true, true, true, true, true }, counts_of(cjson.decode(result.out)))
  end)
end)

describe("the floor", function()
  local function measure(...)
    local flags = with("--json", "--sessions=10", "--publishers=3", "--subscribe-path=", "--publish-path=/",
      "--publish-header=", "--connect-path=/", "--connect-header=", "--await=", "--", BUILD .. "/bench/floor",
      "{port}", ...)
    return cjson.decode(run(flags).out)
  end

  it("brings every event to everybody", function()
    assert.same({ 10, true, true, true, true, true }, counts_of(measure()))
  end)

  it("does so in batches", function()
    assert.same({ 10, true, true, true, true, true }, counts_of(measure("batched")))
  end)
end)
