/* SPDX-License-Identifier: Apache-2.0
 *
 * ask: a call of Lua that waits for the answer of another island. Counted in api->asks, so that a
 * stopping worker waits for it too.
 */
#ifndef API_ASK_H
#define API_ASK_H

#include "api/api.h"
#include "script/task.h"

typedef struct Ask Ask;

/* Raises where nothing can wait. `push` turns the answer into Lua values. The caller hands the Ask on as
 * `waiter` and returns task_yield. */
Ask *ask_new(lua_State *L, TaskPush push);
void ask_finish(Ask *ask, void *answer); /* takes the ask */

/* Hands the op to the roster (takes it) and waits; `push` gets the answered Op. */
int ask_roster(lua_State *L, Op *op, TaskPush push);

/* The same for the thread of reloads. */
int ask_reload(lua_State *L, Op *op, TaskPush push);

/* The Api of a running server; raises in tools. */
Api *check_running(lua_State *L);

#endif
