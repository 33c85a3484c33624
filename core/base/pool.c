/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pool.h"

#include <string.h>

#include "base/mem.h"

enum { SLAB_SIZE = 32 * 1024 };

struct PoolBlock {
    PoolBlock *next;
};

struct PoolSlab {
    PoolSlab *next;
    max_align_t data[];
};

void pool_init(Pool *pool) {
    *pool = (Pool){.slabs = NULL};
}

void pool_deinit(Pool *pool) {
    while (pool->slabs != NULL) {
        PoolSlab *slab = pool->slabs;
        pool->slabs = slab->next;
        mem_free(slab);
    }
}

static size_t index_of(size_t size) {
    return (size + POOL_STEP - 1) / POOL_STEP;
}

/* What is left of the slab before is too small to matter. */
static void add_slab(Pool *pool) {
    PoolSlab *slab = mem_alloc(SLAB_SIZE);
    slab->next = pool->slabs;
    pool->slabs = slab;
    pool->rest = (char *)slab->data;
    pool->rest_len = SLAB_SIZE - offsetof(PoolSlab, data);
}

void *pool_alloc(Pool *pool, size_t size) {
    if (size > POOL_BLOCK_MAX || size == 0) return mem_alloc(size);
    PoolBlock **list = &pool->free[index_of(size)];
    PoolBlock *block = *list;
    if (block != NULL) {
        *list = block->next;
        return block;
    }
    size_t rounded = index_of(size) * POOL_STEP;
    if (pool->rest_len < rounded) add_slab(pool);
    void *fresh = pool->rest;
    pool->rest += rounded;
    pool->rest_len -= rounded;
    return fresh;
}

void pool_free(Pool *pool, void *block, size_t size) {
    if (block == NULL) return;
    if (size > POOL_BLOCK_MAX || size == 0) {
        mem_free(block);
        return;
    }
    PoolBlock *freed = block;
    freed->next = pool->free[index_of(size)];
    pool->free[index_of(size)] = freed;
}

void *pool_realloc(Pool *pool, void *block, size_t size, size_t new_size) {
    if (size > POOL_BLOCK_MAX && new_size > POOL_BLOCK_MAX) return mem_realloc(block, new_size);
    if (block != NULL && size > 0 && index_of(size) == index_of(new_size)) return block;
    void *moved = pool_alloc(pool, new_size);
    if (block != NULL) memcpy(moved, block, size < new_size ? size : new_size);
    pool_free(pool, block, size);
    return moved;
}
