/* SPDX-License-Identifier: Apache-2.0
 *
 * polling: the long-polling transport of one Engine.IO connection as data: the frames that wait for the
 * client, and the requests of his that wait for an answer, at most one GET and one POST. In memory the
 * Engine owns; worker's thread only.
 */
#ifndef SOCKETIO_POLLING_H
#define SOCKETIO_POLLING_H

#include "base/bytes.h"
#include "net/outbox.h"
#include "net/socket.h"

/* How a request is answered, once. `code` says why it is refused (static; NULL: it is not), takes one
 * reference of `body`. Queues only, calls nobody back. */
typedef struct PollingAnswer {
    void (*give)(void *waiter, const char *code, Bytes *body); /* NULL: nobody waits */
    void *waiter;
} PollingAnswer;

typedef struct Polling {
    Net *net;
    Outbox outbox;      /* WebSocket frames, each of one packet, mostly one alone */
    PollingAnswer poll; /* a GET */
    PollingAnswer post; /* a POST whose packets are not all worked on */
} Polling;

Polling *polling_new(Net *net);
void polling_free(Polling *polling); /* nobody may wait any more */

/* Queue a frame, if it may wait (net_may_queue; more while a GET waits: it goes out in this turn of the loop). An
 * empty queue takes one frame of any size. False: it may not, and a slow reader was counted. They take one
 * reference, of an event perhaps owed still; what a newer event of its key replaces, or what is over, goes
 * while no GET waits. */
bool polling_send(Polling *polling, Bytes *frame);
bool polling_deliver(Polling *polling, const Delivery *delivery);
void polling_add(Polling *polling, Bytes *frame); /* in any case */

/* Bytes that wait while no GET does. */
static inline uint64_t polling_overdue(const Polling *polling) {
    return polling->poll.give == NULL ? polling->outbox.queued : 0;
}

/* Hands all frames on, oldest first; `send` takes one reference of each. */
void polling_move(Polling *polling, bool (*send)(Socket *socket, Bytes *frame), Socket *socket);

void polling_answer(PollingAnswer *answer, const char *code,
                    Bytes *body); /* does nothing when nobody waits */

void polling_answer_poll(Polling *polling, Bytes *body); /* the GET; the same */

/* Answers the GET with all frames; there must be one that waits, and a frame. */
void polling_flush(Polling *polling);

#endif
