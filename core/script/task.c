/* SPDX-License-Identifier: Apache-2.0 */
#include "script/task.h"

#include <lauxlib.h>

#include "base/ensure.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "script/budget.h"
#include "script/threads.h"

struct Wait {
    Task *task;             /* NULL: it was cancelled */
    WaitOnCancel on_cancel; /* may be NULL */
    void *holder;
    bool is_sleep;
};

struct Task {
    List link; /* in script->tasks */
    Script *script;
    lua_State *L;  /* the coroutine */
    int reference; /* keeps the coroutine in the registry */
    Wait *wait;    /* what it waits for, or NULL while it runs */
    lua_Integer nesting;
    unsigned pins; /* nested coroutines that run under a call which no wait can leave */
    bool is_background;
    bool is_seen; /* its coroutine, see nested.c */
    const char *label;
    TaskOnEnd on_end;
    void *context;
};

static const char wait_mark = 'w'; /* its address is what a wait yields */

/* The wait's holder lets go of it, now or when its answer comes. */
static void cancel_wait(Task *task) {
    Wait *wait = task->wait;
    if (wait == NULL) return;
    task->wait = NULL;
    wait->task = NULL;
    if (wait->on_cancel != NULL) wait->on_cancel(wait->holder);
}

static void end_task(Task *task, bool is_reusable) {
    list_remove(&task->link);
    task->script->task_count--;
    metrics_add(METRIC_tasks, -1);
    cancel_wait(task);
    threads_give(task->script, task->L, task->reference, is_reusable);
    script_tell_memory(task->script);
    if (task->on_end != NULL) task->on_end(task->context);
    mem_free(task);
}

/* The error is on top of the coroutine, which can run nothing more, not even a __tostring. */
static void fail(Task *task) {
    lua_State *L = task->script->L;
    lua_xmove(task->L, L, 1);
    script_add_traceback(L, task->L);
    script_log_error(L, task->label);
    budget_close(task->script, task->L);
    end_task(task, false);
}

static void fail_with(Task *task, const char *text) {
    lua_settop(task->L, 0);
    lua_pushstring(task->L, text);
    fail(task);
}

/* The innermost first: a coroutine that waits lies first on the stack of the one that resumed it (see
 * nested.c). */
static void close_coroutines(Script *script, lua_State *L) {
    lua_State *nested = lua_gettop(L) > 0 ? lua_tothread(L, 1) : NULL;
    if (nested != NULL) close_coroutines(script, nested);
    budget_close(script, L);
}

static void drop(Task *task) {
    ensure(task != task->script->running);
    /* First, for it may run other tasks, which may collect what this coroutine keeps alive until it is closed. */
    cancel_wait(task);
    close_coroutines(task->script, task->L);
    end_task(task, false);
}

static bool must_drop(const Task *task) {
    return task->script->is_retired && task->is_background && task->wait->is_sleep;
}

static void resume(Task *task, int args) {
    Script *script = task->script;
    Task *outer = script->running;
    Budget budget;
    budget_start(&budget, script, task->L, BUDGET_OURS);
    script->running = task;
    int results = 0;
    int status = lua_resume(task->L, script->L, args, &results);
    script->running = outer;
    budget_stop(&budget);
    if (budget.is_seen) task->is_seen = true;
    if (budget.fault != BUDGET_GOOD) {
        fail_with(task, "it ran for too long without waiting");
    } else if (status == LUA_OK) {
        end_task(task, !task->is_seen);
    } else if (status != LUA_YIELD) {
        fail(task);
    } else if (task->wait == NULL) {
        fail_with(task, "a handler yielded without waiting for anything: use chatty.sleep or "
                        "another function that waits, not coroutine.yield");
    } else {
        lua_pop(task->L, results);
        if (must_drop(task)) drop(task);
    }
}

/* `count` values on the main state: the function, its arguments, and perhaps what lies below them. */
static void start(Task task_of, int args, int count) {
    Script *script = task_of.script;
    Task *task = mem_alloc(sizeof *task);
    *task = task_of;
    list_add(&script->tasks, &task->link);
    script->task_count++;
    metrics_add(METRIC_tasks, 1);
    task->L = threads_take(script, script->L, &task->reference);
    luaL_checkstack(task->L, count, "too many arguments");
    lua_xmove(script->L, task->L, count);
    resume(task, args);
}

void task_start(Script *script, const char *label, int args, TaskOnEnd on_end, void *context) {
    start((Task){.script = script, .label = label, .on_end = on_end, .context = context}, args,
          args + 1);
}

void task_start_with(Script *script, const char *label, int args, TaskOnEnd on_end) {
    void *context = lua_touserdata(script->L, -args - 2);
    start((Task){.script = script, .label = label, .on_end = on_end, .context = context}, args,
          args + 2);
}

void task_spawn(Script *script, const char *label, int args, bool is_background) {
    start((Task){.script = script, .label = label, .is_background = is_background}, args, args + 1);
}

bool task_is_background(lua_State *L) {
    const Task *task = script_of(L)->running;
    return task != NULL && task->is_background;
}

void task_set_background(lua_State *L, bool is_background) {
    Task *task = script_of(L)->running;
    if (task != NULL) task->is_background = is_background;
}

lua_Integer *task_nesting(lua_State *L) {
    Script *script = script_of(L);
    return script->running != NULL ? &script->running->nesting : &script->nesting;
}

bool task_may_wait(lua_State *L) {
    const Task *task = script_of(L)->running;
    return task != NULL && lua_isyieldable(L) && task->pins == 0;
}

void task_check(lua_State *L) {
    if (script_of(L)->running == NULL) {
        luaL_error(L, "this function waits, and here nothing can wait: call it in a handler, a hook or "
                      "chatty.spawn, not at load time, in setup, on_unload or on_load");
    }
    if (!task_may_wait(L)) {
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

int task_yield_on(lua_State *L, lua_KFunction on_resumed, lua_KContext context) {
    lua_pushlightuserdata(L, (void *)&wait_mark);
    return lua_yieldk(L, 1, context, on_resumed);
}

bool task_is_wait(lua_State *co, int results) {
    return results == 1 && lua_touserdata(co, -1) == (void *)&wait_mark;
}

void task_pin(lua_State *L) {
    Task *task = script_of(L)->running;
    if (task != NULL) task->pins++;
}

void task_unpin(lua_State *L) {
    Task *task = script_of(L)->running;
    if (task != NULL) task->pins--;
}

bool wait_is_alive(const Wait *wait) {
    return wait->task != NULL;
}

void wait_is_sleep(Wait *wait) {
    wait->is_sleep = true;
}

void task_wake(Wait *wait, TaskPush push, void *data) {
    Task *task = wait->task;
    mem_free(wait);
    if (task == NULL) return;
    task->wait = NULL;
    int results = push(task->L, data);
    resume(task, results);
}

void task_cancel_all(Script *script) {
    while (!list_is_empty(&script->tasks)) drop(list_entry(script->tasks.next, Task, link));
}

/* Closing a coroutine may run Lua, and so end further tasks: look for the next one from the start. */
static Task *find_dropped(const Script *script) {
    for (List *at = script->tasks.next; at != &script->tasks; at = at->next) {
        Task *task = list_entry(at, Task, link);
        if (task->wait != NULL && must_drop(task)) return task;
    }
    return NULL;
}

void task_retire(Script *script) {
    script->is_retired = true;
    for (Task *task = find_dropped(script); task != NULL; task = find_dropped(script)) drop(task);
}
