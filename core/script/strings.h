/* SPDX-License-Identifier: Apache-2.0
 *
 * strings: the functions of the library string that could run for long or make much of little: find,
 * match, gmatch and gsub on our own patterns (pattern.h), rep with a limit. In place of Lua's own in a
 * state, also as methods of strings; string.dump is taken out.
 */
#ifndef SCRIPT_STRINGS_H
#define SCRIPT_STRINGS_H

#include <lua.h>

void strings_open(lua_State *L);

#endif
