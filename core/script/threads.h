/* SPDX-License-Identifier: Apache-2.0
 *
 * threads: coroutines in a pool. One that has ended well can run another function, so a request costs no
 * new Lua thread; one that failed is thrown away. They are anchored in the registry by a reference.
 */
#ifndef SCRIPT_THREADS_H
#define SCRIPT_THREADS_H

#include "script/script.h"

/* One that is ready to run a function. `L` is any state of the script. */
lua_State *threads_take(Script *script, lua_State *L, int *reference);
void threads_give(Script *script, lua_State *co, int reference, bool is_reusable);

/* Leaves most of those that run nothing to the collector. */
void threads_trim(Script *script);

#endif
