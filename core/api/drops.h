/* SPDX-License-Identifier: Apache-2.0
 *
 * drops: events that sessions of a worker did not get, on their way to the hook `dropped`. Fan-out only notes
 * them, and only while a plugin listens; the hooks run later, all that was noted by one task, and no second
 * one beside it. Bounded in events and bytes; what is beyond is counted and not told. Worker's thread only.
 */
#ifndef API_DROPS_H
#define API_DROPS_H

#include "net/net.h"

struct States;
struct Drop;

typedef struct Drops {
    struct States *states; /* of the worker; the current one listens */
    struct Drop *items;
    uint32_t count;
    uint32_t max;
    uint64_t bytes; /* attributes of what is noted */
    bool is_told;   /* hooks run */
} Drops;

void drops_init(Drops *drops, struct States *states, uint32_t max);
void drops_deinit(Drops *drops); /* before the states */

/* A RegistryOnDrop and a NetOnVoid; the context is the Drops. The second one puts it on record (trace.h), too,
 * as fan-out does itself. */
void drops_add(void *drops, Subscriber *subscriber, const Message *message);
void drops_add_void(void *drops, Subscriber *subscriber, const Message *message, NetVoid why);

/* At the end of a turn: hands what was noted to the hooks, unless they are still busy. Not from within Lua. */
void drops_tell(Drops *drops);

#endif
