/* SPDX-License-Identifier: Apache-2.0
 *
 * core.test.task: a Script with a Lua state of its own. Code that runs there has these functions:
 *     wait()      waits, and gives what it is woken with
 *     pause()     the same, and only lets time pass
 *     may_wait()  raises where wait() would
 *     nesting(n)  the number that the task keeps; sets it
 *     note(...)   adds to the notes, for the spec to read
 *     start(code), spawn(code), wake(number, ...)   as below, from inside a task
 *     cage(f, ...)                     as cage_call
 *     used()                           bytes of the state
 *
 *     local script = task.new()
 *     script:start[[ note(wait()) ]]      waits are numbered from 1
 *     script:wake(1, "text", 2)
 *     script:notes()  -> { "text 2" }     what was noted is forgotten
 *     script:retire()                     task_retire
 *     task.divert(), task.restore()       from there to here, stderr is kept and given
 */
#include <lauxlib.h>
#include <stdio.h>
#include <unistd.h>

#include "api/lua_args.h"
#include "base/buf.h"
#include "base/ensure.h"
#include "script/cage.h"
#include "script/task.h"
#include "test/test.h"

#define SCRIPT "core.test.script"

enum { WAITS_MAX = 2048 };

typedef struct TestScript {
    Script *script; /* NULL: freed */
    Wait *waits[WAITS_MAX];
    lua_Integer wait_count;
    lua_Integer end_count; /* tasks that are over */
    Buf notes;             /* one a line */
} TestScript;

static TestScript *check_script(lua_State *L) {
    return luaL_checkudata(L, 1, SCRIPT);
}

/* The TestScript that a state inside belongs to. */
static TestScript *of_inside(lua_State *inside) {
    return *(TestScript **)lua_getextraspace(inside);
}

static Wait **arm(lua_State *inside) {
    TestScript *test = of_inside(inside);
    ensure(test->wait_count < WAITS_MAX);
    Wait **place = &test->waits[test->wait_count];
    *place = task_arm(inside);
    test->wait_count++;
    return place;
}

static int g_wait(lua_State *inside) {
    arm(inside);
    return task_yield(inside);
}

static int push_nothing(lua_State *L, void *data) {
    (void)L, (void)data;
    return 0;
}

/* The place of a wait that is dropped. */
static void on_cancel(void *holder) {
    Wait **place = holder;
    Wait *wait = *place;
    *place = NULL;
    task_wake(wait, push_nothing, NULL);
}

static int g_pause(lua_State *inside) {
    Wait **place = arm(inside);
    wait_on_cancel(*place, on_cancel, place);
    wait_is_sleep(*place);
    return task_yield(inside);
}

static int g_may_wait(lua_State *inside) {
    task_check(inside);
    return 0;
}

static int g_nesting(lua_State *inside) {
    lua_Integer *nesting = task_nesting(inside);
    lua_pushinteger(inside, *nesting);
    *nesting = luaL_optinteger(inside, 1, *nesting);
    return 1;
}

/* As cage_call. */
static int g_cage(lua_State *inside) {
    return cage_call(inside, BUDGET_PLUGIN);
}

static int g_used(lua_State *inside) {
    lua_pushinteger(inside, (lua_Integer)of_inside(inside)->script->memory_used);
    return 1;
}

static int g_note(lua_State *inside) {
    Buf *notes = &of_inside(inside)->notes;
    int count = lua_gettop(inside);
    for (int i = 1; i <= count; i++) {
        size_t len;
        const char *text = luaL_tolstring(inside, i, &len);
        buf_add(notes, str_make(text, len));
        buf_add_char(notes, i == count ? '\n' : ' ');
        lua_pop(inside, 1);
    }
    return 0;
}

static void on_end(void *context) {
    ((TestScript *)context)->end_count++;
}

static int push_error(lua_State *L, lua_State *inside) {
    lua_pushnil(L);
    lua_pushstring(L, lua_tostring(inside, -1));
    lua_pop(inside, 1);
    return 2;
}

static bool load_code(TestScript *test, Str code) {
    return luaL_loadbufferx(test->script->L, code.data, code.len, "=handler", "t") == LUA_OK;
}

