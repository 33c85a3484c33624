/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <stddef.h>
#include <stdint.h>

#include "base/ensure.h"
#include "base/mem.h"

enum { ARENA_BLOCK_SIZE = 1000 }; /* such blocks malloc has at hand, larger ones it searches for */

struct ArenaBlock {
    ArenaBlock *next;
    size_t used;
    size_t size;
    max_align_t data[];
};

void arena_init(Arena *arena) {
    *arena = (Arena){NULL, 0};
}

void arena_deinit(Arena *arena) {
    while (arena->blocks != NULL) {
        ArenaBlock *block = arena->blocks;
        arena->blocks = block->next;
        mem_free(block);
    }
    arena->total = 0;
}

static ArenaBlock *add_block(Arena *arena, size_t size) {
    if (size < ARENA_BLOCK_SIZE) size = ARENA_BLOCK_SIZE;
    ArenaBlock *block = mem_alloc(sizeof *block + size);
    *block = (ArenaBlock){arena->blocks, 0, size};
    arena->blocks = block;
    arena->total += sizeof *block + size;
    return block;
}

void *arena_alloc(Arena *arena, size_t size) {
    ensure(size < SIZE_MAX / 2);
    size_t aligned = (size + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1);
    ArenaBlock *block = arena->blocks;
    if (block == NULL || block->size - block->used < aligned) block = add_block(arena, aligned);
    void *memory = (char *)block->data + block->used;
    block->used += aligned;
    return memory;
}

Str arena_copy(Arena *arena, Str text) {
    char *copy = arena_alloc(arena, text.len + 1);
    if (text.len > 0) memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    return str_make(copy, text.len);
}
