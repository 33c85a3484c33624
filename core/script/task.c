/* SPDX-License-Identifier: Apache-2.0
 *
 * A coroutine that has ended well can run another function, so finished ones wait in a pool: a request
 * costs no new Lua thread. One that failed or was cancelled is thrown away.
 *
 * Nested coroutines: a plugin's handler may wait inside a coroutine it made itself. The wait then yields a
 * mark that no plugin can make; our coroutine.resume sees it and yields it further out, until it comes
 * to task_resume here; the answer goes the same way back in.
 */
#include "script/task.h"

#include <lauxlib.h>

#include "base/ensure.h"
#include "base/mem.h"
#include "base/metrics.h"

enum { IDLE_THREADS_MAX = 256 };

struct Wait {
    Task *task;             /* NULL: it was cancelled */
    WaitOnCancel on_cancel; /* may be NULL */
    void *holder;
};

struct Task {
    List link; /* in script->tasks */
    Script *script;
    uint64_t id;
    lua_State *L;  /* the coroutine */
    int reference; /* keeps the coroutine in the registry */
    Wait *wait;    /* what it waits for, or NULL while it runs */
    unsigned pins; /* nested coroutines that run under a call which no wait can leave */
    const char *label;
    TaskOnEnd on_end;
    void *context;
};

static const char wait_mark = 'w'; /* its address is what a wait yields */

static void take_thread(Task *task) {
    Script *script = task->script;
    if (script->idle_count > 0) {
        task->reference = script->idle_threads[--script->idle_count];
        lua_rawgeti(script->L, LUA_REGISTRYINDEX, task->reference);
        task->L = lua_tothread(script->L, -1);
        lua_pop(script->L, 1);
    } else {
        task->L = lua_newthread(script->L);
        task->reference = luaL_ref(script->L, LUA_REGISTRYINDEX);
    }
}

static void give_thread(Task *task, bool is_reusable) {
    Script *script = task->script;
    if (!is_reusable || script->idle_count == IDLE_THREADS_MAX) {
        luaL_unref(script->L, LUA_REGISTRYINDEX, task->reference);
        return;
    }
    if (script->idle_threads == NULL) {
        script->idle_threads = mem_grow(NULL, IDLE_THREADS_MAX, sizeof *script->idle_threads);
    }
    lua_settop(task->L, 0);
    lua_sethook(task->L, NULL, 0, 0);
    script->idle_threads[script->idle_count++] = task->reference;
}

/* The wait's holder lets go of it, now or when its answer comes. */
static void cancel_wait(Wait *wait) {
    wait->task = NULL;
    if (wait->on_cancel != NULL) wait->on_cancel(wait->holder);
}

static void end_task(Task *task, bool is_reusable) {
    list_remove(&task->link);
    task->script->task_count--;
    metrics_add(METRIC_tasks, -1);
    if (task->wait != NULL) cancel_wait(task->wait);
    give_thread(task, is_reusable);
    if (task->on_end != NULL) task->on_end(task->context);
    mem_free(task);
}

/* The error is on top of the coroutine, which can run nothing more, not even a __tostring. */
static void fail(Task *task) {
    lua_State *L = task->script->L;
    lua_xmove(task->L, L, 1);
    script_add_traceback(L, task->L);
    script_log_error(L, task->label);
    lua_resetthread(task->L);
    end_task(task, false);
}

static void resume(Task *task, int args) {
    Script *script = task->script;
    Task *outer = script->running;
    script->running = task;
    int results = 0;
    int status = lua_resume(task->L, script->L, args, &results);
    script->running = outer;
    if (status == LUA_OK) {
        end_task(task, true);
    } else if (status != LUA_YIELD) {
        fail(task);
    } else if (task->wait == NULL) {
        lua_settop(task->L, 0);
        lua_pushliteral(task->L, "a handler yielded without waiting for anything: use chatty.sleep or "
                                 "another function that waits, not coroutine.yield");
        fail(task);
    } else {
        lua_pop(task->L, results);
    }
}

void task_start(Script *script, const char *label, int args, TaskOnEnd on_end, void *context) {
    Task *task = mem_zalloc(sizeof *task);
    *task = (Task){.script = script, .label = label, .on_end = on_end, .context = context};
    list_add(&script->tasks, &task->link);
    script->task_count++;
    task->id = ++script->last_task_id;
    metrics_add(METRIC_tasks, 1);
    take_thread(task);
    luaL_checkstack(task->L, args + 1, "too many arguments");
    lua_xmove(script->L, task->L, args + 1);
    resume(task, args);
}

