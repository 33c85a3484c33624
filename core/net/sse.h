/* SPDX-License-Identifier: Apache-2.0
 *
 * sse: the event stream format of Server-Sent Events (HTML Living Standard 9.2). Without state. Any
 * thread.
 */
#ifndef NET_SSE_H
#define NET_SSE_H

#include "base/buf.h"
#include "hub/message.h"

/* The encoder of MESSAGE_SSE: `event:`, `data:` with a line for each line of the attributes, and `id:` if
 * there is one. Line breaks in the event's name become blanks; an ack has no place. */
Bytes *sse_encode(const MessageParts *parts, MessageParts *placed);

/* A comment, which keeps the connection alive, the same for all. Gives. */
Bytes *sse_beat(void);

#endif
