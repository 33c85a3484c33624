/* SPDX-License-Identifier: Apache-2.0
 *
 * api_json: JSON as Lua values and back, exact where Lua can be: integers of 64 bits, arrays told from
 * objects, a mark for integers beyond.
 */
#ifndef API_API_JSON_H
#define API_API_JSON_H

#include <lua.h>

#include "base/str.h"

/* Pushes the value that the checked raw JSON says. */
void push_decoded(lua_State *L, Str raw);

/* Pushes the value at `index` encoded as a string; raises when it cannot be JSON. */
void push_json(lua_State *L, int index);

/* For carry: pushes onto `to` a copy of the raw JSON at `index`; false when it is none. Whether the table at `index` is
 * marked as an array; and marks the one on top. */
bool carry_raw_json(lua_State *from, int index, lua_State *to);
bool carry_is_array(lua_State *from, int index);
void carry_mark_array(lua_State *to);

/* How deep documents may be nested: the setting JSON_DEPTH_MAX. */
unsigned api_json_depth(lua_State *L);

#endif
