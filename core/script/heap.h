/* SPDX-License-Identifier: Apache-2.0
 *
 * heap: the memory of a Lua state. Plugins may take memory_max, of which no string or table may be larger
 * than value_max; a reserve above it is for our own code, so that it can still answer. Where no error
 * could be caught, memory is given in any case.
 */
#ifndef SCRIPT_HEAP_H
#define SCRIPT_HEAP_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

/* A lua_Alloc; the context is the Script. */
void *heap_allocate(void *script, void *memory, size_t old_size, size_t new_size);

/* Collects garbage, if that was not in vain just now. Whether there is room again. */
bool heap_collect(lua_State *L);

#endif
