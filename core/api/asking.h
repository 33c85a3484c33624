/* SPDX-License-Identifier: Apache-2.0
 *
 * asking: events that a client of Socket.IO shall acknowledge, and the handlers that wait for it. At most
 * so many wait for one session. Script's thread only.
 */
#ifndef API_ASKING_H
#define API_ASKING_H

#include <lua.h>

#include "socketio/lane.h"

/* Sends the event at index 2 and waits for the acknowledgement, at most `timeout_ms`. Pushes when woken the
 * acknowledgement as an event, or nil, message, code: TIMEOUT, CLOSED, LIMIT. */
int asking_ask(lua_State *L, Session *session, uint32_t timeout_ms);

/* An acknowledgement came; one that nobody waits for is ignored. */
void asking_take(Session *session, const SioPacket *packet);

/* The session is over. */
void asking_cancel(Session *session);

#endif
