/* SPDX-License-Identifier: Apache-2.0
 *
 * api_query: the query of a request in Lua: decoded, as all its parameters or as those that are asked for.
 */
#ifndef API_API_QUERY_H
#define API_API_QUERY_H

#include <lua.h>

#include "base/str.h"

/* The arguments from `first` on are names: pushes as many values, nil for what is not there, of repeated parameters
 * the first; or false, name or nil, piece for one that is malformed. How many it has pushed. */
int push_parameters(lua_State *L, Str query, int first);

#endif
