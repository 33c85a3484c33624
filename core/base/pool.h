/* SPDX-License-Identifier: Apache-2.0
 *
 * pool: small blocks for one thread, by size, with nothing of its own beside them: taking and giving one
 * back is a few instructions, where the heap's own lists cost ten times that once many blocks die at a
 * time, as they do when Lua collects. Blocks above POOL_BLOCK_MAX bytes come from the heap. What a pool
 * has taken from the heap for small blocks it keeps until pool_trim or pool_deinit. One thread.
 */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stddef.h>

/* Builds with a sanitizer set 0, so that it sees every block. */
#ifndef POOL_BLOCK_MAX
#define POOL_BLOCK_MAX 256
#endif

enum { POOL_STEP = 8, POOL_SIZES = POOL_BLOCK_MAX / POOL_STEP + 1 };

typedef struct PoolBlock PoolBlock;
typedef struct PoolSlab PoolSlab;

typedef struct Pool {
    PoolBlock *free[POOL_SIZES]; /* by size in steps, rounded up */
    PoolSlab *slabs;
    char *rest; /* of the newest slab: not handed out yet */
    size_t rest_len;
    size_t slab_count;
} Pool;

void pool_init(Pool *pool);
void pool_deinit(Pool *pool); /* frees all small blocks, also those that nobody gave back */

/* Gives back the memory in which all blocks are free. It looks at every free block, so it is for quiet moments. */
void pool_trim(Pool *pool);

void *pool_zalloc(Pool *pool, size_t size); /* gives; zeroed */
void *pool_alloc(Pool *pool, size_t size);  /* gives; uninitialised; aligned to 8 bytes */
void pool_free(Pool *pool, void *block,
               size_t size); /* takes; `size` as it was asked for; NULL is fine */
void *pool_realloc(Pool *pool, void *block, size_t size, size_t new_size); /* takes, gives */

#endif
