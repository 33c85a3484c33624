/* SPDX-License-Identifier: Apache-2.0
 *
 * lua_args: reading arguments and pushing results, in the manner of lauxlib, for the api_ files.
 */
#ifndef API_LUA_ARGS_H
#define API_LUA_ARGS_H

#include <lauxlib.h>
#include <lua.h>

#include "base/bytes.h"
#include "base/str.h"

/* Borrow from the Lua string; valid while it is on the stack or anchored elsewhere. */
Str check_str(lua_State *L, int arg);
Str opt_str(lua_State *L, int arg); /* STR_NONE for nil and none */

/* Seconds, from 0 to a day, as milliseconds; rounded up, so that nobody waits for less. */
uint32_t check_delay_ms(lua_State *L, int arg);

/* The field `name` of the table at `index`. Strings borrow from the table. Wrong types raise. */
Str opt_field_str(lua_State *L, int index, const char *name);
bool opt_field_bool(lua_State *L, int index, const char *name);

/* A list of strings in the field; NULL and *count 0 when it is nil. The array is a userdata that is left on
 * the stack, or that nil; the strings borrow from the table. Raises for anything else. */
const Str *check_field_list(lua_State *L, int index, const char *name, size_t *count);

/* The same of an argument. */
const Str *check_list(lua_State *L, int arg, const char *name, size_t *count);

/* Raises for a key of the table at `index` that is not in the NULL-terminated list. */
void check_keys(lua_State *L, int index, const char *const *known);

void push_str(lua_State *L, Str text);

/* nil, message, CODE; gives 3. `message` NULL: the code's own text. */
int push_failure(lua_State *L, int err, const char *message);

/* Sets t[name] of the table on top. */
void set_field_str(lua_State *L, const char *name, Str value);
void set_field_integer(lua_State *L, const char *name, lua_Integer value);

/* Pushes a new table with weak values. */
void push_weak_table(lua_State *L);

/* Pushes the metatable of a userdata type, made at first, whose methods (and metamethods) are listed. */
void push_class(lua_State *L, const char *name, const luaL_Reg *methods);

/* A userdata that begins with the pointer `type`, by which it is known, for less than luaL_testudata takes. All
 * userdata are large enough to be asked. NULL, or an error, for anything else. */
void *to_typed(lua_State *L, int index, const char *type);
void *check_typed(lua_State *L, int arg, const char *type);

#endif
