/* SPDX-License-Identifier: Apache-2.0 */
#include "script/cage.h"

#include <lauxlib.h>

#include "script/nested.h"
#include "script/task.h"
#include "script/threads.h"

enum { FRAMES_MAX = 20 };

static int on_resumed(lua_State *L, int status, lua_KContext kept);

static void add_frame(luaL_Buffer *text, lua_Debug *ar) {
    luaL_addstring(text, "\n\t");
    luaL_addstring(text, ar->short_src);
    lua_State *L = text->L;
    if (ar->currentline > 0) {
        lua_pushfstring(L, ":%d", ar->currentline);
        luaL_addvalue(text);
    }
    if (ar->name != NULL) {
        lua_pushfstring(L, ": in %s '%s'", ar->namewhat[0] ? ar->namewhat : "function", ar->name);
    } else {
        lua_pushfstring(L, ": in %s", *ar->what == 'm' ? "the file" : "a function");
    }
    luaL_addvalue(text);
}

/* Pushes the functions that are on co, without ours. */
static void push_traceback(lua_State *L, lua_State *co) {
    const Script *script = script_of(L);
    luaL_Buffer text;
    luaL_buffinit(L, &text);
    luaL_addstring(&text, "stack traceback:");
    lua_Debug ar;
    int shown = 0;
    for (int level = 0; shown < FRAMES_MAX && lua_getstack(co, level, &ar); level++) {
        lua_getinfo(co, "Sln", &ar);
        if (ar.what[0] == 'C' ? ar.name == NULL : script_is_ours(script, ar.source)) continue;
        if (strcmp(ar.source, NESTED_SOURCE) == 0) continue;
        add_frame(&text, &ar);
        shown++;
    }
    luaL_pushresult(&text);
}

/* Pushes where a coroutine is that failed: "plugins/shop.lua:12: ". */
static void push_place(lua_State *L, lua_State *co) {
    lua_Debug ar;
    for (int level = 0; lua_getstack(co, level, &ar); level++) {
        lua_getinfo(co, "Sl", &ar);
        if (ar.currentline <= 0) continue;
        lua_pushfstring(L, "%s:%d: ", ar.short_src, ar.currentline);
        return;
    }
    lua_pushliteral(L, "");
}

static const char *const fault_names[] = {
    [BUDGET_GOOD] = "", [BUDGET_TIME] = "time", [BUDGET_MEMORY] = "memory", [BUDGET_FULL] = "full"};

/* Pushes the three values behind false. */
static int push_failure(lua_State *L, lua_State *co, int status, const Budget *budget) {
    lua_settop(L, 1);
    lua_pushboolean(L, 0);
    if (budget->fault != BUDGET_GOOD) {
        lua_pushstring(L, fault_names[budget->fault]);
        lua_pushstring(L, budget->place);
    } else if (status == LUA_YIELD) {
        lua_pushliteral(L, "yield");
        push_place(L, co);
    } else {
        lua_pushstring(L, status == LUA_ERRMEM ? "value" : "error");
        lua_xmove(co, L, 1);
        if (status == LUA_ERRMEM) {
            lua_pop(L, 1);
            push_place(L, co);
        }
    }
    push_traceback(L, co);
    return 4;
}

/* What outlives a wait: the coroutine's reference, whether it was seen, and task_nesting as it was at first. */
static const lua_KContext seen = (lua_KContext)1 << 31;

static lua_KContext keep(int reference, lua_Integer nesting) {
    return (lua_KContext)reference | (lua_KContext)nesting << 32;
}

/* stack of L: coroutine, then (top) the function and its arguments, or the answer of a wait. */
static int resume(lua_State *L, BudgetKind kind, lua_KContext kept, bool is_first) {
    Script *script = script_of(L);
    int reference = (int)(kept & INT32_MAX);
    lua_State *co = lua_tothread(L, 1);
    int args = lua_gettop(L) - 1;
    luaL_checkstack(co, args, "too many arguments");
    lua_xmove(L, co, args);
    Budget budget;
    budget_start(&budget, script, co, kind);
    int results = 0;
    int status = nested_resume(L, co, is_first ? args - 1 : args, &results);
    bool is_stopped = budget.fault != BUDGET_GOOD;
    if (budget.is_seen) kept |= seen;
    if (!is_stopped && status == LUA_YIELD && task_is_wait(co, results)) {
        budget_stop(&budget);
        lua_pop(co, 1);
        return task_yield_on(L, on_resumed, kept);
    }
    if (!is_stopped && status == LUA_OK) {
        budget_stop(&budget);
        luaL_checkstack(L, results + 1, "too many results");
        lua_pushboolean(L, 1);
        lua_xmove(co, L, results);
        threads_give(script, co, reference, !(kept & seen));
        return results + 1;
    }
    budget_stop(&budget);
    *task_nesting(L) = kept >> 32;
    int count = push_failure(L, co, status, &budget);
    budget_close(script, co);
    threads_give(script, co, reference, false);
    return count;
}

static int on_resumed(lua_State *L, int status, lua_KContext kept) {
    (void)status;
    return resume(L, BUDGET_PLUGIN, kept, false);
}

int cage_call(lua_State *L, BudgetKind kind) {
    int reference;
    lua_State *co = threads_take(script_of(L), L, &reference);
    lua_pushthread(co);
    lua_xmove(co, L, 1);
    lua_insert(L, 1);
    return resume(L, kind, keep(reference, *task_nesting(L)), true);
}
