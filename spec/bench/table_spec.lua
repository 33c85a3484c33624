-- The page of results: what stands in it for given reports; and one small table made for real.
local process = require "spec.support.process"
local results = require "bench.results"

local function report(cpu, user)
  return { deliver = { cpu_us = cpu, user_us = user or 0.1 } }
end

local function page(reports)
  return results.page{ reports = reports, titles = { floor = "floor", chatty = "chatty", ws = "ws" },
    servers = { "floor", "ws", "chatty" }, missing = { nchan = "it is not there" }, facts = { "a fact" } }
end

local function row_of(text, work)
  return text:match("\n| " .. work:gsub("%p", "%%%0") .. " | ([^\n]*) |\n")
end

describe("the page of results", function()
  local WORK = "1 publisher flat out, 1,000 subscribers, 128 B"

  it("shows medians, the goal, and that it is reached", function()
    local text = page{ ["one publisher"] = {
      floor = { report(10), report(99), report(9) }, chatty = { report(10.4, 0.3), report(10.6, 0.4), report(1, 0.2) },
      ws = { report(12), report(14) } } }
    assert.equal("10.00 (0.10) | 13.00 (0.10) | 10.40 (0.30) | <= 1.05 x floor, user <= 0.35 "
      .. "| yes; 0.11 x floor; machine 1.43 x slower", row_of(text, WORK))
  end)

  it("says by how much a goal is missed", function()
    local text = page{ ["one publisher"] = { floor = { report(5) }, chatty = { report(6, 0.7) } } }
    assert.equal("5.00 (0.10) | - | 6.00 (0.70) | <= 1.05 x floor, user <= 0.35 "
      .. "| no: 1.14 x goal, user 2.00 x goal; 1.20 x floor", row_of(text, WORK))
  end)

  it("gives times and rates more room on a machine whose floor takes longer", function()
    local function of(cpu, rate)
      return { { notify = { cpu_us = cpu, per_second = rate } } }
    end
    local function verdict(floor, ours, rate)
      local text = page{ ["nobody listens"] = { floor = of(floor, 1), chatty = of(ours, rate) } }
      return row_of(text, "8 keep-alive connections"):match("[^|]+$")
    end
    assert.equal(" yes", verdict(3.3, 10, 95000))
    assert.equal(" no: 1.10 x goal, requests 1.06 x too slow", verdict(3.3, 11, 90000))
    assert.equal(" yes; machine 2.00 x slower", verdict(13.2, 20, 47500))
    assert.equal(" no: 1.05 x goal; machine 2.00 x slower", verdict(13.2, 21, 47500))
  end)

  it("judges nothing without the floor, or when chatty failed", function()
    assert.matches(" | %-$", row_of(page{ ["one publisher"] = { chatty = { report(1) } } }, WORK))
    assert.matches(" | %-$", row_of(page{ ["one publisher"] = { floor = { report(1) } } }, WORK))
  end)

  it("has no section without rows, and tells what was not measured", function()
    local text = page{ ["one publisher"] = { floor = { report(10) } } }
    assert.is_nil(text:find("Size and connecting", 1, true))
    assert.equal("it is not there", row_of(text, "nchan"))
  end)

  it("compares chatty with itself where nothing else can be", function()
    local function notify(cpu)
      return { { notify = { cpu_us = cpu }, connect = { cpu_us = 1 }, leave = { cpu_us = 1 },
        subscribe = { cpu_us = 1 }, unsubscribe = { cpu_us = 1 } } }
    end
    local text = page{ ["few others"] = { chatty = notify(10) }, ["many others"] = { chatty = notify(13) } }
    assert.matches("notify to a channel of 100[^\n]* | 1.30 x: 10.0 and 13.0 us | <= 1.10 x | no |", text)
    assert.matches("connect, [^\n]* | yes |", text)
  end)
end)

describe("bench/run table", function()
  local function run(...)
    return process.run{ command = "bench/run", args = { "table", ... }, seconds = 100,
      env = { CHATTY_BUILD = os.getenv "CHATTY_BUILD" or "build", LUA_CPATH = package.cpath } }
  end

  it("measures the cases and servers that are asked for", function()
    local result = run("--quick", "--only", "eight publishers,2 workers", "--servers=floor,chatty")
    assert.equal(0, result.code, result.err)
    local row = row_of(result.out, "8 publishers flat out, 1,000 subscribers, 128 B")
    assert.matches("^%d+%.%d+ %(%d+%.%d+%) | %d+%.%d+ %(%d+%.%d+%) | <= 0.70 | ", row)
    assert.matches("2 workers, round 1, chatty: good", result.err)
  end)

  it("refuses what it does not know", function()
    assert.same({ 2, "bench: unknown flag --fast" }, { run("--fast").code, run("--fast").err })
    assert.matches("there are these cases: one publisher, ", run("--only=none").err)
  end)
end)
