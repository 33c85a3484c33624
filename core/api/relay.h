/* SPDX-License-Identifier: Apache-2.0
 *
 * relay: the requests of polling clients on their way to the worker that their sid names. Whoever accepted
 * one posts it as an Op there, and its answer comes back as the answer of the Op; a WebSocket that shall
 * take over goes there for good, as a descriptor. All go this way, those for the own worker too. Worker's
 * thread only.
 */
#ifndef API_RELAY_H
#define API_RELAY_H

#include <lua.h>

#include "api/api_request.h"
#include "hub/bus.h"
#include "socketio/engines.h"

typedef enum { RELAY_POLL, RELAY_POST, RELAY_ABORT, RELAY_UPGRADE } RelayKind;

/* Sends a GET (RELAY_POLL) or POST on and waits; pushes when woken the body of the answer, or nil and why it
 * is refused. A client that goes away meanwhile ends its connection of Engine.IO. */
int relay_ask(lua_State *L, RequestBox *box, RelayKind kind, Str sid);

/* Hands a WebSocket handshake's connection over; the request is answered. False: the connection is gone, or
 * the sid is none, which is left to the caller to answer. */
bool relay_upgrade(lua_State *L, RequestBox *box, Str sid);

/* Carries out what came here. Takes the op. */
void relay_run(Engines *engines, Bus *bus, Op *op);

#endif
