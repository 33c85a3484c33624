/* SPDX-License-Identifier: Apache-2.0
 *
 * session_ws: the plain WebSocket transport of sessions: every text frame is one event. Worker's thread
 * only.
 */
#ifndef NET_SESSION_WS_H
#define NET_SESSION_WS_H

#include "net/request.h"
#include "net/session.h"

/* The encoder of MESSAGE_WS. */
Bytes *session_ws_encode(const MessageParts *parts, MessageParts *placed);

/* Upgrades as socket_open does. Takes the session and binds it; on an error it is freed. */
WARN_UNUSED int session_ws_open(Request *request, Str protocol, Session *session);

#endif
