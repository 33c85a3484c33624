/* SPDX-License-Identifier: Apache-2.0
 *
 * carry: values on their way from a Lua state into the one that takes its place: nil, booleans, numbers,
 * strings, tables of these (shared and circular ones too) without metatables, what core.json marks, sessions
 * and raw sockets. Both states are of one worker; its thread only.
 */
#ifndef API_CARRY_H
#define API_CARRY_H

#include "script/script.h"

/* Copies the value at `index` of `from` onto the top of `to`. What cannot be copied, or lies too deep, is left
 * out and counted in *left_out. On failure (the memory of `to` is full): an error string on top of `to`. */
WARN_UNUSED int carry_value(lua_State *from, int index, Script *to, size_t *left_out);

#endif
