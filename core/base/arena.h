/* SPDX-License-Identifier: Apache-2.0
 *
 * arena: memory that lives as long as one request: many small allocations, freed together. In
 * memory the caller owns. Pointers stay where they are until arena_deinit. One thread.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/str.h"

typedef struct ArenaBlock ArenaBlock;

typedef struct Arena {
    ArenaBlock *blocks; /* the newest first */
    size_t total;       /* bytes asked of the heap, for accounting */
} Arena;

void arena_init(Arena *arena);
void arena_deinit(Arena *arena);
void *arena_alloc(Arena *arena, size_t size); /* borrows until arena_deinit; aligned for anything */
Str arena_copy(Arena *arena, Str text);       /* a NUL follows the copy, outside len */

#endif
