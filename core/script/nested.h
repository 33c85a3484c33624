/* SPDX-License-Identifier: Apache-2.0
 *
 * nested: coroutines within a task, be they a plugin's own or that in which a plugin's function is called
 * (cage.h). A wait inside one passes through to the task, and a run that is stopped (budget.h) ends all
 * of them. In place of Lua's coroutine.resume, wrap and close.
 */
#ifndef SCRIPT_NESTED_H
#define SCRIPT_NESTED_H

#include <lua.h>

/* Of our coroutine.wrap, as tracebacks see it. */
#define NESTED_SOURCE "=coroutine.wrap"

/* As lua_resume of co from L, with `args` values on top of co. Where L cannot yield, co cannot wait. */
int nested_resume(lua_State *L, lua_State *co, int args, int *results);

/* Replaces functions of the library coroutine in the state. */
void nested_open(lua_State *L);

#endif
