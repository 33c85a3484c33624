local pool = require("core.test").pool

describe("a pool", function()
  it("gives each block memory of its own, aligned, of any size", function()
    local p, blocks = pool.new(), {}
    for size = 1, 600 do blocks[size] = p:alloc(size) end
    for size, block in ipairs(blocks) do p:fill(block, size % 251) end
    for size, block in ipairs(blocks) do
      assert.is_true(p:has(block, size % 251, size))
      assert.equal(0, p:place(block) % 8)
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
      p:realloc(block, 40)
      assert.equal(place, p:place(block))
    end)

    -- Blocks of all sizes, in the order in which they are to be freed.
    local function fill(p, count)
      local blocks, random = {}, 7
      for i = 1, count do
        random = random * 1103515245 + 12345 & 0x7fffffff
        local block = p:alloc(1 + random % 250)
        p:fill(block, i % 251)
        table.insert(blocks, 1 + random // 256 % (#blocks + 1), block)
      end
      return blocks
    end

    it("gives all its memory back when every block was given back", function()
      local p = pool.new()
      for _ = 1, 2 do
        local blocks = fill(p, 1500)
        assert.is_true(p:slabs() > 3)
        for _, block in ipairs(blocks) do p:free(block) end
        p:trim()
        assert.equal(0, p:slabs())
      end
    end)

    it("keeps the memory in which a block is in use, and what that holds", function()
      local p = pool.new()
      local blocks = fill(p, 1500)
      local before = p:slabs()
      local last = p:alloc(250)
      p:fill(last, 9)
      for _, block in ipairs(blocks) do p:free(block) end
      p:trim()
      assert.equal(1, p:slabs())
      fill(p, 1500)
      assert.is_true(p:has(last, 9, 250))
      assert.is_true(p:slabs() <= before + 1)
    end)

    it("hands out after it was trimmed what is free in the memory that it kept", function()
      local p = pool.new()
      local kept, freed = {}, {}
      for i = 1, 600 do
        local list = i % 2 == 0 and kept or freed
        list[#list + 1] = p:alloc(128)
      end
      local before = p:slabs()
      for _, block in ipairs(freed) do p:free(block) end
      p:trim()
      for _ = 1, #freed do kept[#kept + 1] = p:alloc(128) end
      assert.equal(before, p:slabs())
      for i, block in ipairs(kept) do p:fill(block, i % 251) end
      for i, block in ipairs(kept) do assert.is_true(p:has(block, i % 251, 128)) end
    end)
  end
end)
