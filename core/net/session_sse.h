/* SPDX-License-Identifier: Apache-2.0
 *
 * session_sse: the Server-Sent Events transport of sessions: an answer that does not end and holds one
 * event after the other. What the client sends is not read as anything. A peer that vanishes is noticed
 * by the kernel, which the comments sent each ping_interval_ms make look. Worker's thread only.
 */
#ifndef NET_SESSION_SSE_H
#define NET_SESSION_SSE_H

#include "net/request.h"
#include "net/session.h"

/* Answers the request, with `headers` besides its own, and takes its connection, not the request. Takes
 * the session and binds it; on an error (ERR_CLOSED: the connection is gone) it is freed. */
WARN_UNUSED int session_sse_open(Request *request, const Header *headers, size_t header_count,
                                 Session *session);

/* The worker stops: closes all streams as socket_drain does. */
void session_sse_drain(Net *net, uint32_t *left); /* as socket_drain */

#endif
