/* SPDX-License-Identifier: Apache-2.0 */
#include "script/threads.h"

#include <lauxlib.h>

#include "base/mem.h"

enum { IDLE_MAX = 256, IDLE_KEPT = 16 };

lua_State *threads_take(Script *script, lua_State *L, int *reference) {
    if (script->idle_count == 0) {
        lua_State *co = lua_newthread(L);
        *reference = luaL_ref(L, LUA_REGISTRYINDEX);
        return co;
    }
    const IdleThread *idle = &script->idle_threads[--script->idle_count];
    *reference = idle->reference;
    return idle->L;
}

void threads_give(Script *script, lua_State *co, int reference, bool is_reusable) {
    lua_settop(co, 0);
    lua_sethook(co, NULL, 0, 0);
    if (!is_reusable || script->idle_count == IDLE_MAX) {
        luaL_unref(script->L, LUA_REGISTRYINDEX, reference);
        return;
    }
    if (script->idle_threads == NULL) {
        script->idle_threads = mem_grow(NULL, IDLE_MAX, sizeof *script->idle_threads);
    }
    script->idle_threads[script->idle_count++] = (IdleThread){co, reference};
}

void threads_trim(Script *script) {
    while (script->idle_count > IDLE_KEPT) {
        luaL_unref(script->L, LUA_REGISTRYINDEX, script->idle_threads[--script->idle_count].reference);
    }
}
