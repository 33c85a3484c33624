/* SPDX-License-Identifier: Apache-2.0
 *
 * A plugin that fills the memory is stopped at its next instruction, not by a failing allocation. Only
 * large blocks are refused: C functions that make small objects, also on states other than the running
 * one, where nothing would catch the error, need not be able to fail.
 */
#include "script/heap.h"

#include "script/budget.h"
#include "script/script.h"

enum { SMALL_MAX = 64 * 1024, RESERVE_SHARE = 4, ROOM_SHARE = 8, AGAIN_SHARE = 64 };

/* Whether a block may have this size, and all of them together `after`. */
static bool is_admitted(const Script *script, size_t size, size_t after) {
    const Budget *budget = budget_get();
    if (budget == NULL || budget->script != script) return true;
    const ScriptLimits *limits = &script->limits;
    if (budget_is_plugin(budget) && size > limits->value_max) return false;
    if (after <= limits->memory_max) return true;
    budget_fill();
    return size <= SMALL_MAX || after <= limits->memory_max + limits->memory_max / RESERVE_SHARE;
}

void *heap_allocate(void *context, void *memory, size_t old_size, size_t new_size) {
    Script *script = context;
    size_t before = memory != NULL ? old_size : 0; /* else it tells what kind of object is wanted */
    if (new_size == 0) {
        script->memory_used -= before;
        pool_free(&script->pool, memory, before);
        return NULL;
    }
    size_t after = script->memory_used - before + new_size;
    bool is_much = after > script->limits.memory_max || new_size > script->limits.value_max;
    if (is_much && new_size > before && !is_admitted(script, new_size, after)) return NULL;
    script->memory_used = after;
    return memory == NULL ? pool_alloc(&script->pool, new_size)
                          : pool_realloc(&script->pool, memory, before, new_size);
}

/* A collection takes long: where one was in vain, there is no other before more memory was taken. */
bool heap_collect(lua_State *L) {
    Script *script = script_of(L);
    size_t max = script->limits.memory_max;
    if (script->full_at > 0 && script->memory_used < script->full_at + max / AGAIN_SHARE) return false;
    lua_gc(L, LUA_GCCOLLECT);
    bool has_room = script->memory_used <= max - max / ROOM_SHARE;
    script->full_at = has_room ? 0 : script->memory_used;
    return has_room;
}
