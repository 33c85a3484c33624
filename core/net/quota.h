/* SPDX-License-Identifier: Apache-2.0
 *
 * quota: how much may wait for one session (net_may_queue) and how long (queue_age_max_ms),
 * whichever its transport. Worker's thread only.
 */
#ifndef NET_QUOTA_H
#define NET_QUOTA_H

#include "net/conn.h"

/* Whether `len` more bytes may be queued. An empty queue takes one frame of any size, and one that the peer
 * was not offered yet eight times queue_bytes_max: it is not slow then. When it is full, what is void by its
 * time is dropped first. If not, it counts a slow reader; the caller closes. A frame that waits too long is
 * found out within twice that time. */
bool quota_allows(Conn *conn, size_t len);

/* Bytes that wait for a peer that does not take them for a second or longer. */
uint64_t quota_overdue(Conn *conn);

/* Queues the frame of an event (conn_write_unretained), unless that is not allowed, in the place of what
 * waits of its key. */
bool quota_deliver(Conn *conn, const Delivery *delivery);

#endif
