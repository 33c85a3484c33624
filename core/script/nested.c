/* SPDX-License-Identifier: Apache-2.0
 *
 * A plugin's handler may wait inside a coroutine it made itself. The wait then yields a mark that no plugin
 * can make; our coroutine.resume sees it and yields it further out, until it comes to the task; the
 * answer goes the same way back in. A coroutine that waits lies first on the stack of the one that resumed
 * it.
 */
#include "script/nested.h"

#include <lauxlib.h>

#include "base/ensure.h"
#include "script/budget.h"
#include "script/task.h"

int nested_resume(lua_State *L, lua_State *co, int args, int *results) {
    bool is_pinned = !lua_isyieldable(L);
    if (is_pinned) task_pin(L);
    int status = lua_resume(co, L, args, results);
    if (is_pinned) task_unpin(L);
    return status;
}

static int on_resumed(lua_State *L, int status, lua_KContext context);

/* Within the innermost run, which is where co is now. */
static int resume_within(lua_State *L, lua_State *co, int args, int *results) {
    Budget *budget = budget_get();
    if (budget == NULL) return nested_resume(L, co, args, results);
    budget->L = co;
    int status = nested_resume(L, co, args, results);
    budget->L = L;
    return status;
}

static bool is_stopped(void) {
    const Budget *budget = budget_get();
    return budget != NULL && budget->fault != BUDGET_GOOD;
}

/* stack of L: coroutine, then (top) the values to resume it with. Gives true or false and its values. */
static int resume(lua_State *L) {
    lua_State *co = lua_tothread(L, 1);
    int args = lua_gettop(L) - 1;
    if (!lua_checkstack(co, args)) luaL_error(L, "too many arguments to resume");
    lua_xmove(L, co, args);
    int results = 0;
    int status = resume_within(L, co, args, &results);
    if (is_stopped()) {
        budget_close(script_of(L), co);
        return budget_pass_on(L);
    }
    if (status == LUA_YIELD && task_is_wait(co, results)) {
        lua_pop(co, 1);
        return task_yield_on(L, on_resumed, 0);
    }
    bool is_good = status == LUA_OK || status == LUA_YIELD;
    if (!is_good) results = 1;
    if (!lua_checkstack(L, results + 1)) luaL_error(L, "too many results to resume");
    lua_xmove(co, L, results);
    lua_pushboolean(L, is_good);
    lua_insert(L, -results - 1);
    return results + 1;
}

/* The wait is over: its results lie above the coroutine and go in where it yielded. */
static int on_resumed(lua_State *L, int status, lua_KContext context) {
    (void)status, (void)context;
    return resume(L);
}

static int f_resume(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTHREAD);
    if (lua_status(lua_tothread(L, 1)) == LUA_OK && lua_gettop(lua_tothread(L, 1)) == 0) {
        lua_pushboolean(L, 0);
        lua_pushliteral(L, "cannot resume dead coroutine");
        return 2;
    }
    return resume(L);
}

/* Whoever holds the coroutine of a call could still reach it when it runs another's function: it is not used
 * again. */
static int f_running(lua_State *L) {
    Budget *budget = budget_get();
    if (budget != NULL && budget->first == L) budget->is_seen = true;
    bool is_main = lua_pushthread(L);
    lua_pushboolean(L, is_main);
    return 2;
}

/* Whether it neither runs nor has resumed the one that runs. */
static bool is_closable(lua_State *L, lua_State *co) {
    lua_Debug ar;
    if (co == L) return false;
    return lua_status(co) != LUA_OK || lua_getstack(co, 0, &ar) == 0;
}

static int f_close(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTHREAD);
    lua_State *co = lua_tothread(L, 1);
    if (!is_closable(L, co)) return luaL_error(L, "cannot close a coroutine that runs");
    Budget *budget = budget_get();
    if (budget != NULL) budget->L = co;
    int status = lua_resetthread(co);
    if (budget != NULL) budget->L = L;
    if (is_stopped()) return budget_pass_on(L);
    lua_pushboolean(L, status == LUA_OK);
    if (status == LUA_OK) return 1;
    lua_xmove(co, L, 1);
    return 2;
}

/* coroutine.wrap in Lua, on our resume: errors pass on, with their position. */
static const char wrap_source[] =
    "local create, resume, close, status, select, error = ...\n"
    "local function finish(co, ok, ...)\n"
    "  if ok then return ... end\n"
    "  if status(co) == 'suspended' or status(co) == 'dead' then close(co) end\n"
    "  error((...), 0)\n"
    "end\n"
    "return function(f)\n"
    "  local co = create(f)\n"
    "  return function(...) return finish(co, resume(co, ...)) end\n"
    "end\n";

void nested_open(lua_State *L) {
    lua_getglobal(L, "coroutine");
    lua_pushcfunction(L, f_resume);
    lua_setfield(L, -2, "resume");
    lua_pushcfunction(L, f_running);
    lua_setfield(L, -2, "running");
    lua_pushcfunction(L, f_close);
    lua_setfield(L, -2, "close");
    ensure(luaL_loadbufferx(L, wrap_source, sizeof wrap_source - 1, NESTED_SOURCE, "t") == LUA_OK);
    static const char *const needed[] = {"create", "resume", "close", "status"};
    for (int i = 0; i < 4; i++) lua_getfield(L, -2 - i, needed[i]);
    lua_getglobal(L, "select");
    lua_getglobal(L, "error");
    lua_call(L, 6, 1);
    lua_setfield(L, -2, "wrap");
    lua_pop(L, 1);
}
