/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pool.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { SLAB_SIZE = 32 * 1024 };

struct PoolBlock {
    PoolBlock *next;
};

struct PoolSlab {
    PoolSlab *next;
    size_t free; /* of its bytes; counted while the pool is trimmed */
    max_align_t data[];
};

static const size_t SLAB_ROOM = SLAB_SIZE - offsetof(PoolSlab, data);

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

static void add_free(Pool *pool, void *memory, size_t index) {
    PoolBlock *block = memory;
    block->next = pool->free[index];
    pool->free[index] = block;
}

/* What is left of the slab before is a block too. */
static void add_slab(Pool *pool) {
    if (pool->rest_len > 0) add_free(pool, pool->rest, pool->rest_len / POOL_STEP);
    PoolSlab *slab = mem_alloc(SLAB_SIZE);
    slab->next = pool->slabs;
    pool->slabs = slab;
    pool->slab_count++;
    pool->rest = (char *)slab->data;
    pool->rest_len = SLAB_ROOM;
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

void *pool_zalloc(Pool *pool, size_t size) {
    return memset(pool_alloc(pool, size), 0, size);
}

void pool_free(Pool *pool, void *block, size_t size) {
    if (block == NULL) return;
    if (size > POOL_BLOCK_MAX || size == 0) {
        mem_free(block);
        return;
    }
    add_free(pool, block, index_of(size));
}

void *pool_realloc(Pool *pool, void *block, size_t size, size_t new_size) {
    if (size > POOL_BLOCK_MAX && new_size > POOL_BLOCK_MAX) return mem_realloc(block, new_size);
    if (block != NULL && size > 0 && index_of(size) == index_of(new_size)) return block;
    void *moved = pool_alloc(pool, new_size);
    if (block != NULL) memcpy(moved, block, size < new_size ? size : new_size);
    pool_free(pool, block, size);
    return moved;
}

/* --- trimming --- */

static int compare(const void *a, const void *b) {
    uintptr_t first = (uintptr_t) * (PoolSlab *const *)a;
    uintptr_t second = (uintptr_t) * (PoolSlab *const *)b;
    return (first > second) - (first < second);
}

/* All slabs by their address, so that a block finds its own: the last one that begins before it. */
static PoolSlab **sort_slabs(const Pool *pool) {
    PoolSlab **slabs = mem_grow(NULL, pool->slab_count, sizeof *slabs);
    size_t count = 0;
    for (PoolSlab *slab = pool->slabs; slab != NULL; slab = slab->next) {
        slab->free = 0;
        slabs[count++] = slab;
    }
    qsort(slabs, count, sizeof *slabs, compare);
    return slabs;
}

static PoolSlab *slab_of(PoolSlab **slabs, size_t count, const void *block) {
    size_t low = 0;
    while (count - low > 1) {
        size_t middle = low + (count - low) / 2;
        if ((uintptr_t)slabs[middle] <= (uintptr_t)block) {
            low = middle;
        } else {
            count = middle;
        }
    }
    return slabs[low];
}

static void count_free(Pool *pool, PoolSlab **slabs) {
    for (size_t i = 0; i < POOL_SIZES; i++) {
        for (const PoolBlock *block = pool->free[i]; block != NULL; block = block->next) {
            slab_of(slabs, pool->slab_count, block)->free += i * POOL_STEP;
        }
    }
    pool->slabs->free += pool->rest_len;
}

static bool is_empty(const PoolSlab *slab) {
    return slab->free == SLAB_ROOM;
}

static void drop_blocks(Pool *pool, PoolSlab **slabs) {
    for (size_t i = 0; i < POOL_SIZES; i++) {
        PoolBlock **at = &pool->free[i];
        while (*at != NULL) {
            if (is_empty(slab_of(slabs, pool->slab_count, *at))) {
                *at = (*at)->next;
            } else {
                at = &(*at)->next;
            }
        }
    }
}

static void drop_slabs(Pool *pool) {
    if (is_empty(pool->slabs)) pool->rest_len = 0;
    PoolSlab **at = &pool->slabs;
    while (*at != NULL) {
        PoolSlab *slab = *at;
        if (is_empty(slab)) {
            *at = slab->next;
            pool->slab_count--;
            mem_free(slab);
        } else {
            at = &slab->next;
        }
    }
}

void pool_trim(Pool *pool) {
    if (pool->slabs == NULL) return;
    PoolSlab **slabs = sort_slabs(pool);
    count_free(pool, slabs);
    drop_blocks(pool, slabs);
    drop_slabs(pool);
    mem_free(slabs);
}
