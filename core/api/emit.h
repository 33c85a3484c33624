/* SPDX-License-Identifier: Apache-2.0
 *
 * emit: an event leaves Lua: at once, or, if a durable channel keeps it, when it is on the disk, for which the
 * handler waits. It is recorded in the worker's Trace.
 */
#ifndef API_EMIT_H
#define API_EMIT_H

#include "api/api.h"

/* What `why` tells of an event beside what is in its notice. */
typedef struct EmitLabels {
    Str name;
    Str origin; /* who asked */
    Str id;     /* idempotency key */
    Str ack;    /* by which it is confirmed */
} EmitLabels;

/* Too much waits for slow sessions for a new event. */
bool emit_is_full(const Api *api);

/* What a C function that emits returns to Lua, perhaps by a yield: true and the id, if it is kept, or nil,
 * message, code. Takes the notice, borrows the labels. Raises where it would have to wait and cannot. */
int emit(lua_State *L, Notice *notice, const EmitLabels *labels);

/* The same, or only the counting when is_dry, with the counts in place of true. Only where a task may wait. */
int emit_counted(lua_State *L, Notice *notice, bool is_dry, const EmitLabels *labels);

/* A table of users and sessions. */
void push_count(lua_State *L, uint64_t users, uint64_t sessions);

#endif
