/* SPDX-License-Identifier: Apache-2.0
 *
 * polling: the long-polling transport of one Engine.IO connection as data: the frames that wait for the
 * client, and the requests of his that wait for an answer, at most one GET and one POST. In memory the
 * Engine owns; worker's thread only.
 */
#ifndef SOCKETIO_POLLING_H
#define SOCKETIO_POLLING_H

#include "base/bytes.h"
#include "net/socket.h"

/* How a request is answered, once. `code` says why it is refused (static; NULL: it is not), takes one
 * reference of `body`. Queues only, calls nobody back. */
typedef struct PollingAnswer {
    void (*give)(void *waiter, const char *code, Bytes *body); /* NULL: nobody waits */
    void *waiter;
} PollingAnswer;

typedef struct Polling {
    Net *net;
    Bytes **frames; /* WebSocket frames, each of one packet, mostly one alone */
    uint32_t count, cap;
    size_t bytes;       /* of the frames */
    PollingAnswer poll; /* a GET */
    PollingAnswer post; /* a POST whose packets are not all worked on */
} Polling;

Polling *polling_new(Net *net);
void polling_free(Polling *polling); /* nobody may wait any more */

/* Whether `len` more bytes may wait (net_may_queue; more while a GET waits: it goes out
 * in this turn of the loop). An empty queue takes one frame of any size. If not, it counts a slow reader. */
bool polling_allows(const Polling *polling, size_t len);
void polling_add(Polling *polling, Bytes *frame); /* takes one reference, perhaps owed still */

/* Hands all frames on, oldest first; `send` takes one reference of each. */
void polling_move(Polling *polling, bool (*send)(Socket *socket, Bytes *frame), Socket *socket);

void polling_answer(PollingAnswer *answer, const char *code,
                    Bytes *body); /* does nothing when nobody waits */

void polling_answer_poll(Polling *polling, Bytes *body); /* the GET; the same */

/* Answers the GET with all frames; there must be one that waits, and a frame. */
void polling_flush(Polling *polling);

#endif
