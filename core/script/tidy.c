/* SPDX-License-Identifier: Apache-2.0 */
#include "script/tidy.h"

#include "script/threads.h"

enum {
    PAUSE_MS = 2000, /* from when there is much to collect: Lua may be about to do it itself */
    STEP_MS = 16,
    GROWTH_MIN = 256 * 1024,
    GROWTH_SHARE = 2,
    WORTH_SHARE = 16 /* a collection that freed less was the last one */
};

static bool has_grown(Script *script) {
    if (script->memory_used < script->tidy_used) script->tidy_used = script->memory_used;
    return script->memory_used > script->tidy_used + script->tidy_used / GROWTH_SHARE + GROWTH_MIN;
}

/* Objects with a finalizer, and what hangs on them, are freed by the collection behind the one that found them. */
static bool collect(Script *script) {
    if (!lua_gc(script->L, LUA_GCSTEP, 0)) return false;
    size_t before = script->tidy_before;
    script->tidy_before = script->memory_used;
    return before != 0 && script->memory_used > before - before / WORTH_SHARE;
}

uint64_t tidy_turn(Script *script, uint64_t now_ms) {
    if (script->tidy_ms == 0) {
        if (has_grown(script)) script->tidy_ms = now_ms + PAUSE_MS;
    } else if (now_ms >= script->tidy_ms) {
        script->tidy_ms = now_ms + STEP_MS;
        threads_trim(script);
        if (collect(script)) {
            script->tidy_ms = script->tidy_before = 0;
            script->tidy_used = script->memory_used;
            script_tell_memory(script);
            pool_trim(&script->pool);
        }
    }
    return script->tidy_ms;
}
