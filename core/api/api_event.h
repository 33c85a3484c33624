/* SPDX-License-Identifier: Apache-2.0
 *
 * api_event: an event that is being made, in Lua: a name, and attributes as raw JSON of which single
 * members are changed by splicing. A userdata that owns its memory.
 */
#ifndef API_API_EVENT_H
#define API_API_EVENT_H

#include <lua.h>

#include "base/buf.h"

enum { EVENT_NAME_MAX = 255 };

typedef struct Event {
    Buf name;
    Buf text;              /* holds the attributes, perhaps within more */
    Str attributes;        /* raw JSON, inside text */
    bool is_spread;        /* the attributes are an array of the arguments of a client of Socket.IO */
    uint32_t binary_count; /* of the list of binaries, its user value */
} Event;

struct SioPacket;

Event *check_event(lua_State *L, int arg);
Event *to_event(lua_State *L, int index); /* NULL: it is none */

/* Reads {"event", "attributes"} out of a request's body, whose memory moves into the event on success.
 * Pushes the event, and if it has other members a table of them, decoded; or nil, message, code, pointer. */
int push_event_of_body(lua_State *L, Buf *body);

/* Pushes what a client of Socket.IO sent: an event, or an acknowledgement under the name chatty:ack. False:
 * its name is none, and nothing is pushed. */
bool push_event_of_packet(lua_State *L, const struct SioPacket *packet);

/* Pushes the list of binaries of the event at `index`; nil when there are none. */
void push_binaries(lua_State *L, int index);

#endif
