/* SPDX-License-Identifier: Apache-2.0
 *
 * script: one Lua state and the one protected call of the program. It knows nothing of what the scripts
 * are about. A worker has one, command line tools have one. Its creator's thread only.
 */
#ifndef SCRIPT_SCRIPT_H
#define SCRIPT_SCRIPT_H

#include <lua.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/list.h"
#include "base/pool.h"

/* What Lua may take; see budget.h and heap.h. */
typedef struct ScriptLimits {
    uint32_t budget_ms; /* of a plugin's handler, from wait to wait; 0: without end */
    uint32_t setup_budget_ms;
    size_t memory_max;          /* bytes of the whole state */
    uint32_t pattern_steps_max; /* of one search; 0: without end */
    size_t value_max;           /* bytes of one string or table that a plugin makes */
} ScriptLimits;

/* A coroutine, and the registry reference that keeps it. */
typedef struct IdleThread {
    lua_State *L;
    int reference;
} IdleThread;

typedef struct Script {
    lua_State *L; /* the main state; nothing waits on it */
    ScriptLimits limits;
    Pool pool;          /* where the state's memory comes from */
    size_t memory_used; /* bytes that Lua has of it */
    size_t full_at;     /* what a collection left that made no room; 0: it made some */
    size_t memory_told; /* of them, in the metric */
    size_t tidy_used;   /* bytes after the last collection of tidy.h, or less that were met since */
    size_t tidy_before; /* bytes when the one under way began; 0: it is the first */
    uint64_t tidy_ms;   /* when it goes on; 0: there is nothing to collect */
    char *own_prefix;   /* of the sources of our own functions: "@HOME/lua/" */
    List tasks;         /* Tasks that run or wait (task.h) */
    size_t task_count;
    IdleThread *idle_threads; /* to use again */
    size_t idle_count;
    lua_Integer nesting;  /* task_nesting outside of tasks */
    struct Task *running; /* the innermost; NULL outside of tasks */
    bool is_retired;      /* task_retire was called */
} Script;

/* A new state with the standard libraries. `home` is the folder whose lua/ modules `require` finds; nothing
 * else is searched. Gives. */
Script *script_new(const char *home);
void script_free(Script *script); /* tasks that still wait are dropped */

/* Brings the metric of the memory up to date. */
void script_tell_memory(Script *script);

/* A new one has none. */
void script_limit(Script *script, const ScriptLimits *limits);

/* Whether a function with this source (lua_Debug) is one of our own. */
bool script_is_ours(const Script *script, const char *source);

/* The Script that a state or coroutine belongs to. */
Script *script_of(lua_State *L);

/* Calls the function under `args` arguments on the main state. On an error: ERR_INVALID, one string on
 * the stack with the message and traceback. */
WARN_UNUSED int script_call(Script *script, int args, int results);

/* Before a thread ends in which scripts ran. */
void script_leave_thread(void);

/* Pushes the module `name` (require). As script_call. */
WARN_UNUSED int script_require(Script *script, const char *name);

/* Replaces the error value on top of L by a string with the traceback of `from`: that of L in a message
 * handler, or that of a coroutine that failed. Never raises. */
void script_add_traceback(lua_State *L, lua_State *from);

/* Logs the error string on top of L under `label`, counts it, and pops it. */
void script_log_error(lua_State *L, const char *label);

#endif
