/* SPDX-License-Identifier: Apache-2.0
 *
 * quota: how much may wait for one session (limits.queue_bytes_max), whichever its transport. Worker's
 * thread only.
 */
#ifndef NET_QUOTA_H
#define NET_QUOTA_H

#include "net/conn.h"

/* When the queue was last found empty: the low bits of net_now_ms. */
typedef uint32_t QuotaMark;

/* Before something is queued that asks for no leave: notes an empty queue. */
void quota_note(QuotaMark *mark, const Conn *conn);

/* Whether `len` more bytes may be queued. An empty queue takes one frame of any size, and within that
 * turn of the loop eight times the limit: before it was offered anything the peer is not slow. If not,
 * it counts a slow reader; the caller closes. */
bool quota_allows(QuotaMark *mark, const Conn *conn, size_t len);

#endif
