/* SPDX-License-Identifier: Apache-2.0
 *
 * transport: what a Session needs of the connection under it, as a table of functions, one table per
 * kind of transport. A session's `class` is the first member of its transport's table, so a kind costs
 * a session nothing and a delivery one call. The transport borrows the Session and tells it what comes
 * (session_on_message, session_on_timer, session_on_close). Worker's thread only.
 */
#ifndef NET_TRANSPORT_H
#define NET_TRANSPORT_H

#include "hub/subscriber.h"
#include "net/net.h"

/* Where a session begins in the order of kept events. */
typedef struct SessionStart {
    Str cursor;    /* STR_NONE: nothing is kept for it */
    bool is_whole; /* it is brought all that it missed since its last connection */
} SessionStart;

typedef struct TransportClass {
    SubscriberClass subscriber; /* `deliver` is the transport's; the rest are session.h's */
    const char *name;           /* as plugins see it: "ws" */
    /* Queues one event for this session alone; false when closing or the queue is full. */
    bool (*send)(void *transport, const MessageParts *parts);
    /* The session gets events from now on; may be NULL. */
    void (*go_live)(void *transport, const SessionStart *start);
    /* session_on_message does not come between them; what comes meanwhile waits, within limits. */
    void (*hold)(void *transport);
    void (*resume)(void *transport);
    /* What is sent between them leaves in one write. Both may be repeated; NULL: it leaves when it can. */
    void (*stop_writing)(void *transport);
    void (*start_writing)(void *transport);
    /* session_on_timer comes at that time, monotonic milliseconds; 0: not at all. */
    void (*set_deadline)(void *transport, uint64_t deadline_ms);
    /* Ends it with a WebSocket close code; session_on_close comes later. May be repeated. */
    void (*close)(void *transport, uint16_t code, Str reason);
    /* The code that it ends with, 1006 when the connection is lost; 0: it is open. */
    uint16_t (*close_code)(const void *transport);
    uint32_t (*waiting)(const void *transport); /* frames that the kernel has not taken */
    uint64_t (*overdue)(void *transport);       /* as those of the subscriber */
    void (*cut)(void *transport);
    Net *(*net)(void *transport);
} TransportClass;

#endif
