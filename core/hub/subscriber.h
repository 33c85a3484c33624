/* SPDX-License-Identifier: Apache-2.0
 *
 * subscriber: what a transport puts into the registry: one live session of a user, which can be given
 * a message. The transport embeds it and owns it; the registry borrows it from registry_add to
 * registry_remove, and the transport removes it before it frees itself. Worker's thread only.
 */
#ifndef HUB_SUBSCRIBER_H
#define HUB_SUBSCRIBER_H

#include <stdbool.h>
#include <stdint.h>

#include "hub/message.h"

/* Close code: the token of the session counts no more. */
enum { SUBSCRIBER_CODE_REVOKED = 4504 };

/* The first characters of a session's id are those of its client: when that comes back, the id of its new
 * session begins so, too. */
enum { SUBSCRIBER_CLIENT_LEN = 16 };

typedef struct Subscriber Subscriber;
struct Node;

typedef struct SubscriberClass {
    /* Queues the message's frame of this transport and gives that frame, or NULL when it did not queue
     * it (closing, or its queue is full). It does not retain: the caller retains once for all
     * receivers. It may mark itself for closing, but may not add, remove or deliver. */
    Bytes *(*deliver)(Subscriber *subscriber, const Message *message);
    /* Tokens of keys before `generation` are good until `until_ms` (wall clock), 0: no longer. True: the
     * session ends now because of that. */
    bool (*retire_key)(Subscriber *subscriber, uint32_t generation, int64_t until_ms);
    /* Whose it is; borrows. */
    Str (*of_user)(const Subscriber *subscriber);
    /* The session's id; borrows. */
    Str (*id)(const Subscriber *subscriber);
    /* Since when it is, wall clock, and how many frames the kernel has not taken yet. */
    void (*describe)(const Subscriber *subscriber, int64_t *since_ms, uint32_t *waiting);
    /* Bytes that its peer does not take for a second or longer, and to end it because of them, at once: as a slow
     * reader, and what waits is lost. */
    uint64_t (*overdue)(const Subscriber *subscriber);
    void (*cut)(Subscriber *subscriber);
    /* The claims of its token, raw JSON; borrows. */
    Str (*claims)(const Subscriber *subscriber);
    /* Ends the session with a WebSocket close code; asynchronous. */
    void (*close)(Subscriber *subscriber, uint16_t code, Str reason);
} SubscriberClass;

struct Subscriber {
    const SubscriberClass *class;
    void *transport;     /* the class's own: what deliver looks at first; NULL: there is none */
    Subscriber *sibling; /* the user's next session here; while this one is coming the next such one */
    uint64_t had;        /* kept events up to this sequence it has had, on an earlier connection */
    uint64_t stamp;      /* serial of the last channels-efficient event it got */
    struct Node *user;   /* while it is live, else NULL */
    uint32_t number;     /* in the worker's Trace */
    bool is_coming;      /* in the registry, but not live yet */
};

#endif
