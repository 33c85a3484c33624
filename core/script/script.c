/* SPDX-License-Identifier: Apache-2.0 */
#include "script/script.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "script/budget.h"
#include "script/chunks.h"
#include "script/heap.h"
#include "script/stdlib.h"
#include "script/task.h"

static int on_panic(lua_State *L) {
    log_line(LOG_ERROR, "Lua error outside a protected call: %s", lua_tostring(L, -1));
    return 0; /* Lua aborts */
}

static void set_path(lua_State *L, const char *home) {
    lua_getglobal(L, "package");
    lua_pushfstring(L, "%s/lua/?.lua;%s/lua/?/init.lua", home, home);
    lua_setfield(L, -2, "path");
    lua_pushliteral(L, "");
    lua_setfield(L, -2, "cpath");
    lua_pop(L, 1);
}

static char *own_prefix(const char *home) {
    size_t size = strlen(home) + sizeof "@/lua/";
    char *prefix = mem_alloc(size);
    snprintf(prefix, size, "@%s/lua/", home);
    return prefix;
}

Script *script_new(const char *home) {
    Script *script = mem_zalloc(sizeof *script);
    list_init(&script->tasks);
    script_limit(script, &(ScriptLimits){.memory_max = SIZE_MAX / 2, .value_max = SIZE_MAX / 2});
    script->own_prefix = own_prefix(home);
    pool_init(&script->pool);
    lua_State *L = lua_newstate(heap_allocate, script);
    script->L = L;
    lua_atpanic(L, on_panic);
    stdlib_open(L);
    set_path(L, home);
    chunks_open(L);
    return script;
}

void script_limit(Script *script, const ScriptLimits *limits) {
    script->limits = *limits;
}

bool script_is_ours(const Script *script, const char *source) {
    return strncmp(source, script->own_prefix, strlen(script->own_prefix)) == 0;
}

void script_tell_memory(Script *script) {
    metrics_add(METRIC_script_memory_bytes,
                (int64_t)script->memory_used - (int64_t)script->memory_told);
    script->memory_told = script->memory_used;
}

void script_free(Script *script) {
    if (script == NULL) return;
    task_cancel_all(script);
    lua_close(script->L);
    script_tell_memory(script);
    pool_deinit(&script->pool);
    mem_free(script->idle_threads);
    mem_free(script->own_prefix);
    mem_free(script);
}

Script *script_of(lua_State *L) {
    void *script;
    lua_getallocf(L, &script);
    return script;
}

static int on_convert(lua_State *L) {
    luaL_tolstring(L, 1, NULL);
    return 1;
}

/* Makes a text of the error value on top: its __tostring may raise in turn. */
static void convert_error(lua_State *L) {
    if (lua_isstring(L, -1)) return;
    lua_pushcfunction(L, on_convert);
    lua_insert(L, -2);
    if (lua_pcall(L, 1, 1, 0) == LUA_OK) return;
    lua_pop(L, 1);
    lua_pushliteral(L, "an error value that cannot be shown");
}

void script_add_traceback(lua_State *L, lua_State *from) {
    lua_checkstack(L, LUA_MINSTACK);
    convert_error(L);
    luaL_traceback(L, from, lua_tostring(L, -1), from == L ? 1 : 0);
    lua_replace(L, -2);
}

static int on_error(lua_State *L) {
    script_add_traceback(L, L);
    return 1;
}

int script_call(Script *script, int args, int results) {
    lua_State *L = script->L;
    int handler = lua_gettop(L) - args;
    lua_pushcfunction(L, on_error);
    lua_insert(L, handler);
    Budget budget;
    budget_start(&budget, script, L, BUDGET_ENDLESS);
    int status = lua_pcall(L, args, results, handler);
    budget_stop(&budget);
    lua_remove(L, handler);
    return status == LUA_OK ? 0 : ERR_INVALID;
}

void script_leave_thread(void) {
    budget_leave_thread();
}

int script_require(Script *script, const char *name) {
    lua_getglobal(script->L, "require");
    lua_pushstring(script->L, name);
    return script_call(script, 1, 1);
}

void script_log_error(lua_State *L, const char *label) {
    size_t len = 0;
    const char *text = luaL_tolstring(L, -1, &len);
    LogField field = {"error", str_make(text, len), false};
    metrics_add(METRIC_script_errors_total, 1);
    log_write(LOG_ERROR, str_of(label), &field, 1);
    lua_pop(L, 2);
}
