/* SPDX-License-Identifier: Apache-2.0
 *
 * engines: the Engine.IO connections of one worker that poll or did, by their sid, and what comes for them: the
 * requests of their clients, which may have been accepted by another worker. Also the namespaces of
 * Socket.IO in which the worker has sessions. Worker's thread only.
 */
#ifndef SOCKETIO_ENGINES_H
#define SOCKETIO_ENGINES_H

#include "base/map.h"
#include "socketio/engine.h"

typedef struct Engines {
    Net *net;
    unsigned worker; /* its index, the first two digits of each sid */
    Map by_sid;      /* of Entries, see engines.c */
    uint32_t polling_count;
    List spaces; /* see space.h */
} Engines;

void engines_init(Engines *engines, Net *net, unsigned worker);
void engines_deinit(Engines *engines); /* none may poll any more */

/* Whether as many poll as connections may be open (limits.connections_max): no further one may open then. */
bool engines_are_full(const Engines *engines);

/* The worker that a sid names; -1: it is none. Any thread. */
int engines_worker_of(Str sid);

void engines_make_sid(const Engines *engines, char sid[ENGINE_SID_LEN + 1]);
void engines_add(Engines *engines, Engine *engine, char sid[ENGINE_SID_LEN + 1]); /* makes the sid */
void engines_remove(Engines *engines, Engine *engine);
void engines_note_socket(Engines *engines); /* one polls no more */

/* A GET or a POST with a body; answered at once or later, once. */
void engines_poll(Engines *engines, Str sid, PollingAnswer answer);
void engines_post(Engines *engines, Str sid, Str body, PollingAnswer answer);

/* The client went away in the middle of a request. */
void engines_abort(Engines *engines, Str sid);

/* A WebSocket that shall take over; one that cannot is closed. Takes the connection, and one reference of the
 * answer to its handshake; `rest` came behind the request. */
void engines_upgrade(Engines *engines, Str sid, int fd, Bytes *answer, Str rest);

/* The worker stops. Those with a poll that waits are told in parts, until `until_ms` (drain_share); the others, whom
 * nothing can be told any more, end at once. */
void engines_drain(Engines *engines, uint64_t until_ms);

bool engines_are_polling(const Engines *engines); /* there is one that polls */

#endif
