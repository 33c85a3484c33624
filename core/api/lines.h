/* SPDX-License-Identifier: Apache-2.0
 *
 * lines: what Lua remembers of request lines ("POST /control/notify?method=users:ann"), for clients send the same
 * again and again. Of one Lua state. Short lines only, and so many; then it begins anew.
 */
#ifndef API_LINES_H
#define API_LINES_H

#include <lua.h>

#include "base/map.h"

typedef struct Lines {
    Map map;
} Lines;

void lines_init(Lines *lines);
void lines_deinit(Lines *lines); /* the values are the state's, which ends too */

/* Pushes what was kept for the line, or nil. Whether it was kept. */
bool lines_push(const Lines *lines, lua_State *L, Str line);

/* Keeps the value on top of the stack for the line (copies that), and pops it. */
void lines_keep(Lines *lines, lua_State *L, Str line);

#endif
