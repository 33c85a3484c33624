/* SPDX-License-Identifier: Apache-2.0
 *
 * api_metrics: the server's own counts and the meters of plugins, in Lua.
 */
#ifndef API_API_METRICS_H
#define API_API_METRICS_H

#include <lua.h>

#include "base/meters.h"

/* What core.metrics.declare is told, from `index` on: name, help, kind and, perhaps, bounds, for which the caller
 * has the room. Borrows from the arguments. */
MeterFamily check_family(lua_State *L, int index, double bounds[METERS_BUCKETS_MAX]);

#endif
