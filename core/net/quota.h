/* SPDX-License-Identifier: Apache-2.0
 *
 * quota: how much may wait for one session (net_queue_max) and how long (queue_age_max_ms),
 * whichever its transport. Worker's thread only.
 */
#ifndef NET_QUOTA_H
#define NET_QUOTA_H

#include "net/conn.h"

typedef struct QuotaMark {
    uint32_t filled_ms; /* when the queue was last found empty: the low bits of net_now_ms */
    uint32_t last;      /* the last frame of the queue at aged_ms, counted as conn_sent */
    uint32_t aged_ms;   /* low bits */
} QuotaMark;

/* Before something is queued that asks for no leave: notes an empty queue. */
void quota_note(QuotaMark *mark, const Conn *conn);

/* Whether `len` more bytes may be queued. An empty queue takes one frame of any size, and within that
 * turn of the loop eight times the limit: before it was offered anything the peer is not slow. When it is
 * full, what is void by its time is dropped first. If not, it counts a slow reader; the caller closes.
 * A frame that waits too long is found out within twice that time. */
bool quota_allows(QuotaMark *mark, Conn *conn, size_t len);

/* Queues the frame of an event (conn_write_unretained), unless that is not allowed, in the place of what
 * waits of its key. */
bool quota_deliver(QuotaMark *mark, Conn *conn, const Delivery *delivery);

#endif