uint64_t task_current(lua_State *L) {
    const Task *task = script_of(L)->running;
    return task != NULL ? task->id : 0;
}

void task_check(lua_State *L) {
    const Task *task = script_of(L)->running;
    if (task == NULL) {
        luaL_error(L, "this function waits, and here nothing can wait: call it in a handler, a hook or "
                      "chatty.spawn, not at load time or in setup");
    }
    if (!lua_isyieldable(L) || task->pins > 0) {
        luaL_error(L, "this function waits, and Lua cannot wait inside a callback of table.sort, "
                      "string.gsub, require, load or tostring: do it before or after");
    }
}

Wait *task_arm(lua_State *L) {
    task_check(L);
    Task *task = script_of(L)->running;
    ensure(task->wait == NULL);
    Wait *wait = mem_alloc(sizeof *wait);
    *wait = (Wait){.task = task};
    task->wait = wait;
    return wait;
}

void wait_on_cancel(Wait *wait, WaitOnCancel on_cancel, void *holder) {
    wait->on_cancel = on_cancel;
    wait->holder = holder;
}

int task_yield(lua_State *L) {
    lua_settop(L, 0);
    lua_pushlightuserdata(L, (void *)&wait_mark);
    return lua_yield(L, 1);
}

bool wait_is_alive(const Wait *wait) {
    return wait->task != NULL;
}

void task_wake(Wait *wait, TaskPush push, void *data) {
    Task *task = wait->task;
    mem_free(wait);
    if (task == NULL) return;
    task->wait = NULL;
    int results = push(task->L, data);
    resume(task, results);
}

/* The innermost first: a coroutine that waits lies first on the stack of the one that resumed it (see
 * resume_nested). */
static void close_coroutines(lua_State *L) {
    lua_State *nested = lua_gettop(L) > 0 ? lua_tothread(L, 1) : NULL;
    if (nested != NULL) close_coroutines(nested);
    lua_resetthread(L);
}

void task_cancel_all(Script *script) {
    while (!list_is_empty(&script->tasks)) {
        Task *task = list_entry(script->tasks.next, Task, link);
        ensure(task != script->running);
        close_coroutines(task->L);
        end_task(task, false);
    }
}

static bool is_wait(lua_State *co, int results) {
    return results == 1 && lua_touserdata(co, -1) == (void *)&wait_mark;
}

static int on_resumed(lua_State *L, int status, lua_KContext context);

/* stack of L: coroutine, then (top) the values to resume it with. Gives true or false and its values. */
static int resume_nested(lua_State *L) {
    lua_State *co = lua_tothread(L, 1);
    int args = lua_gettop(L) - 1;
    if (!lua_checkstack(co, args)) luaL_error(L, "too many arguments to resume");
    lua_xmove(L, co, args);
    Task *task = script_of(L)->running;
    bool is_pinned = task != NULL && !lua_isyieldable(L);
    if (is_pinned) task->pins++;
    int results = 0;
    int status = lua_resume(co, L, args, &results);
    if (is_pinned) task->pins--;
    if (status == LUA_YIELD && is_wait(co, results)) {
        lua_pop(co, 1);
        lua_pushlightuserdata(L, (void *)&wait_mark);
        return lua_yieldk(L, 1, 0, on_resumed);
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
    return resume_nested(L);
}

static int f_resume(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTHREAD);
    if (lua_status(lua_tothread(L, 1)) == LUA_OK && lua_gettop(lua_tothread(L, 1)) == 0) {
        lua_pushboolean(L, 0);
        lua_pushliteral(L, "cannot resume dead coroutine");
        return 2;
    }
    return resume_nested(L);
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

void task_open(lua_State *L) {
    lua_getglobal(L, "coroutine");
    lua_pushcfunction(L, f_resume);
    lua_setfield(L, -2, "resume");
    ensure(luaL_loadbufferx(L, wrap_source, sizeof wrap_source - 1, "=coroutine.wrap", "t") == LUA_OK);
    static const char *const needed[] = {"create", "resume", "close", "status"};
    for (int i = 0; i < 4; i++) lua_getfield(L, -2 - i, needed[i]);
    lua_getglobal(L, "select");
    lua_getglobal(L, "error");
    lua_call(L, 6, 1);
    lua_setfield(L, -2, "wrap");
    lua_pop(L, 1);
}
