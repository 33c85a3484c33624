local pool = require("core.test").pool

describe("a pool", function()
  it("gives each block memory of its own, aligned, of any size", function()
    local p, blocks = pool.new(), {}
    for size = 1, 600 do blocks[size] = p:alloc(size) end
    for size, block in ipairs(blocks) do p:fill(block, size % 251) end
    for size, block in ipairs(blocks) do
      assert.is_true(p:has(block, size % 251, size))
      assert.equal(0, p:place(block) % 16)
    end
  end)

  it("keeps what a block holds when it grows or shrinks", function()
    local p = pool.new()
    for _, sizes in ipairs({ { 1, 16 }, { 16, 17 }, { 40, 300 }, { 300, 40 }, { 300, 900 }, { 200, 3 } }) do
      local block = p:alloc(sizes[1])
      p:fill(block, 7)
      p:realloc(block, sizes[2])
      assert.is_true(p:has(block, 7, math.min(sizes[1], sizes[2])))
    end
  end)

  if pool.block_max > 0 then -- else every block is the heap's
    it("hands out again what was given back, to those who ask for that size", function()
      local p = pool.new()
      local a, b = p:alloc(100), p:alloc(100)
      local place = p:place(a)
      p:free(a)
      assert.not_equal(place, p:place(p:alloc(200)))
      assert.equal(place, p:place(p:alloc(97)))
      assert.not_equal(place, p:place(p:alloc(100)))
      p:free(b)
    end)

    it("leaves a block where it is while its size stays about the same", function()
      local p = pool.new()
      local block = p:alloc(33)
      local place = p:place(block)
      p:realloc(block, 48)
      assert.equal(place, p:place(block))
    end)
  end
end)
