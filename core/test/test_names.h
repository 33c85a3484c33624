/* SPDX-License-Identifier: Apache-2.0
 *
 * test_names: lists of names between Lua and the rooms of hub, for their test_ files.
 */
#ifndef TEST_TEST_NAMES_H
#define TEST_TEST_NAMES_H

#include <lua.h>

#include "hub/graph.h"
#include "hub/names.h"

/* The list in the field of the table at `index`; NULL when it is nil. Gives. */
Names *check_field_names(lua_State *L, int index, const char *field);

void push_names(lua_State *L, const Names *names);

/* Sets t[field] of the table on top; nothing when `names` is NULL. */
void set_field_names(lua_State *L, const char *field, const Names *names);

/* The subscriptions of a graph: a list of "user channel", in any order. */
void push_edges(lua_State *L, const Graph *graph);

#endif
