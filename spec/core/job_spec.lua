local job = require("core.test").job

local ISLANDS, JOBS = 4, 500
local ALL = ISLANDS * JOBS

local function run(opts)
  opts.islands, opts.jobs = opts.islands or ISLANDS, opts.jobs or JOBS
  local counts = assert(job.run(opts))
  assert.equal(opts.islands * opts.jobs, counts.ran + counts.canceled + counts.late)
  return counts
end

describe("jobs #threads", function()
  it("all run and are answered to who asked, while there is room", function()
    assert.same({ ran = ALL, canceled = 0, late = 0 }, run{ threads = 2, jobs_max = ALL, stop_after = ALL })
  end)

  it("are bounded together, running and waiting ones", function()
    local counts = run{ threads = 0, jobs_max = 7, stop_after = 0, islands = 1, jobs = 0 }
    assert.same({ ran = 0, canceled = 0, late = 0 }, counts)
    counts = run{ threads = 2, jobs_max = 1, stop_after = JOBS, islands = 1 }
    assert.same({ ran = JOBS, canceled = 0, late = 0 }, counts)
  end)

  it("that wait are cancelled by a stop, and those that run are finished", function()
    for _ = 1, 20 do
      local counts = run{ threads = 2, jobs_max = 32, stop_after = 100 }
      assert.is_true(counts.ran >= 100)
      assert.is_true(counts.canceled <= 32)
    end
  end)

  it("that come behind a stop are not taken", function()
    for _ = 1, 20 do
      local counts = run{ threads = 0, jobs_max = ALL, stop_after = 0 }
      assert.equal(ALL, counts.canceled + counts.late)
    end
  end)
end)
