local base = require("core.test").base

local TICK_MS = 16
local ROUND_MS = 4096 * TICK_MS

local function dice(seed)
  return function(n)
    seed = seed * 6364136223846793005 + 1442695040888963407
    return (seed >> 33) % n + 1
  end
end

-- A timer that writes down when it fired.
local function recorder(wheel)
  local fired = {}
  local timer = wheel:timer(function(now) fired[#fired + 1] = now end)
  return timer, fired
end

local function turn_through(wheel, from, to, step)
  for now = from, to, step do wheel:turn(now) end
end

describe("a wheel whose clock is held", function()
  it("fires the timer that comes first, of equal ones the one that was set first", function()
    local wheel, order, timers = base.wheel(5000), {}, {}
    for i, deadline in ipairs{ 9000, 5001, 70000000, 9000, 5000, 4000 } do
      timers[i] = wheel:timer(function() order[#order + 1] = i end)
      timers[i]:start(deadline)
    end
    local deadlines = {}
    for i = 1, 6 do deadlines[i] = wheel:fire_first() end
    assert.same({ 4000, 5000, 5001, 9000, 9000, 70000000 }, deadlines)
    assert.same({ 6, 5, 2, 1, 4, 3 }, order)
    assert.same({ 6, 0 }, { #timers, wheel:count() })
    assert.is_nil(wheel:fire_first())
  end)

  it("lets a timer set itself again", function()
    local wheel, count = base.wheel(0), 0
    local timer
    timer = wheel:timer(function(now)
      count = count + 1
      timer:start(now + 1000)
    end)
    timer:start(1000)
    for i = 1, 5 do assert.equal(i * 1000, wheel:fire_first()) end
    assert.equal(5, count)
  end)
end)

describe("a wheel that says when it is next due", function()
  local function start(wheel, deadline)
    local timer, fired = recorder(wheel)
    timer:start(deadline)
    return timer, fired
  end

  it("is not while no timer is set", function()
    local wheel = base.wheel(1000)
    assert.equal(0, wheel:next_ms())
    local timer = start(wheel, 5000)
    timer:stop()
    assert.equal(0, wheel:next_ms())
  end)

  it("is at the first tick that fires the timer that comes first", function()
    for now = 0, 2 * ROUND_MS, 7777 do
      for _, delay in ipairs{ 1, 16, 500, 1023, 1024, 40000 } do
        local wheel = base.wheel(now)
        start(wheel, now + delay + 3000)
        local _, fired = start(wheel, now + delay)
        local due = wheel:next_ms()
        assert(due >= now + delay and due < now + delay + TICK_MS, ("%d is due at %d"):format(now + delay, due))
        wheel:turn(due - 1)
        assert.same({}, fired)
        wheel:turn(due)
        assert.same({ due }, fired)
      end
    end
  end)

  it("is at the next tick for a deadline that is over", function()
    local wheel = base.wheel(1600)
    start(wheel, 10)
    assert.equal(1616, wheel:next_ms())
  end)

  it("is at least once a round for one beyond it, and no oftener than that", function()
    local wheel = base.wheel(0)
    local _, fired = start(wheel, 10 * ROUND_MS + 100)
    local turns = 0
    while #fired == 0 do
      wheel:turn(wheel:next_ms())
      turns = turns + 1
    end
    assert.same({ 11, 10 * ROUND_MS + 112 }, { turns, fired[1] })
  end)

  it("forgets the place of a timer that was stopped when its time has come", function()
    local wheel = base.wheel(0)
    start(wheel, 5000)
    start(wheel, 100):stop()
    assert.equal(112, wheel:next_ms())
    wheel:turn(112)
    assert.equal(5008, wheel:next_ms())
  end)

  it("fires the same when it is turned only then as when it is turned at each tick", function()
    local roll = dice(11)
    for _ = 1, 20 do
      local often, seldom, expected, got, timers = base.wheel(0), base.wheel(0), {}, {}, {}
      for i = 1, 100 do
        local fired = i % 2 == 0 and expected or got
        timers[i] = (i % 2 == 0 and often or seldom):timer(function(now) fired[(i + 1) // 2] = now end)
      end
      for i = 1, 100, 2 do
        local deadline = roll(2 * ROUND_MS)
        timers[i]:start(deadline)
        timers[i + 1]:start(deadline)
      end
      turn_through(often, 0, 2 * ROUND_MS + TICK_MS, TICK_MS)
      while seldom:count() > 0 do seldom:turn(seldom:next_ms()) end
      assert.same(expected, got)
    end
  end)
end)

describe("a timer of the wheel", function()
  it("fires at its deadline or at most a tick later, never before", function()
    for start = 0, 2 * TICK_MS, 5 do
      for delay = 1, 3 * TICK_MS do
        local wheel = base.wheel(start)
        local timer, fired = recorder(wheel)
        timer:start(start + delay)
        turn_through(wheel, start, start + delay + TICK_MS, 1)
        assert.equal(1, #fired)
        local late = fired[1] - (start + delay)
        assert(late >= 0 and late < TICK_MS, ("%d ms late"):format(late))
      end
    end
  end)

  it("fires once", function()
    local wheel = base.wheel(0)
    local timer, fired = recorder(wheel)
    timer:start(20)
    assert.equal(1, wheel:count())
    turn_through(wheel, 0, 3 * ROUND_MS, 1000)
    assert.equal(1, #fired)
    assert.equal(0, wheel:count())
  end)

  it("fires with the next tick when its deadline is over already", function()
    local wheel = base.wheel(1000)
    for _, deadline in ipairs{ 0, 1, 999, 1000 } do
      local timer, fired = recorder(wheel)
      timer:start(deadline)
      wheel:turn(1000)
      assert.same({}, fired)
      timer:free()
    end
    local timer, fired = recorder(wheel)
    timer:start(0)
    turn_through(wheel, 1001, 1000 + TICK_MS, 1)
    assert.equal(1, #fired)
  end)

  it("waits for its round when the deadline is more than one away", function()
    for _, delay in ipairs{ ROUND_MS - 1, ROUND_MS, ROUND_MS + 1, 2 * ROUND_MS, 3 * ROUND_MS + 777 } do
      local wheel = base.wheel(5)
      local timer, fired = recorder(wheel)
      timer:start(5 + delay)
      turn_through(wheel, 5, 5 + delay + TICK_MS + 7, 7)
      assert.equal(1, #fired)
      local late = fired[1] - (5 + delay)
      assert(late >= 0 and late < TICK_MS + 7, ("%d ms late"):format(late))
    end
  end)

  it("fires after a pause of any length, and not before its time", function()
    for _, pause in ipairs{ 100, ROUND_MS - TICK_MS, ROUND_MS, ROUND_MS + 1, 10 * ROUND_MS + 3 } do
      local wheel = base.wheel(0)
      local due, due_fired = recorder(wheel)
      local later, later_fired = recorder(wheel)
      due:start(pause - 20)
      later:start(pause + 20)
      wheel:turn(pause)
      assert.same({ pause }, due_fired)
      assert.same({}, later_fired)
      turn_through(wheel, pause, pause + 20 + TICK_MS, 1)
      assert.equal(1, #later_fired)
    end
  end)

  it("moves when it is started again", function()
    local wheel = base.wheel(0)
    local timer, fired = recorder(wheel)
    timer:start(100)
    timer:start(1000)
    assert.equal(1, wheel:count())
    turn_through(wheel, 0, 999, 1)
    assert.same({}, fired)
    timer:start(1010)
    timer:start(1005)
    turn_through(wheel, 1000, 1100, 1)
    assert.equal(1, #fired)
    assert(fired[1] >= 1005 and fired[1] < 1005 + TICK_MS)
  end)

  it("does not fire when it was stopped, and may be stopped at any time", function()
    local wheel = base.wheel(0)
    local timer, fired = recorder(wheel)
    timer:stop()
    timer:start(100)
    timer:stop()
    timer:stop()
    assert.equal(0, wheel:count())
    wheel:turn(1000)
    assert.same({}, fired)
    timer:start(1100)
    wheel:turn(2000)
    timer:stop()
    assert.same({ 2000 }, fired)
    assert.equal(0, wheel:count())
  end)

  it("bears a clock that stands still", function()
    local wheel = base.wheel(50)
    local timer, fired = recorder(wheel)
    timer:start(60)
    for _ = 1, 10 do wheel:turn(50) end
    assert.same({}, fired)
    for _ = 1, 10 do wheel:turn(64) end
    assert.same({ 64 }, fired)
  end)
end)

describe("a timer's callback", function()
  it("may start its timer again, and is not called twice in one turn for it", function()
    local wheel = base.wheel(0)
    local fired = {}
    local timer
    timer = wheel:timer(function(now)
      fired[#fired + 1] = now
      timer:start(now + 50)
    end)
    timer:start(50)
    turn_through(wheel, 0, 1000, 1)
    assert(#fired >= 15 and #fired <= 20)
    for i = 2, #fired do assert(fired[i] - fired[i - 1] >= 50) end
    fired = {}
    wheel:turn(5000)
    assert.same({ 5000 }, fired)
  end)

  it("may start its timer for the past without an endless turn", function()
    local wheel = base.wheel(0)
    local count = 0
    local timer
    timer = wheel:timer(function(now)
      count = count + 1
      timer:start(now)
    end)
    timer:start(1)
    turn_through(wheel, TICK_MS, 10 * TICK_MS, TICK_MS)
    assert.equal(10, count)
  end)

  it("may stop or move another timer that is due in the same tick", function()
    local wheel = base.wheel(0)
    local order, timers = {}, {}
    timers.first = wheel:timer(function()
      order[#order + 1] = "first"
      timers.stopped:stop()
      timers.moved:start(500)
    end)
    for _, name in ipairs{ "stopped", "moved", "last" } do
      timers[name] = wheel:timer(function() order[#order + 1] = name end)
    end
    for _, name in ipairs{ "first", "stopped", "moved", "last" } do timers[name]:start(10) end
    wheel:turn(16)
    assert.same({ "first", "last" }, order)
    assert.equal(1, wheel:count())
    wheel:turn(600)
    assert.same({ "first", "last", "moved" }, order)
  end)

  it("may free its timer and others", function()
    local wheel = base.wheel(0)
    local fired = 0
    local own, other
    own = wheel:timer(function()
      fired = fired + 1
      other:free()
      own:free()
    end)
    other = wheel:timer(function() fired = fired + 1 end)
    own:start(10)
    other:start(10)
    wheel:turn(100)
    assert.equal(1, fired)
    assert.equal(0, wheel:count())
  end)

  it("may start a new timer, which comes to its time within the same turn", function()
    local wheel = base.wheel(0)
    local fired = {}
    local second = wheel:timer(function(now) fired[#fired + 1] = now end)
    local first = wheel:timer(function() second:start(200) end)
    first:start(100)
    wheel:turn(1000)
    assert.same({ 1000 }, fired)
  end)
end)

describe("the wheel", function()
  it("agrees with a plain list after thousands of starts, moves and stops", function()
    local roll, now = dice(3), 12345
    local wheel = base.wheel(now)
    local deadlines, timers, faults, fired = {}, {}, {}, 0
    local turned, step = now, 0
    for i = 1, 300 do
      timers[i] = wheel:timer(function(at)
        fired = fired + 1
        local late = at - (deadlines[i] or math.huge)
        if late < 0 or late >= TICK_MS + step then faults[#faults + 1] = ("%d ms late"):format(late) end
        deadlines[i] = nil
        if roll(3) == 1 then
          deadlines[i] = at + roll(2 * ROUND_MS)
          timers[i]:start(deadlines[i])
        end
      end)
    end
    for _ = 1, 20000 do
      local i = roll(#timers)
      if roll(4) == 1 then
        timers[i]:stop()
        deadlines[i] = nil
      else
        deadlines[i] = now + roll(roll(10) == 1 and 3 * ROUND_MS or 500)
        timers[i]:start(deadlines[i])
      end
      step = roll(100) == 1 and roll(2 * ROUND_MS) or roll(20)
      now = turned + step
      turned = now
      wheel:turn(now)
    end
    assert.same({}, faults)
    assert(fired > 1000)
    local pending = 0
    for _, deadline in pairs(deadlines) do
      pending = pending + 1
      assert(deadline > now - TICK_MS, "one was forgotten")
    end
    assert.equal(pending, wheel:count())
  end)
end)