static void start(lua_State *L, TestScript *test, Str code) {
    if (!load_code(test, code)) luaL_error(L, "%s", lua_tostring(test->script->L, -1));
    task_start(test->script, "a test task", 0, on_end, test);
}

static int g_start(lua_State *inside) {
    start(inside, of_inside(inside), check_str(inside, 1));
    return 0;
}

static void spawn(lua_State *L, TestScript *test, Str code) {
    if (!load_code(test, code)) luaL_error(L, "%s", lua_tostring(test->script->L, -1));
    task_spawn(test->script, "a spawned task", 0, true);
}

static int g_spawn(lua_State *inside) {
    spawn(inside, of_inside(inside), check_str(inside, 1));
    return 0;
}

/* Where the values to wake with lie. */
typedef struct Values {
    lua_State *L;
    int first;
} Values;

static void copy_value(lua_State *from, int at, lua_State *to) {
    switch (lua_type(from, at)) {
    case LUA_TNUMBER: lua_pushnumber(to, lua_tonumber(from, at)); return;
    case LUA_TBOOLEAN: lua_pushboolean(to, lua_toboolean(from, at)); return;
    case LUA_TNIL: lua_pushnil(to); return;
    default: lua_pushstring(to, luaL_checkstring(from, at));
    }
}

static int push_values(lua_State *L, void *data) {
    const Values *values = data;
    int last = lua_gettop(values->L);
    for (int i = values->first; i <= last; i++) copy_value(values->L, i, L);
    return last - values->first + 1;
}

static Wait **check_wait(lua_State *L, TestScript *test, int arg) {
    lua_Integer number = luaL_checkinteger(L, arg);
    luaL_argcheck(L, number >= 1 && number <= test->wait_count && test->waits[number - 1], arg,
                  "no wait");
    return &test->waits[number - 1];
}

static int wake(lua_State *L, TestScript *test, int arg) {
    Wait **place = check_wait(L, test, arg);
    Wait *wait = *place;
    *place = NULL;
    Values values = {L, arg + 1};
    task_wake(wait, push_values, &values);
    return 0;
}

static int g_wake(lua_State *inside) {
    return wake(inside, of_inside(inside), 1);
}

static const luaL_Reg globals[] = {
    {"wait", g_wait},   {"may_wait", g_may_wait}, {"nesting", g_nesting}, {"note", g_note},
    {"start", g_start}, {"wake", g_wake},         {"pause", g_pause},     {"spawn", g_spawn},
    {"cage", g_cage},   {"used", g_used},         {NULL, NULL},
};

static int f_new(lua_State *L) {
    TestScript *test = lua_newuserdatauv(L, sizeof *test, 0);
    memset(test, 0, sizeof *test);
    luaL_setmetatable(L, SCRIPT);
    test->script = script_new(".");
    lua_State *inside = test->script->L;
    *(TestScript **)lua_getextraspace(inside) = test;
    lua_pushglobaltable(inside);
    luaL_setfuncs(inside, globals, 0);
    lua_pop(inside, 1);
    return 1;
}

/* script:limit{ budget_ms =, memory_max =, value_max =, steps_max = } */
static int f_limit(lua_State *L) {
    Script *script = check_script(L)->script;
    ScriptLimits limits = script->limits;
    if (lua_getfield(L, 2, "budget_ms") != LUA_TNIL) limits.budget_ms = (uint32_t)lua_tointeger(L, -1);
    if (lua_getfield(L, 2, "memory_max") != LUA_TNIL) limits.memory_max = (size_t)lua_tointeger(L, -1);
    if (lua_getfield(L, 2, "value_max") != LUA_TNIL) limits.value_max = (size_t)lua_tointeger(L, -1);
    if (lua_getfield(L, 2, "steps_max") != LUA_TNIL) {
        limits.pattern_steps_max = (uint32_t)lua_tointeger(L, -1);
    }
    script_limit(script, &limits);
    return 0;
}

static int f_start(lua_State *L) {
    start(L, check_script(L), check_str(L, 2));
    return 0;
}

static int f_wake(lua_State *L) {
    return wake(L, check_script(L), 2);
}

