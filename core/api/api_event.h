/* SPDX-License-Identifier: Apache-2.0
 *
 * api_event: an event that is being made, in Lua: a name, and attributes as raw JSON of which single
 * members are changed by splicing. A userdata. What is small lies within it: most events need no finalizer.
 */
#ifndef API_API_EVENT_H
#define API_API_EVENT_H

#include <lua.h>

#include "base/buf.h"

typedef struct Event {
    const char *type; /* for check_typed */
    Str name;         /* within the userdata, or in new_name */
    Str attributes;   /* raw JSON; within the userdata, or inside text */
    Buf new_name;
    Buf text;              /* holds the attributes, perhaps within more */
    bool has_finalizer;    /* it owns one of these two */
    bool is_spread;        /* the attributes are an array of the arguments of a client of Socket.IO */
    uint32_t binary_count; /* of the list of binaries, its user value */
    char room[];
} Event;

struct SioPacket;

Event *check_event(lua_State *L, int arg);
Event *to_event(lua_State *L, int index); /* NULL: it is none */

/* Reads {"event", "attributes"} out of a request's body, which is empty on success: large memory moves.
 * Pushes the event, and if it has other members a table of them, decoded; or nil, message, code, pointer. */
int push_event_of_body(lua_State *L, Buf *body);

/* Pushes what a client of Socket.IO sent: an event, or an acknowledgement under the name chatty:ack. False:
 * its name is none, and nothing is pushed. */
bool push_event_of_packet(lua_State *L, const struct SioPacket *packet);

/* Pushes the list of binaries of the event at `index`; nil when there are none. */
void push_binaries(lua_State *L, int index);

#endif
