/* SPDX-License-Identifier: Apache-2.0
 *
 * task: a Lua handler that may wait: a coroutine of its own, from a pool. The one yield protocol of the
 * program: an API function arms a Wait, hands it to whatever will answer, and returns task_yield; the
 * answer comes as task_wake, which resumes the handler with what it pushes. A task waits for one thing
 * at a time. A Wait belongs to whom it was handed to, until woken; it outlives a cancelled task.
 * A handler that waits inside a coroutine of its own works too: the yield is passed on outwards (see
 * nested.h). Script's thread only.
 */
#ifndef SCRIPT_TASK_H
#define SCRIPT_TASK_H

#include "script/script.h"

typedef struct Task Task;
typedef struct Wait Wait;

/* Starts the function that lies under `args` arguments on the main state, as a task; runs it until it
 * waits or ends. `label` names it in the log (static). on_end may be NULL; it is called once when the
 * task is over, also when it failed or was cancelled. An error is logged. */
typedef void (*TaskOnEnd)(void *context);
void task_start(Script *script, const char *label, int args, TaskOnEnd on_end, void *context);

/* As task_start, but takes the userdata below the function too: it is the context, and alive until on_end is
 * called. */
void task_start_with(Script *script, const char *label, int args, TaskOnEnd on_end);

/* As task_start, for a function that nobody waits for. A task in the background ends where it sleeps once the
 * script retires. */
void task_spawn(Script *script, const char *label, int args, bool is_background);

/* Whether the running task is in the background; and that it is from now on. Outside of tasks: false, nothing. */
bool task_is_background(lua_State *L);
void task_set_background(lua_State *L, bool is_background);

/* A number that the running task keeps for its callers, also inside its nested coroutines, 0 at first; or
 * that which is kept outside of tasks. A cage that fails puts back what it was. */
lua_Integer *task_nesting(lua_State *L);

/* Whether the running function may wait; raises a Lua error that tells the way out when it may not. */
bool task_may_wait(lua_State *L);
void task_check(lua_State *L);

/* task_check, then gives a Wait. Nothing may raise between this and task_yield. */
Wait *task_arm(lua_State *L);

/* Says how to end the wait early: on_cancel is called with the holder when the task is dropped, and ends the wait
 * (task_wake) at once. */
typedef void (*WaitOnCancel)(void *holder);
void wait_on_cancel(Wait *wait, WaitOnCancel on_cancel, void *holder);

/* Says that the wait only lets time pass. */
void wait_is_sleep(Wait *wait);

/* The last thing an API function does: `return task_yield(L);` */
int task_yield(lua_State *L);

/* Pushes the results of the waited-for call onto the state it gets, and tells how many. */
typedef int (*TaskPush)(lua_State *L, void *data);

/* Ends the wait (takes it) and resumes the task; nothing happens if the task is gone. May be called from
 * anywhere on the script's thread but from inside the task itself. */
void task_wake(Wait *wait, TaskPush push, void *data);

/* Whether somebody still waits. */
bool wait_is_alive(const Wait *wait);

/* Drops all tasks that wait: their coroutines are closed, so to-be-closed variables run; on_end is
 * called. */
void task_cancel_all(Script *script);

/* Others have taken the script's place: tasks in the background that sleep now, or come to sleep, are dropped; all
 * else goes on to its end. */
void task_retire(Script *script);

/* For nested coroutines (nested.h). Whether what `co` yielded, `results` values, is a wait; passes the wait
 * of one on, as lua_yieldk; and while one is pinned, no wait can leave the task. */
bool task_is_wait(lua_State *co, int results);
int task_yield_on(lua_State *L, lua_KFunction on_resumed, lua_KContext context);
void task_pin(lua_State *L);
void task_unpin(lua_State *L);

#endif