static int f_is_alive(lua_State *L) {
    lua_pushboolean(L, wait_is_alive(*check_wait(L, check_script(L), 2)));
    return 1;
}

/* The result of code on the main state, outside of tasks; or nil and the error. */
static int f_call(lua_State *L) {
    TestScript *test = check_script(L);
    lua_State *inside = test->script->L;
    if (!load_code(test, check_str(L, 2))) return push_error(L, inside);
    if (script_call(test->script, 0, 1) != 0) return push_error(L, inside);
    lua_pushstring(L, luaL_tolstring(inside, -1, NULL));
    lua_pop(inside, 2);
    return 1;
}

static int f_require(lua_State *L) {
    Script *script = check_script(L)->script;
    if (script_require(script, luaL_checkstring(L, 2)) != 0) return push_error(L, script->L);
    lua_pushstring(L, luaL_typename(script->L, -1));
    lua_pop(script->L, 1);
    return 1;
}

static int f_spawn(lua_State *L) {
    spawn(L, check_script(L), check_str(L, 2));
    return 0;
}

static int f_retire(lua_State *L) {
    task_retire(check_script(L)->script);
    return 0;
}

static int f_cancel(lua_State *L) {
    task_cancel_all(check_script(L)->script);
    return 0;
}

static int f_notes(lua_State *L) {
    TestScript *test = check_script(L);
    Str rest = buf_str(&test->notes);
    Str line;
    lua_newtable(L);
    while (str_split(rest, '\n', &line, &rest)) {
        push_str(L, line);
        lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    }
    buf_clear(&test->notes);
    return 1;
}

/* tasks = that run or wait; ended = so far; idle = coroutines in the pool; stack = values left on the main
 * state. */
static int f_state(lua_State *L) {
    const TestScript *test = check_script(L);
    lua_newtable(L);
    set_field_integer(L, "tasks", (lua_Integer)test->script->task_count);
    set_field_integer(L, "ended", test->end_count);
    set_field_integer(L, "idle", (lua_Integer)test->script->idle_count);
    set_field_integer(L, "stack", lua_gettop(test->script->L));
    return 1;
}

/* Frees the script; the waits that nobody woke outlive it. */
static int f_free(lua_State *L) {
    TestScript *test = check_script(L);
    script_free(test->script);
    test->script = NULL;
    for (lua_Integer i = 0; i < test->wait_count; i++) {
        if (test->waits[i] != NULL) task_wake(test->waits[i], push_nothing, NULL);
    }
    test->wait_count = 0;
    buf_deinit(&test->notes);
    return 0;
}

/* What is written to stderr goes to this file until restore; NULL: not diverted. */
static FILE *diverted;
static int kept_stderr;

static int f_divert(lua_State *L) {
    (void)L;
    ensure(diverted == NULL);
    diverted = tmpfile();
    kept_stderr = dup(STDERR_FILENO);
    ensure(diverted != NULL && kept_stderr >= 0);
    dup2(fileno(diverted), STDERR_FILENO);
    return 0;
}

/* Gives what was written meanwhile. */
static int f_restore(lua_State *L) {
    ensure(diverted != NULL);
    dup2(kept_stderr, STDERR_FILENO);
    close(kept_stderr);
    luaL_Buffer text;
    luaL_buffinit(L, &text);
    rewind(diverted);
    for (int c = getc(diverted); c != EOF; c = getc(diverted)) luaL_addchar(&text, (char)c);
    luaL_pushresult(&text);
    fclose(diverted);
    diverted = NULL;
    return 1;
}

static const luaL_Reg methods[] = {
    {"start", f_start}, {"wake", f_wake},     {"is_alive", f_is_alive}, {"call", f_call},
    {"notes", f_notes}, {"cancel", f_cancel}, {"require", f_require},   {"state", f_state},
    {"free", f_free},   {"limit", f_limit},   {"spawn", f_spawn},       {"retire", f_retire},
    {"__gc", f_free},   {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"new", f_new}, {"divert", f_divert}, {"restore", f_restore}, {NULL, NULL}};

int test_open_task(lua_State *L) {
    push_class(L, SCRIPT, methods);
    lua_pop(L, 1);
    luaL_newlib(L, functions);
    return 1;
}
