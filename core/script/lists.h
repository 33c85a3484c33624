/* SPDX-License-Identifier: Apache-2.0
 *
 * lists: the functions of the library table that could run for long without an instruction of Lua, when
 * a list says that it is longer than it is: they can be stopped (budget.h). In place of Lua's own in a
 * state.
 */
#ifndef SCRIPT_LISTS_H
#define SCRIPT_LISTS_H

#include <lua.h>

void lists_open(lua_State *L);

#endif
