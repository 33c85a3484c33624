/* SPDX-License-Identifier: Apache-2.0
 *
 * stdlib: Lua's standard libraries as scripts see them: those functions of theirs replaced that would not
 * wait, could not be stopped or make much of little.
 */
#ifndef SCRIPT_STDLIB_H
#define SCRIPT_STDLIB_H

#include <lua.h>

void stdlib_open(lua_State *L);

#endif
